package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/query"
	"bartizan/sources"
	"bartizan/sources/parse"
	"bartizan/store"
	"bartizan/triage"
)

func TestMain(m *testing.M) {
	if logs := os.Getenv(serveOver); logs != "" {
		if serveStdio(logs) != nil {
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// bench is a state directory and log files that engines are run over.
type bench struct {
	t     *testing.T
	dir   string
	files []string
	rules []*detect.Rule
	opt   func(*Options)
}

// rule makes a rule from a filter; it groups by nothing, so its hits are one alert.
func rule(t *testing.T, name, filter string) *detect.Rule {
	t.Helper()
	n, err := query.Parse(filter)
	if err != nil {
		t.Fatal(err)
	}
	return &detect.Rule{ID: "quick:" + name, Kind: detect.KindQuick, Title: name, Severity: detect.High, Cond: n, GroupBy: []string{"none"}}
}

func newBench(t *testing.T, files ...string) *bench {
	b := &bench{t: t, dir: t.TempDir()}
	for _, f := range files {
		b.files = append(b.files, filepath.Join(b.dir, f))
		b.write(f, "")
	}
	return b
}

func (b *bench) write(file, text string) {
	b.t.Helper()
	f, err := os.OpenFile(filepath.Join(b.dir, file), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		b.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		b.t.Fatal(err)
	}
}

// running is one engine over the bench.
type running struct {
	*Engine
	db   *store.DB
	stop context.CancelFunc
	done chan error
	once sync.Once
	t    *testing.T
}

func (b *bench) start() *running {
	b.t.Helper()
	db, err := store.Open(filepath.Join(b.dir, "state"), time.Now)
	if err != nil {
		b.t.Fatal(err)
	}
	board, _, err := db.Load()
	if err != nil {
		b.t.Fatal(err)
	}
	pos, err := db.Positions()
	if err != nil {
		b.t.Fatal(err)
	}
	o := Options{
		Desk: store.NewDesk(db, board, time.Now), Registry: parse.NewRegistry(parse.Options{Zone: time.UTC}), Ring: 4 << 20,
		Rules: detect.Loaded{Rules: b.rules}, Positions: pos, CatchUp: 24 * time.Hour, Budget: 1 << 30, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	}
	for _, f := range b.files {
		o.Files = append(o.Files, sources.Opened{
			Info:   sources.Info{ID: event.SourceID("file:" + f), Kind: "file", Name: filepath.Base(f), Path: f, Live: true},
			Source: sources.NewFile(f, sources.FileOptions{ID: event.SourceID("file:" + f)}),
		})
	}
	if b.opt != nil {
		b.opt(&o)
	}
	e, err := New(o)
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &running{Engine: e, db: db, stop: stop, done: make(chan error, 1), t: b.t}
	go func() { r.done <- e.Run(ctx) }()
	b.t.Cleanup(r.end)
	return r
}

// end stops the engine and closes its board.
func (r *running) end() {
	r.once.Do(func() {
		r.stop()
		if err := <-r.done; err != nil && !errors.Is(err, context.Canceled) {
			r.t.Errorf("the engine ended with %v", err)
		}
		if err := r.db.Close(); err != nil {
			r.t.Error(err)
		}
	})
}

// until waits for the condition, looking whenever the engine says that something
// changed.
func (r *running) until(what string, ok func() bool) {
	r.t.Helper()
	changed, end := r.Changed()
	defer end()
	late := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-changed:
		case <-late:
			first, next := r.Bounds()
			r.t.Fatalf("never %s; ring %d to %d, status %+v", what, first, next, r.Status())
		}
	}
}

func (r *running) count(id string) uint64 {
	list, _ := r.Desk().Alerts()
	var n uint64
	for _, a := range list {
		if a.RuleID == id {
			n += a.Count
		}
	}
	return n
}

func (r *running) lines() []string {
	r.t.Helper()
	first, next := r.Bounds()
	var out []string
	for seq := first; seq < next; seq++ {
		var e event.Event
		if err := r.Read(seq, &e); err != nil {
			r.t.Fatal(err)
		}
		out = append(out, string(e.Raw))
	}
	return out
}

func stamped(at time.Time, text string) string {
	return at.UTC().Format(time.RFC3339) + " web-1 app[7]: " + text + "\n"
}

// TestWayOfALine follows lines from two files to the ring, a rule's hit to the
// board with its marks, and what came before and after to the evidence.
func TestWayOfALine(t *testing.T) {
	b := newBench(t, "a.log", "b.log")
	b.rules = []*detect.Rule{rule(t, "boom", "boom")}
	now := time.Now()
	b.write("a.log", stamped(now.Add(-time.Minute), "one"))
	r := b.start()
	r.until("the line that was there is shown", func() bool { return len(r.lines()) == 1 })
	b.write("b.log", stamped(now, "two")+stamped(now, "boom three")+stamped(now, "four"))
	r.until("all are shown", func() bool { return len(r.lines()) == 4 })
	r.until("the hit is on the board", func() bool { return r.count("quick:boom") == 1 })
	list, _ := r.Desk().Alerts()
	var marks []HitMark
	first, next := r.Bounds()
	for seq := first; seq < next; seq++ {
		marks = append(marks, r.Hits(seq)...)
	}
	if len(marks) != 1 || marks[0].Alert != list[0].ID || len(marks[0].Why) == 0 || marks[0].Rule == nil {
		t.Errorf("marks = %+v", marks)
	}
	b.write("b.log", stamped(now, "five")+stamped(now, "six"))
	var texts []string
	r.until("what followed is pinned", func() bool {
		ev, err := r.Desk().Evidence(list[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		texts = nil
		for _, e := range ev {
			texts = append(texts, string(e.Raw[len(e.Raw)-4:]))
		}
		return len(ev) == 5
	})
	if got := strings.Join(texts, "|"); got != " two|hree|four|five| six" {
		t.Errorf("evidence = %q", got)
	}
}

// TestStartMergesByTime begins over two files whose records interleave.
func TestStartMergesByTime(t *testing.T) {
	b := newBench(t, "a.log", "b.log")
	base := time.Now().Add(-time.Hour)
	var want []string
	for i := range 200 {
		text := stamped(base.Add(time.Duration(i)*time.Second), fmt.Sprintf("n%03d", i))
		b.write([]string{"a.log", "b.log"}[i*7%3%2], text)
		want = append(want, strings.TrimSpace(text))
	}
	r := b.start()
	r.until("all are shown", func() bool { return len(r.lines()) == 200 })
	for i, got := range r.lines() {
		if got != want[i] {
			t.Fatalf("row %d is %q, want %q", i, got, want[i])
		}
	}
	if s := r.Status(); !s.DetectedSince.Equal(base.UTC().Truncate(time.Second)) || s.Progress != 1 {
		t.Errorf("status = %+v, base %v", s, base)
	}
}

// TestRestartIsExactlyOnce stops and starts engines while a file grows: every
// line hits once and none is missed.
func TestRestartIsExactlyOnce(t *testing.T) {
	b := newBench(t, "a.log")
	b.rules = []*detect.Rule{rule(t, "all", "*")}
	var total uint64
	for round := range 5 {
		for range 300 {
			b.write("a.log", stamped(time.Now(), fmt.Sprintf("line %d", total)))
			total++
		}
		r := b.start()
		r.until("every line hit", func() bool { return r.count("quick:all") >= total })
		b.write("a.log", stamped(time.Now(), fmt.Sprintf("live %d", round)))
		total++
		if round%2 == 0 { // sometimes the line is seen, sometimes it waits for the next engine
			r.until("the live line hit", func() bool { return r.count("quick:all") >= total })
		}
		r.end()
	}
	r := b.start()
	r.until("every line hit", func() bool { return r.count("quick:all") >= total })
	if got := r.count("quick:all"); got != total {
		t.Errorf("%d hits for %d lines", got, total)
	}
	r.until("the past is shown again", func() bool { return len(r.lines()) > 1000 })
}

// TestCatchUpFindsWhatLiesFarBack hides a hit far before what the ring shows.
func TestCatchUpFindsWhatLiesFarBack(t *testing.T) {
	b := newBench(t, "a.log")
	b.rules = []*detect.Rule{rule(t, "boom", "boom")}
	base := time.Now().Add(-10 * time.Hour)
	var text strings.Builder
	for i := range 120_000 {
		word := "quiet"
		if i == 40_000 {
			word = "boom"
		}
		text.WriteString(stamped(base.Add(time.Duration(i)*250*time.Millisecond), fmt.Sprintf("%s %06d and some words to fill the line", word, i)))
	}
	b.write("a.log", text.String())
	r := b.start()
	r.until("the old hit is found", func() bool { return r.count("quick:boom") == 1 && r.Status().Progress == 1 })
	first, next := r.Bounds()
	if shown := next - first; shown > 60_000 {
		t.Errorf("%d rows are in a ring of 4 MiB", shown)
	}
	s := r.Status()
	if s.DetectedSince.Sub(base).Abs() > 2*time.Minute {
		t.Errorf("detected since %v, the file begins %v", s.DetectedSince, base)
	}
}

// TestBoardThatCannotBeWritten takes the database's write lock away: the engine
// says so and makes no move; when it is back, nothing is missing on disk.
func TestBoardThatCannotBeWritten(t *testing.T) {
	b := newBench(t, "a.log")
	b.rules = []*detect.Rule{rule(t, "all", "*")}
	r := b.start()
	db, err := sql.Open("sqlite", filepath.Join(b.dir, "state", "board.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	for i := range 2000 {
		b.write("a.log", stamped(time.Now(), fmt.Sprintf("line %d", i)))
	}
	r.until("the header says so", func() bool { return strings.Contains(r.Status().Problem, "board") })
	list, _ := r.Desk().Alerts()
	take := triage.Move{Do: triage.DoTake, On: []triage.AlertVersion{{ID: list[0].ID, Version: list[0].Version}}, At: time.Now()}
	if _, err := r.Desk().Apply(take); err == nil {
		t.Error("a move was taken that is not on disk")
	}
	if a, _ := r.Desk().Alert(list[0].ID); a.State != triage.StateNew {
		t.Errorf("the alert is %s though the move is not on disk", a.State)
	}
	if _, err := db.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	r.until("all is well again", func() bool { return r.Status().Problem == "" && r.count("quick:all") == 2000 })
	r.end()
	again := b.start()
	if n := again.count("quick:all"); n != 2000 {
		t.Errorf("%d of 2000 hits are on disk", n)
	}
}

// TestMovesAreNewsToEverybody makes a move and expects a poke.
func TestMovesAreNewsToEverybody(t *testing.T) {
	b := newBench(t, "a.log")
	b.rules = []*detect.Rule{rule(t, "boom", "boom")}
	r := b.start()
	b.write("a.log", stamped(time.Now(), "boom"))
	r.until("the alert rose", func() bool { return r.count("quick:boom") == 1 })
	list, _ := r.Desk().Alerts()
	made := make(chan error, 1)
	go func() {
		_, err := r.Desk().Apply(triage.Move{Do: triage.DoTake, On: []triage.AlertVersion{{ID: list[0].ID, Version: list[0].Version}}, By: triage.Actor{Name: "anna"}, At: time.Now()})
		made <- err
	}()
	r.until("the other sees it", func() bool { a, _ := r.Desk().Alert(list[0].ID); return a.State == triage.StateTaken })
	if err := <-made; err != nil {
		t.Error(err)
	}
}

// TestWindowsGivenUpAreSaid counts in more groups than are remembered: the header
// must say that something may have been missed.
func TestWindowsGivenUpAreSaid(t *testing.T) {
	b := newBench(t, "a.log")
	r := rule(t, "many", "*")
	r.GroupBy, r.Count, r.Within = []string{"process.pid"}, 2, time.Hour
	b.rules = []*detect.Rule{r}
	var text strings.Builder
	at := time.Now().UTC().Format(time.RFC3339)
	for i := range detect.MaxStates + 10 {
		fmt.Fprintf(&text, "%s web-1 app[%d]: x\n", at, i+1)
	}
	b.write("a.log", text.String())
	b.opt = func(o *Options) { o.Ring = 64 << 20 } // all of it in one run of windows
	e := b.start()
	e.until("the header says so", func() bool { return strings.Contains(e.Status().Problem, "given up") })
}
