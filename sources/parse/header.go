package parse

import "bartizan/event"

// header is what lines of a file said about the columns of the records after
// them. It is made once per text and lives as long as its registry.
type header struct {
	text   string // what Describe writes and headerOf reads again
	reader uint8  // whose records it is about
	cols   []name
	lists  []bool // columns that hold lists; nil: none
	log    event.LogSource
	kind   string // Zeek's path, "" elsewhere
	when   int    // the column of a CSV record's time
}

// headerOf reads a header's text again, nil when it is none of that reader.
func headerOf(reader uint8, text []byte) *header {
	switch reader {
	case readVPCID:
		if cols := vpcColumns(text); cols != nil {
			return &header{reader: readVPCID, cols: cols}
		}
	case readZeekID:
		return zeekHeader(text)
	case readW3CID:
		return w3cHeader(text)
	case readCSVID:
		return csvHeader(text)
	}
	return nil
}

// header returns the one copy of a header line, nil when it is none or there are
// too many.
func (r *Registry) header(reader uint8, text []byte) *header {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h := r.headers[string(text)]; h != nil || len(r.headers) >= maxHeaders {
		return h
	}
	h := headerOf(reader, text)
	if h != nil {
		h.text = string(text)
		r.headers[h.text] = h
	}
	return h
}

// setHeader makes text the header of what follows in this source, and leaves the
// line itself an event without fields.
func (p *pass) setHeader(reader uint8, text []byte) {
	if p.stream != nil && p.off == 0 {
		p.stream.header = p.reg.header(reader, text)
	}
	p.headerLine()
}

// headerLine makes an event of a line that is about the records, not one of them.
func (p *pass) headerLine() {
	p.spec.header = nil
	p.e.Level = event.LevelInfo
	p.e.Message = view(p.text, 0, trimEnd(p.text))
}

// columns returns the header that holds for this record, nil without one.
func (p *pass) columns(reader uint8) *header {
	if p.stream != nil && p.off == 0 {
		p.spec.header = p.stream.header
	}
	if p.spec.header == nil || p.spec.header.reader != reader {
		p.spec.header = nil
		return nil
	}
	return p.spec.header
}

// column names one column as it was delivered.
func column(text string) name { return name{text, event.Intern(text), slotOf[text]} }

// Preface lets the stream see the beginning of a file whose records it will read
// from further on, so that columns named there hold. Only whole lines of head
// are looked at; nothing becomes an event.
func (s *Stream) Preface(head []byte) {
	if s.header != nil {
		return
	}
	var slab Slab
	var e event.Event
	for n := 0; n < maxPreface; n++ {
		end := find(head, 0, '\n')
		if end < 0 {
			return
		}
		line := head[:end]
		head = head[end+1:]
		for _, r := range [...]uint8{readZeekID, readW3CID, readVPCID, readCSVID} {
			if s.forced && s.base.reader != r {
				continue
			}
			p := &slab.pass
			e.Reset()
			p.begin(s.reg, &slab, &e, line)
			p.stream, p.spec = s, s.base
			if score, _ := readers[r].score(line); score > 0 && p.try(r) && s.header != nil {
				remember(s.recent[:], r)
			}
		}
		if s.header != nil && s.header.reader != readZeekID {
			return
		}
		if n > 0 && len(line) > 0 && line[0] != '#' {
			return
		}
	}
}

// maxPreface is how many lines of a file's beginning may name its columns: Zeek
// needs eight, W3C four.
const maxPreface = 16
