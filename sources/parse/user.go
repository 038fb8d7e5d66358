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

// goLayout returns a layout in Go's form; "" for epochs.
func goLayout(s string) string {
	if known, ok := layoutNames[strings.ToLower(s)]; ok {
		return known
	}
	if strings.Contains(s, "%") {
		return strftime.Replace(s)
	}
	return s
}

// StampOf reads text by the first layout that fits; year 0 where it has none.
func StampOf(text string, layouts []string, zone *time.Location) (time.Time, bool) {
	if zone == nil {
		zone = time.UTC
	}
	for _, l := range layouts {
		l = strings.ToLower(l)
		if i := slices.Index([]string{"epoch", "epoch_ms", "epoch_us", "epoch_ns"}, l); i >= 0 {
			if t, ok := epochCount(text, i); ok {
				return t, true
			}
		}
	}
	for _, l := range layouts {
		if g := goLayout(l); g != "" {
			if t, err := time.ParseInLocation(g, text, zone); err == nil {
				return t, true
			}
		}
	}
	return time.Time{}, false
}

// epochCount reads a count of 10^-3n seconds since 1970, with or without a fraction.
func epochCount(text string, n int) (time.Time, bool) {
	whole, frac, _ := strings.Cut(text, ".")
	if len(whole) == 0 || len(whole) > 19 || len(frac) > 9 || digits([]byte(whole), 0) != len(whole) || digits([]byte(frac), 0) != len(frac) {
		return time.Time{}, false
	}
	var v int64
	for _, c := range []byte(whole) {
		d := int64(c - '0')
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
	f := &p.reg.opt.User[p.spec.user-1]
	b := p.text[:trimEnd(p.text)]
	if len(b) > maxUserText {
		return false
	}
	at := f.Regex.FindSubmatchIndex(b)
	if at == nil {
		return false
	}
	p.e.FormatName = f.Name
	for i, n := range f.Fields {
		if k := 2*i + 2; n != "" && k+1 < len(at) && at[k] >= 0 {
			p.addKey([]byte(n), at[k], at[k+1])
			if n == f.Time {
				p.userTime(f, b[at[k]:at[k+1]])
			}
		}
	}
	p.endNative()
	native := p.native
	p.giveAliases(f.Aliases)
	readGeneric(p)
	p.native, p.e.LogSource = native, f.LogSource
	return true
}

// userTime reads the record's stamp.
func (p *pass) userTime(f *UserFormat, text []byte) {
	zone := f.Zone
	if zone == nil {
		zone = p.spec.zone
	}
	t, ok := StampOf(string(text), f.Layouts, zone)
	if !ok {
		return
	}
	if t.Year() == 0 {
		t = time.Date(p.yearOf(int(t.Month()), t.Day()), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
	}
	p.at(stamp{t.Unix(), int32(t.Nanosecond())})
}

// giveAliases gives second names that are still free.
func (p *pass) giveAliases(list []Alias) {
	for i := range list {
		a := &list[i]
		if p.hasField(a.Name) {
			continue
		}
		for _, from := range a.From {
			if v, ok := p.nativeValue(from); ok {
				n := p.reg.names.child(p.reg.names.root, []byte(a.Name))
				p.put(name{n.name, n.sym, n.slot}, v)
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
