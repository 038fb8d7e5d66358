package sources

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bartizan/event"
)

// deadline is how long a condition may take; it is only reached when a test fails.
const deadline = 20 * time.Second

// tester is what the harness needs of *testing.T and *rapid.T.
type tester interface {
	Helper()
	Errorf(string, ...any)
	Fatalf(string, ...any)
	Fatal(...any)
	Cleanup(func())
}

// session is one run of a source, with everything it delivered.
type session struct {
	t      tester
	cancel context.CancelFunc
	ended  chan error

	mu    sync.Mutex
	moved chan struct{} // closed and renewed when anything changes
	lines []string
	recs  []Record // Raw is copied
	lost  []string
	pos   Position
	conds []Condition
	gate  chan struct{} // when set, each batch waits for one value

	judge *judge   // set: nothing fails, what came is counted
	owed  []string // what was last expected
	vain  bool     // a condition was never met
}

// begin runs src from a position, with a consumer that calls Done at once.
func begin(t tester, src Source, from Position) *session {
	t.Helper()
	return beginGated(t, src, from, nil)
}

func beginGated(t tester, src Source, from Position, gate chan struct{}) *session {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &session{t: t, cancel: cancel, ended: make(chan error, 1), moved: make(chan struct{}), pos: from, gate: gate}
	s.judge, _ = t.(*judge)
	if s.judge != nil {
		s.judge.sessions = append(s.judge.sessions, s)
	}
	if r, ok := src.(Reporting); ok {
		r.Report(func(c Condition) { s.change(func() { s.conds = append(s.conds, c) }) })
	}
	out := make(chan Batch)
	stop := make(chan struct{})
	consumed := make(chan struct{})
	go func() {
		defer close(consumed)
		s.consume(out, stop)
	}()
	go func() {
		err := src.Run(ctx, from, out)
		close(stop)
		<-consumed
		s.change(func() {})
		s.ended <- err
	}()
	t.Cleanup(func() { s.stop() })
	return s
}

func (s *session) consume(out <-chan Batch, stop <-chan struct{}) {
	for {
		if s.gate != nil {
			select {
			case <-s.gate:
			case <-stop:
				return
			}
		}
		select {
		case b := <-out:
			s.take(b)
		case <-stop:
			return
		}
	}
}

func (s *session) take(b Batch) {
	s.change(func() {
		for _, r := range b.Records {
			r.Raw = append([]byte(nil), r.Raw...)
			if r.Lost > 0 {
				s.lost = append(s.lost, string(r.Raw))
				continue
			}
			s.recs = append(s.recs, r)
			s.lines = append(s.lines, string(r.Raw))
		}
		s.pos = b.Pos
	})
	b.Done(nil)
}

func (s *session) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.moved)
	s.moved = make(chan struct{})
}

// until waits for a condition on what was delivered.
func (s *session) until(what string, ok func() bool) {
	s.t.Helper()
	most := deadline
	if s.judge != nil {
		most = judgePatience
	}
	end := time.After(most)
	for {
		s.mu.Lock()
		done, moved := ok(), s.moved
		s.mu.Unlock()
		if done {
			return
		}
		select {
		case <-moved:
		case <-end:
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.judge != nil {
				s.vain = true
				return
			}
			s.t.Fatalf("waited in vain for %s; delivered %d lines, last %.100q, lost %q, conditions %v", what, len(s.lines), tailOf(s.lines, 5), s.lost, s.conds[max(0, len(s.conds)-3):])
		}
	}
}

func tailOf(l []string, n int) []string { return l[max(0, len(l)-n):] }

// await waits for as many lines as are owed.
func (s *session) await(lines []string) {
	s.t.Helper()
	s.owed = lines
	s.until(fmt.Sprintf("%d lines", len(lines)), func() bool { return len(s.lines) >= len(lines) })
}

