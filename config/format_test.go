package config

import (
	"strings"
	"testing"
	"time"

	"bartizan/event"
	"bartizan/sources"
	"bartizan/sources/parse"
)

const tillFormat = `[[format]]
name = "tills"
grok = '^%{DATE_EU:at} %{TILL:till} %{IP:client} %{GREEDYDATA:text}$'
patterns = { TILL = 'T-%{INT}' }
time = "at"
layouts = ["%d.%m.%Y"]
zone = "Europe/Paris"
aliases = { "source.ip" = ["client"] }
logsource = { product = "tills" }
detect = true
samples = ["03.11.2026 T-7 203.0.113.9 drawer forced"]

[[source]]
path = "/var/log/tills"
format = "tills"

[aliases.sshd]
who = ["user"]
`

// TestFormats reads a format and an alias from the file to an event.
func TestFormats(t *testing.T) {
	c, err := Load(written(t, tillFormat))
	if err != nil {
		t.Fatal(err)
	}
	reg := parse.NewRegistry(c.ParseOptions())
	for line, want := range map[string]map[string]string{
		"03.11.2026 T-7 203.0.113.9 drawer forced":                                                    {"till": "T-7", "source.ip": "203.0.113.9", "text": "drawer forced"},
		"Nov  3 09:14:02 web-1 sshd[2211]: Failed password for root from 203.0.113.9 port 40022 ssh2": {"who": "root"},
	} {
		var slab parse.Slab
		var e event.Event
		reg.Stream(sources.Info{}).Parse(&sources.Record{Raw: []byte(line), Seen: time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)}, &slab, &e)
		for name, v := range want {
			if got, ok := e.Get(name); !ok || got.Str != v {
				t.Errorf("%s: %s is %q, %v", line, name, got.Str, ok)
			}
		}
		if line[0] == '0' && e.Time.Format(time.RFC3339) != "2026-11-02T23:00:00Z" {
			t.Errorf("time is %v", e.Time)
		}
	}
}

func TestFormatComplaints(t *testing.T) {
	for name, c := range map[string]struct{ from, to, says string }{
		"sample":     {"T-7 203", "X-7 203", `c.toml:11: the sample "03.11.2026 X-7 203.0.113.9 drawer forced" does not match`},
		"layout":     {"%d.%m.%Y", "%Y", `c.toml:11: the stamp "03.11.2026" of the sample fits none of the layouts`},
		"time":       {`"at"`, `"when"`, `c.toml:5: time = "when" is no field of the expression`},
		"pattern":    {"TILL:till", "TIL:till", "c.toml:3: there is no grok pattern TIL; define it under patterns"},
		"name":       {`name = "tills"`, `name = "Tills"`, `c.toml:2: name = "Tills" is no name of a format; use up to 40 small letters, digits, - and _`},
		"taken":      {`name = "tills"`, `name = "sshd"`, `c.toml:2: there is a format "sshd" already; give it another name`},
		"both":       {`zone = `, "regex = \"x\"\nzone = ", `c.toml:1: format "tills" needs either regex or grok`},
		"alias":      {"[aliases.sshd]", "[aliases.shd]", `c.toml:17: there is no format "shd"; bartizan parse --help lists them`},
		"empty":      {`who = ["user"]`, `who = []`, `c.toml:17: the alias "who" names no field; write "who" = ["field"]`},
		"zone":       {"Europe/Paris", "Europe/Pars", `c.toml:7: there is no time zone "Europe/Pars"; use UTC, local or a name such as Europe/Paris`},
		"kubectl":    {`path = "/var/log/tills"`, `kind = "kubectl"`, `c.toml:13: logs of a cluster need either a selector ("app=gateway") or a target ("deploy/gateway")`},
		"a flag":     {`path = "/var/log/tills"`, "kind = \"kubectl\"\ntarget = \"--help\"", `c.toml:13: target = "--help" is none that Kubernetes allows`},
		"a kind":     {`path = "/var/log/tills"`, `kind = "k9s"`, `c.toml:14: there is no kind "k9s"; use kubectl, or one of path, command, fifo, journald, http and ssh`},
		"not pods":   {`path = "/var/log/tills"`, "path = \"/a\"\nselector = \"a=b\"", `c.toml:15: only a source with kind = "kubectl" has selector`},
		"expression": {`grok = '^%{DATE_EU:at} %{TILL:till} %{IP:client} %{GREEDYDATA:text}$'`, `regex = '(?P<at>(x{1000}){1000})'`, "c.toml:3: "},
	} {
		t.Run(name, func(t *testing.T) {
			path := written(t, strings.Replace(tillFormat, c.from, c.to, 1))
			_, err := Load(path)
			said := strings.Join(complaints(path, err), "\n")
			if !strings.HasPrefix(said, c.says) {
				t.Errorf("it says\n%s\nwant\n%s", said, c.says)
			}
		})
	}
}
