package parse

import (
	"bytes"

	"bartizan/event"
)

// The text of a line that a container runtime or sudo split is put together here;
// sources deliver the parts as one record.

var (
	dockerPartHead = []byte(`{"log":"`)
	sudoContinued  = []byte(" : (command continued) ")
)

// dockerParts returns the first line of a record of Docker's json-file driver that
// holds several, and the others; nil where it is one.
func dockerParts(b []byte) (first, rest []byte) {
	if !bytes.HasPrefix(b, dockerPartHead) {
		return nil, nil
	}
	i := bytes.IndexByte(b, '\n')
	if i < 0 || !bytes.HasPrefix(b[i+1:], dockerPartHead) {
		return nil, nil
	}
	return b[:i], b[i+1:]
}

// readDockerParts reads the parts of one line and then the line. "log" and the
// other members are there once for each part.
func readDockerParts(p *pass, first, rest []byte) bool {
	whole, off := p.text, p.off
	at := 0
	for line := first; ; {
		p.text = line
		if off >= 0 {
			p.off = off + int32(at)
		}
		if !p.flatten() {
			p.text, p.off = whole, off
			return false
		}
		if at += len(line) + 1; len(rest) == 0 {
			break
		}
		line, rest, _ = bytes.Cut(rest, []byte{'\n'})
	}
	p.text, p.off = whole, off
	if p.has(cStream) == nil || p.has(cTime) == nil || p.has(cLog) == nil {
		return false
	}
	p.e.FormatName = "docker"
	p.timeValue(p.has(cTime).Value)
	p.text, p.off = p.joinValues(cLog), -1
	p.unwrap()
	p.text, p.off = whole, off
	return true
}

// joinValues puts the texts of every field called n one behind the other.
func (p *pass) joinValues(n name) []byte {
	size := 0
	for i := range p.fields {
		if f := &p.fields[i]; f.Sym == n.sym && f.Value.Kind == event.KindString {
			size += len(f.Value.Str)
		}
	}
	buf := p.slab.bytes.take(size)[:0]
	for i := range p.fields {
		if f := &p.fields[i]; f.Sym == n.sym && f.Value.Kind == event.KindString {
			buf = append(buf, f.Value.Str...)
		}
	}
	return bytes.TrimRight(buf, "\r\n")
}

// criText returns the text of a CRI record from where its own begins: as it stands
// there, or put together where the runtime split it. literal: it stands there.
func (p *pass) criText(from int) (text []byte, literal bool) {
	b := p.text[min(from, len(p.text)):]
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return b, true
	}
	buf := p.slab.bytes.take(len(b))[:0]
	buf = append(buf, bytes.TrimSuffix(b[:i], []byte{'\r'})...)
	for rest := b[i+1:]; len(rest) > 0; {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte{'\n'})
		for range 3 { // stamp, stream, flag
			line = line[min(word(line, 0)+1, len(line)):]
		}
		buf = append(buf, bytes.TrimSuffix(line, []byte{'\r'})...)
	}
	p.slab.bytes.trim(len(b) - len(buf))
	return buf, false
}

// unfoldSudo puts a command together that sudo folded into several lines.
func (p *pass) unfoldSudo() {
	b := p.text
	i := bytes.IndexByte(b, '\n')
	if i < 0 || !bytes.Contains(b[i:], sudoContinued) {
		return
	}
	buf := p.slab.bytes.take(len(b))[:0]
	buf = append(buf, bytes.TrimRight(b[:i], " \r")...)
	for rest := b[i+1:]; len(rest) > 0; {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte{'\n'})
		if at := bytes.Index(line, sudoContinued); at >= 0 {
			buf = append(append(buf, ' '), bytes.TrimRight(line[at+len(sudoContinued):], " \r")...)
		}
	}
	p.slab.bytes.trim(len(b) - len(buf))
	p.text, p.off = buf, -1
}
