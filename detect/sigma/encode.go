package sigma

import (
	"encoding/base64"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// base64Offsets returns what data looks like inside base64 text, whichever of the
// three places of a group it starts at: only the characters that depend on data
// alone are kept.
func base64Offsets(data string) []string {
	out := make([]string, 0, 3)
	for shift := range 3 {
		start := [...]int{0, 2, 3}[shift]
		cut := [...]int{0, 3, 2}[(len(data)+shift)%3]
		text := base64.StdEncoding.EncodeToString(append(make([]byte, shift), data...))
		if end := len(text) - cut; start < end {
			out = append(out, text[start:end])
		}
	}
	return out
}

// wideText encodes text in UTF-16: "le", "be", or "bom" for little endian after
// a byte order mark.
func wideText(s, order string) string {
	var out []byte
	if order == "bom" {
		out = append(out, 0xff, 0xfe)
	}
	for _, u := range utf16.Encode([]rune(s)) {
		if order == "be" {
			out = append(out, byte(u>>8), byte(u))
		} else {
			out = append(out, byte(u), byte(u>>8))
		}
	}
	return string(out)
}

// dashes are the characters Windows programs take for the dash of an option.
var dashes = [...]string{"-", "/", "–", "—", "―"}

// The bounds of what windash makes: five variants for every option in a value.
const (
	maxDashes   = 5 * 5 * 5 * 5 * 5 // variants of one value
	maxVariants = 2 << 20           // bytes of all variants of a document
)

// windash returns the pattern with every option dash (a - or / before a word
// character and not after one) written in each way; ok is false when there would
// be more than most.
func windash(p pattern, most int) (out []pattern, ok bool) {
	out = []pattern{nil}
	for _, x := range p {
		if x.wild != 0 {
			for i := range out {
				out[i] = append(out[i][:len(out[i]):len(out[i])], x)
			}
			continue
		}
		texts, ok := windashText(x.text, most/len(out))
		if !ok {
			return nil, false
		}
		grown := make([]pattern, 0, len(out)*len(texts))
		for _, head := range out {
			for _, t := range texts {
				grown = append(grown, append(head[:len(head):len(head)], piece{text: t}))
			}
		}
		out = grown
	}
	return out, true
}

func windashText(s string, most int) (out []string, ok bool) {
	out = []string{""}
	done := 0
	for i := 0; i < len(s); i++ {
		if !isOptionDash(s, i) {
			continue
		}
		if len(out)*len(dashes) > most {
			return nil, false
		}
		grown := make([]string, 0, len(out)*len(dashes))
		for _, head := range out {
			for _, d := range dashes {
				grown = append(grown, head+s[done:i]+d)
			}
		}
		out, done = grown, i+1
	}
	for i := range out {
		out[i] += s[done:]
	}
	return out, true
}

func isOptionDash(s string, i int) bool {
	if s[i] != '-' && s[i] != '/' {
		return false
	}
	before, _ := utf8.DecodeLastRuneInString(s[:i])
	after, _ := utf8.DecodeRuneInString(s[i+1:])
	return (i == 0 || !isWord(before)) && i+1 < len(s) && isWord(after)
}

func isWord(r rune) bool {
	return r != utf8.RuneError && (r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r))
}
