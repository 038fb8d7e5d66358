package parse

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"bartizan/event"
	"bartizan/sources"
)

func lines(ss ...string) [][]byte {
	out := make([][]byte, len(ss))
	for i, s := range ss {
		out[i] = []byte(s)
	}
	return out
}

// example returns a format's own example.
func example(t testing.TB, name string) string {
	t.Helper()
	b, ok := lookup(name)
	if !ok {
		t.Fatalf("no format %q", name)
	}
	return b.Example
}

func TestExamplesAreRecognised(t *testing.T) {
	taken := map[string]string{"falco-text": "falco", "docker": "text", "cloudwatch": "text", "cri": "logfmt", "kubectl": "logfmt", "apache": "nginx"} // what is inside, or cannot be told apart
	for _, f := range testRegistry().Formats() {
		e := parseOne(t, sources.Info{}, f.Example)
		want := f.Name
		if w, ok := taken[f.Name]; ok {
			want = w
		}
		if e.FormatName != want {
			t.Errorf("the example of %s is taken for %s", f.Name, e.FormatName)
		}
	}
}

// TestInterleaved mixes all formats in one source, again and again: every line
// is told apart by itself.
func TestInterleaved(t *testing.T) {
	var all [][]byte
	var want []string
	for round := 0; round < 5; round++ {
		for i, b := range builtin {
			k := (i*7 + round) % len(builtin)
			all = append(all, []byte(builtin[k].Example))
			want = append(want, parseOne(t, sources.Info{}, builtin[k].Example).FormatName)
			_ = b
		}
	}
	parseLines(t, sources.Info{}, all, func(i int, e *event.Event) {
		if e.FormatName != want[i] {
			t.Errorf("line %d is taken for %s, want %s: %.80q", i+1, e.FormatName, want[i], e.Raw)
		}
	})
}

func TestYearRollOver(t *testing.T) {
	cases := []struct {
		ref   string
		lines []string // stamps in file order
		want  string   // their years
	}{
		{"2026-11-04T12:00:00Z", []string{"Nov  4 12:00:00", "Nov  5 11:00:00", "Nov  7 00:00:00"}, "2026 2026 2025"},
		{"2027-01-02T00:00:00Z", []string{"Dec 30 00:00:00", "Dec 31 23:59:59", "Jan  1 00:00:01", "Jan  2 00:00:00"}, "2026 2026 2027 2027"},
		{"2026-12-31T10:00:00Z", []string{"Dec 31 09:00:00", "Jan  1 00:00:01"}, "2026 2027"},
		{"2026-12-31T10:00:00Z", []string{"Jan  1 00:00:01", "Feb  3 00:00:01"}, "2027 2026"},
		{"2026-02-28T10:00:00Z", []string{"Feb 29 00:00:01", "Mar  1 00:00:01"}, "2026 2026"},
	}
	for _, c := range cases {
		ref, err := time.Parse(time.RFC3339, c.ref)
		if err != nil {
			t.Fatal(err)
		}
		s := testRegistry().Stream(sources.Info{})
		var years []string
		for _, l := range c.lines {
			var slab Slab
			var e event.Event
			s.Parse(&sources.Record{Raw: []byte(l + " web-1 app: x"), Seen: ref}, &slab, &e)
			years = append(years, fmt.Sprint(s.reg.spec(e.Format).year))
		}
		if got := strings.Join(years, " "); got != c.want {
			t.Errorf("seen %s: %q are of %s, want %s", c.ref, c.lines, got, c.want)
		}
	}
}

func TestYearFollowsFileOrder(t *testing.T) {
	// An old file whose lines climb to the doubtful day after its reading.
	ref := time.Date(2026, 11, 4, 12, 0, 0, 0, time.UTC)
	s := testRegistry().Stream(sources.Info{})
	var e event.Event
	var slab Slab
	for i, c := range []struct {
		stamp string
		year  int
	}{{"Nov 30", 2025}, {"Nov  5", 2025}} {
		s.Parse(&sources.Record{Raw: []byte(c.stamp + " 09:00:00 web-1 app: x"), Seen: ref}, &slab, &e)
		if e.Time.Year() != c.year {
			t.Errorf("line %d: %s is of %d, want %d", i+1, c.stamp, e.Time.Year(), c.year)
		}
	}
}

func TestClock(t *testing.T) {
	for _, c := range []struct {
		stamp string
		wrong bool
	}{{"2026-11-04T12:04:59Z", false}, {"2026-11-04T12:05:01Z", true}, {"2099-01-01T00:00:00Z", true}, {"1989-12-31T23:59:59Z", true}, {"1990-01-01T00:00:00Z", false}} {
		e := parseOne(t, sources.Info{}, `{"time":"`+c.stamp+`"}`)
		if got := e.Flags&event.FlagClock != 0; got != c.wrong || c.wrong != e.Time.Equal(seen) {
			t.Errorf("%s: doubtful %v, time %v", c.stamp, got, e.Time)
		}
	}
}

