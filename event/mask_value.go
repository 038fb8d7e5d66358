package event

import "bytes"

// nameBefore returns the name that ends before the separator at i, whether it was
// in quotes, and whether < opens it.
func nameBefore(s []byte, i int) (name []byte, quoted, opened bool) {
	j := i
	for n := 0; j > 0 && blank(s[j-1]) && n < 2; n++ {
		j--
	}
	if j > 0 && s[i] == '=' && s[j-1] == ':' {
		j--
	}
	if j > 0 && quoteByte(s[j-1]) {
		quoted = true
		for j--; j > 0 && s[j-1] == '\\'; j-- {
		}
	}
	k := j
	for k > 0 && j-k < maxSecretName && nameByte(s[k-1]) {
		k--
	}
	if k > 0 && s[k-1] == '/' && s[i] == ':' { // a path such as /etc/passwd
		return nil, false, false
	}
	return s[k:j], quoted, k > 0 && s[k-1] == '<'
}

// valueAfter returns where the value behind the separator at i is, empty when
// there is none, and whether it stands there without quotes.
func valueAfter(s []byte, i int, quoted bool) (sp Span, bare bool) {
	j := i + 1
	if s[i] == '>' {
		end := bytes.IndexByte(s[j:min(len(s), j+maxSecretValue)], '<')
		return Span{j, j + max(0, end)}, false
	}
	if s[i] == '=' && j < len(s) && s[j] == '>' { // name => value
		j++
	}
	for n := 0; j < len(s) && blank(s[j]) && n < 4; n++ {
		j++
	}
	if sp, ok := quotedValue(s, j); ok {
		return sp, false
	}
	if j < len(s) && (s[j] == '=' || s[j] == '{' || s[j] == '[' || s[i] == ':' && !quoted && j == i+1) {
		return Span{j, j}, true
	}
	return bareValue(s, j), true
}

// quotedValue reads a value in quotes, which a string inside JSON writes as \".
// One that is not closed goes on to maxSecretValue or the end.
func quotedValue(s []byte, j int) (Span, bool) {
	slashes := 0
	for j < len(s) && s[j] == '\\' && slashes < 8 {
		j++
		slashes++
	}
	if j >= len(s) || !quoteByte(s[j]) {
		return Span{}, false
	}
	quote, start, run := s[j], j+1, 0
	limit := min(len(s), start+maxSecretValue)
	for k := start; k < limit; k++ {
		switch {
		case s[k] == '\\':
			run++
			continue
		case s[k] == quote && (run == slashes || slashes == 0 && run%2 == 0):
			return Span{start, k - slashes}, true
		}
		run = 0
	}
	return Span{start, limit}, true
}

// delimiters end a value without quotes, brackets its last characters.
var delimiters, brackets = byteSet("\"'&,;\\<"), byteSet(")]}>")

func byteSet(chars string) (t [256]bool) {
	for _, c := range []byte(chars) {
		t[c] = true
	}
	return t
}

// bareValue reads a value that ends at a space, a delimiter or maxBareValue.
func bareValue(s []byte, j int) Span {
	k, limit := j, min(len(s), j+maxBareValue)
	for k < limit && s[k] > ' ' && !delimiters[s[k]] {
		k++
	}
	for k > j && brackets[s[k-1]] {
		k--
	}
	return Span{j, k}
}

// whole returns the range to hide of the secret sp, which may have been cut.
func whole(s []byte, sp Span) Span {
	if sp.End-sp.Start >= maxBareValue {
		for sp.End < len(s) && s[sp.End] > ' ' && !delimiters[s[sp.End]] {
			sp.End++
		}
	}
	return narrow(s, sp)
}
