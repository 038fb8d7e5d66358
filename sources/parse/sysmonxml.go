package parse

import (
	"bytes"
	"unicode/utf8"

	"bartizan/event"
)

// Sysmon for Linux writes its events to syslog as the XML of the Windows event log
// (schema "win/2004/08/events/event"), one per line. What it needs of XML is read
// here: elements, attributes, texts and entities; no comments, no declarations.

var (
	sxTime    = known("SystemTime")
	sxUser    = known("Security_UserID")
	sxExecPID = known("Execution_ProcessID")
	sxUtc     = known("UtcTime")
)

// sxAttributes are the attributes of the System part that get a name.
var sxAttributes = []struct {
	element, attribute string
	to                 name
}{
	{"Provider", "Name", winProvider},
	{"TimeCreated", "SystemTime", sxTime},
	{"Execution", "ProcessID", sxExecPID},
	{"Security", "UserId", sxUser},
	{"Security", "UserID", sxUser},
}

// sxTexts are the elements of the System part whose text gets a name.
var sxTexts = []struct {
	element string
	to      name
}{
	{"EventID", winID},
	{"Level", winLevelName},
	{"Task", known("Task")},
	{"Opcode", known("Opcode")},
	{"Keywords", winKeywords},
	{"EventRecordID", winRecord},
	{"Channel", winChannel},
	{"Computer", winComputer},
}

// maxElements bounds the elements of one event.
const maxElements = 512

func isEventXML(b []byte) bool { return prefix(b, "<Event>") || prefix(b, "<Event ") }

func scoreEventXML(b []byte) (int, string) {
	if isEventXML(b) && bytes.Contains(b[:min(len(b), 400)], []byte("<System>")) {
		return 97, "<Event> with <System> in it"
	}
	return 0, "does not begin with <Event>"
}

// readEventXML reads one event; false where an element never closes.
func readEventXML(p *pass) bool {
	b := p.text[:trimEnd(p.text)]
	if n, _ := scoreEventXML(b); n == 0 {
		return false
	}
	closed := false
	for i, n := 0, 0; i < len(b) && n < maxElements; n++ {
		open := find(b, i, '<')
		if open < 0 {
			break
		}
		if prefixAt(b, open, "</") {
			closed = closed || prefixAt(b, open, "</Event>")
			i = open + 2
			continue
		}
		end := xmlTagEnd(b, open)
		if end < 0 {
			return false
		}
		p.xmlElement(b, open+1, end)
		i = end + 1
	}
	if !closed || p.has(winID) == nil {
		return false
	}
	p.e.FormatName = "sysmon-linux"
	p.endNative()
	p.winTime(sxTime, sxUtc)
	p.windows()
	return true
}

// xmlTagEnd returns where the tag that opens at b[i] has its ">", outside of
// quotation marks.
func xmlTagEnd(b []byte, i int) int {
	quote := byte(0)
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i
		}
	}
	return -1
}

// xmlElement reads the tag at b[i:end] and the text after it.
func (p *pass) xmlElement(b []byte, i, end int) {
	name := i
	for i < end && b[i] != ' ' && b[i] != '/' {
		i++
	}
	element := str(b[name:i])
	for n := 0; i < end && n < 8; n++ {
		i = skipBlanks(b[:end], i)
		eq := find(b[:end], i, '=')
		if eq < 0 || eq+1 >= end || b[eq+1] != '"' && b[eq+1] != '\'' {
			break
		}
		stop := find(b[:end], eq+2, b[eq+1])
		if stop < 0 {
			break
		}
		p.xmlAttribute(b, element, str(b[i:eq]), eq+2, stop, end)
		i = stop + 1
	}
	if b[end-1] == '/' {
		return
	}
	for k := range sxTexts {
		if t := &sxTexts[k]; t.element == element {
			if stop := find(b, end+1, '<'); stop > end+1 {
				p.xmlText(p.open(&t.to), end+1, stop)
			}
			return
		}
	}
}

// xmlAttribute takes an attribute with a name of its own, and Data's text under
// the name it says.
func (p *pass) xmlAttribute(b []byte, element, attribute string, from, to, end int) {
	if element == "Data" && attribute == "Name" && to > from && to-from <= 64 {
		if stop := find(b, end+1, '<'); stop > end+1 && b[end-1] != '/' {
			n := p.reg.names.child(p.reg.names.root, b[from:to])
			p.xmlText(p.open(&name{n.name, n.sym, n.slot}), end+1, stop)
		}
		return
	}
	for k := range sxAttributes {
		if a := &sxAttributes[k]; a.element == element && a.attribute == attribute && to > from {
			p.xmlText(p.open(&a.to), from, to)
		}
	}
}

// xmlText writes text[from:to] without its entities.
func (p *pass) xmlText(f *event.Field, from, to int) {
	p.write(f, from, to)
	s := p.text[from:to]
	if find(s, 0, '&') < 0 {
		if x, ok := number(s); ok {
			f.Value.Kind, f.Value.Num = event.KindNumber, x
		}
		return
	}
	buf := p.slab.bytes.take(len(s))
	n := 0
	for i := 0; i < len(s); {
		r, size := rune(s[i]), 1
		if s[i] == '&' {
			r, size = xmlEntity(s[i:])
		}
		if size == 1 {
			buf[n] = s[i]
			n++
		} else {
			n += utf8.EncodeRune(buf[n:], r)
		}
		i += size
	}
	p.slab.bytes.trim(len(s) - n)
	f.Value.Str = str(buf[:n])
}

// xmlEntity reads "&amp;" and its relatives; a size of 1: it is none. What it
// stands for is never longer than itself.
func xmlEntity(b []byte) (rune, int) {
	end := find(b[:min(len(b), 10)], 0, ';')
	if end < 2 {
		return '&', 1
	}
	switch s := str(b[1:end]); s {
	case "lt":
		return '<', 4
	case "gt":
		return '>', 4
	case "amp":
		return '&', 5
	case "quot":
		return '"', 6
	case "apos":
		return '\'', 6
	}
	if b[1] != '#' {
		return '&', 1
	}
	r := rune(0)
	for i := 2; i < end; i++ {
		d := hexDigit(b[i])
		switch {
		case i == 2 && (b[i] == 'x' || b[i] == 'X') && end > 3:
		case b[2] == 'x' || b[2] == 'X':
			if d < 0 {
				return '&', 1
			}
			r = r<<4 | rune(d)
		case d < 0 || d > 9:
			return '&', 1
		default:
			r = r*10 + rune(d)
		}
	}
	if end == 2 || r == 0 || r > utf8.MaxRune || !utf8.ValidRune(r) {
		return '&', 1
	}
	return r, end + 1
}
