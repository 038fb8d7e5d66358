package parse

import (
	"strconv"
	"strings"
	"time"
	"unsafe"

	"bartizan/event"
	"bartizan/sources"
)

// pass is one record on its way through a format. Formats read p.text, which is
// a piece of the record's bytes (off is where it begins) or text decoded from
// it (off is -1), and add fields; positions are kept in terms of the record.
type pass struct {
	reg    *Registry
	slab   *Slab
	e      *event.Event
	stream *Stream // nil when parsing again: the year, day and header come from spec
	spec   spec
	text   []byte
	off    int32
	fields []event.Field
	native int
	t      stamp
	hasT   bool
	depth  int8   // wrappers already taken off
	audit  string // type of the audit record being read
	exec   bool   // it is one of an event that started a program
	ref    time.Time
	spare  event.Field // takes what comes after maxFields
	slots  [maxSlots]uint16
	marked [maxSlots]uint16 // the slots that may be set, because clearing all of them costs more
	marks  int
}

func (p *pass) begin(r *Registry, slab *Slab, e *event.Event, raw []byte) {
	p.reg, p.slab, p.e = r, slab, e
	e.More = r.opt.More
	p.text, p.off = raw, 0
	p.fields = slab.fields.open()
	p.native, p.hasT, p.depth = -1, false, 0
	p.clearSlots()
}

// mark remembers the field just added under a slot.
func (p *pass) mark(slot uint16) {
	p.slots[slot] = uint16(len(p.fields))
	if p.marks < len(p.marked) {
		p.marked[p.marks] = slot
	}
	p.marks++
}

func (p *pass) clearSlots() {
	if p.marks > len(p.marked) {
		clear(p.slots[:])
	} else {
		for _, s := range p.marked[:p.marks] {
			p.slots[s] = 0
		}
	}
	p.marks = 0
}

// rewind forgets what a format that did not fit after all has added.
func (p *pass) rewind(n int) {
	if len(p.fields) > n || p.hasT {
		p.fields = p.fields[:n]
		p.forgetAfter(n)
	}
	p.hasT, p.native = false, -1
	p.e.Message, p.e.Level, p.e.LogSource = "", event.LevelUnknown, event.LogSource{}
}

// forgetAfter forgets the slots of all fields but the first n.
func (p *pass) forgetAfter(n int) {
	if p.marks > len(p.marked) {
		for i, at := range p.slots {
			if int(at) > n {
				p.slots[i] = 0
			}
		}
		return
	}
	kept := 0
	for _, s := range p.marked[:p.marks] {
		if int(p.slots[s]) > n {
			p.slots[s] = 0
			continue
		}
		p.marked[kept] = s
		kept++
	}
	p.marks = kept
}

// view returns text[from:to] without copying it.
func view(text []byte, from, to int) string {
	if from >= to {
		return ""
	}
	return unsafe.String(&text[from], to-from)
}

