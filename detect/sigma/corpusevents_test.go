package sigma

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/query"
)

// flatten appends the members of a JSON value as fields with dotted names, one
// field per element of a list.
func flatten(dst []event.Field, name string, v any) []event.Field {
	val := event.Value{Pos: -1, End: -1}
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			dst = flatten(dst, strings.TrimPrefix(name+"."+k, "."), v[k])
		}
		return dst
	case []any:
		for _, x := range v {
			dst = flatten(dst, name, x)
		}
		return dst
	case json.Number:
		val.Kind, val.Str = event.KindNumber, v.String()
		val.Num, _ = v.Float64()
	case bool:
		val.Kind, val.Str = event.KindBool, fmt.Sprint(v)
	case nil:
		val.Kind = event.KindNull
	default:
		val.Str = fmt.Sprint(v)
	}
	return append(dst, event.Field{Name: name, Sym: event.Intern(name), Value: val})
}

func jsonEvent(raw []byte) *event.Event {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	e := &event.Event{Raw: raw, Fields: flatten(nil, "", v)}
	e.Native = len(e.Fields)
	return e
}

// windowsEvent takes the fields of System and EventData out of their maps, as
// the parser of such events does.
func windowsEvent(raw []byte) *event.Event {
	e := jsonEvent(raw)
	for i := range e.Fields {
		f := &e.Fields[i]
		name := f.Name
		for _, p := range []string{"Event.", "System.", "EventData."} {
			name = strings.TrimPrefix(name, p)
		}
		if rest, ok := strings.CutPrefix(name, "UserData."); ok {
			_, name, _ = strings.Cut(rest, ".") // the name of the one element below
		}
		if strings.HasSuffix(f.Name, "Provider.#attributes.Name") {
			name = "Provider_Name"
		}
		f.Name, f.Sym = name, event.Intern(name)
	}
	return e
}

type truth struct {
	IDs      []string `json:"rule_ids"`
	Files    []string `json:"json_files"`
	RawFiles []string `json:"raw_files"`
}

