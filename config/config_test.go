package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// written makes a file and returns its path.
func written(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "c.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// complaints is an error's sentences without the folder.
func complaints(path string, err error) []string {
	if err == nil {
		return nil
	}
	return strings.Split(strings.ReplaceAll(err.Error(), filepath.Dir(path)+"/", ""), "\n")
}

// wrong is a file and everything said about it, in the order of its lines.
var wrong = []struct {
	name, text string
	says       []string
}{
	{"fine", "rules = [\"none\"]\n[board]\nlinger = \"7d\"\nring = \"2GiB\"\n", nil},
	{"empty", "", nil},
	{"unknown key", "colour = 1\n", []string{`c.toml:1: there is no setting "colour"; see config.example.toml`}},
	{"unknown key in a table", "[board]\nring = \"1GiB\"\nlingr = \"1m\"\n", []string{`c.toml:3: there is no setting "board.lingr"; see config.example.toml`}},
	{"unknown table", "[boards]\nring = \"1GiB\"\n", []string{`c.toml:1: there is no setting "boards"; see config.example.toml`, `c.toml:2: there is no setting "boards.ring"; see config.example.toml`}},
	{"unknown key in the second source", "[[source]]\npath = \"/a\"\n[[source]]\npath = \"/b\"\ncolour = 1\n", []string{`c.toml:5: there is no setting "source.colour"; see config.example.toml`}},
	{"syntax", "[board\n", []string{`c.toml:2: expected '.' or ']' to end table name, but got '\n' instead`}},
	{"boolean", "[ui]\n\nplain = 3\n", []string{"c.toml:3: ui.plain must be true or false"}},
	{"text", "[ui]\ntheme = 3\n", []string{"c.toml:2: ui.theme must be a text in quotes"}},
	{"list", "rules = \"none\"\n", []string{"c.toml:1: rules must be a list"}},
	{"number", "[[rule]]\nname = \"x\"\nfilter = \"*\"\nlevel = \"low\"\ncount = \"many\"\n", []string{"c.toml:5: rule.count must be a whole number"}},
	{"table", "board = 3\n", []string{"c.toml:1: board must be a table"}},
	{"duration", "[board]\nlinger = \"soon\"\n", []string{`c.toml:2: "soon" is no duration; write 90s, 15m, 24h or 7d`}},
	{"negative duration", "[board]\ncatch_up = \"-5m\"\n", []string{"c.toml:2: a duration cannot be negative; write 90s, 15m, 24h or 7d"}},
	{"size", "[board]\nring = \"huge\"\n", []string{`c.toml:2: "huge" is no size; write 64KiB, 256MiB or 2GiB`}},
	{"small ring", "[board]\nring = \"1k\"\n", []string{"c.toml:2: ring = 1024 bytes is too small; give at least 1MiB"}},
	{"zone", "[ui]\nzone = \"Mars\"\n", []string{`c.toml:2: there is no time zone "Mars"; use UTC, local or a name such as Europe/Paris`}},
	{"source of two kinds", "[[source]]\npath = \"/a\"\njournald = true\n", []string{"c.toml:1: a source needs exactly one of path, command, fifo, journald, http, ssh or kind; it has 2"}},
	{"source of no kind", "[[source]]\nname = \"a\"\n", []string{"c.toml:1: a source needs exactly one of path, command, fifo, journald, http, ssh or kind; it has 0"}},
	{"source zone", "[[source]]\npath = \"/a\"\nzone = \"Mars\"\n", []string{`c.toml:3: there is no time zone "Mars"; use UTC, local or a name such as Europe/Paris`}},
	{"source format", "[[source]]\npath = \"/a\"\nformat = \"nope\"\n", []string{`c.toml:3: there is no format "nope"; bartizan parse --help lists them`}},
	{"source glob", "[[source]]\npath = \"/a/[x\"\n", []string{`c.toml:2: pattern "/a/[x" is not well formed; close its brackets`}},
	{"source follower", "[[source]]\npath = \"/a\"\nfollower = \"dog\"\n", []string{`c.toml:3: there is no follower "dog"; use own or nxadm`}},
	{"source lateness", "[[source]]\npath = \"/a\"\nlateness = \"-1s\"\nsilence = \"-1s\"\n", []string{
		"c.toml:3: a duration cannot be negative; write 90s, 15m, 24h or 7d", "c.toml:4: a duration cannot be negative; write 90s, 15m, 24h or 7d",
	}},
	{"http", "[[source]]\nhttp = \"127.0.0.1:2801\"\nmax_body = \"1MiB\"\ntoken = \"t\"\n", nil},
	{"http over TLS", "[[source]]\nhttp = \"0.0.0.0:2801\"\ncert = \"c\"\nkey = \"k\"\ntoken = \"t\"\n", nil},
	{"http with another kind", "[[source]]\nhttp = \"127.0.0.1:2801\"\npath = \"/a\"\n", []string{"c.toml:1: a source needs exactly one of path, command, fifo, journald, http, ssh or kind; it has 2"}},
	{"http without a port", "[[source]]\nname = \"x\"\nhttp = \"falco\"\n", []string{`c.toml:3: "falco" is no host:port to listen on`}},
	{"http open to all", "[[source]]\nhttp = \":2801\"\n", []string{`c.toml:2: ":2801" is open to other hosts: give a token with cert and key, or a secret, or listen on 127.0.0.1`}},
	{"http token in the clear", "[[source]]\nhttp = \"0.0.0.0:2801\"\ntoken = \"t\"\n", []string{`c.toml:2: "0.0.0.0:2801" is open to other hosts and the token would cross the network in the clear: give cert and key, or a secret instead`}},
	{"http half of TLS", "[[source]]\nhttp = \"127.0.0.1:2801\"\ncert = \"c\"\n", []string{"c.toml:2: TLS needs both cert and key; give both or neither"}},
	{"http body", "[[source]]\nhttp = \"127.0.0.1:2801\"\nmax_body = \"1GiB\"\n", []string{"c.toml:2: a body of 1073741824 bytes is not between 1 and 67108864"}},
	{"token for a file", "[[source]]\npath = \"/a\"\ntoken = \"t\"\n", []string{"c.toml:3: only a source with http has token"}},
	{"agent without certs", "[[agent]]\naddress = \"a:1\"\n", []string{`c.toml:1: an agent needs address = "host:port" and certs = "folder"`}},
	{"agent without port", "[[agent]]\naddress = \"a\"\ncerts = \"c\"\n", []string{`c.toml:2: "a" is no host:port`}},
	{"agent filter", "[[agent]]\naddress = \"a:1\"\ncerts = \"c\"\nfilter = \"(\"\n", []string{"c.toml:4: column 2: the filter ends where a word or field was expected; finish it or remove the last connective"}},
	{"rule without filter", "[[rule]]\nname = \"x\"\nlevel = \"low\"\n", []string{"c.toml:1: a rule needs a name and a filter"}},
	{"rule level", "[[rule]]\nname = \"x\"\nfilter = \"*\"\nlevel = \"loud\"\n", []string{`c.toml:1: rule "x" has no severity "loud"; level is informational, low, medium, high or critical`}},
	{"rule counts for ever", "[[rule]]\nname = \"x\"\nfilter = \"*\"\nlevel = \"low\"\ncount = 3\n", []string{`c.toml:1: rule "x" counts to 3 but has no within; add within = "5m"`}},
	{"second rule", "[[rule]]\nname = \"x\"\nfilter = \"*\"\nlevel = \"low\"\n[[rule]]\nname = \"y\"\nfilter = \"a: (\"\nlevel = \"low\"\n", []string{`c.toml:5: rule "y": column 5: a value is missing after a; write one, or * for any`}},
	{"notify level", "[notify]\nlevel = \"loud\"\n", []string{`c.toml:2: there is no severity "loud"; use informational, low, medium, high or critical`}},
	{"webhook", "[notify]\nwebhook = \"ftp://x\"\n", []string{`c.toml:2: "ftp://x" is no http or https address`}},
	{"falco", "falco_from = \"loud\"\n", []string{`c.toml:1: there is no severity "loud"; use informational, low, medium, high or critical`}},
	{"several, by line", "falco_from = \"loud\"\n[notify]\nlevel = \"loud\"\n[ui]\nzone = \"Mars\"\nx = 1\n", []string{
		`c.toml:1: there is no severity "loud"; use informational, low, medium, high or critical`,
		`c.toml:3: there is no severity "loud"; use informational, low, medium, high or critical`,
		`c.toml:5: there is no time zone "Mars"; use UTC, local or a name such as Europe/Paris`,
		`c.toml:6: there is no setting "ui.x"; see config.example.toml`,
	}},
}

func compare(t *testing.T, have, want []string) {
	t.Helper()
	if strings.Join(have, "\n") != strings.Join(want, "\n") {
		t.Errorf("it says\n  %s\nand not\n  %s", strings.Join(have, "\n  "), strings.Join(want, "\n  "))
	}
}

func TestLoadComplains(t *testing.T) {
	for _, c := range wrong {
		t.Run(c.name, func(t *testing.T) {
			path := written(t, c.text)
			_, err := Load(path)
			compare(t, complaints(path, err), c.says)
		})
	}
}

func TestLoadAgentComplains(t *testing.T) {
	const fine = "certs = \"c\"\n[[stream]]\nid = \"a\"\npath = \"/var/log/a\"\n"
	for _, c := range []struct {
		name, text string
		says       []string
	}{
		{"fine", fine, nil},
		{"empty", "", []string{`c.toml: an agent needs certs = "folder"; make one with bartizan certs issue`, `c.toml: an agent serves nothing without [[stream]] tables with path = "/var/log/…"`}},
		{"listen", "listen = \"x\"\n" + fine, []string{`c.toml:1: "x" is no host:port`}},
		{"unknown key", fine + "colour = 1\n", []string{`c.toml:5: there is no setting "stream.colour"; see config.example.toml`}},
		{"relative path", fine + "[[stream]]\nid = \"b\"\npath = \"var\"\n", []string{`c.toml:7: path = "var" is not absolute`}},
		{"glob", fine + "[[stream]]\nid = \"b\"\npath = \"/var/{a\"\n", []string{`c.toml:7: pattern "/var/{a" is not well formed; close its brackets`}},
		{"two of one name", fine + "[[stream]]\nid = \"a\"\npath = \"/b\"\n", []string{`c.toml:6: there are two streams with id = "a"; give each its own`}},
		{"format", fine + "format = \"nope\"\n", []string{`c.toml:5: there is no format "nope"; bartizan parse --help lists them`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := written(t, c.text)
			_, err := LoadAgent(path)
			compare(t, complaints(path, err), c.says)
		})
	}
}

// TestAgentCertsAreBesideTheFile: a relative folder is relative to agent.toml.
func TestAgentCertsAreBesideTheFile(t *testing.T) {
	path := written(t, "certs = \"web-1\"\n[[stream]]\npath = \"/a\"\n")
	c, err := LoadAgent(path)
	if err != nil || c.Certs != filepath.Join(filepath.Dir(path), "web-1") {
		t.Errorf("certs = %q, %v", c.Certs, err)
	}
}

func TestLoadIsBounded(t *testing.T) {
	path := written(t, "# "+strings.Repeat("x", maxFile))
	_, err := Load(path)
	compare(t, complaints(path, err), []string{"c.toml: the config is over 1 MiB; move lists into files"})
	if _, err := Load(path + ".not"); err == nil || !strings.Contains(err.Error(), "cannot read the config") {
		t.Errorf("a missing file: %v", err)
	}
}

// TestExampleIsTheDefaults holds config.example.toml to what the program does
// when nothing is said.
func TestExampleIsTheDefaults(t *testing.T) {
	c, err := Load("../config.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	d := Default()
	if c.Board != d.Board || c.UI != d.UI || c.Falco != d.Falco || c.Notify != d.Notify || strings.Join(c.Rules, " ") != strings.Join(d.Rules, " ") {
		t.Errorf("config.example.toml says %+v %+v %v %v %+v, and the defaults are %+v %+v %v %v %+v",
			c.Board, c.UI, c.Falco, c.Rules, c.Notify, d.Board, d.UI, d.Falco, d.Rules, d.Notify)
	}
	if c.Detection.Own != d.Detection.Own || c.Detection.FiltersExclude != d.Detection.FiltersExclude || len(c.Detection.Lists) != 0 {
		t.Errorf("config.example.toml says %+v of detection", c.Detection)
	}
	if len(c.QuickRules()) != 2 {
		t.Errorf("%d quick rules", len(c.QuickRules()))
	}
}

// TestTreeReadsBack: what config show prints says the same when written as TOML.
func TestTreeReadsBack(t *testing.T) {
	c, err := Load("../config.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	tree, err := c.Tree()
	if err != nil {
		t.Fatal(err)
	}
	board, ok := tree["board"].(map[string]any)
	if !ok || board["linger"] != "30m0s" || board["ring"] != "256MiB" || board["catch_up_bytes"] != "2GiB" {
		t.Errorf("board is %v", tree["board"])
	}
}

func TestParseTime(t *testing.T) {
	now := time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"-15m": "2026-11-21T02:45:00Z", "-7d": "2026-11-14T03:00:00Z", "02:12": "2026-11-21T02:12:00Z", "03:12": "2026-11-20T03:12:00Z",
		"03:12:05": "2026-11-20T03:12:05Z", "2026-01-02": "2026-01-02T00:00:00Z", "2026-01-02T03:04": "2026-01-02T03:04:00Z",
		"2026-01-02 03:04:05": "2026-01-02T03:04:05Z", "2026-01-02T03:04:05+02:00": "2026-01-02T01:04:05Z",
	} {
		have, err := ParseTime(text, now)
		if err != nil || have.UTC().Format(time.RFC3339) != want {
			t.Errorf("ParseTime(%q) = %v, %v, not %s", text, have, err, want)
		}
	}
	for _, text := range []string{"yesterday", "-soon", "25:00", "2026-13-01", "3"} {
		if have, err := ParseTime(text, now); err == nil {
			t.Errorf("ParseTime(%q) = %v, and should be refused", text, have)
		}
	}
	if have, err := ParseTime("", now); err != nil || !have.IsZero() {
		t.Errorf("ParseTime of nothing = %v, %v", have, err)
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]Size{"5": 5, "64k": 64 << 10, "64KiB": 64 << 10, "256MiB": 256 << 20, "2 GB": 2 << 30, "1t": 1 << 40, "0": 0} {
		var z Size
		if err := z.UnmarshalText([]byte(text)); err != nil || z != want {
			t.Errorf("%q is %d, %v, not %d", text, z, err, want)
		}
		again, err := z.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var y Size
		if err := y.UnmarshalText(again); err != nil || y != z {
			t.Errorf("%d is written %q and read %d, %v", z, again, y, err)
		}
	}
	for _, text := range []string{"", "k", "-1", "9999999t", "1.5GiB", "huge"} {
		var z Size
		if err := z.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is %d, and should be refused", text, z)
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, c := range wrong {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "c.toml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Skip()
		}
		c, err := Load(path)
		for _, said := range complaints(path, err) {
			if !strings.HasPrefix(said, "c.toml:") && len(text) < 100 && !strings.Contains(text, "\\n") {
				t.Errorf("a complaint without its file: %q", said)
			}
		}
		if err == nil {
			c.QuickRules()
			if _, err := c.Tree(); err != nil {
				t.Error(err)
			}
		}
	})
}
