package main

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// benchSeconds is how long a benchmark keeps the console busy:
// BARTIZAN_BENCH_SECONDS, else its own default.
func benchSeconds(tb testing.TB, otherwise int) int {
	text := os.Getenv("BARTIZAN_BENCH_SECONDS")
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		tb.Fatalf("BARTIZAN_BENCH_SECONDS=%s: give a number of seconds", text)
	}
	return n
}

// markEvery is how many lines lie between two that the counting rule hits.
const markEvery = 1000

// countMarks is a config with the built-in rules and one that counts the lines
// every busy file marks.
const countMarks = `[[rule]]
name = "marked lines"
filter = "program: marker"
level = "low"
group_by = ["pid"]
`

// busy holds a console on a wide terminal over two files that grow.
type busy struct {
	*screen
	engine int
	before cost
	lines  *lines
}

// newBusy starts the console and waits until it follows both files.
func newBusy(tb testing.TB) *busy {
	tb.Helper()
	needProc(tb)
	b := newBench(tb, countMarks)
	l := &lines{}
	b.put("auth.log", string(l.block(0, 1)))
	b.put("access.log", string(l.block(1, 1)))
	s := b.console(200, 60, b.path("auth.log"), b.path("access.log"))
	s.waitFor("following")
	s.waitFor("2 sources")
	s.press("\t")
	s.waitFor("─▸ stream")
	u := &busy{screen: s, engine: b.engine(), lines: l}
	return u
}

// BenchmarkConsoleUnderLoad follows two files that grow by 50,000 lines a second
// for 60 s, and presses keys all the while.
func BenchmarkConsoleUnderLoad(b *testing.B) {
	u := newBusy(b)
	seconds := benchSeconds(b, 60)
	b.ResetTimer()
	for range b.N {
		u.load(b, seconds, 50_000)
	}
}

// load writes lines to both files, measures keys and bytes, and counts what
// arrived.
func (u *busy) load(b *testing.B, seconds, rate int) {
	b.Helper()
	end := time.Duration(seconds) * time.Second
	u.before = costOf(b, u.engine)
	meter := u.meter()
	wrote := make(chan error, 1)
	go func() { wrote <- u.lines.write(u.bench, end, rate) }()
	typed := u.keysToPaint(end)
	if err := <-wrote; err != nil {
		b.Fatal(err)
	}
	bytes := meter()
	stopped := time.Now()
	have := u.arrived()
	after := costOf(b, u.engine)
	b.ReportMetric(float64(u.lines.total())/float64(seconds), "lines/s")
	b.ReportMetric(float64(u.lines.total())-float64(have), "lines-lost")
	b.ReportMetric(float64(u.marksMissing()), "marks-lost")
	b.ReportMetric(time.Since(stopped).Seconds(), "s-behind")
	typed.report(b, "key-to-paint")
	bytes.report(b)
	b.ReportMetric(float64(after.peak)/(1<<20), "MiB-peak")
	b.ReportMetric(float64(after.anon)/(1<<20), "MiB-anon")
	b.ReportMetric(100*(after.cpu-u.before.cpu).Seconds()/end.Seconds(), "%-of-a-core")
}

// keysToPaint types into the filter bar and takes back what was typed, and moves
// between the panes, until the end; it measures how long each key took to show.
func (u *busy) keysToPaint(end time.Duration) *times {
	t := &times{}
	over, ended := time.After(end), false
	keys := []struct {
		press string
		x, y  int
		want  string
	}{
		{"\x1b[Z", -1, 0, "─▸ alerts"}, {"\t", -1, 0, "─▸ stream"}, // to the alerts and back; a row of warning may stand above
		{"f", 0, 59, "f"}, {"u", 8, 59, "u"}, {"s", 9, 59, "s"}, {"e", 10, 59, "e"}, {"\x7f", 10, 59, " "}, {"\x15", 8, 59, " "}, {"\x1b", 0, 0, ""},
	}
	pause := time.NewTicker(83 * time.Millisecond) // no multiple of a frame
	defer pause.Stop()
	for i := 0; ; i++ {
		k := keys[i%len(keys)]
		began := time.Now()
		u.press(k.press)
		switch {
		case k.want == "":
			u.waitGone("filter:") // not measured: after an escape the program waits for what may follow it
		case k.x < 0:
			u.waitFor(k.want)
			t.add(time.Since(began))
		default:
			u.waitCell(k.x, k.y, k.want)
			t.add(time.Since(began))
		}
		<-pause.C
		select {
		case <-over:
			ended = true
		default:
		}
		if ended && k.want == "" {
			return t
		}
	}
}

// sourceRecords is the number of records in a row of the sources screen.
var sourceRecords = regexp.MustCompile(`([0-9,]+) records`)

