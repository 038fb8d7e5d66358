package engine

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/history"
	"bartizan/sources"
)

// caller is a source over the network: it sends what it is given, once.
type caller struct{ in chan string }

func (c caller) Run(ctx context.Context, _ sources.Position, out chan<- sources.Batch) error {
	for {
		select {
		case text := <-c.in:
			done := make(chan error, 1)
			b := sources.Batch{Source: "http:here", Done: func(err error) { done <- err }, Records: []sources.Record{{
				Raw: []byte(text), Seen: time.Now(), Ref: event.Ref{Source: "http:here", Epoch: 1, Offset: 7, Len: int32(len(text))},
			}}}
			select {
			case out <- b:
			case <-ctx.Done():
				return nil
			}
			select {
			case <-done:
			case <-ctx.Done():
				return nil
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// TestPastOfWhatHasNoFile: what came over the network is found after a restart, and
// also where no spool can be made nothing is lost: the source waits.
func TestPastOfWhatHasNoFile(t *testing.T) {
	b := newBench(t)
	b.rules = []*detect.Rule{rule(t, "boom", "boom")}
	dir := filepath.Join(b.dir, "spool")
	c := caller{make(chan string)}
	b.opt = func(o *Options) {
		o.Spool = history.SpoolOptions{Dir: dir}
		o.Others = []sources.Opened{
			{Info: sources.Info{ID: "http:here", Kind: "http", Name: "hook", Live: true}, Source: c},
			{Info: sources.Info{ID: "stdin", Kind: "stdin", Name: "stdin", Live: true}, Source: caller{}},
		}
	}
	find := func(r *running) (out []string) {
		err := r.Search(t.Context(), "word", time.Time{}, time.Time{}, func(e *event.Event) bool {
			out = append(out, string(e.Raw))
			return true
		}, func(Searched) {})
		if err != nil {
			t.Error(err)
		}
		return out
	}
	r := b.start()
	var want []string
	for i := range 3 {
		want = append(want, fmt.Sprintf("word %d boom", i))
		c.in <- want[i]
	}
	r.until("they hit", func() bool { return r.count("quick:boom") == 3 })
	if got := find(r); !slices.Equal(got, want) {
		t.Errorf("found %q", got)
	}
	r.end()
	r = b.start()
	want = append(want, "word 3 boom")
	c.in <- want[3]
	r.until("it hits", func() bool { return r.count("quick:boom") == 4 })
	if got := find(r); !slices.Equal(got, want) {
		t.Errorf("found %q after a restart", got)
	}
	if list, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(list) != 1 {
		t.Errorf("there are spools %q, %v", list, err)
	}
}
