package event

import "bytes"

// The bounds of looking around in a hostile record; each makes the whole linear.
const (
	maxSecretName  = 64      // bytes of a name before = or :
	maxSecretValue = 4 << 10 // bytes to the closing quote
	maxBareValue   = 1 << 10 // bytes of a value without quotes before it is known to be a secret
	maxAuthority   = 512     // bytes of user:password@ in a URL
)

func nameByte(c byte) bool {
	return 'a' <= small[c] && small[c] <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '-' || c == '.'
}

func quoteByte(c byte) bool { return c == '"' || c == '\'' }

func blank(c byte) bool { return c == ' ' || c == '\t' }

// findPairs finds values behind = : and > by the name before.
func findPairs(spans []Span, s []byte) []Span {
	for i := 0; i < len(s); i++ {
		if s[i] != '=' && s[i] != ':' && s[i] != '>' {
			continue
		}
		name, quoted, opened := nameBefore(s, i)
		if len(name) == 0 || s[i] == '>' && !opened {
			continue
		}
		c := secretName(name)
		if c == classNone {
			continue
		}
		if c == classAuthorization {
			spans = findCredentials(spans, s, i+1)
			continue
		}
		sp, bare := valueAfter(s, i, quoted)
		if bare && s[i] == ':' && !quoted && prose(c, s[sp.Start:sp.End]) {
			continue
		}
		if hides(c, s[sp.Start:sp.End]) {
			sp = whole(s, sp)
			spans = append(spans, sp)
			i = sp.End - 1
		}
	}
	return spans
}

// prose reports whether what follows "token: " or "passwd: " outside of quotes
// is rather the rest of a sentence than a value.
func prose(c class, v []byte) bool {
	if len(v) == 0 || v[len(v)-1] == ':' {
		return true
	}
	return c == classToken && len(v) < 20 && !bytes.ContainsAny(v, "0123456789")
}

// findFlags finds --name value on command lines.
func findFlags(spans []Span, s []byte) []Span {
	for i := 0; i < len(s); {
		at := bytes.Index(s[i:], []byte("--"))
		if at < 0 {
			break
		}
		j := i + at + 2
		k := j
		for k < len(s) && k-j < maxSecretName && nameByte(s[k]) {
			k++
		}
		i = max(k, j)
		c := secretName(s[j:k])
		if c == classNone || c == classAuthorization || k >= len(s) || s[k] != ' ' {
			continue
		}
		sp, ok := quotedValue(s, k+1)
		if !ok {
			sp = bareValue(s, k+1)
		}
		if v := s[sp.Start:sp.End]; hides(c, v) && v[0] != '-' {
			sp = whole(s, sp)
			spans = append(spans, sp)
			i = sp.End
		}
	}
	return spans
}

// schemes are the HTTP authentication schemes whose credentials are one token.
var schemes = []string{"bearer ", "basic ", "token ", "negotiate ", "apikey ", "digest "}

// findCredentials hides what stands behind the scheme of an Authorization header.
func findCredentials(spans []Span, s []byte, j int) []Span {
	for n := 0; j < len(s) && (blank(s[j]) || quoteByte(s[j]) || s[j] == '\\' || s[j] == '[') && n < 8; n++ {
		j++
	}
	for _, scheme := range schemes {
		if hasPrefixFold(s[j:], scheme) {
			if sp := bareValue(s, j+len(scheme)); hides(classPassword, s[sp.Start:sp.End]) {
				spans = append(spans, whole(s, sp))
			}
			return spans
		}
	}
	if hasPrefixFold(s[j:], "aws4-hmac-sha256") {
		const name = "Signature="
		if at := bytes.Index(s[j:min(len(s), j+2*maxAuthority)], []byte(name)); at >= 0 {
			if sp := bareValue(s, j+at+len(name)); hides(classToken, s[sp.Start:sp.End]) {
				spans = append(spans, sp)
			}
		}
		return spans
	}
	if sp := bareValue(s, j); looksRandom(s[sp.Start:sp.End]) && hides(classToken, s[sp.Start:sp.End]) {
		spans = append(spans, whole(s, sp))
	}
	return spans
}

// looksRandom reports whether v is long and has digits, as no word has.
func looksRandom(v []byte) bool { return len(v) >= 16 && bytes.ContainsAny(v, "0123456789") }

