package event

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"unsafe"
)

// Masker hides secrets in what is shown or sent on; it is never used on evidence.
//
// Hidden are the bodies of private keys, values under names that end with
// password, passwd, pwd, passphrase, secret, token, api key, secret or private
// key (name=value, name: value, JSON, <name>value</name>, --name value), the
// credentials of Authorization headers and bare Bearer tokens, the signatures of
// JSON Web Tokens and of AWS requests, and passwords in URLs. Identifiers (access
// key ids, ARNs, addresses, user names) never are: they are pivots.
//
// A secret becomes ‹masked:ab12cd›, the first 24 bits of HMAC-SHA-256 of it, so
// that equal secrets look equal under one key. A Masker is safe for many goroutines.
type Masker struct{ key []byte }

// NewMasker returns a masker with a copy of key, which should be random and kept
// as long as tokens are to be compared.
func NewMasker(key []byte) *Masker { return &Masker{slices.Clone(key)} }

const maskedPrefix = "‹masked:"

// Mask appends s to dst with its secrets hidden. It neither allocates nor looks
// closely where s holds no word that could name a secret.
func (m *Masker) Mask(dst, s []byte) []byte {
	if !maySecret(s) {
		return append(dst, s...)
	}
	from := 0
	for _, sp := range secrets(s) {
		dst = append(dst, s[from:sp.Start]...)
		dst = m.appendToken(dst, s[sp.Start:sp.End])
		from = sp.End
	}
	return append(dst, s[from:]...)
}

// MaskString is Mask for strings; it is s itself when nothing is hidden.
func (m *Masker) MaskString(s string) string {
	b := unsafe.Slice(unsafe.StringData(s), len(s)) // only read
	if !maySecret(b) || len(secrets(b)) == 0 {
		return s
	}
	return string(m.Mask(make([]byte, 0, len(s)+32), b))
}

// MaskField hides a field's whole value where its name says that it is a secret,
// else the secrets in it.
func (m *Masker) MaskField(name, value string) string {
	v := []byte(value)
	class := secretName([]byte(name))
	if class == classNone || class == classAuthorization || !hides(class, v) {
		return m.MaskString(value)
	}
	sp := narrow(v, Span{0, len(v)})
	return string(append(m.appendToken(v[:sp.Start:sp.Start], v[sp.Start:sp.End]), v[sp.End:]...))
}

// appendToken appends what stands for a secret.
func (m *Masker) appendToken(dst, secret []byte) []byte {
	h := hmac.New(sha256.New, m.key)
	h.Write(secret)
	dst = append(dst, maskedPrefix...)
	dst = hex.AppendEncode(dst, h.Sum(nil)[:3])
	return append(dst, "›"...)
}

// small maps ASCII letters to lower case.
var small = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
		if 'A' <= i && i <= 'Z' {
			t[i] = byte(i) + 'a' - 'A'
		}
	}
	return t
}()

// rareLetters are the bytes at which maySecret looks around: one in each word
// that may name a secret, chosen to be seldom.
var rareLetters = func() (t [256]bool) {
	for _, c := range []byte("wWhHcCkKzZbByY@-") {
		t[c] = true
	}
	return t
}()

// maySecret is the quick look before the close one: false only where secrets
// would find nothing.
func maySecret(s []byte) bool {
	noURL := false
	for i, c := range s {
		switch {
		case !rareLetters[c]:
		case c != '@':
			if nearSecret(s, i) {
				return true
			}
		case !noURL: // user:password@host
			if bytes.Contains(s, []byte("://")) {
				return true
			}
			noURL = true
		}
	}
	return false
}

// nearSecret reports whether the rare letter at i stands in a telling word.
func nearSecret(s []byte, i int) bool {
	around := func(k int) byte {
		if i+k < 0 || i+k >= len(s) {
			return 0
		}
		return small[s[i+k]]
	}
	switch small[s[i]] {
	case 'w': // passw(or)d, pwd
		return around(-1) == 's' || around(-1) == 'p'
	case 'h': // passphrase
		return around(-1) == 'p' && around(-2) == 's'
	case 'c': // secret
		return around(-1) == 'e' && around(1) == 'r'
	case 'k': // token, …key
		return around(1) == 'e' && (around(-1) == 'o' || around(2) == 'y')
	case 'z': // authorization
		return around(-1) == 'i'
	case 'b': // bearer
		return around(1) == 'e' && around(2) == 'a'
	case 'y': // eyJ, how every JSON Web Token begins
		return i > 0 && i+1 < len(s) && s[i-1] == 'e' && s[i+1] == 'J'
	case '-': // -----BEGIN
		return around(1) == 'b' && around(-1) == '-'
	}
	return false
}

// secrets returns the ranges to hide, in order and apart.
func secrets(s []byte) []Span {
	spans := findPrivateKeys(nil, s)
	spans = findPairs(spans, s)
	spans = findFlags(spans, s)
	spans = findBearers(spans, s)
	spans = findTokens(spans, s)
	spans = findURLs(spans, s)
	if len(spans) < 2 {
		return spans
	}
	slices.SortFunc(spans, func(a, b Span) int { return a.Start - b.Start })
	out := spans[:1]
	for _, sp := range spans[1:] {
		if last := &out[len(out)-1]; sp.Start < last.End {
			last.End = max(last.End, sp.End)
		} else {
			out = append(out, sp)
		}
	}
	return out
}
