package parse

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"bartizan/event"
)

// UserFormat is a format that a person describes: an expression whose groups are
// fields. It is tried before the built-in ones.
type UserFormat struct {
	Name      string
	Doc       string         // one line
	Regex     *regexp.Regexp // must match the record; RE2, its size was checked by who compiled it
	Fields    []string       // native names of its groups, from group 1 on; "" is no field
	Time      string         // the field with the stamp, "" is guessed
	Layouts   []string       // of that stamp: Go's, strftime's with %, or a name of TimeNames
	Zone      *time.Location // of stamps without one; nil is the source's
	Aliases   []Alias
	LogSource event.LogSource
	Detect    bool // try it on every source, not only on those that name it
}

// Alias gives a second name to the first of some native names that has a value.
// Native names are found in any case.
type Alias struct {
	Name string
	From []string
}

// MaxUserFormats bounds how many formats a registry takes, and how many aliases
// one format.
const (
	MaxUserFormats = 64
	MaxAliases     = 256
)

// maxUserText is the longest record that a person's expression is tried on, in
// bytes.
const maxUserText = 64 << 10

// layoutNames are stamps that have a name, and how Go writes them. The epochs are
// numbers.
var layoutNames = map[string]string{
	"rfc3339": time.RFC3339Nano, "iso8601": "2006-01-02T15:04:05.999999999Z0700", "httpdate": "02/Jan/2006:15:04:05 -0700", "syslog": time.Stamp,
	"rfc1123": time.RFC1123, "ansic": time.ANSIC, "epoch": "", "epoch_ms": "", "epoch_us": "", "epoch_ns": "",
}