// findBearers finds "Bearer x" without a header's name.
func findBearers(spans []Span, s []byte) []Span {
	const word = "bearer "
	for i := 0; i+len(word) < len(s); i++ {
		if small[s[i]] != 'b' || !hasPrefixFold(s[i:], word) {
			continue
		}
		if sp := bareValue(s, i+len(word)); looksRandom(s[sp.Start:sp.End]) && hides(classToken, s[sp.Start:sp.End]) {
			sp = whole(s, sp)
			spans = append(spans, sp)
			i = sp.End - 1
		}
	}
	return spans
}

// findTokens finds the signatures of JSON Web Tokens (RFC 7519).
func findTokens(spans []Span, s []byte) []Span {
	for i := 0; i < len(s); {
		at := bytes.Index(s[i:], []byte("eyJ"))
		if at < 0 {
			break
		}
		i += at
		if sp, ok := signature(s, i); ok {
			spans = append(spans, sp)
			i = sp.End
			continue
		}
		i += base64Run(s[i:])
	}
	return spans
}

// signature returns the third part of the token that begins at i. A part behind
// it would make it something else (RFC 7516 has five), whose end is hidden too.
func signature(s []byte, i int) (Span, bool) {
	header := base64Run(s[i:])
	j := i + header
	if header < 10 || j >= len(s) || s[j] != '.' {
		return Span{}, false
	}
	payload := base64Run(s[j+1:])
	k := j + 1 + payload
	if payload < 4 || k >= len(s) || s[k] != '.' {
		return Span{}, false
	}
	end := k + 1
	for end < len(s) && (base64Byte(s[end]) || s[end] == '.') {
		end++
	}
	return Span{k + 1, end}, end-k-1 >= 16
}

func base64Byte(c byte) bool {
	return 'a' <= small[c] && small[c] <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

func base64Run(s []byte) int {
	n := 0
	for n < len(s) && base64Byte(s[n]) {
		n++
	}
	return n
}

// narrow leaves the readable parts of a JSON Web Token readable.
func narrow(s []byte, sp Span) Span {
	if bytes.HasPrefix(s[sp.Start:sp.End], []byte("eyJ")) {
		if sig, ok := signature(s[:sp.End], sp.Start); ok && sig.End == sp.End {
			return sig
		}
	}
	return sp
}

// findURLs finds the password in scheme://user:password@host (RFC 3986, 3.2.1),
// and a long token in place of the user.
func findURLs(spans []Span, s []byte) []Span {
	for i := 0; i < len(s); {
		at := bytes.Index(s[i:], []byte("://"))
		if at < 0 {
			break
		}
		i += at + 3
		end := i
		for end < len(s) && end-i < maxAuthority && s[end] > ' ' && bytes.IndexByte([]byte(`/?#"'<>\,`), s[end]) < 0 {
			end++
		}
		user := bytes.LastIndexByte(s[i:end], '@')
		if user < 0 {
			continue
		}
		sp := Span{i, i + user}
		if colon := bytes.IndexByte(s[i:i+user], ':'); colon >= 0 {
			sp.Start += colon + 1
		} else if !looksRandom(s[sp.Start:sp.End]) {
			continue
		}
		if hides(classPassword, s[sp.Start:sp.End]) {
			spans = append(spans, sp)
		}
	}
	return spans
}

// findPrivateKeys finds what stands between the lines of PEM (RFC 7468) and PGP
// private keys; without an end line it is all that follows.
func findPrivateKeys(spans []Span, s []byte) []Span {
	begin, end, dashes := []byte("-----BEGIN "), []byte("-----END "), []byte("-----")
	for i := 0; i < len(s); {
		at := bytes.Index(s[i:], begin)
		if at < 0 {
			break
		}
		i += at + len(begin)
		label := bytes.Index(s[i:min(len(s), i+maxSecretName)], dashes)
		if label < 0 || !bytes.Contains(s[i:i+label], []byte("PRIVATE KEY")) {
			continue
		}
		i += label + len(dashes)
		stop := len(s)
		if at := bytes.Index(s[i:], end); at >= 0 {
			stop = i + at
		}
		if stop > i && !bytes.HasPrefix(s[i:stop], []byte(maskedPrefix)) {
			spans = append(spans, Span{i, stop})
		}
		i = stop
	}
	return spans
}
