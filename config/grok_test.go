package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGrok(t *testing.T) {
	for _, c := range []struct {
		pattern, line string
		want          map[string]string
	}{
		{
			`^%{IPORHOST:source.ip} %{USER:user} \[%{HTTPDATE:at}\] "%{WORD:verb} %{URIPATHPARAM:path} HTTP/%{NUMBER:v}" %{INT:status:int}`,
			`2001:db8::7 amira [03/Nov/2026:09:14:02 +0000] "GET /a/b?x=1 HTTP/1.1" 200`,
			map[string]string{"source.ip": "2001:db8::7", "user": "amira", "at": "03/Nov/2026:09:14:02 +0000", "verb": "GET", "path": "/a/b?x=1", "v": "1.1", "status": "200"},
		},
		{
			`%{TIMESTAMP_ISO8601:at} %{LOGLEVEL:level} +%{NOTSPACE:logger} %{GREEDYDATA:text}`, `2026-11-03T09:14:02.118+01:00 WARN  shop.Pay queue is full`,
			map[string]string{"at": "2026-11-03T09:14:02.118+01:00", "level": "WARN", "logger": "shop.Pay", "text": "queue is full"},
		},
		{
			`%{SYSLOGTIMESTAMP:at} %{HOSTNAME:host} %{SYSLOGPROG:prog}: %{DATA:what} from %{IPV4:ip}:%{POSINT:port}$`, `Nov  3 09:14:02 web-1.example appd[811]: refused from 203.0.113.9:40022`,
			map[string]string{"at": "Nov  3 09:14:02", "host": "web-1.example", "prog": "appd[811]", "what": "refused", "ip": "203.0.113.9", "port": "40022"},
		},
		{
			`%{UUID:id} %{MAC:mac} %{QUOTEDSTRING:said} %{PATH:file} %{URI:url}`, `84961386-6d84-929d-98bd-c5aee93b5c88 00:1b:44:11:3a:b7 "a \"b\"" /etc/passwd https://amira@shop.example:8443/a?b=1`,
			map[string]string{"id": "84961386-6d84-929d-98bd-c5aee93b5c88", "mac": "00:1b:44:11:3a:b7", "said": `"a \"b\""`, "file": "/etc/passwd", "url": "https://amira@shop.example:8443/a?b=1"},
		},
		{`^%{TILL:till} %{NUMBER:sum}$`, `T-77 -12.50`, map[string]string{"till": "T-77", "sum": "-12.50"}},
	} {
		re, fields, err := compileGrok(c.pattern, map[string]string{"TILL": `T-%{INT}`})
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		got := map[string]string{}
		for i, v := range re.FindStringSubmatch(c.line) {
			if i > 0 {
				got[fields[i-1]] = v
			}
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s:\n%s", c.pattern, d)
		}
	}
	for name := range grokPatterns {
		if _, _, err := compileGrok("%{"+name+":x}", nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestGrokRefuses(t *testing.T) {
	own := map[string]string{"A": "%{B}", "B": "%{A}", "BIG": strings.Repeat("x", 5000), "MANY": `(?:(?:a{50}){50}){50}`, "GROUP": "(a)"}
	for pattern, says := range map[string]string{
		"%{NOPE:x}": "there is no grok pattern NOPE", "%{A:x}": "deep", "%{BIG}%{BIG}": "longer than", "%{MANY:x}": "regular expression", "%{GROUP:x}": "groups of its own",
		"%{INT:x:bool}": "no type of a field", "%{INT:x": "not well formed", "%{INT:(}(": "regular expression", strings.Repeat("%{INT:x}", 201): "at most 200",
	} {
		if _, _, err := compileGrok(pattern, own); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.40s: %v, want %q", pattern, err, says)
		}
	}
}

func FuzzGrok(f *testing.F) {
	for name := range grokPatterns {
		f.Add("%{"+name+":a}", "%{INT}")
	}
	f.Add("%{OWN:x}", "%{OWN}")
	f.Fuzz(func(t *testing.T, pattern, own string) {
		re, fields, err := compileGrok(pattern, map[string]string{"OWN": own})
		if err == nil && re.NumSubexp() != len(fields) {
			t.Errorf("%d groups and %d names", re.NumSubexp(), len(fields))
		}
	})
}
