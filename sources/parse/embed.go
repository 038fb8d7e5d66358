package parse

// embed reads the message as another format whose fields join the line's own.
func (p *pass) embed(r uint8) {
	if p.depth > 1 {
		return
	}
	mark, keep, slots := len(p.fields), *p.e, p.hideSlots()
	t, had, text, off := p.t, p.hasT, p.text, p.off
	p.hasT = false // what is inside is read as if it stood alone
	p.depth++
	if !readers[r].read(p) {
		p.rewind(mark)
		p.e.Message, p.e.LogSource, p.e.Level, p.e.FormatName = keep.Message, keep.LogSource, keep.Level, keep.FormatName
	}
	p.text, p.off = text, off
	p.showSlots(&slots)
	p.depth--
	if had {
		p.t, p.hasT = t, had
	}
}