func TestZone(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("this host has no zone data")
	}
	r := testRegistry()
	s := r.Stream(sources.Info{Zone: berlin})
	for _, c := range []struct{ line, want string }{
		{"Jul  3 09:14:02 web-1 app: summer", "2026-07-03T07:14:02Z"},
		{"Oct 25 01:59:59 web-1 app: before", "2026-10-24T23:59:59Z"},
		{"Oct 25 03:00:00 web-1 app: after", "2026-10-25T02:00:00Z"},
		{"2026-07-03T09:14:02 web-1 app: no zone", "2026-07-03T07:14:02Z"},
	} {
		var slab, other Slab
		var e event.Event
		s.Parse(&sources.Record{Raw: []byte(c.line), Seen: seen}, &slab, &e)
		if got := e.Time.Format(time.RFC3339); got != c.want {
			t.Errorf("%s is %s, want %s", c.line, got, c.want)
		}
		checkSame(t, r, &other, &e)
	}
}

func TestHostileRecords(t *testing.T) {
	big := strings.Repeat("A", sources.MaxRecord)
	deep := `{"a":` + strings.Repeat(`[{"b":`, 400) + "1" + strings.Repeat("}]", 400) + "}"
	abyss := strings.Repeat(`{"a":`, 200_000)
	many := `{"a":0` + strings.Repeat(`,"k":1`, 5000) + `,"last":1}`
	records := lines(big, `{"a":"`+big[:1<<19]+`"}`, deep, abyss, many,
		"Nov  3 09:14:02 web-1 sshd[1]: Failed password for "+big[:1<<18]+" from 203.0.113.9 port 1 ssh2",
		"type=EXECVE msg=audit(1793697242.331:9107): "+strings.Repeat("a=1 ", 50_000),
		"Nov  3 09:14:02 web-1 sshd[1]: PAM 2 more authentication failures; "+strings.Repeat("uid=1 ", 170_000),
		strings.Repeat("k=v ", 100_000), strings.Repeat(`"`, 1<<18), strings.Repeat("[", 1<<18),
		"\xff\xfe\x00\x01", strings.Repeat("\x00", 1000), "<13>", "\r\n", strings.Repeat(" ", 1<<16))
	parseLines(t, sources.Info{}, records, func(i int, e *event.Event) {
		if len(e.Fields) > maxFields {
			t.Errorf("record %d has %d fields", i, len(e.Fields))
		}
	})
	if e := parseOne(t, sources.Info{}, deep); e.FormatName != "json" {
		t.Errorf("800 levels are %s", e.FormatName)
	}
	if e := parseOne(t, sources.Info{}, abyss); e.Flags&event.FlagRawOnly == 0 {
		t.Errorf("200,000 levels are %s", e.FormatName)
	}
	if e := parseOne(t, sources.Info{}, many); len(e.Fields) > maxJSONFields || e.FormatName != "json" {
		t.Errorf("5,000 members became %d fields of %s", len(e.Fields), e.FormatName)
	}
}

// TestNamesAreBounded fills the table of names; what comes later still has its
// dotted names.
func TestNamesAreBounded(t *testing.T) {
	r := testRegistry()
	s := r.Stream(sources.Info{})
	var slab Slab
	var e event.Event
	for i := 0; i < maxNames/100+20; i++ {
		var b strings.Builder
		for k := 0; k < 100; k++ {
			fmt.Fprintf(&b, `,"k%d":{"x":1}`, i*100+k)
		}
		s.Parse(&sources.Record{Raw: []byte("{" + b.String()[1:] + "}"), Seen: seen}, &slab, &e)
		slab.Reset()
	}
	if r.names.count > maxNames {
		t.Errorf("%d names are kept, at most %d may be", r.names.count, maxNames)
	}
	s.Parse(&sources.Record{Raw: []byte(`{"never seen":{"before":{"this":"v"}},"eventName":"x"}`), Seen: seen}, &slab, &e)
	if e.Text("never seen.before.this") != "v" || e.Text("event.action") != "x" {
		t.Errorf("fields beyond the table: %+v", e.Fields)
	}
}

func TestBatchStaysValid(t *testing.T) {
	r := testRegistry()
	s := r.Stream(sources.Info{})
	var slab Slab
	for round := 0; round < 3; round++ {
		events := make([]event.Event, 2000)
		for i := range events {
			raw := fmt.Sprintf(`{"n":%d,"s":"a\tb%d","l":[1,2,3]}`, i, i)
			s.Parse(&sources.Record{Raw: []byte(raw), Seen: seen}, &slab, &events[i])
		}
		for i := range events {
			if events[i].Text("n") != fmt.Sprint(i) || events[i].Text("s") != fmt.Sprintf("a\tb%d", i) {
				t.Fatalf("round %d: event %d became %+v", round, i, events[i].Fields)
			}
		}
		slab.Reset()
	}
}

