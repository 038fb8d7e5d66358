package story

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"bartizan/detect"
	"bartizan/detect/rules"
	"bartizan/event"
	"bartizan/sources"
	"bartizan/sources/parse"
)

var start = time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)

// atOnce is a wait that does not.
func atOnce(context.Context, time.Time) error { return nil }

// play plays the story of seed into a new folder.
func play(t *testing.T, seed int64, speed float64) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := New(seed).Play(t.Context(), dir, start, speed, atOnce); err != nil {
		t.Fatal(err)
	}
	return dir
}

// told is one line of the story after parsing.
type told struct {
	file  string
	line  []byte
	event *event.Event
}

// tell parses all files of dir and puts their events in order of time.
func tell(t *testing.T, dir string) (all []told) {
	t.Helper()
	now := start.Add(Length)
	reg := parse.NewRegistry(parse.Options{Now: func() time.Time { return now }, Zone: time.UTC})
	local, remote := New(1).Files()
	var slab parse.Slab
	for _, file := range append(local, remote...) {
		src, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		stream := reg.Stream(sources.Info{ID: event.SourceID(file), Name: file, Zone: time.UTC})
		for i, line := range bytes.Split(bytes.TrimSuffix(src, []byte("\n")), []byte("\n")) {
			rec := sources.Record{Raw: line, Seen: now, Line: int64(i + 1), Ref: event.Ref{Source: event.SourceID(file), Offset: int64(i)}}
			var e event.Event
			stream.Parse(&rec, &slab, &e)
			all = append(all, told{file, line, e.Clone()})
			slab.Reset()
		}
	}
	slices.SortStableFunc(all, func(a, b told) int { return a.event.Time.Compare(b.event.Time) })
	return all
}

// rising runs the built-in rules over the events and returns the rules that hit,
// in that order, each once.
func rising(t *testing.T, all []told) (rose []*detect.Rule) {
	t.Helper()
	loaded := rules.Load()
	for _, r := range loaded.Refused {
		t.Fatal(r)
	}
	m := detect.NewSet(loaded.Rules).NewMatcher()
	c := detect.NewCorrelator(func() time.Time { return start }, loaded.Rules)
	for _, l := range all {
		for _, r := range m.Match(l.event, nil) {
			for _, d := range c.Take(r, l.event) {
				if !slices.Contains(rose, d.Rule) {
					rose = append(rose, d.Rule)
				}
			}
		}
	}
	return rose
}

// TestExactlyTheExpectedRulesRise plays several seeds through parser and rules.
func TestExactlyTheExpectedRulesRise(t *testing.T) {
	want := slices.Sorted(slices.Values(New(1).Expected()))
	for seed := int64(1); seed <= 3; seed++ {
		var ids []string
		for _, r := range rising(t, tell(t, play(t, seed, 1))) {
			ids = append(ids, r.ID)
			if !slices.Contains(want, r.ID) {
				t.Errorf("seed %d: %s (%s, %s) rises unexpectedly", seed, r.Title, r.File, r.Severity)
			}
		}
		slices.Sort(ids)
		if !slices.Equal(ids, want) {
			t.Errorf("seed %d: these rose:\n%q\nwant\n%q", seed, ids, want)
		}
	}
}

// TestTheyRiseInTheOrderTold holds Expected to the order of the story.
func TestTheyRiseInTheOrderTold(t *testing.T) {
	var ids []string
	for _, r := range rising(t, tell(t, play(t, 1, 1))) {
		ids = append(ids, r.ID)
	}
	if want := New(1).Expected(); !slices.Equal(ids, want) {
		t.Errorf("they rose in the order\n%q\nwant\n%q", ids, want)
	}
}

// TestNothingRisesBeforeTheBeginning looks only at the lines the files begin with.
func TestNothingRisesBeforeTheBeginning(t *testing.T) {
	all := slices.DeleteFunc(tell(t, play(t, 1, 1)), func(l told) bool { return !l.event.Time.Before(start) })
	if len(all) < 1000 {
		t.Errorf("only %d lines tell of the time before the beginning", len(all))
	}
	for _, r := range rising(t, all) {
		t.Errorf("%s rises before the beginning", r.Title)
	}
}