func regression(t testing.TB) (cases []truth, dir string) {
	dir = corpus(t)
	b, err := os.ReadFile(filepath.Join(dir, "regression_truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	return cases, dir
}

// eventsIn reads a file of one JSON value after another, or a list of them.
func eventsIn(t testing.TB, file string) (out []*event.Event) {
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	for {
		var one json.RawMessage
		if d.Decode(&one) != nil {
			return out
		}
		var list []json.RawMessage
		if json.Unmarshal(one, &list) != nil {
			list = []json.RawMessage{one}
		}
		for _, raw := range list {
			out = append(out, windowsEvent(raw))
		}
	}
}

// TestCorpusRegression: each rule of the regression data hits its own events.
func TestCorpusRegression(t *testing.T) {
	cases, dir := regression(t)
	set := detect.NewSet(loadActive(t).Rules)
	m := set.NewMatcher()
	tried := 0
	for _, c := range cases {
		for _, id := range c.IDs {
			r := set.Rule(id)
			if r == nil || len(c.Files) == 0 {
				t.Logf("not tried: %s (loaded %v, %d JSON files, %d raw)", id, r != nil, len(c.Files), len(c.RawFiles))
				continue
			}
			tried++
			hits := 0
			for _, file := range c.Files {
				for _, e := range eventsIn(t, filepath.Join(dir, file)) {
					e.LogSource = r.LogSource
					if slices.Contains(m.Match(e, nil), r) {
						hits++
					}
				}
			}
			if hits == 0 {
				t.Errorf("%s %q did not hit its own events %v", id, r.Title, c.Files)
			}
		}
	}
	t.Logf("%d rules tried on their own events", tried)
	if tried < 118 {
		t.Errorf("only %d rules could be tried", tried)
	}
}

// logSources are what events of the corpus are given besides their own: the
// rules of Windows have most of the odd constructions.
var logSources = []event.LogSource{
	{Product: "windows", Category: "process_creation", Service: "sysmon"},
	{Product: "aws", Service: "cloudtrail"},
	{Product: "linux", Category: "process_creation", Service: "auditd"},
	{Category: "webserver"},
	{},
}

// corpusEvents returns every step-th event of each family.
func corpusEvents(t testing.TB, step int) map[string][]*event.Event {
	base := filepath.Dir(corpus(t))
	out := map[string][]*event.Event{}
	for name, file := range map[string]string{
		"panther": "panther-tests/inline_tests.public.ndjson",
		"stratus": "stratus-cloudtrail/cloudtrail_attacks.public.ndjson",
	} {
		for i, line := range lines(t, filepath.Join(base, file)) {
			var one struct{ Event json.RawMessage }
			if i%step == 0 && json.Unmarshal(line, &one) == nil && string(one.Event) != "null" {
				out[name] = append(out[name], jsonEvent(one.Event))
			}
		}
	}
	cases, dir := regression(t)
	for i, c := range cases {
		for _, f := range c.Files {
			if i%step == 0 {
				out["regression"] = append(out["regression"], eventsIn(t, filepath.Join(dir, f))...)
			}
		}
	}
	i := 0
	err := filepath.WalkDir(filepath.Join(base, "crowdsec-hub", "tests"), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(p) != ".log" {
			return err
		}
		for _, line := range lines(t, p) {
			if i++; i%(step*4) == 0 {
				out["crowdsec"] = append(out["crowdsec"], lineEvent(line))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// lineEvent gives a raw line its words as fields, so that more than keywords look at it.
func lineEvent(line []byte) *event.Event {
	e := &event.Event{Raw: line, Message: string(line)}
	for i, w := range strings.Fields(string(line)) {
		name := []string{"CommandLine", "Image", "c-uri", "cs-user-agent", "eventName"}[i%5]
		e.Fields = append(e.Fields, event.Field{Name: name, Sym: event.Intern(name), Value: event.Value{Str: w, Pos: -1, End: -1}})
	}
	e.Native = len(e.Fields)
	return e
}

func lines(t testing.TB, file string) (out [][]byte) {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 4<<20)
	for s.Scan() {
		out = append(out, bytes.Clone(s.Bytes()))
	}
	return out
}

// TestCorpusIndexAgrees: over real events the index finds what trying every rule
// finds, with the rules' log sources and with none (all rules on every event).
func TestCorpusIndexAgrees(t *testing.T) {
	rules := loadActive(t).Rules
	open := make([]*detect.Rule, len(rules))
	for i, r := range rules {
		c := *r
		c.LogSource = event.LogSource{}
		open[i] = &c
	}
	for name, events := range corpusEvents(t, 12) {
		pairs := differ(t, name, rules, events, logSources)
		pairs += differ(t, name, open, events, logSources[4:])
		t.Logf("%s: %d events, %d hits, no difference", name, len(events), pairs)
	}
}

// differ fails on the first event where index and trying every rule disagree and
// returns how many hits there were.
func differ(t *testing.T, name string, rules []*detect.Rule, events []*event.Event, sources []event.LogSource) (hits int) {
	m := detect.NewSet(rules).NewMatcher()
	bySource := map[event.LogSource][]*detect.Rule{}
	for _, s := range sources {
		for _, r := range rules {
			if l := r.LogSource; (l.Product == "" || l.Product == s.Product) && (l.Category == "" || l.Category == s.Category) && (l.Service == "" || l.Service == s.Service) {
				bySource[s] = append(bySource[s], r)
			}
		}
	}
	for _, e := range events {
		for _, s := range sources {
			e.LogSource = s
			got := m.Match(e, nil)
			hits += len(got)
			var want []*detect.Rule
			for _, r := range bySource[s] {
				if query.Holds(r.Cond, e) {
					want = append(want, r)
				}
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%s: index %v, every rule %v, event %s", name, titles(got), titles(want), e.Raw)
			}
		}
	}
	return hits
}

func titles(rules []*detect.Rule) (out []string) {
	for _, r := range rules {
		out = append(out, r.Title)
	}
	return out
}

// TestCorpusNoAllocation: real events that no rule matches cost no allocation.
func TestCorpusNoAllocation(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector, which runs the short tests, empties pools at random: allocations cannot be counted")
	}
	m := detect.NewSet(loadActive(t).Rules).NewMatcher()
	var quiet []*event.Event
	for _, events := range corpusEvents(t, 24) {
		for i, e := range events {
			e.LogSource = logSources[i%len(logSources)]
			if len(m.Match(e, nil)) == 0 {
				quiet = append(quiet, e)
			}
		}
	}
	if len(quiet) < 50 {
		t.Fatalf("only %d events without a hit: nothing is shown", len(quiet))
	}
	n := testing.AllocsPerRun(5, func() {
		for _, e := range quiet {
			m.Match(e, nil)
		}
	})
	if n > float64(len(quiet))/100 { // the regular expressions' own pool may be emptied by the collector
		t.Errorf("%v allocations over %d events without a hit", n, len(quiet))
	}
}