// TestNoAllocations parses each format in a steady state.
func TestNoAllocations(t *testing.T) {
	for _, b := range builtin {
		s := testRegistry().Stream(sources.Info{Live: true, Host: "web-1"})
		var slab Slab
		var e event.Event
		rec := sources.Record{Raw: []byte(b.Example), Seen: seen}
		if n := testing.AllocsPerRun(100, func() {
			slab.Reset()
			s.Parse(&rec, &slab, &e)
		}); n > 0 {
			t.Errorf("%s: %v allocations per event", b.Name, n)
		}
	}
}

// TestConcurrent lets several sources share a registry.
func TestConcurrent(t *testing.T) {
	r := testRegistry()
	var wg sync.WaitGroup
	for g := 0; g < 4; g++ {
		wg.Go(func() {
			s := r.Stream(sources.Info{})
			var slab Slab
			var e event.Event
			for i := 0; i < 300; i++ {
				raw := fmt.Sprintf(`{"k%d":{"x":%d},"ts":"2026-11-03T09:14:02Z"}`, i%100, g)
				s.Parse(&sources.Record{Raw: []byte(raw), Seen: seen}, &slab, &e)
				if e.Text(fmt.Sprintf("k%d.x", i%100)) != fmt.Sprint(g) {
					t.Errorf("%q became %+v", raw, e.Fields)
				}
				slab.Reset()
			}
		})
	}
	wg.Wait()
}

func TestDescribeRestores(t *testing.T) {
	r := testRegistry()
	ids := map[event.ParseID]bool{}
	all := lines("version vpc-id srcaddr dstaddr end action", "5 vpc-1 10.20.1.7 203.0.113.9 1793697242 ACCEPT")
	for _, b := range builtin {
		all = append(all, []byte(b.Example))
	}
	s := r.Stream(sources.Info{Live: true, Host: "a host=b\u202e zone=%"})
	var slab, other Slab
	for _, l := range all {
		var e, again event.Event
		s.Parse(&sources.Record{Raw: l, Seen: seen}, &slab, &e)
		ids[e.Format] = true
		fresh := testRegistry() // as another process would
		id, err := fresh.Restore(r.Describe(e.Format))
		if err != nil {
			t.Fatal(err)
		}
		again.Seen = seen
		fresh.Reparse(id, l, &other, &again)
		if again.FormatName != e.FormatName || !again.Time.Equal(e.Time) || len(again.Fields) != len(e.Fields) || again.Text("host.name") != e.Text("host.name") {
			t.Errorf("%q\n restored as %s, %d fields; was %s, %d", r.Describe(e.Format), again.FormatName, len(again.Fields), e.FormatName, len(e.Fields))
		}
	}
	if len(ids) < 8 {
		t.Errorf("only %d parse ids for all formats", len(ids))
	}
	for _, bad := range []string{"", "nonsense", "syslog zone=No/Where", "syslog year=x", "syslog what=1", "syslog host=%zz"} {
		if _, err := r.Restore(bad); err == nil {
			t.Errorf("Restore(%q) did not complain", bad)
		}
	}
}

func TestForcedFormat(t *testing.T) {
	e := parseOne(t, sources.Info{Format: "nginx"}, example(t, "sshd"))
	if e.FormatName != "raw" || e.Flags&event.FlagRawOnly == 0 {
		t.Errorf("an sshd line read as nginx is %s", e.FormatName)
	}
	e = parseOne(t, sources.Info{Format: "raw"}, example(t, "sshd"))
	if e.FormatName != "raw" {
		t.Errorf("forced to raw it is %s", e.FormatName)
	}
	if r := testRegistry(); !r.Known("cloudtrail") || r.Known("cloudtrails") || r.Known("") {
		t.Error("Known does not know the names")
	}
}

func TestLostRecord(t *testing.T) {
	var slab Slab
	var e event.Event
	s := testRegistry().Stream(sources.Info{})
	s.Parse(&sources.Record{Raw: []byte("7 records were dropped"), Lost: 7, Seen: seen, Flags: event.FlagLate}, &slab, &e)
	if e.Lost != 7 || e.Message != "7 records were dropped" || e.Flags&event.FlagLate == 0 || len(e.Fields) != 0 {
		t.Errorf("a loss became %+v", e)
	}
}

