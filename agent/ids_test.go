package agent

import (
	"testing"
	"unicode/utf8"

	"bartizan/agent/agentpb"
)

func TestStreamIDs(t *testing.T) {
	for _, c := range []struct{ id, pattern, path, want string }{
		{"auth", "/var/log/auth.log", "/var/log/auth.log", "auth"},
		{"", "/var/log/auth.log", "/var/log/auth.log", "var/log/auth.log"},
		{"", "/var/log/*.log", "/var/log/auth.log", "var/log/auth.log"},
		{"web", "/var/log/nginx/**/*.log", "/var/log/nginx/a/b.log", "web/a/b.log"},
		{"web", "/var/log/{nginx,apache2}/*.log", "/var/log/nginx/b.log", "web/nginx/b.log"},
		{"x", "/l/*", "/l/100%\x1b[2J\u202e", "x/100%25%1B[2J%E2%80%AE"},
		{"x", "/l/*", "/l/\xff", "x/%FF"},
	} {
		p, err := newPattern(StreamConfig{ID: c.id, Path: c.pattern})
		must(t, err)
		if got := p.id(c.path); got != c.want {
			t.Errorf("%q of %q is %q, want %q", c.path, c.pattern, got, c.want)
		}
	}
}

func TestRotatedNames(t *testing.T) {
	for name, want := range map[string]bool{
		"auth.log": false, "0.log": false, "node1": false, "error_log": false, "v2.10.3-app.log": false,
		"auth.log.1": true, "auth.log.12.gz": true, "messages-20260102": true, "app-20260102.log": true,
		"0.log.20260102-101112": true, "x.old": true, "x~": true, "x.zst": true,
	} {
		if got := rotated.MatchString(name); got != want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func FuzzCleanID(f *testing.F) {
	f.Add("auth.log")
	f.Add("a\x00b\xffc%")
	f.Fuzz(func(t *testing.T, s string) {
		got := cleanID(s)
		if len(got) > agentpb.MaxID || !utf8.ValidString(got) {
			t.Errorf("%q became %q", s, got)
		}
		for _, r := range got {
			if r < ' ' || r == 0x7f || r == 0x202e || r == 0x9b {
				t.Errorf("%q became %q", s, got)
			}
		}
	})
}
