package parse

import "bartizan/event"

// logfmtPair reads `key=value`, `key="quoted"` or a bare key at i and returns the
// places of key and value and the end; key is empty when there is none.
func logfmtPair(b []byte, i int) (keyEnd, from, to, end int, quotes bool) {
	k := i
	for k < len(b) && isKeyByte(b[k]) {
		k++
	}
	if k == i || k >= len(b) || b[k] != '=' {
		return k, k, k, k, false
	}
	from = k + 1
	if from < len(b) && b[from] == '"' {
		if to = quoted(b, from+1); to < 0 {
			return i, i, i, i, false
		}
		return k, from + 1, to, to + 1, true
	}
	to = word(b, from)
	return k, from, to, to, false
}

func isKeyByte(c byte) bool {
	return c-'a' < 26 || c-'A' < 26 || c-'0' <= 9 || c == '_' || c == '.' || c == '-' || c == '/' || c == '@'
}

func scoreLogfmt(b []byte) (int, string) {
	b = b[:trimEnd(b)]
	i, pairs, words := 0, 0, 0
	for i < len(b) && words < 6 {
		words++
		k, _, _, end, _ := logfmtPair(b, i)
		if k > i && end > k {
			pairs++
		} else if words == 1 {
			return 0, "does not begin with key=value"
		} else {
			end = word(b, i)
		}
		i = skipBlanks(b, end)
	}
	if pairs < 2 || pairs*2 < words {
		return 0, "too few key=value pairs"
	}
	return 60, "key=value pairs from the beginning"
}

// readLogfmt reads key=value pairs. Values in double quotes may hold JSON's
// escapes.
func readLogfmt(p *pass) bool {
	b := p.text[:trimEnd(p.text)]
	if n, _ := scoreLogfmt(b); n == 0 {
		return false
	}
	for i, n := 0, 0; i < len(b) && n < maxJSONFields; n++ {
		k, from, to, end, quotes := logfmtPair(b, i)
		if end <= k || k == i {
			i = skipBlanks(b, max(word(b, i), i+1))
			continue
		}
		p.logfmtValue(b[i:k], from, to, quotes)
		i = skipBlanks(b, end)
	}
	p.e.FormatName = "logfmt"
	readGeneric(p)
	return true
}

func (p *pass) logfmtValue(key []byte, from, to int, quotes bool) {
	s := p.text[from:to]
	if quotes {
		if find(s, 0, '\\') >= 0 && escapesValid(s) {
			buf := p.slab.bytes.take(len(s))
			n := unescape(buf, s)
			p.slab.bytes.trim(len(s) - n)
			node := p.reg.names.child(p.reg.names.root, key)
			pos, end := p.span(from, to)
			p.put(name{node.name, node.sym, node.slot}, event.Value{Str: str(buf[:n]), Pos: pos, End: end})
			return
		}
	}
	p.addKey(key, from, to)
}

func escapesValid(s []byte) bool {
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			n := escapeLen(s[i:])
			if n == 0 {
				return false
			}
			i += n - 1
		}
	}
	return true
}
