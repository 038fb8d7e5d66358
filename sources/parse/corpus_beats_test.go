package parse

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"bartizan/event"
	"bartizan/sources"
)

// sameThing are the ECS names of other people's expectations and the names of ours
// that mean the same. "time", "level" and "message" are the event's own.
var sameThing = map[string]string{
	"@timestamp": "time", "message": "message", "log.level": "level word",
	"source.ip": "source.ip", "source.port": "source.port", "source.domain": "source.domain",
	"destination.ip": "destination.ip", "destination.port": "destination.port",
	"user.name": "user.name", "user.id": "user.id", "user.effective.name": "user.target.name", "group.name": "group.name",
	"process.pid": "process.pid", "process.name": "process.name", "process.parent.pid": "process.parent.pid",
	"process.executable": "process.executable", "process.working_directory": "process.working_directory",
	"host.hostname": "host.name", "event.outcome": "event.outcome", "rule.name": "rule.name", "file.path": "file.path",
	"http.request.method": "http.request.method", "http.response.status_code": "http.response.status_code",
	"http.response.body.bytes": "http.response.bytes", "http.response.bytes": "http.response.bytes", "http.request.body.bytes": "http.request.bytes",
	"http.request.referrer": "http.request.referrer", "http.request.id": "http.request.id", "url.original": "url.original", "url.path": "url.path",
	"url.query": "url.query", "url.domain": "url.domain", "user_agent.original": "user_agent.original",
}

// sameIn are what a module's expectations name otherwise, or mean otherwise ("").
var sameIn = map[string]map[string]string{
	"apache/error":             {"log.level": "level", "file.path": ""}, // the path inside the message's text
	"nginx/error":              {"log.level": "level"},
	"iis/access":               {"source.address": "source.ip", "destination.domain": ""}, // the host asked for, not the server
	"haproxy/log":              {"destination.domain": ""},
	"mongodb/log":              {"log.level": "s", "event.code": "event.code"},
	"mysql/error":              {"log.level": "level", "event.code": "err_code", "event.provider": "subsystem", "mysql.thread_id": "thread_id"},
	"postgresql/log":           {"log.level": "error_severity", "process.pid": "process.pid"},
	"redis/log":                {"log.level": "level"},
	"osquery/result":           {"event.action": "event.action", "host.id": "host.id"},
	"auditd/log":               {"group.name": "", "file.path": "file.path"},
	"system/auth":              {"message": ""}, // there the part of the line its pattern did not take
	"nginx/access":             {"source.address": "remote_addr"},
	"traefik/access":           {"source.address": "source.ip"},
	"mysql/slowlog":            {},
	"apache/access":            {},
	"system/syslog":            {},
	"iis/error":                {},
	"nginx/ingress_controller": {"source.address": "source.ip"},
}

// beatsListed are the modules of formats we say we read.
var beatsListed = []string{
	"apache/access", "apache/error", "auditd/log", "haproxy/log", "iis/access", "iis/error", "mongodb/log", "mysql/error",
	"mysql/slowlog", "nginx/access", "nginx/error", "nginx/ingress_controller", "osquery/result", "postgresql/log", "redis/log",
	"system/auth", "system/syslog", "traefik/access",
}

// TestCorpusBeats compares with the fields that Beats' modules expect, and keeps
// the table in docs/formats-quality.md.
func TestCorpusBeats(t *testing.T) {
	root := corpus(t, "beats-oss-modules")
	var table strings.Builder
	table.WriteString("| module | right | wrong | missing | share right |\n|---|---:|---:|---:|---:|\n")
	var all marks
	for _, module := range beatsListed {
		m := beatsModule(t, root, module)
		fmt.Fprintf(&table, "| `%s` | %d | %d | %d | %.1f %% |\n", module, m.right, m.wrong, m.missing, 100*m.share())
		t.Logf("%-25s right %4d  wrong %3d  missing %3d  = %.1f %%", module, m.right, m.wrong, m.missing, 100*m.share())
		if m.share() < 0.9 {
			t.Errorf("%s: %.1f %% right, want at least 90 %%: %v", module, 100*m.share(), m.worst())
		}
		all.right, all.wrong, all.missing = all.right+m.right, all.wrong+m.wrong, all.missing+m.missing
	}
	fmt.Fprintf(&table, "| all | %d | %d | %d | %.1f %% |\n", all.right, all.wrong, all.missing, 100*all.share())
	qualityPart(t, "beats", table.String())
}

func beatsModule(t *testing.T, root, module string) *marks {
	m := &marks{by: map[string]int{}}
	paths, err := filepath.Glob(filepath.Join(root, module, "test", "*-expected.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: no expectations (%v)", module, err)
	}
	for _, path := range paths {
		if _, err := os.Stat(strings.TrimSuffix(path, "-expected.json")); err != nil {
			continue // binary journals were not kept in the corpus
		}
		beatsFile(t, module, strings.TrimSuffix(path, "-expected.json"), path, m)
	}
	return m
}