// TimeNames lists the names a layout may have, sorted.
func TimeNames() []string {
	var out []string
	for n := range layoutNames {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// strftime are the parts of a layout with % and how Go writes them.
var strftime = strings.NewReplacer("%Y", "2006", "%y", "06", "%m", "01", "%d", "02", "%e", "_2", "%b", "Jan", "%B", "January", "%a", "Mon", "%A", "Monday",
	"%H", "15", "%I", "03", "%M", "04", "%S", "05", "%f", "999999999", "%L", "999", "%p", "PM", "%z", "-0700", "%Z", "MST", "%T", "15:04:05", "%F", "2006-01-02", "%%", "%")

// layout is a layout as it is used: the unit of a count since 1970, or how Go
// writes the stamp.
type layout struct {
	epoch bool
	unit  int // of epochs: a second holds 10^3·unit of them
	text  string
}

var epochNames = []string{"epoch", "epoch_ms", "epoch_us", "epoch_ns"}

// layoutsOf translates layouts; epochs come first, because a layout with words
// never fits them.
func layoutsOf(list []string) []layout {
	var counts, words []layout
	for _, s := range list {
		low := strings.ToLower(s)
		if i := slices.Index(epochNames, low); i >= 0 {
			counts = append(counts, layout{epoch: true, unit: i})
			continue
		}
		if known := layoutNames[low]; known != "" {
			s = known
		} else if strings.Contains(s, "%") {
			s = strftime.Replace(s)
		}
		if s != "" {
			words = append(words, layout{text: s})
		}
	}
	return append(counts, words...)
}

// StampOf reads text by the first layout that fits; year 0 where it has none.
func StampOf(text string, layouts []string, zone *time.Location) (time.Time, bool) {
	if zone == nil {
		zone = time.UTC
	}
	return stampBy(text, layoutsOf(layouts), zone)
}

func stampBy(text string, layouts []layout, zone *time.Location) (time.Time, bool) {
	for i := range layouts {
		if l := &layouts[i]; l.epoch {
			if t, ok := epochCount(text, l.unit); ok {
				return t, true
			}
		} else if t, err := time.ParseInLocation(l.text, text, zone); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// epochCount reads a count of 10^-3n seconds since 1970, with or without a fraction.
func epochCount(text string, n int) (time.Time, bool) {
	whole, frac, _ := strings.Cut(text, ".")
	if len(whole) == 0 || len(whole) > 19 || len(frac) > 9 || digits(bytesOf(whole), 0) != len(whole) || digits(bytesOf(frac), 0) != len(frac) {
		return time.Time{}, false
	}
	var v int64
	for i := range len(whole) {
		d := int64(whole[i] - '0')
		if v > (1<<63-1-d)/10 {
			return time.Time{}, false
		}
		v = v*10 + d
	}
	unit := [...]int64{1, 1e3, 1e6, 1e9}[n]
	t := time.Unix(v/unit, v%unit*(1e9/unit))
	if n == 0 && frac != "" {
		nsec := int64(0)
		for i := range 9 {
			nsec *= 10
			if i < len(frac) {
				nsec += int64(frac[i] - '0')
			}
		}
		t = t.Add(time.Duration(nsec))
	}
	return t, true
}

// userReader is a format of a person as it is used: what can be looked up or
// translated once is.
type userReader struct {
	nodes   []*node // of the format's Fields; nil is no field
	layouts []layout
	aliases []secondName
}

// secondName is an Alias whose name is known.
type secondName struct {
	to   name
	from []string
}

// prepare translates a person's formats and aliases; once, in NewRegistry.
func (r *Registry) prepare() {
	r.users = make([]userReader, len(r.opt.User))
	for i := range r.opt.User {
		f, u := &r.opt.User[i], &r.users[i]
		u.layouts, u.aliases = layoutsOf(f.Layouts), r.secondNames(f.Aliases)
		u.nodes = make([]*node, len(f.Fields))
		for k, n := range f.Fields {
			if n != "" {
				u.nodes[k] = r.names.child(r.names.root, []byte(n))
			}
		}
	}
	r.aliases = make(map[string][]secondName, len(r.opt.Aliases))
	for format, list := range r.opt.Aliases {
		r.aliases[format] = r.secondNames(list)
	}
}

func (r *Registry) secondNames(list []Alias) []secondName {
	out := make([]secondName, len(list))
	for i, a := range list {
		n := r.names.child(r.names.root, []byte(a.Name))
		out[i] = secondName{name{n.name, n.sym, n.slot}, a.From}
	}
	return out
}

// userIndex returns the number of the format of that name, counted from 1; 0 when
// there is none.
func (r *Registry) userIndex(name string) uint8 {
	for i := range r.opt.User {
		if r.opt.User[i].Name == name {
			return uint8(i + 1)
		}
	}
	return 0
}

// usersOf lists the formats a stream tries first: the one its source names, then
// those that are looked for everywhere.
func (r *Registry) usersOf(name string) (out []uint8) {
	if i := r.userIndex(name); i > 0 {
		out = append(out, i)
	}
	for i := range r.opt.User {
		if r.opt.User[i].Detect && r.opt.User[i].Name != name {
			out = append(out, uint8(i+1))
		}
	}
	return out
}

// tryUsers reads with the first of a person's formats that fits; what a container
// runtime wrapped is looked at when it is unwrapped.
func (p *pass) tryUsers(list []uint8) bool {
	if n, _ := scoreCRI(p.text); p.depth == 0 && (n > 0 || prefix(p.text, `{"log":"`)) {
		return false
	}
	for _, i := range list {
		before := p.spec.user
		p.spec.user = i
		if p.try(readUserID) {
			return true
		}
		p.spec.user = before
	}
	return false
}

// readUser reads by a person's expression.
func readUser(p *pass) bool {
	if p.spec.user == 0 || int(p.spec.user) > len(p.reg.opt.User) {
		return false
	}
	f, u := &p.reg.opt.User[p.spec.user-1], &p.reg.users[p.spec.user-1]
	b := p.text[:trimEnd(p.text)]
	if len(b) > maxUserText {
		return false
	}
	at := f.Regex.FindSubmatchIndex(b)
	if at == nil {
		return false
	}
	p.e.FormatName = f.Name
	for i, n := range u.nodes {
		if k := 2*i + 2; n != nil && k+1 < len(at) && at[k] >= 0 {
			p.addNode(n, at[k], at[k+1])
			if f.Fields[i] == f.Time {
				p.userTime(f.Zone, u.layouts, b[at[k]:at[k+1]])
			}
		}
	}
	p.endNative()
	native := p.native
	p.giveAliases(u.aliases)
	readGeneric(p)
	p.native, p.e.LogSource = native, f.LogSource
	return true
}

// userTime reads the record's stamp.
func (p *pass) userTime(zone *time.Location, layouts []layout, text []byte) {
	if zone == nil {
		zone = p.spec.zone
	}
	t, ok := stampBy(str(text), layouts, zone)
	if !ok {
		return
	}
	if t.Year() == 0 {
		t = time.Date(p.yearOf(int(t.Month()), t.Day()), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
	}
	p.at(stamp{t.Unix(), int32(t.Nanosecond())})
}

// giveAliases gives second names that are still free.
func (p *pass) giveAliases(list []secondName) {
	for i := range list {
		a := &list[i]
		if p.hasField(a.to.text) {
			continue
		}
		for _, from := range a.from {
			if v, ok := p.nativeValue(from); ok {
				p.put(a.to, v)
				break
			}
		}
	}
}

func (p *pass) hasField(name string) bool {
	return slices.ContainsFunc(p.fields, func(f event.Field) bool { return f.Name == name })
}

// nativeValue returns the first value under a native name, in any case.
func (p *pass) nativeValue(name string) (event.Value, bool) {
	for i := range p.fields[:p.native] {
		f := &p.fields[i]
		if len(f.Name) == len(name) && strings.EqualFold(f.Name, name) && f.Value.Kind != event.KindObject && !nothing(f.Value.Str) {
			return f.Value, true
		}
	}
	return event.Value{}, false
}

// explainUsers says for every format of a person whether it fits.
func (s *Stream) explainUsers(raw []byte, slab *Slab, e *event.Event) (out []Score) {
	for i := range s.reg.opt.User {
		f := &s.reg.opt.User[i]
		p := &slab.pass
		p.begin(s.reg, slab, e, raw)
		p.stream, p.spec, p.ref = nil, s.base, s.reg.opt.Now()
		p.spec.user = uint8(i + 1)
		one := Score{f.Name, 0, "its expression (from the config) does not match"}
		if p.try(readUserID) {
			one.Score, one.Why = 100, "its expression (from the config) matches"
			if f.Time != "" && !p.hasT {
				one.Why += "; but its stamp fits none of the layouts"
			}
			if !f.Detect {
				one.Why += "; only tried where a source names it"
			}
		}
		out = append(out, one)
	}
	return out
}
