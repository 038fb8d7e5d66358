package enrich

import (
	"slices"

	"bartizan/event"
)

// leaf is what is asked of a base: the end of the field's name.
type leaf uint8

const (
	leafClass leaf = iota
	leafOwn
	leafProvider
	leafService
	leafCloudRegion
	leafCountryCode
	leafCountry
	leafRegion
	leafCity
	leafASNumber
	leafASName
	leafAssetName
	leafAssetOwner
	leafAssetCriticality
	leafAssetDataClass
	leafAssetRegion
	leafTool
)

var leafNames = map[string]leaf{
	"class": leafClass, "own": leafOwn,
	"cloud.provider": leafProvider, "cloud.service.name": leafService, "cloud.region": leafCloudRegion,
	"geo.country_iso_code": leafCountryCode, "geo.country_name": leafCountry, "geo.region_name": leafRegion, "geo.city_name": leafCity,
	"as.number": leafASNumber, "as.organization.name": leafASName,
	"asset.name": leafAssetName, "asset.owner": leafAssetOwner, "asset.criticality": leafAssetCriticality,
	"asset.data_class": leafAssetDataClass, "asset.region": leafAssetRegion,
	"tool": leafTool,
}

// base is what of an event is asked about.
type base struct {
	fields  []field   // of addresses and agents the first that has texts; of names any
	address bool      // it is an address
	kind    assetKind // else what its asset is listed as
	agent   bool      // it is a user agent
}

// field is a field's name with its symbol.
type field struct {
	name string
	sym  event.Sym
}

func fieldsOf(names ...string) []field {
	var out []field
	for _, n := range names {
		out = append(out, field{n, event.Intern(n)})
	}
	return out
}

// bases say where what a base is about stands in an event.
var bases = map[string]*base{
	"source":        {fields: fieldsOf("source.ip", "source.address", "source.domain", "protoPayload.requestMetadata.callerIp"), address: true},
	"destination":   {fields: fieldsOf("destination.ip", "destination.address"), address: true},
	"client":        {fields: fieldsOf("client.ip", "client.address"), address: true},
	"server":        {fields: fieldsOf("server.ip", "server.address"), address: true},
	"host":          {fields: fieldsOf("host.name", "host.hostname"), kind: assetHost},
	"user":          {fields: fieldsOf("user.name", "user.id", "userIdentity.arn", "user.email"), kind: assetUser},
	"cloud.account": {fields: fieldsOf("cloud.account.id", "cloud.project.id"), kind: assetAccount},
	"bucket":        {fields: fieldsOf("bucket.name"), kind: assetBucket},
	"role":          {fields: fieldsOf("userIdentity.sessionContext.sessionIssuer.arn", "user.roles", "service.account", "requestParameters.roleArn"), kind: assetRole},
	"user_agent":    {fields: fieldsOf("user_agent.original"), agent: true},
}

// question is an enriched name as its parts.
type question struct {
	base *base
	leaf leaf
}

// questions are event.EnrichedNames, in their order.
var questions = func() []question {
	var out []question
	for _, n := range event.EnrichedNames() {
		out = append(out, question{bases[n.Base], leafNames[n.Leaf]})
	}
	return out
}()

// next returns the text of the next field that is the base, from the fields and
// values that at counts; "" after the last. Where first is asked for, only the first
// name that has texts counts.
func (b *base) next(e *event.Event, at *cursor, first bool) string {
	for ; at.name < len(b.fields); at.name, at.value = at.name+1, 0 {
		n := &b.fields[at.name]
		for at.value < len(e.Fields) {
			f := &e.Fields[at.value]
			at.value++
			if (f.Sym == n.sym && n.sym != 0 || (f.Sym == 0 || n.sym == 0) && f.Name == n.name) && f.Value.Str != "" && f.Value.Str != "-" && f.Value.Kind != event.KindObject {
				at.found = true
				return f.Value.Str
			}
		}
		if first && at.found {
			break
		}
	}
	return ""
}

// cursor is how far the fields of a base were looked through.
type cursor struct {
	name, value int
	found       bool // a text under name
}

