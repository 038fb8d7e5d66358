package parse

import "bartizan/event"

// flattener turns a JSON object into fields in one pass: every member under its
// dotted name, list elements under the list's name, objects before their members
// and lists after their elements as KindObject with their text.
type flattener struct {
	p     *pass
	b     []byte
	names *nameTable
	prev  *node // the name emitted last, to guess the next
	left  int   // fields that may still be added
}

// flatten reads p.text, which must be one JSON object and nothing else.
func (p *pass) flatten() bool {
	f := flattener{p: p, b: p.text, names: p.reg.names, prev: p.reg.names.root, left: maxJSONFields}
	i := space(f.b, 0)
	if i >= len(f.b) || f.b[i] != '{' {
		return false
	}
	end := f.object(i+1, f.names.root, 1)
	return end > 0 && space(f.b, end) == len(f.b)
}

// object reads members from after "{" and returns the end after "}", -1 on error.
func (f *flattener) object(i int, n *node, depth int) int {
	if i = space(f.b, i); i < len(f.b) && f.b[i] == '}' {
		return i + 1
	}
	for {
		var child *node
		if child, i = f.key(i, n); i < 0 {
			return -1
		}
		if i < len(f.b) && f.b[i] <= ' ' {
			i = space(f.b, i)
		}
		if i = f.value(i, child, depth, false); i < 0 {
			return -1
		}
		if i < len(f.b) && f.b[i] <= ' ' {
			i = space(f.b, i)
		}
		if i >= len(f.b) {
			return -1
		}
		if f.b[i] == '}' {
			return i + 1
		}
		if f.b[i] != ',' {
			return -1
		}
		i = space(f.b, i+1)
	}
}

// key reads `"key":` and returns its node and the end. Records of one kind name
// their members in the same order, so the name that followed last time is tried
// before any table.
func (f *flattener) key(i int, parent *node) (*node, int) {
	b := f.b
	if i >= len(b) || b[i] != '"' {
		return nil, -1
	}
	i++
	if next := f.p.slab.guess(f.prev.id); next != nil && next.parent == parent {
		k := next.key
		if end := i + len(k); end+1 < len(b) && b[end] == '"' && b[end+1] == ':' && string(b[i:end]) == k {
			f.prev = next
			return next, end + 2
		}
	}
	end, escaped := stringEnd(b, i)
	if end < 0 {
		return nil, -1
	}
	key := b[i:end]
	if escaped {
		key = f.decode(key)
	}
	if i = space(b, end+1); i >= len(b) || b[i] != ':' {
		return nil, -1
	}
	n := f.names.child(parent, key)
	f.p.slab.learn(f.prev.id, n)
	f.prev = n
	return n, i + 1
}

// guess returns the name that followed the name id last time.
func (s *Slab) guess(id uint32) *node {
	if int(id) < len(s.next) {
		return s.next[id]
	}
	return nil
}

func (s *Slab) learn(id uint32, n *node) {
	if n.id == 0 || !n.plain {
		return
	}
	for int(id) >= len(s.next) {
		s.next = append(s.next, make([]*node, 256)...)
	}
	s.next[id] = n
}

// decode returns the text of a string with escapes.
func (f *flattener) decode(s []byte) []byte {
	buf := f.p.slab.bytes.take(len(s))
	n := unescape(buf, s)
	f.p.slab.bytes.trim(len(s) - n)
	return buf[:n]
}

// value reads one value at i, adds its fields under n and returns its end.
func (f *flattener) value(i int, n *node, depth int, element bool) int {
	b := f.b
	if i >= len(b) {
		return -1
	}
	if f.left <= 0 {
		return skipValue(b, i, maxSkip-depth)
	}
	switch b[i] {
	case '"':
		end, escaped := stringEnd(b, i+1)
		if end < 0 {
			return -1
		}
		v := f.emit(n, event.KindString, i+1, end)
		if escaped {
			v.Str = str(f.decode(b[i+1 : end]))
		}
		return end + 1
	case '{', '[':
		return f.container(i, n, depth, element)
	case 't', 'f', 'n':
		end := literalEnd(b, i)
		if end < 0 {
			return -1
		}
		if b[i] == 'n' {
			f.emit(n, event.KindNull, i, end).Str = ""
		} else {
			f.emit(n, event.KindBool, i, end)
		}
		return end
	}
	end := numberEnd(b, i)
	if end < 0 {
		return -1
	}
	x, _ := number(b[i:end])
	f.emit(n, event.KindNumber, i, end).Num = x
	return end
}

// emit adds a field called n whose text is b[from:to].
func (f *flattener) emit(n *node, kind event.Kind, from, to int) *event.Value {
	p := f.p
	d := p.next()
	d.Name, d.Sym = n.name, n.sym
	p.write(d, from, to)
	d.Value.Kind = kind
	if n.slot != 0 && p.slots[n.slot] == 0 {
		p.mark(n.slot)
	}
	f.left--
	return &d.Value
}

// container reads an object or a list. An element of a list has no field of its
// own, only its members have.
func (f *flattener) container(i int, n *node, depth int, element bool) int {
	b := f.b
	list := b[i] == '['
	if depth >= maxDepth || list && n.opaque {
		end := skipValue(b, i, maxSkip-depth)
		if end > 0 {
			f.emit(n, event.KindObject, i, end)
		}
		return end
	}
	if list {
		end := f.list(i+1, n, depth+1)
		if end > 0 && !element {
			f.emit(n, event.KindObject, i, end)
		}
		return end
	}
	if element {
		return f.object(i+1, n, depth+1)
	}
	at := len(f.p.fields)
	f.emit(n, event.KindObject, i, i)
	end := f.object(i+1, n, depth+1)
	if end > 0 && at < len(f.p.fields) {
		v := &f.p.fields[at].Value
		v.Str = view(b, i, end)
		if f.p.off >= 0 {
			v.End = f.p.off + int32(end)
		}
	}
	return end
}

// list reads elements from after "[".
func (f *flattener) list(i int, n *node, depth int) int {
	if i = space(f.b, i); i < len(f.b) && f.b[i] == ']' {
		return i + 1
	}
	for {
		if i = f.value(i, n, depth, true); i < 0 {
			return -1
		}
		if i = space(f.b, i); i >= len(f.b) {
			return -1
		}
		if f.b[i] == ']' {
			return i + 1
		}
		if f.b[i] != ',' {
			return -1
		}
		i = space(f.b, i+1)
	}
}
