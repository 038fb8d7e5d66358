package parse

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"bartizan/event"
	"bartizan/sources"
)

// compared are the fields of other people's expectations that name what we name.
var compared = map[string]string{
	"source.ip": "source.ip", "source.port": "source.port", "user.name": "user.name", "process.pid": "process.pid",
	"process.name": "process.name", "host.hostname": "host.name", "http.request.method": "http.request.method",
	"http.response.status_code": "http.response.status_code", "http.response.body.bytes": "http.response.bytes",
	"url.original": "url.original", "user_agent.original": "user_agent.original", "http.request.referrer": "http.request.referrer",
	"event.outcome": "event.outcome", "process.parent.pid": "process.parent.pid", "process.executable": "process.executable",
	"user.id": "user.id",
}

type marks struct{ right, wrong, missing int }

func (m *marks) share() float64 {
	return float64(m.right) / float64(max(1, m.right+m.wrong+m.missing))
}

func (m *marks) compare(t *testing.T, e *event.Event, name string, want any) {
	text := fmt.Sprint(want)
	if f, ok := want.(float64); ok {
		text = strconv.FormatFloat(f, 'f', -1, 64)
	}
	if text == "-" || text == "" {
		return // their word for "nothing"
	}
	v, ok := e.Get(name)
	switch {
	case !ok:
		m.missing++
	case v.Str == text:
		m.right++
		return
	default:
		m.wrong++
	}
	if testing.Verbose() {
		t.Logf("  %s: want %q, have %q (%s) in %.160q", name, text, v.Str, e.FormatName, e.Raw)
	}
}

// TestCorpusBeats compares with the fields that Beats' modules expect.
func TestCorpusBeats(t *testing.T) {
	root := corpus(t, "beats-oss-modules")
	for _, module := range []string{"nginx/access", "nginx/error", "apache/access", "system/auth", "system/syslog", "auditd/log"} {
		var m marks
		paths, err := filepath.Glob(filepath.Join(root, module, "test", "*-expected.json"))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: no expectations (%v)", module, err)
		}
		for _, path := range paths {
			if _, err := os.Stat(strings.TrimSuffix(path, "-expected.json")); err != nil {
				continue // binary journals were not kept in the corpus
			}
			beatsFile(t, strings.TrimSuffix(path, "-expected.json"), path, &m)
		}
		t.Logf("%-15s right %3d  wrong %2d  missing %3d  = %.1f %%", module, m.right, m.wrong, m.missing, 100*m.share())
		if m.share() < 0.9 {
			t.Errorf("%s: %.1f %% right, want at least 90 %%", module, 100*m.share())
		}
	}
}

func beatsFile(t *testing.T, log, expected string, m *marks) {
	var want []map[string]any
	b, err := os.ReadFile(expected)
	if err == nil {
		err = json.Unmarshal(b, &want)
	}
	raw, err2 := os.ReadFile(log)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	byOffset := map[int]map[string]any{}
	for _, w := range want {
		off, _ := w["log.offset"].(float64)
		byOffset[int(off)] = w
	}
	lines := bytes.SplitAfter(raw, []byte("\n"))
	offset := 0
	parseLines(t, sources.Info{Path: log}, lines, func(i int, e *event.Event) {
		w := byOffset[offset]
		offset += len(lines[i])
		if w["event.outcome"] == "unknown" {
			delete(w, "event.outcome")
		}
		for theirs, ours := range compared {
			if v, ok := w[theirs]; ok {
				m.compare(t, e, ours, v)
			}
		}
	})
}

var assertion = regexp.MustCompile(`^results\["s01-parse"\]\["([^"]+)"\]\[(\d+)\]\.Evt\.(Parsed|Meta)\["(\w+)"\] == (".*")$`)

// crowdNames map their names to ours, for the parsers of our formats.
var crowdNames = map[string]map[string]string{
	"crowdsecurity/sshd-logs": {"source_ip": "source.ip", "target_user": "user.name", "pid": "process.pid"},
	"crowdsecurity/nginx-logs": {
		"remote_addr": "remote_addr", "remote_user": "remote_user", "request": "request_uri",
		"status": "status", "verb": "request_method", "body_bytes_sent": "body_bytes_sent", "http_user_agent": "http_user_agent",
	},
	"crowdsecurity/apache2-logs": {"clientip": "remote_addr", "verb": "request_method", "response": "status", "bytes": "body_bytes_sent"},
}

// TestCorpusCrowdsec compares with the assertions of crowdsec's hub.
func TestCorpusCrowdsec(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(corpus(t, "crowdsec-hub"), "tests", "*", "parser.assert"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no assertions (%v)", err)
	}
	all := map[string]*marks{}
	for _, path := range paths {
		if dir := filepath.Base(filepath.Dir(path)); strings.Contains(dir, "npm") || strings.Contains(dir, "proxy-manager") || strings.Contains(dir, "upsun") {
			continue // nginx with a log_format of their own
		}
		crowdFile(t, path, all)
	}
	for parser, m := range all {
		t.Logf("%-28s right %3d  wrong %2d  missing %2d  = %.1f %%", parser, m.right, m.wrong, m.missing, 100*m.share())
		if m.share() < 0.9 {
			t.Errorf("%s: %.1f %% right, want at least 90 %%", parser, 100*m.share())
		}
	}
}

func crowdFile(t *testing.T, path string, all map[string]*marks) {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]map[string]string{} // parser and index to fields
	for _, line := range strings.Split(string(b), "\n") {
		g := assertion.FindStringSubmatch(line)
		if g == nil || crowdNames[g[1]] == nil {
			continue
		}
		val, err := strconv.Unquote(g[5])
		if err != nil {
			t.Fatalf("%s: %s: %v", path, line, err)
		}
		key := g[1] + " " + g[2]
		if want[key] == nil {
			want[key] = map[string]string{}
		}
		want[key][g[4]] = val
	}
	if len(want) == 0 {
		return
	}
	events := crowdEvents(t, path)
	for key, fields := range want {
		parser, _, _ := strings.Cut(key, " ")
		e := events[strings.TrimSpace(fields["message"])]
		if e == nil {
			continue // another log of the same folder
		}
		if all[parser] == nil {
			all[parser] = &marks{}
		}
		for theirs, ours := range crowdNames[parser] {
			if v := fields[theirs]; v != "" {
				all[parser].compare(t, e, ours, v)
			}
		}
	}
}

// crowdEvents parses the logs beside path and finds each event by its message.
func crowdEvents(t *testing.T, path string) map[string]*event.Event {
	out := map[string]*event.Event{}
	logs, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, log := range logs {
		b, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		parseLines(t, sources.Info{Path: log}, bytes.SplitAfter(b, []byte("\n")), func(_ int, e *event.Event) {
			c := e.Clone()
			out[strings.TrimSpace(string(c.Raw))] = c
			out[strings.TrimSpace(c.Text("message"))] = c
			out[strings.TrimSpace(c.Message)] = c
		})
	}
	return out
}
