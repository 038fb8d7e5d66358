package history

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"bartizan/event"
	"bartizan/query"
	"bartizan/sources"
	"bartizan/sources/parse"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is when the made-up logs were written last.
var noon = time.Date(2026, 11, 4, 12, 0, 0, 0, time.UTC)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// place is a folder of logs and a history of the sources in it.
type place struct {
	t    *testing.T
	dir  string
	hist *History
}

func newPlace(t *testing.T, names ...string) *place {
	t.Helper()
	p := &place{t: t, dir: t.TempDir()}
	var infos []sources.Info
	for _, n := range names {
		path := filepath.Join(p.dir, n)
		infos = append(infos, sources.Info{ID: event.SourceID("file:" + path), Kind: "file", Name: path, Path: path, Live: true})
	}
	infos = append(infos, sources.Info{ID: "stdin", Kind: "stdin"})
	p.hist = &History{
		Registry: parse.NewRegistry(parse.Options{Now: func() time.Time { return noon }, Zone: time.UTC}),
		Sources:  func() []sources.Info { return infos },
	}
	return p
}

func (p *place) path(name string) string { return filepath.Join(p.dir, name) }

// write makes a file that was last written at.
func (p *place) write(name, text string, at time.Time) {
	p.t.Helper()
	b := []byte(text)
	if strings.HasSuffix(name, ".gz") {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		_, err := w.Write(b)
		must(p.t, errors.Join(err, w.Close()))
		b = z.Bytes()
	}
	must(p.t, os.WriteFile(p.path(name), b, 0o600))
	must(p.t, os.Chtimes(p.path(name), at, at))
}

// hour is lines of one hour, ten minutes apart.
func hour(at time.Time, words string) string {
	var b strings.Builder
	for i := range 6 {
		fmt.Fprintf(&b, "%s web-1 cron[7]: %s %d\n", at.Add(time.Duration(i)*10*time.Minute).Format("Jan _2 15:04:05"), words, i)
	}
	return b.String()
}

// threeGenerations is a followed file of the last hour, the hour before in .1 and
// the one before that in .2.gz.
func threeGenerations(t *testing.T) *place {
	p := newPlace(t, "auth.log")
	p.write("auth.log.2.gz", hour(noon.Add(-3*time.Hour), "oldest"), noon.Add(-2*time.Hour))
	p.write("auth.log.1", hour(noon.Add(-2*time.Hour), "older"), noon.Add(-1*time.Hour))
	p.write("auth.log", hour(noon.Add(-1*time.Hour), "newest"), noon)
	p.write("auth.log.offset", "no log at all, but it has the word oldest\n", noon)
	return p
}

// asked is what one search found and said.
type asked struct {
	messages []string
	events   []*event.Event
	progress []float64
	err      error
}

func (p *place) ask(q string, from, to time.Time) *asked {
	p.t.Helper()
	a := &asked{}
	a.err = p.hist.Search(context.Background(), matcher(p.t, q), from, to, func(e *event.Event) bool {
		a.messages = append(a.messages, e.Message)
		a.events = append(a.events, e)
		return true
	}, func(x float64) { a.progress = append(a.progress, x) })
	return a
}

func matcher(t *testing.T, q string) *query.Matcher {
	t.Helper()
	n, err := query.Parse(q)
	must(t, err)
	m, err := query.Compile(n)
	must(t, err)
	return m
}

func series(words string, from, to int) (out []string) {
	for i := from; i < to; i++ {
		out = append(out, fmt.Sprintf("%s %d", words, i))
	}
	return out
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestSearchNewestFirst(t *testing.T) {
	p := threeGenerations(t)
	a := p.ask("process.name: cron", time.Time{}, time.Time{})
	must(t, a.err)
	same(t, a.messages, slices.Concat(series("newest", 0, 6), series("older", 0, 6), series("oldest", 0, 6)))
	if n := len(a.progress); n < 3 || a.progress[n-1] != 1 || !slices.IsSorted(a.progress) {
		t.Errorf("progress was %v", a.progress)
	}
}

func TestSearchInAWindow(t *testing.T) {
	p := threeGenerations(t)
	for _, c := range []struct {
		name     string
		from, to time.Duration // before noon; 0 is open
		want     []string
	}{
		{"from the middle of one file to the middle of another", 150 * time.Minute, 90 * time.Minute, slices.Concat(series("older", 0, 3), series("oldest", 3, 6))},
		{"the end is not in it", 60 * time.Minute, 40 * time.Minute, series("newest", 0, 2)},
		{"open at the end", 20 * time.Minute, 0, series("newest", 4, 6)},
		{"open at the beginning", 0, 170 * time.Minute, series("oldest", 0, 1)},
		{"nothing in it", time.Minute, time.Minute, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var from, to time.Time
			if c.from > 0 {
				from = noon.Add(-c.from)
			}
			if c.to > 0 {
				to = noon.Add(-c.to)
			}
			a := p.ask("*", from, to)
			must(t, a.err)
			same(t, a.messages, c.want)
		})
	}
}

