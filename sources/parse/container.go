package parse

import "bartizan/event"

// The names of what container runtimes wrap around a line.
var (
	cLog    = known("log")
	cStream = known("stream")
	cTag    = known("logtag")
	cTime   = known("time")
)

func isDocker(p *pass) bool {
	return len(p.fields) <= 24 && p.has(cLog) != nil && p.has(cStream) != nil && p.has(cTime) != nil &&
		p.has(cLog).Value.Kind == event.KindString
}

// readDocker reads a line of Docker's json-file driver and the line inside it.
func readDocker(p *pass) {
	whole, off := p.text, p.off
	v := p.has(cLog).Value
	if raw := v.Pos >= 0; raw && v.End-v.Pos == int32(len(v.Str)+1) && v.Str != "" && v.Str[len(v.Str)-1] == '\n' {
		// The only escape is the line end: the rest stands in the record as it is.
		from := int(v.Pos - p.off)
		p.narrow(from, from+len(v.Str)-1)
	} else {
		p.text, p.off = literal(v)
	}
	if f := p.has(cTime); f != nil {
		p.timeValue(f.Value)
	}
	p.unwrap()
	p.text, p.off = whole, off
}

func scoreCRI(b []byte) (int, string) {
	if len(b) < 28 || b[4] != '-' || b[10] != 'T' {
		return 0, "does not begin with an RFC 3339 stamp"
	}
	end := word(b, 0)
	for _, s := range [...]string{" stdout ", " stderr "} {
		if prefixAt(b, end, s) {
			return 97, "a stamp, then stdout or stderr as container runtimes write it"
		}
	}
	return 0, "a stamp, but neither stdout nor stderr after it"
}

// readCRI reads a line of the Kubernetes container runtime interface, "stamp
// stdout F text", and the line inside it, put together where it was split (tag P).
func readCRI(p *pass) bool {
	b := p.text
	end := word(b, 0)
	c, east, zoned, n := isoStamp(b[:end])
	if n < 0 || !zoned || n != end {
		return false
	}
	i := end + 1
	end = word(b, i)
	if s := str(b[min(i, end):end]); s != "stdout" && s != "stderr" {
		return false
	}
	tag := end + 1
	if tag >= len(b) {
		return false
	}
	to := word(b, tag)
	if to == tag || b[tag] != 'F' && b[tag] != 'P' {
		return false
	}
	p.add(cStream, i, end)
	p.add(cTag, tag, to)
	p.at(c.utc(east))
	whole, off := p.text, p.off
	if text, literal := p.criText(to + 1); literal || b[tag] == 'F' {
		p.narrow(min(to+1, len(b)), len(b))
	} else {
		p.text, p.off = text, -1
	}
	p.unwrap()
	p.text, p.off = whole, off
	return true
}

// unwrap reads p.text as a line of its own. The runtime's time counts, because
// it is complete.
func (p *pass) unwrap() {
	mark := len(p.fields)
	t, had := p.t, p.hasT
	p.hasT = false // what is inside is read as if it stood alone
	p.depth++
	if p.depth > 2 {
		p.e.Message, p.hasT = str(p.text), had
		return
	}
	outer, slots := p.spec.reader, p.hideSlots()
	r := p.innerReader()
	if r == readRawID { // the wrapping at least was recognised
		p.e.Flags &^= event.FlagRawOnly
		p.e.FormatName = "cri"
		if outer == readJSONID {
			p.e.FormatName = "docker"
		}
	}
	p.spec.reader, p.spec.inner = outer, r
	p.showSlots(&slots)
	if had {
		p.t, p.hasT = t, had
	}
	if p.native < mark {
		p.endNative()
	}
}

// hideSlots forgets the fields found so far, so that wrapped text is judged by
// its own; showSlots brings them back.
func (p *pass) hideSlots() [maxSlots]uint16 {
	slots := p.slots
	clear(p.slots[:len(slotText)])
	return slots
}

func (p *pass) showSlots(slots *[maxSlots]uint16) {
	for i, at := range slots[:len(slotText)] {
		if at != 0 && p.slots[i] != at {
			if p.slots[i] == 0 {
				p.mark(uint16(i))
			}
			p.slots[i] = at
		}
	}
}

// innerReader finds the format of wrapped text and reads it.
func (p *pass) innerReader() uint8 {
	if p.stream == nil {
		if r := p.spec.inner; r != readRawID && p.try(r) {
			return r
		}
		readRaw(p)
		return readRawID
	}
	if len(p.stream.users) > 0 && p.tryUsers(p.stream.users) {
		return readUserID
	}
	for i, r := range p.stream.inner {
		if r != readRawID && p.try(r) {
			toFront(p.stream.inner[:], i)
			return r
		}
	}
	r := p.best(true)
	if !readers[r].wide {
		remember(p.stream.inner[:], r)
	}
	return r
}