// TestEveryLineIsUnderstood wants a format, a log source and the right time for
// every line.
func TestEveryLineIsUnderstood(t *testing.T) {
	format := map[string][]string{
		Envoy: {"envoy"}, CloudTrail: {"cloudtrail"}, S3: {"s3access"}, Nginx: {"nginx"}, Auth: {"sshd", "sudo"}, VPCFlow: {"vpcflow"},
	}
	count := map[string]int{}
	for _, l := range tell(t, play(t, 3, 1)) {
		count[l.file]++
		if !slices.Contains(format[l.file], l.event.FormatName) {
			t.Fatalf("%s: read as %s: %s", l.file, l.event.FormatName, l.line)
		}
		if l.event.Time.Before(start.Add(-History-time.Minute-time.Second)) || l.event.Time.After(start.Add(Length)) || l.event.Flags != 0 {
			t.Fatalf("%s: time %v, flags %b: %s", l.file, l.event.Time, l.event.Flags, l.line)
		}
	}
	for file := range format {
		if count[file] < 50 {
			t.Errorf("%s has only %d lines", file, count[file])
		}
	}
}

// TestSameSeedSameStory compares two tellings byte by byte.
func TestSameSeedSameStory(t *testing.T) {
	a, b, c := play(t, 7, 1), play(t, 7, 1), play(t, 8, 1)
	local, remote := New(7).Files()
	for _, file := range append(local, remote...) {
		x, _ := os.ReadFile(filepath.Join(a, file))
		y, _ := os.ReadFile(filepath.Join(b, file))
		z, _ := os.ReadFile(filepath.Join(c, file))
		if len(x) == 0 || !bytes.Equal(x, y) {
			t.Errorf("%s differs between two tellings of one seed", file)
		}
		if bytes.Equal(x, z) {
			t.Errorf("%s is the same for two seeds", file)
		}
	}
}

// TestLinesComeAtTheirTime plays at several speeds with a clock of its own and
// checks that nothing is written before its time.
func TestLinesComeAtTheirTime(t *testing.T) {
	for _, speed := range []float64{0.5, 1, 10} {
		dir, last, calls := t.TempDir(), time.Time{}, 0
		size := func() (n int64) {
			local, remote := New(1).Files()
			for _, file := range append(local, remote...) {
				if fi, err := os.Stat(filepath.Join(dir, file)); err == nil {
					n += fi.Size()
				}
			}
			return n
		}
		before := int64(-1)
		err := New(1).Play(t.Context(), dir, start, speed, func(_ context.Context, until time.Time) error {
			if calls++; calls == 1 {
				before = size()
			}
			if until.Before(last) || until.Before(start) {
				t.Fatalf("speed %g: waits for %v after %v", speed, until, last)
			}
			last = until
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if before < 100_000 || size() <= before {
			t.Errorf("speed %g: %d bytes before the beginning, %d after the end", speed, before, size())
		}
		if took := last.Sub(start); took > time.Duration(float64(Length)/speed) || took < time.Duration(0.9*float64(Length)/speed) {
			t.Errorf("speed %g: the story takes %v", speed, took)
		}
	}
}

// TestPlayEndsWithItsReason checks that errors and the context end the play.
func TestPlayEndsWithItsReason(t *testing.T) {
	broken := errors.New("no more time")
	if err := New(1).Play(t.Context(), t.TempDir(), start, 1, func(context.Context, time.Time) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("wait's error became %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := New(1).Play(ctx, t.TempDir(), start, 1, func(context.Context, time.Time) error { cancel(); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context became %v", err)
	}
	if err := New(1).Play(t.Context(), t.TempDir(), start, 0, atOnce); err == nil {
		t.Error("speed 0 is accepted")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := New(1).Play(t.Context(), file, start, 1, atOnce); err == nil {
		t.Error("a file in the place of the folder is accepted")
	}
}