// ours returns our name of a field they expect; false: it is not compared.
func ours(module, theirs string) (string, bool) {
	if own, ok := sameIn[module][theirs]; ok {
		return own, own != ""
	}
	name, ok := sameThing[theirs]
	if name == "level word" {
		return "", false // a word of another table, where sameIn does not name one
	}
	return name, ok
}

// beatsFile compares one file. Their records may be several lines long; ours are
// lines, so a value counts when a line of the record has it.
func beatsFile(t *testing.T, module, log, expected string, m *marks) {
	var want []map[string]any
	b, err := os.ReadFile(expected)
	if err == nil {
		err = json.Unmarshal(b, &want)
	}
	raw, err2 := os.ReadFile(log)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	info := sources.Info{Path: log}
	offsets := make([]int, len(want))
	for i, w := range want {
		off, _ := w["log.offset"].(float64)
		offsets[i] = int(off)
		if w["event.timezone"] == "-02:00" {
			info.Zone = time.FixedZone("-02:00", -7200)
		}
	}
	byRecord := make([][]*event.Event, len(want))
	at := 0
	lines := bytes.SplitAfter(raw, []byte("\n"))
	parseLines(t, info, lines, func(i int, e *event.Event) {
		k := sort.SearchInts(offsets, at+1) - 1
		if multi := k >= 0 && offsets[k] != at; k >= 0 && (!multi || joined(want[k])) {
			byRecord[k] = append(byRecord[k], e.Clone())
		}
		at += len(lines[i])
	})
	for i, w := range want {
		for theirs, v := range w {
			if name, ok := ours(module, theirs); ok && (name != "message" || !wholeLine(byRecord[i], v)) {
				m.compareAny(t, byRecord[i], name, v)
			}
		}
	}
}

// joined says that their record was made of several lines.
func joined(w map[string]any) bool {
	flags, _ := w["log.flags"].([]any)
	for _, f := range flags {
		if f == "multiline" {
			return true
		}
	}
	return false
}

// wholeLine says that their message is the record as it came, which names
// something else.
func wholeLine(events []*event.Event, want any) bool {
	s, _ := want.(string)
	return len(events) > 0 && len(s) > 24 && bytes.HasPrefix(events[0].Raw, []byte(s[:24])) && len(events[0].Message) < len(bytes.TrimSpace(events[0].Raw))
}

// compareAny holds one expected value against the lines of a record.
func (m *marks) compareAny(t *testing.T, events []*event.Event, name string, want any) {
	text := fmt.Sprint(want)
	if f, ok := want.(float64); ok {
		text = strconv.FormatFloat(f, 'f', -1, 64)
	}
	if text == "-" || text == "" || name == "event.outcome" && text == "unknown" {
		return // their words for "nothing"
	}
	have, some := "", false
	for _, e := range events {
		v, ok := valueOf(e, name)
		if !ok {
			continue
		}
		if same(name, v, text, len(events) > 1) {
			m.right++
			return
		}
		if !some {
			have, some = v, true
		}
	}
	if some {
		m.wrong++
	} else {
		m.missing++
	}
	m.by[name]++
	if testing.Verbose() {
		format, raw := "", []byte(nil)
		if len(events) > 0 {
			format, raw = events[0].FormatName, events[0].Raw
		}
		t.Logf("  %s: want %.100q, have %.100q (%s) in %.160q", name, text, have, format, raw)
	}
}

func valueOf(e *event.Event, name string) (string, bool) {
	switch name {
	case "time":
		return e.Time.Format(time.RFC3339Nano), e.Flags&event.FlagNoTime == 0
	case "message":
		return e.Message, true
	}
	v, ok := e.Get(name)
	return v.Str, ok
}

// same compares two spellings of one value.
func same(name, have, want string, lines bool) bool {
	if have == want {
		return true
	}
	switch name {
	case "time":
		a, errA := time.Parse(time.RFC3339Nano, have)
		b, errB := time.Parse(time.RFC3339Nano, want)
		return errA == nil && errB == nil && math.Abs(a.Sub(b).Seconds()) < 0.001
	case "source.ip", "destination.ip":
		a, errA := netip.ParseAddr(have)
		b, errB := netip.ParseAddr(want)
		return errA == nil && errB == nil && a.Unmap().WithZone("") == b.Unmap().WithZone("")
	case "message": // their record's first line, where it has several
		return lines && have != "" && strings.HasPrefix(want, have) || strings.TrimSpace(want) == strings.TrimSpace(have)
	}
	return false
}

// worst names what was most often not right.
func (m *marks) worst() string {
	var names []string
	for n := range m.by {
		names = append(names, n)
	}
	sort.Slice(names, func(i, j int) bool { return m.by[names[i]] > m.by[names[j]] })
	var out []string
	for _, n := range names[:min(5, len(names))] {
		out = append(out, fmt.Sprintf("%s %d", n, m.by[n]))
	}
	return strings.Join(out, ", ")
}
