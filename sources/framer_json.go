package sources

// nextElement looks for the end of the JSON value that begins at or after rd.
func (f *Framer) nextElement() (fr Frame, got, again bool) {
	if !f.inValue && !f.openElement() {
		return Frame{}, false, f.at.Mode == ModeLines || f.at.Mode == modeTail || f.at.Mode == modeAfter
	}
	n, v := f.lex.run(f.blk.buf[f.sc:f.wr])
	f.sc += n
	switch v {
	case lexDone:
		return f.takeElement(), true, false
	case lexBroken:
		return f.breakOff()
	}
	if f.eof {
		return f.breakOff()
	}
	if f.sc-f.rd > f.max {
		f.shed()
	}
	return Frame{}, false, false
}

// openElement passes over separators and begins a value; false when there is
// none here: the array ended, JSON framing broke, or more bytes are needed.
func (f *Framer) openElement() bool {
	b := f.blk.buf[f.rd:f.wr]
	i := 0
	for i < len(b) && (isSpace(b[i]) || b[i] == ',') {
		i++
	}
	f.skip(i)
	if i == len(b) {
		return false
	}
	switch c := b[i]; {
	case c == ']' && f.at.Mode != ModeObjects:
		f.closeArray()
		return false
	case c != '{' && f.at.Mode == ModeObjects:
		f.toLines()
		return false
	}
	f.lex.reset()
	f.inValue = true
	return true
}

func (f *Framer) closeArray() {
	f.skip(1)
	if f.at.Mode == ModeEnvelope {
		f.at.Mode = modeTail
		f.lex.resetInside()
		return
	}
	f.at.Mode = modeAfter
}

func (f *Framer) takeElement() Frame {
	line := f.at.Line
	if f.at.Mode != ModeObjects {
		f.at.Index++
		line = f.at.Index
	}
	var fr Frame
	f.take(&fr, f.sc, f.sc)
	fr.Line = line
	return fr
}

// breakOff ends JSON framing inside a value: what was already over the cap is
// one cut record, anything shorter is read again as lines.
func (f *Framer) breakOff() (fr Frame, got, again bool) {
	if f.sc-f.rd > f.max || f.cut.n > 0 {
		fr, got = f.takeElement(), true
		f.last.Mode = ModeLines
	}
	f.toLines()
	return fr, got, true
}

// toLines goes over to lines, from the first byte that is in no record yet.
func (f *Framer) toLines() {
	f.at.Mode = ModeLines
	f.sc = f.rd
	f.inValue = false
}

// between passes over what lies around arrays of records: the rest of an
// envelope, and the space before the next document.
func (f *Framer) between() bool {
	b := f.blk.buf[f.rd:f.wr]
	if f.at.Mode == modeTail {
		n, v := f.lex.run(b)
		f.skip(n)
		switch v {
		case lexDone:
			f.at.Mode = modeAfter
			return true
		case lexBroken:
			f.toLines()
			return true
		}
		return false
	}
	n := skipSpace(b, 0)
	f.skip(n)
	if n == len(b) {
		return false
	}
	f.at.Mode = ModeHead
	return true
}