func TestSearchStops(t *testing.T) {
	p := threeGenerations(t)
	must(t, os.Symlink("loop", p.path("loop")))
	infos := append(p.hist.Sources(), sources.Info{ID: "loop", Path: p.path("loop")})
	p.hist.Sources = func() []sources.Info { return infos }
	n, last := 0, 0.0
	err := p.hist.Search(context.Background(), matcher(t, "older or oldest"), time.Time{}, time.Time{}, func(*event.Event) bool {
		n++
		return n < 2
	}, func(x float64) { last = x })
	if n != 2 || last >= 1 {
		t.Errorf("found was called %d times, progress said %v", n, last)
	}
	if err == nil || !strings.Contains(err.Error(), "loop cannot be searched") {
		t.Errorf("what could not be read is not said: %v", err)
	}
}

func TestSearchIsCalledOff(t *testing.T) {
	p := threeGenerations(t)
	p.write("auth.log", strings.Repeat(hour(noon.Add(-time.Hour), "newest"), 2_000), noon) // several batches
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n := 0
	err := p.hist.Search(ctx, matcher(t, "*"), time.Time{}, time.Time{}, func(*event.Event) bool {
		n++
		cancel()
		return true
	}, func(float64) {})
	if !errors.Is(err, context.Canceled) || n == 0 || n > 4*sources.MaxRecords {
		t.Errorf("%d found after it was called off, %v", n, err)
	}
}

// TestUnreadable: the others are searched, then it is said.
func TestUnreadable(t *testing.T) {
	p := threeGenerations(t)
	whole, err := os.ReadFile(p.path("auth.log.2.gz"))
	must(t, err)
	must(t, os.WriteFile(p.path("auth.log.3.gz"), whole[:len(whole)-12], 0o600))
	must(t, os.Chtimes(p.path("auth.log.3.gz"), noon.Add(time.Hour), noon.Add(time.Hour))) // searched first
	want := []string{"auth.log.3.gz cannot be read beyond"}
	if os.Getuid() != 0 { // root may read everything
		must(t, os.Chmod(p.path("auth.log.1"), 0))
		want = append(want, "auth.log.1: permission denied")
	}
	a := p.ask("newest or oldest", time.Time{}, time.Time{})
	for _, w := range want {
		if a.err == nil || !strings.Contains(a.err.Error(), w) {
			t.Errorf("it does not say %q: %v", w, a.err)
		}
	}
	if got := a.messages[len(a.messages)-12:]; got[0] != "newest 0" || got[11] != "oldest 5" {
		t.Errorf("the others gave %q", got)
	}
	if a.progress[len(a.progress)-1] != 1 {
		t.Errorf("progress ended at %v", a.progress)
	}
}

func TestSearchOfNothing(t *testing.T) {
	p := newPlace(t, "missing.log")
	a := p.ask("*", time.Time{}, time.Time{})
	must(t, a.err)
	if len(a.messages) != 0 || !slices.Equal(a.progress, []float64{1}) {
		t.Errorf("it found %q and said %v", a.messages, a.progress)
	}
}

// TestSearchedOnce: a file that several sources or names lead to.
func TestSearchedOnce(t *testing.T) {
	p := newPlace(t, "auth.log", "auth.log.1", "link.log")
	p.write("auth.log.1", hour(noon.Add(-2*time.Hour), "older"), noon.Add(-time.Hour))
	p.write("auth.log", hour(noon.Add(-time.Hour), "newest"), noon)
	must(t, os.Symlink("auth.log", p.path("link.log")))
	a := p.ask("*", time.Time{}, time.Time{})
	must(t, a.err)
	same(t, a.messages, slices.Concat(series("newest", 0, 6), series("older", 0, 6)))
}