// maxFields bounds the fields of an event whose values are asked one after the other.
const maxFields = 1 << 24

// pack and unpack are a cursor as a number, never 0 once something was found.
func (c cursor) pack() int { return c.name*maxFields + min(c.value, maxFields-1) }

func unpack(n int) cursor {
	return cursor{name: n / maxFields, value: n % maxFields, found: n != 0}
}

// Enrich returns the value of event.EnrichedNames()[at], as event.Enricher says. It
// does not allocate when it was asked about the same address or name lately.
func (x *Enricher) Enrich(e *event.Event, at, from int) (v event.Value, next int, ok bool) {
	k := x.now.Load()
	if k.deaf[at] {
		return event.Value{}, 0, false
	}
	c := unpack(from)
	if v, _, ok = k.answer(e, questions[at], &c); ok {
		next = c.pack()
	}
	return v, next, ok
}

// About lists all that is known of e.
func (x *Enricher) About(e *event.Event) []event.Fact {
	k := x.now.Load()
	var out []event.Fact
	for i, n := range event.EnrichedNames() {
		var at cursor
		for v, from, ok := k.answer(e, questions[i], &at); ok; v, from, ok = k.answer(e, questions[i], &at) {
			if f := (event.Fact{Name: n.Name, Value: v.Str, From: from}); !slices.Contains(out, f) {
				out = append(out, f)
			}
			if len(out) >= maxFacts {
				return out
			}
		}
	}
	return out
}

// maxFacts bounds what About lists.
const maxFacts = 256

// builtIn is what says what the program's own tables say.
const builtIn = "built in"

// answer is the next value and what says it.
func (k *knowledge) answer(e *event.Event, q question, at *cursor) (v event.Value, from string, ok bool) {
	b := q.base
	v = event.Value{Pos: -1, End: -1}
	listed := !b.agent && !b.address && q.leaf != leafClass
	if listed && k.names[b.kind] == nil {
		return v, "", false
	}
	for text := b.next(e, at, !listed); text != ""; text = b.next(e, at, !listed) {
		switch {
		case listed:
			from = assetAnswer(k.asset(b.kind, text), q.leaf, &v)
		case b.agent:
			if t := k.agents.get(text, agentOf); t != nil {
				v.Str, from = t.class, builtIn
				if q.leaf == leafTool {
					v.Str = t.tool
				}
			}
		case b.address:
			from = k.addressAnswer(text, q.leaf, &v)
		default:
			v.Str, from = classOfUser(text), builtIn
		}
		if v.Str != "" {
			return v, from, true
		}
	}
	return v, "", false
}

func assetAnswer(a *asset, l leaf, v *event.Value) (from string) {
	if a == nil {
		return ""
	}
	v.Str = a.value(l)
	return a.from
}

// addressAnswer is answer for what stands where an address would.
func (k *knowledge) addressAnswer(text string, l leaf, v *event.Value) (from string) {
	if f := k.address(text); f != nil {
		return f.answer(l, v)
	}
	var f address
	if !serviceOf(text, &f) {
		return ""
	}
	return f.answer(l, v)
}

// answer fills v with what is asked of an address.
func (f *address) answer(l leaf, v *event.Value) (from string) {
	switch l {
	case leafClass:
		v.Str, from = f.class, builtIn
	case leafOwn:
		if f.ownFrom != "" {
			v.Kind, v.Str, from = event.KindBool, "false", f.ownFrom
			if f.own {
				v.Str = "true"
			}
		}
	case leafProvider:
		v.Str, from = f.provider, f.rangeFrom
	case leafService:
		v.Str, from = f.service, f.rangeFrom
	case leafCloudRegion:
		v.Str, from = f.region, f.rangeFrom
	case leafCountryCode, leafCountry, leafRegion, leafCity, leafASNumber, leafASName:
		g := &f.geo[l-leafCountryCode]
		v.Str, from = g.text, g.from
		if l == leafASNumber {
			v.Kind, v.Num = event.KindNumber, f.asNumber
		}
	default:
		from = assetAnswer(f.asset, l, v)
	}
	if from == "" {
		from = builtIn
	}
	return from
}