// expect waits for exactly these lines, in this order, since the beginning.
func (s *session) expect(lines ...string) {
	s.t.Helper()
	if s.await(lines); s.judge != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, want := range lines {
		if s.lines[i] != want {
			s.t.Fatalf("line %d of %d is %.100q, want %.100q; around it %.500s; lost %q", i, len(s.lines), s.lines[i], want, fmt.Sprintf("%q", s.lines[max(0, i-3):min(len(s.lines), i+6)]), s.lost)
		}
	}
	if len(s.lines) != len(lines) {
		s.t.Fatalf("%d lines more than %d: %.500s", len(s.lines)-len(lines), len(lines), fmt.Sprintf("%q", s.lines[len(lines):]))
	}
}

// expectAll waits for exactly these lines, each once, in any order.
func (s *session) expectAll(lines []string) {
	s.t.Helper()
	if s.await(lines); s.judge != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	count := map[string]int{}
	for _, l := range s.lines {
		count[l]++
	}
	for _, l := range lines {
		if count[l] != 1 {
			s.t.Errorf("%.100q came %d times", l, count[l])
		}
		delete(count, l)
	}
	if len(count) > 0 {
		s.t.Errorf("nobody wrote %.500s", fmt.Sprint(count))
	}
}

// expectLost waits for one record of loss that says the words.
func (s *session) expectLost(words string) {
	s.t.Helper()
	s.until("a loss", func() bool { return len(s.lost) > 0 })
	if s.judge != nil {
		return
	}
	if len(s.lost) != 1 || !strings.Contains(s.lost[0], words) {
		s.t.Fatalf("lost %q, want one with %q", s.lost, words)
	}
}

func (s *session) expectNoLoss() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.lost) > 0 {
		s.t.Fatalf("lost %q", s.lost)
	}
}

// state waits until the source says that it is in this state.
func (s *session) state(want event.SourceState) Condition {
	s.t.Helper()
	s.until("state "+want.String(), func() bool { return len(s.conds) > 0 && s.conds[len(s.conds)-1].State == want })
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.conds) == 0 {
		return Condition{} // a peer, which says nothing
	}
	return s.conds[len(s.conds)-1]
}

// stop cancels the source, waits for its end and returns where it stood.
func (s *session) stop() Position {
	s.cancel()
	if s.ended != nil {
		if err := <-s.ended; err != nil && s.judge == nil {
			s.t.Errorf("a cancelled source ended with %v", err)
		}
		s.ended = nil
	}
	return s.pos
}

// wait returns what the source ended with by itself.
func (s *session) wait() error {
	s.t.Helper()
	select {
	case err := <-s.ended:
		s.ended = nil
		return err
	case <-time.After(deadline):
		s.t.Fatal("the source does not end")
		return nil
	}
}

// folder is a directory with logs in it.
type folder struct {
	t   tester
	dir string
}

func newFolder(t testing.TB) folder { return folder{t, t.TempDir()} }

func (f folder) path(name string) string { return filepath.Join(f.dir, name) }

func (f folder) do(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// add appends text to a file, creating it.
func (f folder) add(name, text string) {
	f.t.Helper()
	w := f.open(name)
	f.put(w, text)
	f.do(w.Close())
}

// open opens a file for appending, as a writer that keeps it open.
func (f folder) open(name string) *os.File {
	f.t.Helper()
	w, err := os.OpenFile(f.path(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	f.do(err)
	return w
}

func (f folder) put(w *os.File, text string) {
	f.t.Helper()
	_, err := w.WriteString(text)
	f.do(err)
}

func (f folder) rename(from, to string) { f.t.Helper(); f.do(os.Rename(f.path(from), f.path(to))) }
func (f folder) remove(name string)     { f.t.Helper(); f.do(os.Remove(f.path(name))) }
func (f folder) copy(from, to string) {
	f.t.Helper()
	b, err := os.ReadFile(f.path(from))
	f.do(err)
	f.do(os.WriteFile(f.path(to), b, 0o644))
}
func (f folder) truncate(name string) { f.t.Helper(); f.do(os.Truncate(f.path(name), 0)) }