// TestSiblingsOfTheTarget: what a link leads to is rotated beside it, not beside
// the link. A link that is called like a rotated file is not followed.
func TestSiblingsOfTheTarget(t *testing.T) {
	p := newPlace(t, "pod.log")
	must(t, os.Mkdir(p.path("pods"), 0o700))
	p.write("pods/0.log", hour(noon.Add(-time.Hour), "newest"), noon)
	p.write("pods/0.log.20261104-100000.gz", hour(noon.Add(-2*time.Hour), "older"), noon.Add(-time.Hour))
	p.write("secret", "a secret\n", noon)
	must(t, os.Symlink("pods/0.log", p.path("pod.log")))
	must(t, os.Symlink("../secret", p.path("pods/0.log.1")))
	a := p.ask("*", time.Time{}, time.Time{})
	must(t, a.err)
	same(t, a.messages, slices.Concat(series("newest", 0, 6), series("older", 0, 6)))
}

// TestOldLogsHaveOldTimes: the file's own time gives the year of stamps without
// one, and the time of records without any; where it was set back, the record's
// stamp counts.
func TestOldLogsHaveOldTimes(t *testing.T) {
	p := newPlace(t, "old.log", "plain.log", "touched.log")
	then := noon.AddDate(-3, 0, 0)
	p.write("old.log", hour(then.Add(-time.Hour), "old"), then)
	p.write("plain.log", "plain words\n", noon.Add(-time.Hour))
	p.write("touched.log", "2026-11-04T11:30:00Z web-1 cron[7]: touched\n", then)
	got := map[string]time.Time{}
	for _, e := range p.ask("*", time.Time{}, time.Time{}).events {
		got[e.Message] = e.Time
	}
	for words, want := range map[string]time.Time{
		"old 0": then.Add(-time.Hour), "plain words": noon.Add(-time.Hour), "touched": noon.Add(-30 * time.Minute),
	} {
		if !got[words].Equal(want) {
			t.Errorf("%q happened at %v, want %v", words, got[words], want)
		}
	}
}

// TestRotatedBetween: a file that is renamed after it was listed is found again,
// one that is gone is said to be.
func TestRotatedBetween(t *testing.T) {
	p := threeGenerations(t)
	all, _, bad := p.hist.generations(time.Time{})
	if len(all) != 3 || bad != nil {
		t.Fatalf("%d generations, %v", len(all), bad)
	}
	must(t, os.Rename(p.path("auth.log.1"), p.path("auth.log.3")))
	must(t, os.Rename(p.path("auth.log"), p.path("auth.log.1")))
	path, err := p.hist.whereabouts(all[0])
	must(t, err)
	if path != p.path("auth.log.1") {
		t.Errorf("it is said to be at %s", path)
	}
	must(t, os.Remove(p.path("auth.log.1")))
	if _, err = p.hist.whereabouts(all[0]); err == nil || !strings.Contains(err.Error(), "search again") {
		t.Errorf("what is gone is at %q, %v", path, err)
	}
}

// TestPipesDoNotBlock: a pipe that is called like a log or a rotated one is left alone.
func TestPipesDoNotBlock(t *testing.T) {
	p := newPlace(t, "auth.log", "pipe.log")
	p.write("auth.log", hour(noon.Add(-time.Hour), "newest"), noon)
	must(t, syscall.Mkfifo(p.path("auth.log.1"), 0o600))
	must(t, syscall.Mkfifo(p.path("pipe.log"), 0o600))
	done := make(chan *asked, 1)
	go func() {
		a := p.ask("*", time.Time{}, time.Time{})
		ref := a.events[0].Ref
		ref.File.Ino++ // nowhere: everything is looked at
		if _, _, err := p.hist.Around(context.Background(), ref, 1); !errors.Is(err, ErrNoFile) {
			t.Errorf("around nothing: %v", err)
		}
		done <- a
	}()
	select {
	case a := <-done:
		must(t, a.err)
		same(t, a.messages, series("newest", 0, 6))
	case <-time.After(20 * time.Second):
		t.Fatal("it hangs")
	}
}
