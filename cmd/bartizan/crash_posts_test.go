package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"bartizan/history"
	"bartizan/sources"
)

// posts are what was posted to an engine, and how each post was answered.
type posts struct {
	mu       sync.Mutex
	answered map[string]bool // by post: with 200
	fine     int
}

// send posts lines of several senders to an address until ctx ends; each post is sent
// once only, whatever becomes of it.
func (p *posts) send(ctx context.Context, at string) (wait func()) {
	client := &http.Client{Timeout: patience, Transport: &http.Transport{}}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for ctx.Err() == nil {
				name := p.begin()
				body := fmt.Sprintf(`{"post":%q,"part":"a"}`+"\n"+`{"post":%q,"part":"b"}`+"\n", name, name)
				res, err := client.Post("http://"+at+"/", "application/json", strings.NewReader(body))
				if err != nil {
					continue // nobody knows what became of it
				}
				_, _ = io.Copy(io.Discard, res.Body) // only its code counts
				_ = res.Body.Close()
				if res.StatusCode == http.StatusOK {
					p.mu.Lock()
					p.answered[name] = true
					p.fine++
					p.mu.Unlock()
				}
			}
		})
	}
	return func() { all.Wait(); client.CloseIdleConnections() }
}

func (p *posts) begin() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	name := fmt.Sprintf("post%07d", len(p.answered))
	p.answered[name] = false
	return name
}

func (p *posts) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fine
}

// TestPostsSurvive kills the engine while it takes posts: each that was answered with
// 200 is in the board's spool, its records once and in order; of the others none
// came twice.
func TestPostsSurvive(t *testing.T) {
	b := newBench(t, "[[source]]\nname = \"hook\"\nhttp = \"127.0.0.1:0\"\n")
	b.patience = 2 * patience
	r := chance(t)
	p := &posts{answered: map[string]bool{}}
	rounds := faults(t, 4)
	for round := range rounds {
		log := b.path(fmt.Sprintf("engine%d.log", round))
		c := b.program(b.onBoard("watch", "--log", log)...)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		at := ""
		b.until("the engine listens", func() bool {
			text, _ := os.ReadFile(log) // not there yet: it does not
			if m := listens.FindSubmatch(text); m != nil {
				at = string(m[1])
			}
			return at != ""
		})
		ctx, cancel := context.WithCancel(t.Context())
		wait := p.send(ctx, at)
		enough := p.count() + 20 + r.IntN(200)
		b.until("posts are answered", func() bool { return p.count() >= enough })
		kill(c, []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM}[min(1, (round+1)/rounds)])
		cancel()
		wait()
	}
	p.compare(t, b)
}

// compare holds the spool against what was answered.
func (p *posts) compare(t *testing.T, b *bench) {
	t.Helper()
	s, err := history.OpenSpool(history.SpoolOptions{Dir: filepath.Join(b.state, "spool", history.FolderOf("http:127.0.0.1:0"))})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	came, second := map[string]int{}, map[string]int{}
	err = s.Each(t.Context(), time.Time{}, func(r *sources.Record) bool {
		var got struct{ Post, Part string }
		err := json.Unmarshal(r.Raw, &got)
		name := got.Post
		if _, sent := p.answered[name]; !sent || r.Lost > 0 || err != nil {
			t.Errorf("nobody sent %q", r.Raw)
		}
		switch got.Part {
		case "a":
			came[name]++
		case "b":
			if second[name]++; second[name] > came[name] {
				t.Errorf("%s: its second record came before its first", name)
			}
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, fine := range p.answered {
		if a, b := came[name], second[name]; fine && (a != 1 || b != 1) || a > 1 || b > 1 {
			t.Errorf("%s was answered with 200: %v; its records are there %d and %d times", name, fine, a, b)
		}
	}
	t.Logf("%d posts, %d answered with 200, %d in the spool", len(p.answered), p.fine, len(came))
}