func TestExplain(t *testing.T) {
	s := testRegistry().Stream(sources.Info{})
	scores := s.Explain([]byte(example(t, "sshd")))
	if len(scores) != len(readers)-2 || scores[0].Name != "syslog" || !strings.Contains(scores[0].Why, "as sshd") {
		t.Errorf("%+v", scores)
	}
	for _, c := range scores {
		if c.Why == "" {
			t.Errorf("%s has no reason", c.Name)
		}
	}
	cut := s.Explain([]byte(example(t, "cloudtrail")[:100]))
	if cut[0].Name != "json" || !strings.Contains(cut[0].Why, "cannot be read to its end") {
		t.Errorf("%+v", cut[0])
	}
}

func TestSlotsFit(t *testing.T) {
	if len(slotText) > maxSlots {
		t.Fatalf("%d names are known by heart, there is room for %d", len(slotText), maxSlots)
	}
	for _, n := range []string{"user.name", "source.ip", "event.outcome", "bucket.name"} {
		if !IsECS(n) {
			t.Errorf("%s is not an ECS name", n)
		}
	}
	if IsECS("cs-method") || IsECS("") {
		t.Error("names that are no ECS names are taken for some")
	}
}

func TestAliasesYieldToNativeNames(t *testing.T) {
	e := parseOne(t, sources.Info{}, `{"user.name":"native","username":"alias","host":{"name":"h"}}`)
	if got := e.Text("user.name"); got != "native" {
		t.Errorf("user.name is %q", got)
	}
	for _, f := range e.Fields[e.Native:] {
		if f.Name == "user.name" || f.Name == "host.name" {
			t.Errorf("%s is given again", f.Name)
		}
	}
}

// TestHostOfTheSource: a record that names no host is about the source's; what a
// record says itself wins, and parsing again says the same.
func TestHostOfTheSource(t *testing.T) {
	own := map[string]string{
		"Nov  4 11:00:00 db-7 sshd[9]: Connection closed by 203.0.113.9 port 4711": "db-7",
		`{"ts":"2026-11-03T09:14:02Z","msg":"x","hostname":"db-7"}`:                "db-7",
		`{"ts":"2026-11-03T09:14:02Z","msg":"x","host":{"name":"db-7"}}`:           "db-7",
		`{"ts":"2026-11-03T09:14:02Z","msg":"x"}`:                                  "web-1",
		"ts=2026-11-03T09:14:02Z level=info msg=x":                                 "web-1",
		"only words": "web-1",
		`203.0.113.9 - - [03/Nov/2026:09:14:02 +0000] "GET / HTTP/1.1" 200 5 "-" "curl"`: "web-1",
	}
	for _, b := range builtin {
		if e := parseOne(t, sources.Info{}, b.Example); e.Text("host.name") == "" {
			own[b.Example] = "web-1"
		} else {
			own[b.Example] = e.Text("host.name")
		}
	}
	for line, want := range own {
		parseLines(t, sources.Info{Host: "web-1"}, [][]byte{[]byte(line)}, func(_ int, e *event.Event) {
			if e.Text("host.name") != want {
				t.Errorf("%s of %q is %q, want %q", e.FormatName, line, e.Text("host.name"), want)
			}
		})
	}
	parseLines(t, sources.Info{Host: "web-1", Format: "cloudtrail"}, [][]byte{[]byte("no JSON at all")}, func(_ int, e *event.Event) {
		if e.FormatName != "raw" || e.Text("host.name") != "web-1" {
			t.Errorf("what the forced format cannot read is %s of %q", e.FormatName, e.Text("host.name"))
		}
	})
	r := testRegistry()
	var slab Slab
	var e event.Event
	r.Stream(sources.Info{Host: "web-1", Format: "cloudtrail"}).Parse(&sources.Record{Raw: []byte(example(t, "cloudtrail")), Seen: seen}, &slab, &e)
	r.Reparse(e.Format, []byte("other bytes"), &slab, &e)
	if e.FormatName != "raw" || e.Text("host.name") != "web-1" {
		t.Errorf("other bytes under the same id are %s of %q", e.FormatName, e.Text("host.name"))
	}
}

func TestReparseKeepsWhatIsTheSources(t *testing.T) {
	r := testRegistry()
	ref := event.Ref{Source: "file:/x", Offset: 7, Len: 3}
	e := event.Event{Seq: 9, Ref: ref, Line: 4, Seen: seen, Flags: event.FlagCut | event.FlagRawOnly}
	var slab Slab
	r.Reparse(0, []byte("abc"), &slab, &e)
	if e.Seq != 9 || e.Ref != ref || e.Line != 4 || e.Flags != event.FlagCut|event.FlagRawOnly|event.FlagNoTime || !bytes.Equal(e.Raw, []byte("abc")) {
		t.Errorf("%+v", e)
	}
	r.Reparse(1<<30, []byte("abc"), &slab, &e)
	if e.FormatName != "raw" {
		t.Errorf("an unknown id reads as %s", e.FormatName)
	}
}