func str(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// span returns the record positions of text[from:to].
func (p *pass) span(from, to int) (int32, int32) {
	if p.off < 0 {
		return -1, -1
	}
	return p.off + int32(from), p.off + int32(to)
}

// next makes room for one more field; the caller writes all of it.
func (p *pass) next() *event.Field {
	n := len(p.fields)
	if n == cap(p.fields) {
		p.fields = p.slab.fields.grow(p.fields)
	}
	if n >= maxFields {
		return &p.spare
	}
	p.fields = p.fields[:n+1]
	return &p.fields[n]
}

// open begins a field called n and remembers the first of that name. Its value
// still holds what an earlier batch left there; the caller writes all of it.
func (p *pass) open(n *name) *event.Field {
	f := p.next()
	f.Name, f.Sym = n.text, n.sym
	if p.slots[n.slot%maxSlots] == 0 && f != &p.spare {
		p.mark(n.slot % maxSlots)
	}
	return f
}

// maxFields bounds the fields of one record, aliases included; what would come
// after stays searchable in Raw.
const maxFields = 8000

// put appends v under n.
func (p *pass) put(n name, v event.Value) { p.open(&n).Value = v }

// write sets text[from:to] as a field's value.
func (p *pass) write(f *event.Field, from, to int) {
	v := &f.Value
	v.Str, v.Num, v.Kind = view(p.text, from, to), 0, event.KindString
	if p.off < 0 {
		v.Pos, v.End = -1, -1
	} else {
		v.Pos, v.End = p.off+int32(from), p.off+int32(to)
	}
}

// add appends text[from:to] under n.
func (p *pass) add(n name, from, to int) { p.set(&n, from, to) }

// set is open and write in one, because half of the time of a line of text goes
// into its fields.
func (p *pass) set(n *name, from, to int) *event.Field {
	k := len(p.fields)
	if k == cap(p.fields) || k >= maxFields {
		f := p.open(n)
		p.write(f, from, to)
		return f
	}
	p.fields = p.fields[:k+1]
	f := &p.fields[k]
	f.Name, f.Sym = n.text, n.sym
	if slot := n.slot % maxSlots; p.slots[slot] == 0 {
		p.slots[slot] = uint16(k + 1)
		if p.marks < len(p.marked) {
			p.marked[p.marks] = slot
		}
		p.marks++
	}
	p.write(f, from, to)
	return f
}

// addNum appends text[from:to] as a number, or as text where it is none.
func (p *pass) addNum(n name, from, to int) {
	f := p.set(&n, from, to)
	if x, ok := number(p.text[from:to]); ok {
		f.Value.Kind, f.Value.Num = event.KindNumber, x
	}
}

// addWord appends a word of ours that does not stand in the record.
func (p *pass) addWord(n name, s string) {
	p.put(n, event.Value{Str: s, Pos: -1, End: -1})
}

// has returns the first field called n, or nil.
func (p *pass) has(n name) *event.Field {
	if i := p.slots[n.slot]; i > 0 {
		return &p.fields[i-1]
	}
	return nil
}

// value returns the text of the first field called n, "" where there is none.
func (p *pass) value(n name) string {
	if i := p.slots[n.slot]; i > 0 {
		return p.fields[i-1].Value.Str
	}
	return ""
}

// endNative closes the native fields; what follows are aliases.
func (p *pass) endNative() { p.native = len(p.fields) }

// alias gives the first value of from a second name, if it has one that says
// anything and the second name is still free.
func (p *pass) alias(to, from name) { p.rename(&to, &from) }

// nothing reports whether s is how some format writes "no value".
func nothing(s string) bool {
	switch s {
	case "", "-", "?", "<NA>", "(null)":
		return true
	}
	return false
}

func (p *pass) rename(to, from *name) {
	i := p.slots[from.slot%maxSlots]
	if i == 0 || p.slots[to.slot%maxSlots] != 0 {
		return
	}
	v := &p.fields[i-1].Value
	if v.Kind == event.KindObject || nothing(v.Str) || v.Str == "host" && to.slot == ecsContainer.slot {
		return // Falco's container "host" is none
	}
	f := p.next()
	f.Name, f.Sym, f.Value = to.text, to.sym, *v
	if f != &p.spare {
		p.mark(to.slot % maxSlots)
	}
}

// aliasEach does so for every value of from: lists stay lists.
func (p *pass) aliasEach(to, from name) {
	i := int(p.slots[from.slot])
	if i == 0 || p.slots[to.slot] != 0 {
		return
	}
	for ; i <= p.native; i++ {
		if f := &p.fields[i-1]; f.Sym == from.sym && f.Name == from.text && f.Value.Kind != event.KindObject && f.Value.Str != "" {
			p.put(to, f.Value)
		}
	}
}

// aliasWord gives a word of ours under a name that is still free.
func (p *pass) aliasWord(to name, s string) {
	if p.slots[to.slot] == 0 && s != "" {
		p.addWord(to, s)
	}
}

// aliasPart gives v.Str[from:to] under a name that is still free; positions are
// kept where v stands literally in the record.
func (p *pass) aliasPart(to name, v event.Value, from, end int) {
	if p.slots[to.slot] != 0 || from >= end {
		return
	}
	part := event.Value{Str: v.Str[from:end], Pos: -1, End: -1}
	if v.Pos >= 0 && int(v.End-v.Pos) == len(v.Str) {
		part.Pos, part.End = v.Pos+int32(from), v.Pos+int32(end)
	}
	p.put(to, part)
}

type pair struct{ to, from name }

// aliases applies a table in order.
func (p *pass) aliases(table []pair) {
	for i := range table {
		p.rename(&table[i].to, &table[i].from)
	}
}

// outcome tells success from failure under the ECS name.
func (p *pass) outcome(ok bool) {
	if ok {
		p.aliasWord(ecsOutcome, "success")
	} else {
		p.aliasWord(ecsOutcome, "failure")
	}
}

// at sets the record's own time; the first one found wins.
func (p *pass) at(t stamp) {
	if !p.hasT {
		p.t, p.hasT = t, true
	}
}

// finish writes the event from what the formats found.
func (p *pass) finish() {
	e := p.e
	if p.native < 0 {
		p.native = len(p.fields)
	}
	if len(p.reg.aliases) > 0 {
		p.giveAliases(p.reg.aliases[e.FormatName])
	}
	p.aliasWord(ecsHost, p.spec.host)
	p.typeNumbers()
	e.Fields, e.Native = p.slab.fields.close(p.fields), p.native
	p.fields = nil
	seen := e.Seen
	if !p.hasT {
		e.Time = seen
		e.Flags |= event.FlagNoTime
		return
	}
	e.Time = time.Unix(p.t.sec, int64(p.t.nsec)).UTC()
	if p.t.sec < year1990 || (!seen.IsZero() && e.Time.After(seen.Add(maxAhead))) {
		e.Flags |= event.FlagClock
		if !seen.IsZero() {
			e.Time = seen
		}
	}
}

// numbers are the second names whose values are counts, ports and ids of processes,
// also where a record writes them as text.
var numbers = [...]name{ecsSrcPort, ecsDstPort, ecsPID, ecsParentPID, ecsStatus, ecsRespBytes, ecsReqBytes, ecsNetBytes, ecsNetPackets}

// typeNumbers makes numbers of what stands under them; native values stay as they
// were delivered.
func (p *pass) typeNumbers() {
	for i := range numbers {
		at := int(p.slots[numbers[i].slot])
		if at <= p.native || p.fields[at-1].Value.Kind != event.KindString {
			continue
		}
		for k := at - 1; k < len(p.fields); k++ {
			if f := &p.fields[k]; f.Sym == numbers[i].sym && f.Value.Kind == event.KindString {
				if x, ok := countOf(f.Value.Str); ok {
					f.Value.Kind, f.Value.Num = event.KindNumber, x
				}
			}
		}
	}
}

// countOf reads a number, or one in the hexadecimal form in which Windows writes ids
// of processes.
func countOf(s string) (float64, bool) {
	if hex, ok := strings.CutPrefix(s, "0x"); ok {
		x, err := strconv.ParseUint(hex, 16, 52)
		return float64(x), err == nil
	}
	return number(bytesOf(s))
}

// maxAhead is how far a record's clock may run ahead of ours.
const maxAhead = 5 * time.Minute

const year1990 = 631152000

// take starts a pass over a record as a source delivered it.
func take(rec *sources.Record, e *event.Event) {
	e.Reset()
	e.Raw, e.Ref, e.Line, e.Seen = rec.Raw, rec.Ref, rec.Line, rec.Seen
	e.Flags, e.Lost = rec.Flags, rec.Lost
}