// arrived reads from the sources screen how many records the engine took in.
func (u *busy) arrived() (n int) {
	u.Helper()
	u.waitGone("filter:")
	u.press("6")
	limit := time.Now().Add(u.patience)
	u.waitUntil("all records", func(now string) bool {
		n = 0
		for _, m := range sourceRecords.FindAllStringSubmatch(now, -1) {
			k, _ := strconv.Atoi(strings.ReplaceAll(m[1], ",", ""))
			n += k
		}
		return n >= u.lines.total() || time.Now().After(limit.Add(-u.patience/4))
	})
	u.press("2")
	u.waitFor("─▸ stream")
	return n
}

// marksMissing compares the counting rule's alerts with what was written.
func (u *busy) marksMissing() int {
	var n uint64
	for _, a := range u.alerts() {
		if a.RuleID == "quick:marked lines" {
			n += a.Count
		}
	}
	return u.lines.marks - int(n)
}

// BenchmarkIdle is a console on which nothing happens for 10 s.
func BenchmarkIdle(b *testing.B) {
	u := newBusy(b)
	seconds := benchSeconds(b, 10)
	for range b.N {
		u.idleBytes(1)
		before := costOf(b, u.engine)
		n, wrote := u.idleBytes(seconds)
		after := costOf(b, u.engine)
		if n > 0 {
			b.Logf("the terminal was sent %q", wrote)
		}
		b.ReportMetric(float64(n), "bytes")
		b.ReportMetric(100*(after.cpu-before.cpu).Seconds()/after.at.Sub(before.at).Seconds(), "%-of-a-core")
		b.ReportMetric(float64(after.rss)/(1<<20), "MiB-resident")
	}
}

// BenchmarkTrickle is the byte budget: 60 lines a second on a wide terminal, and
// a flood.
func BenchmarkTrickle(b *testing.B) {
	for _, rate := range []int{60, 1000, 20_000} {
		b.Run(fmt.Sprintf("%d", rate), func(b *testing.B) {
			u := newBusy(b)
			seconds := benchSeconds(b, 20)
			u.fill(b)
			for range b.N {
				meter := u.meter()
				if err := u.lines.write(u.bench, time.Duration(seconds)*time.Second, rate); err != nil {
					b.Fatal(err)
				}
				meter().report(b)
			}
		})
	}
}

// fill gives the screen a full page of rows first.
func (u *busy) fill(tb testing.TB) {
	tb.Helper()
	if err := u.lines.write(u.bench, 100*time.Millisecond, 4000); err != nil {
		tb.Fatal(err)
	}
	u.idleBytes(1)
}

// TestStreamStaysUnderItsByteBudget holds the hard limit under a flood.
func TestStreamStaysUnderItsByteBudget(t *testing.T) {
	u := newBusy(t)
	u.fill(t)
	meter := u.meter()
	if err := u.lines.write(u.bench, 4*time.Second, 20_000); err != nil {
		t.Fatal(err)
	}
	if m := meter(); m.worst > 64<<10 || m.total == 0 {
		t.Errorf("the terminal was sent up to %d bytes within a second, %d in all", m.worst, m.total)
	}
}

// BenchmarkAppendToVisible appends a line to a file of an idle console and waits
// until the terminal shows it.
func BenchmarkAppendToVisible(b *testing.B) {
	u := newBusy(b)
	u.fill(b)
	t := &times{}
	pause := time.NewTicker(137 * time.Millisecond)
	defer pause.Stop()
	for n := 0; n < 300*b.N; n++ {
		<-pause.C
		token := fmt.Sprintf("user-%05d", n)
		line := acceptedLine(token)
		began := time.Now()
		u.add("auth.log", line)
		u.waitRow(58, token)
		t.add(time.Since(began))
	}
	t.report(b, "append-to-visible")
}

// BenchmarkOpenLargeFile opens a file of 1 GiB (BARTIZAN_BENCH_GIB) and waits for
// the first screen that shows its end.
func BenchmarkOpenLargeFile(b *testing.B) {
	needProc(b)
	gib := 1
	if text := os.Getenv("BARTIZAN_BENCH_GIB"); text != "" {
		var err error
		if gib, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	home := newBench(b, "")
	(&lines{}).fill(home, "big.log", int64(gib)<<30)
	home.add("big.log", acceptedLine("thelast"))
	opening, whole := &times{}, &times{}
	for round := range max(b.N, 6) {
		u := newBench(b, "")
		u.patience = 10 * time.Minute
		began := time.Now()
		s := u.console(200, 60, home.path("big.log"))
		s.waitFor("alerts ·")
		whole.add(time.Since(began))
		s.waitFor("for thelast from")
		opening.add(time.Since(began))
		if round == 0 {
			s.waitGone("reading back")
			b.ReportMetric(time.Since(began).Seconds(), "s-until-rules-saw-all")
			b.ReportMetric(float64(costOf(b, u.engine()).peak)/(1<<20), "MiB-peak")
		}
		s.hangUp()
		u.stopEngine()
	}
	whole.report(b, "first-screen")
	opening.report(b, "end-visible")
}
