package sources

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bartizan/event"
)

// testGrace is long enough for a late writer in a test and short enough to wait for.
const testGrace = 400 * time.Millisecond

// reader is how a scenario opens files: with ours, or with another follower.
type reader struct {
	FileOptions
	peer func(path string, start Start) Source
}

func (r reader) source(path string) Source {
	if r.peer != nil {
		return r.peer(path, r.Start)
	}
	return NewFile(path, r.FileOptions)
}

// scenario is one thing that happens to logs. Every follower of ours must deliver
// every line once.
type scenario struct {
	name string
	play func(t tester, d folder, o reader)
}

var scenarios = []scenario{
	{"grows", func(t tester, d folder, o reader) {
		d.add("log", "one\ntwo\n")
		s := begin(t, o.source(d.path("log")), "")
		s.expect("one", "two")
		d.add("log", "three\n")
		s.expect("one", "two", "three")
		if r := s.recs[2]; r.Ref.Offset != 8 || r.Ref.Len != 5 || r.Line != 3 || r.Ref.File.Ino == 0 || r.Ref.Epoch != 1 {
			t.Errorf("the third line is at %+v, line %d", r.Ref, r.Line)
		}
		s.state(event.SourceLive)
	}},
	{"appears later", func(t tester, d folder, o reader) {
		d.add("log.1", "old\n")
		s := begin(t, o.source(d.path("log")), "")
		s.state(event.SourceGone)
		d.add("log", "one\n")
		s.expect("one")
		s.state(event.SourceLive)
	}},
	{"renamed once", func(t tester, d folder, o reader) {
		d.add("log", "one\n")
		s := begin(t, o.source(d.path("log")), "")
		s.expect("one")
		d.rename("log", "log.1")
		d.add("log", "two\n")
		s.expect("one", "two")
		if s.recs[1].Ref.Epoch != 2 || s.recs[1].Line != 1 {
			t.Errorf("the new file's line is %+v", s.recs[1])
		}
	}},
	{"renamed many times", func(t tester, d folder, o reader) {
		d.add("log", "0\n")
		s := begin(t, o.source(d.path("log")), "")
		want := []string{"0"}
		for i := 1; i <= 6; i++ {
			s.expect(want...)
			rotate(d, 9)
			d.add("log", fmt.Sprintln(i))
			want = append(want, fmt.Sprint(i))
		}
		s.expect(want...)
		s.expectNoLoss()
	}},
	{"rotated rapidly, generations skipped", func(t tester, d folder, o reader) {
		d.add("log", "first\n")
		s := begin(t, o.source(d.path("log")), "")
		s.expect("first")
		want := []string{"first"}
		for g := range 30 {
			for i := range 20 {
				line := fmt.Sprintf("%d-%d", g, i)
				d.add("log", line+"\n")
				want = append(want, line)
			}
			rotate(d, 40)
		}
		s.expectAll(want)
		s.expectNoLoss()
	}},
	{"late writer", func(t tester, d folder, o reader) {
		w := d.open("log")
		defer func() { _ = w.Close() }()
		d.put(w, "one\n")
		s := begin(t, o.source(d.path("log")), "")
		s.expect("one")
		d.rename("log", "log.1")
		d.add("log", "new\n")
		s.expect("one", "new")
		d.put(w, "late\n")
		s.expect("one", "new", "late")
		if s.recs[2].Ref.Epoch != 1 || s.recs[2].Line != 2 {
			t.Errorf("the late line is %+v", s.recs[2])
		}
	}},
	{"late end of a line", func(t tester, d folder, o reader) {
		w := d.open("log")
		defer func() { _ = w.Close() }()
		d.put(w, "one\nhal")
		s := begin(t, o.source(d.path("log")), "")
		s.expect("one")
		d.rename("log", "log.1")
		d.add("log", "new\n")
		s.expect("one", "new")
		d.put(w, "f\n")
		s.expect("one", "new", "half")
	}},
	{"last line of a rotated file has no end", func(t tester, d folder, o reader) {
		d.add("log", "one\ntail")
		s := begin(t, o.source(d.path("log")), "")
		s.expect("one")
		d.rename("log", "log.1")
		d.add("log", "new\n")
		s.expect("one", "new", "tail")
	}},
	{"copied and truncated", func(t tester, d folder, o reader) {
		d.add("log", "one\ntwo\n")
		s := begin(t, o.source(d.path("log")), "")
		s.expect("one", "two")
		d.copy("log", "log.1")
		d.truncate("log")
		d.add("log", "3\n")
		s.expect("one", "two", "3")
		s.expectNoLoss()
	}},
	{"copied and truncated before it was read", func(t tester, d folder, o reader) {
		d.add("log", "one\n")
		gate := make(chan struct{}, 100)
		gate <- struct{}{}
		s := beginGated(t, o.source(d.path("log")), "", gate)
		s.expect("one")
		d.add("log", "unread\npart")
		d.copy("log", "log.1")
		d.truncate("log")
		d.add("log", "3\n")
		for range 50 {
			gate <- struct{}{}
		}
		s.await([]string{"one", "unread", "part", "3"}) // the copy may come later than what follows it
		for _, want := range []string{"unread", "part", "3"} {
			if n := strings.Count(strings.Join(s.lines, "\n")+"\n", want+"\n"); n != 1 {
				t.Errorf("%q came %d times in %q", want, n, s.lines)
			}
		}
		s.expectNoLoss()
	}},
	{"truncated without a copy", func(t tester, d folder, o reader) {
		d.add("log", "one\ntwo\n")
		s := begin(t, o.source(d.path("log")), "")
		s.expect("one", "two")
		d.truncate("log")
		s.expectLost("at least 1 record may be missing")
		d.add("log", "3\n")
		s.expect("one", "two", "3")
		if s.recs[2].Ref.Epoch != 2 || s.recs[2].Ref.Offset != 0 {
			t.Errorf("after the truncation: %+v", s.recs[2].Ref)
		}
	}},
	{"truncated and regrown", func(t tester, d folder, o reader) {
		d.add("log", "one\ntwo\n")
		s := begin(t, o.source(d.path("log")), "")
		s.expect("one", "two")
		d.do(os.WriteFile(d.path("log"), []byte("longer than before\nand more of it\n"), 0o644))
		s.expect("one", "two", "longer than before", "and more of it")
		s.expectLost("truncated")
	}},
	{"rewritten behind an equal beginning", func(t tester, d folder, o reader) {
		head := strings.Repeat("# the same header\n", 100)
		d.add("log", head+"secret\n")
		s := begin(t, o.source(d.path("log")), "")
		s.until("the file", func() bool { return len(s.lines) == 101 })
		d.do(os.WriteFile(d.path("log"), []byte(head+"harmls\nmore\n"), 0o644))
		s.until("the file again", func() bool { return len(s.lines) == 101+102 })
		s.expectLost("overwritten")
	}},
	{"hole left by a writer that does not append", func(t tester, d folder, o reader) {
		w, err := os.Create(d.path("log"))
		d.do(err)
		defer func() { _ = w.Close() }()
		d.put(w, "one\ntwo\n")
		s := begin(t, o.source(d.path("log")), "")
		s.expect("one", "two")
		d.copy("log", "log.1")
		d.truncate("log")
		d.put(w, "three\n")
		s.expect("one", "two", "three")
		if s.recs[2].Ref.Offset != 8 {
			t.Errorf("the line behind the hole is at %d", s.recs[2].Ref.Offset)
		}
	}},
	{"deleted and made again", func(t tester, d folder, o reader) {
		d.add("log", "one\n")
		s := begin(t, o.source(d.path("log")), "")
		s.expect("one")
		d.remove("log")
		d.add("log", "two\n")
		s.expect("one", "two")
		s.expectNoLoss()
	}},
	{"deleted while the writer goes on", func(t tester, d folder, o reader) {
		w := d.open("log")
		defer func() { _ = w.Close() }()
		d.put(w, "one\n")
		s := begin(t, o.source(d.path("log")), "")
		s.expect("one")
		d.remove("log")
		s.state(event.SourceGone)
		d.put(w, "hidden\n")
		s.expect("one", "hidden")
		d.add("log", "new\n")
		s.expect("one", "hidden", "new")
		s.state(event.SourceLive)
	}},
	{"moved away and back", func(t tester, d folder, o reader) {
		d.add("log", "one\n")
		s := begin(t, o.source(d.path("log")), "")
		s.expect("one")
		d.rename("log", "elsewhere")
		s.state(event.SourceGone)
		d.rename("elsewhere", "log")
		s.state(event.SourceLive)
		d.add("log", "two\n")
		s.expect("one", "two")
		s.expectNoLoss()
	}},
	{"link leads elsewhere", func(t tester, d folder, o reader) {
		d.do(os.Mkdir(d.path("pods"), 0o755))
		d.add("pods/0.log", "one\n")
		d.do(os.Symlink("pods/0.log", d.path("log")))
		s := begin(t, o.source(d.path("log")), "")
		s.expect("one")
		d.add("pods/1.log", "two\n")
		d.do(os.Symlink("pods/1.log", d.path("next")))
		d.rename("next", "log")
		s.expect("one", "two")
		d.add("pods/1.log", "three\n")
		s.expect("one", "two", "three")
	}},
	{"line in pieces", func(t tester, d folder, o reader) {
		d.add("log", "one\npar")
		s := begin(t, o.source(d.path("log")), "")
		s.expect("one")
		d.add("log", "ti")
		d.add("log", "al\r")
		d.add("log", "\nx\n")
		s.expect("one", "partial", "x")
	}},
	{"permission lost and given again", func(t tester, d folder, o reader) {
		var denied atomic.Bool
		o.Open = func(p string) (*os.File, error) {
			if denied.Load() {
				return nil, &fs.PathError{Op: "open", Path: p, Err: fs.ErrPermission}
			}
			return openRegular(p)
		}
		d.add("log", "one\n")
		s := begin(t, o.source(d.path("log")), "")
		s.expect("one")
		denied.Store(true)
		d.rename("log", "log.1")
		d.add("log", "two\n")
		if c := s.state(event.SourceDenied); !strings.Contains(c.Reason, "permission denied: ") {
			t.Errorf("reason %q", c.Reason)
		}
		denied.Store(false)
		s.expect("one", "two")
		s.state(event.SourceLive)
	}},
	{"stat fails for a while", func(t tester, d folder, o reader) {
		var broken atomic.Bool
		o.stat = func(p string) (fs.FileInfo, error) {
			if broken.Load() {
				return nil, &fs.PathError{Op: "stat", Path: p, Err: fs.ErrInvalid}
			}
			return os.Stat(p)
		}
		d.add("log", "one\n")
		s := begin(t, o.source(d.path("log")), "")
		s.expect("one")
		broken.Store(true)
		s.state(event.SourceRetrying)
		d.add("log", "two\n") // what is open is still read
		s.expect("one", "two")
		broken.Store(false)
		s.state(event.SourceLive)
	}},
	{"long line", func(t tester, d folder, o reader) {
		d.add("log", "one\n"+strings.Repeat("x", 3*MaxRecord)+"\ntwo\n")
		s := begin(t, o.source(d.path("log")), "")
		s.until("three records", func() bool { return len(s.lines) == 3 })
		r := s.recs[1]
		if len(r.Raw) != MaxRecord || r.Flags&event.FlagCut == 0 || r.Cut.Bytes != 2*MaxRecord || s.lines[2] != "two" {
			t.Errorf("kept %d, flags %v, cut %+v, then %q", len(r.Raw), r.Flags, r.Cut, s.lines[2])
		}
	}},
	{"carriage returns", func(t tester, d folder, o reader) {
		d.add("log", "one\r\ntwo\r\n")
		s := begin(t, o.source(d.path("log")), "")
		s.expect("one", "two")
	}},
	{"json array that grows", func(t tester, d folder, o reader) {
		d.add("log", "[\n{\"a\":1},\n")
		s := begin(t, o.source(d.path("log")), "")
		s.expect(`{"a":1}`)
		pos := s.stop()
		d.add("log", "{\"a\":2},\n")
		s = begin(t, o.source(d.path("log")), pos)
		s.expect(`{"a":2}`)
		if s.recs[0].Line != 2 {
			t.Errorf("element %d", s.recs[0].Line)
		}
	}},
	{"from the end", func(t tester, d folder, o reader) {
		o.Start = StartEnd
		d.add("log", "old\nhal")
		s := begin(t, o.source(d.path("log")), "")
		s.state(event.SourceLive)
		d.add("log", "f\nnew\n")
		s.expect("half", "new")
		rotate(d, 3)
		d.add("log", "newer\n")
		s.expect("half", "new", "newer")
	}},
	{"blocked downstream while rotating", func(t tester, d folder, o reader) {
		gate := make(chan struct{}, 1000)
		d.add("log", "start\n")
		s := beginGated(t, o.source(d.path("log")), "", gate)
		s.until("the first look", func() bool { return len(s.conds) > 0 })
		want := []string{"start"}
		for i := range 10 {
			d.add("log", fmt.Sprintln(i))
			want = append(want, fmt.Sprint(i))
			rotate(d, 20)
		}
		for range 900 {
			gate <- struct{}{}
		}
		d.add("log", "end\n")
		s.expectAll(append(want, "end"))
		s.expectNoLoss()
	}},
}

// rotate renames log to log.1 and so on, as logrotate does.
func rotate(d folder, keep int) {
	d.t.Helper()
	for i := keep; i >= 0; i-- {
		from := fmt.Sprintf("log.%d", i)
		if i == 0 {
			from = "log"
		}
		if _, err := os.Lstat(d.path(from)); err == nil {
			d.rename(from, fmt.Sprintf("log.%d", i+1))
		}
	}
}

func TestConformance(t *testing.T) {
	for name, o := range map[string]FileOptions{
		FollowerOwn:    {},
		"own, polling": {NoWake: true},
		FollowerNxadm:  {Follower: FollowerNxadm},
	} {
		o.Grace = testGrace
		for _, sc := range slices.Concat(scenarios, restartScenarios) {
			t.Run(name+"/"+sc.name, func(t *testing.T) {
				t.Parallel()
				sc.play(t, newFolder(t), reader{o, nil})
			})
		}
	}
}
