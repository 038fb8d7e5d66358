package parse

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"bartizan/event"
	"bartizan/sources"
)

// userRegistry knows two formats of a person and an alias of a built-in one.
func userRegistry() *Registry {
	paris := time.FixedZone("CET", 3600)
	return NewRegistry(Options{
		Now: func() time.Time { return seen }, Zone: time.UTC,
		User: []UserFormat{
			{
				Name: "tills", Regex: regexp.MustCompile(`^(\S+ \S+)\|(\w+)\|(\S+)\|(.*)$`), Fields: []string{"at", "level", "till.ip", "text"}, Time: "at",
				Layouts: []string{"%d.%m.%Y %H:%M:%S"}, Zone: paris, Detect: true, LogSource: event.LogSource{Product: "tills"},
				Aliases: []Alias{{"source.ip", []string{"client", "TILL.IP"}}, {"message", []string{"text"}}},
			},
			{Name: "plain", Regex: regexp.MustCompile(`^P (\d+)$`), Fields: []string{"t"}, Time: "t", Layouts: []string{"epoch_ms"}},
		},
		Aliases: map[string][]Alias{"sshd": {{"who", []string{"USER"}}}},
	})
}

func parseUser(t *testing.T, info sources.Info, line string) *event.Event {
	t.Helper()
	var slab, again Slab
	var e, b event.Event
	reg := userRegistry()
	reg.Stream(info).Parse(&sources.Record{Raw: []byte(line), Seen: seen}, &slab, &e)
	id, err := reg.Restore(reg.Describe(e.Format))
	if err != nil {
		t.Fatal(err)
	}
	b.Seen = seen
	reg.Reparse(id, []byte(line), &again, &b)
	if x, y := string(AppendJSON(nil, &e, JSONOptions{})), string(AppendJSON(nil, &b, JSONOptions{})); x != y {
		t.Errorf("parsed again it is\n%s, not\n%s", y, x)
	}
	return &e
}

func TestUserFormats(t *testing.T) {
	line := "02.11.2026 09:14:02|ERROR|203.0.113.9|drawer forced"
	for _, wrapped := range []string{line, "2026-11-02T08:14:03Z stdout F " + line, `{"log":"` + line + `\n","stream":"stdout","time":"2026-11-02T08:14:03Z"}`} {
		e := parseUser(t, sources.Info{}, wrapped)
		if e.FormatName != "tills" || e.LogSource.Product != "tills" || e.Level != event.LevelError {
			t.Errorf("%s of %+v, level %v", e.FormatName, e.LogSource, e.Level)
		}
		for name, want := range map[string]string{"till.ip": "203.0.113.9", "source.ip": "203.0.113.9", "text": "drawer forced", "message": "drawer forced"} {
			if got := valuesOf(e, name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if got := e.Time.Format(time.RFC3339); wrapped == line && got != "2026-11-02T08:14:02Z" {
			t.Errorf("time is %s", got)
		}
	}
	if e := parseUser(t, sources.Info{}, "P 1793697242331"); e.FormatName != "raw" {
		t.Errorf("a format that is not to be detected was: %s", e.FormatName)
	}
	e := parseUser(t, sources.Info{Format: "plain"}, "P 1762161242331")
	if e.FormatName != "plain" || e.Time.UnixMilli() != 1762161242331 {
		t.Errorf("%s at %v", e.FormatName, e.Time)
	}
	e = parseUser(t, sources.Info{Format: "plain"}, "Nov  3 09:14:02 web-1 sshd[2211]: Failed password for root from 203.0.113.9 port 40022 ssh2")
	if e.FormatName != "sshd" || valuesOf(e, "who") != "root" {
		t.Errorf("what a person's format does not fit is %s, who is %q", e.FormatName, valuesOf(e, "who"))
	}
}

func TestUserFormatsAreExplained(t *testing.T) {
	reg := userRegistry()
	got := reg.Stream(sources.Info{}).Explain([]byte("02.11.2026 09:14:02|ERROR|203.0.113.9|x"))
	if got[0].Name != "tills" || got[0].Score != 100 || !strings.Contains(got[0].Why, "matches") {
		t.Errorf("best is %+v", got[0])
	}
	i := slices.IndexFunc(got, func(s Score) bool { return s.Name == "plain" })
	if i < 0 || got[i].Score != 0 {
		t.Errorf("plain is %d of %+v", i, got)
	}
	if !reg.Known("tills") || reg.Known("till") {
		t.Error("the names of a person's formats are not known")
	}
	if _, err := reg.Restore("user user=gone"); err == nil {
		t.Error("a format that is not in the config was restored")
	}
}

func TestStampOf(t *testing.T) {
	for _, c := range []struct{ text, layout, want string }{
		{"03/Nov/2026:09:14:02 +0100", "httpdate", "2026-11-03T08:14:02Z"},
		{"2026-11-03T09:14:02.5Z", "rfc3339", "2026-11-03T09:14:02.5Z"},
		{"1793697242.25", "epoch", "2026-11-03T09:14:02.25Z"},
		{"1793697242250000", "epoch_us", "2026-11-03T09:14:02.25Z"},
		{"2026-11-03 09:14:02.118", "%Y-%m-%d %H:%M:%S.%L", "2026-11-03T09:14:02.118Z"},
		{"3 Nov 2026", "2 Jan 2006", "2026-11-03T00:00:00Z"},
		{"99999999999999999999", "epoch", ""},
		{"x", "epoch", ""},
		{"", "epoch", ""},
	} {
		got, ok := StampOf(c.text, []string{c.layout}, time.UTC)
		if s := got.UTC().Format(time.RFC3339Nano); ok != (c.want != "") || ok && s != c.want {
			t.Errorf("%s by %s is %s, %v, want %q", c.text, c.layout, s, ok, c.want)
		}
	}
}
