package enrich

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

// Bounds of lists of assets.
const (
	maxAssets = 200_000
	maxGlobs  = 2_000 // of one kind
	maxText   = 256   // bytes of a value
)

// assetKind is what a line of the list is about.
type assetKind uint8

const (
	assetCIDR assetKind = iota
	assetHost
	assetUser
	assetAccount
	assetBucket
	assetRole
	assetKinds
)

// assetWords are the kinds as a list spells them.
var assetWords = [assetKinds]string{"cidr", "host", "user", "account", "bucket", "role"}

// criticality is a word of a list and what it adds to an alert's risk, 0 to 10.
type criticality struct {
	name   string
	points int
}

var criticalities = []criticality{{"low", 1}, {"medium", 3}, {"high", 7}, {"critical", 10}}

// asset is one line of a person's list: what is known of what it matches.
type asset struct {
	kind  assetKind
	match string // as written
	net   netip.Prefix
	own   bool // one of the person's own addresses

	name, owner, criticality, dataClass, region string

	points int    // of criticality
	from   string // "assets.csv:12"
}

// value is one of the columns, "" when it was left empty.
func (a *asset) value(l leaf) string {
	switch l {
	case leafAssetName:
		return a.name
	case leafAssetOwner:
		return a.owner
	case leafAssetCriticality:
		return a.criticality
	case leafAssetDataClass:
		return a.dataClass
	}
	return a.region
}

// assets finds the asset of an address or a name.
type assets struct {
	all   []*asset
	nets  *nets
	exact [assetKinds]map[string]*asset // by folded name
	globs [assetKinds][]*asset          // most literal characters first
}

// newAssets indexes the list, in which no two match the same.
func newAssets(list []*asset) *assets {
	x := &assets{all: list}
	var entries []netEntry
	for i, a := range list {
		switch {
		case a.kind == assetCIDR:
			entries = append(entries, netEntry{a.net, int32(i)})
		case strings.ContainsAny(a.match, "*?"):
			x.globs[a.kind] = append(x.globs[a.kind], a)
		default:
			if x.exact[a.kind] == nil {
				x.exact[a.kind] = map[string]*asset{}
			}
			x.exact[a.kind][strings.ToLower(a.match)] = a
		}
	}
	x.nets = newNets(entries)
	for _, g := range x.globs {
		slices.SortStableFunc(g, func(a, b *asset) int { return cmp.Compare(literal(b.match), literal(a.match)) })
	}
	return x
}

// literal counts the characters of a glob that are no wildcards.
func literal(glob string) int {
	return len(glob) - strings.Count(glob, "*") - strings.Count(glob, "?")
}

// has reports whether any asset is of that kind.
func (x *assets) has(k assetKind) bool { return len(x.exact[k]) > 0 || len(x.globs[k]) > 0 }

// ofAddr returns the asset of the most specific network that a is in.
func (x *assets) ofAddr(a netip.Addr) *asset {
	if i := x.nets.find(a); i >= 0 {
		return x.all[i]
	}
	return nil
}

// ofName returns the asset that name is, else that of the glob with the most
// literal characters that it matches. Case does not matter.
func (x *assets) ofName(k assetKind, name string) *asset {
	name = strings.ToLower(name)
	if a := x.exact[k][name]; a != nil {
		return a
	}
	for _, a := range x.globs[k] {
		if globMatch(strings.ToLower(a.match), name) {
			return a
		}
	}
	return nil
}

// globMatch reports whether all of s matches: * is any text, ? is any byte. It
// takes at most len(glob) times len(s) steps.
func globMatch(glob, s string) bool {
	g, i, star, back := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case g < len(glob) && glob[g] == '*':
			star, back = g, i
			g++
		case g < len(glob) && (glob[g] == '?' || glob[g] == s[i]):
			g++
			i++
		case star >= 0: // let the last star take one more
			back++
			g, i = star+1, back
		default:
			return false
		}
	}
	return strings.Trim(glob[g:], "*") == ""
}
