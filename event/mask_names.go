package event

import "bytes"

// class is how sure a name makes us.
type class uint8

const (
	classNone          class = iota
	classPassword            // any value is the secret
	classDirectory           // pwd: a password, or the working directory
	classToken               // values of some length
	classAuthorization       // a header: scheme and credentials
)

// secretNames are the ends of names whose values are secrets, in lower case.
var secretNames = []struct {
	end   string
	class class
}{
	{"password", classPassword},
	{"passwd", classPassword},
	{"passphrase", classPassword},
	{"pwd", classDirectory},
	{"secret", classToken},
	{"secret_key", classToken},
	{"secret-key", classToken},
	{"secretkey", classToken},
	{"secret_access_key", classToken},
	{"secretaccesskey", classToken},
	{"token", classToken},
	{"api_key", classToken},
	{"api-key", classToken},
	{"apikey", classToken},
	{"private_key", classToken},
	{"privatekey", classToken},
	{"authorization", classAuthorization},
}

// harmlessNames end like secrets and are none: cursors and idempotency keys.
var harmlessNames = []string{"nexttoken", "next_token", "pagetoken", "page_token", "continuationtoken", "continuation-token", "clienttoken", "clientrequesttoken", "oldpwd"}

// secretName classes a name by its end.
func secretName(name []byte) class {
	for _, n := range secretNames {
		if !hasSuffixFold(name, n.end) {
			continue
		}
		for _, h := range harmlessNames {
			if hasSuffixFold(name, h) {
				return classNone
			}
		}
		if string(name) == "PWD" {
			return classNone
		}
		return n.class
	}
	return classNone
}

func hasSuffixFold(s []byte, suffix string) bool {
	return len(s) >= len(suffix) && hasPrefixFold(s[len(s)-len(suffix):], suffix)
}

// hasPrefixFold compares with prefix, which is in lower case.
func hasPrefixFold(s []byte, prefix string) bool {
	if len(s) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		if small[s[i]] != prefix[i] {
			return false
		}
	}
	return true
}

// statusWords follow "password:" and "token=" in messages about secrets.
var statusWords = func() map[string]bool {
	words := map[string]bool{}
	for _, w := range bytes.Fields([]byte(`null nil none true false yes no empty unset undefined redacted filtered hidden
		masked removed password passwd token secret changed change authentication authenticated auth incorrect invalid
		failed failure fail expired expire expires required missing not is was has for must too error denied rejected
		accepted ok valid unknown never check checking wrong bad blank default set updated reset user unable cannot
		could no-such refused success succeeded chauthtok locked disabled enabled mismatch mismatched revoked malformed
		unexpected found created deleted used verification validation verified signature`)) {
		words[string(w)] = true
	}
	return words
}()

// hides reports whether v is a secret of the class and not a word about one, nor hidden already.
func hides(c class, v []byte) bool {
	if len(v) == 0 || bytes.Contains(v, []byte(maskedPrefix)) || len(bytes.Trim(v, "*xX.-_ ")) == 0 {
		return false
	}
	word := bytes.Trim(v, "<>[](){}.!?'_*\"")
	if len(word) <= 16 && statusWords[string(bytes.ToLower(word))] || bytes.HasPrefix(v, []byte("pam_")) {
		return false
	}
	switch c {
	case classDirectory:
		return v[0] != '/' && v[0] != '~'
	case classToken:
		return len(v) >= 6
	}
	return true
}
