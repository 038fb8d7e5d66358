package sources

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bartizan/event"
)

// testGrace is long enough for a late writer in a test and short enough to wait for.
const testGrace = 400 * time.Millisecond

// scenario is one thing that happens to logs. Every follower must deliver every
// line once; notFor names a follower that cannot, and why.
type scenario struct {
	name   string
	notFor map[string]string
	play   func(t *testing.T, d folder, o FileOptions)
}

var scenarios = []scenario{
	{"grows", nil, func(t *testing.T, d folder, o FileOptions) {
		d.add("log", "one\ntwo\n")
		s := begin(t, NewFile(d.path("log"), o), "")
		s.expect("one", "two")
		d.add("log", "three\n")
		s.expect("one", "two", "three")
		if r := s.recs[2]; r.Ref.Offset != 8 || r.Ref.Len != 5 || r.Line != 3 || r.Ref.File.Ino == 0 || r.Ref.Epoch != 1 {
			t.Errorf("the third line is at %+v, line %d", r.Ref, r.Line)
		}
		s.state(event.SourceLive)
	}},
	{"appears later", nil, func(t *testing.T, d folder, o FileOptions) {
		d.add("log.1", "old\n")
		s := begin(t, NewFile(d.path("log"), o), "")
		s.state(event.SourceGone)
		d.add("log", "one\n")
		s.expect("one")
		s.state(event.SourceLive)
	}},
	{"renamed once", nil, func(t *testing.T, d folder, o FileOptions) {
		d.add("log", "one\n")
		s := begin(t, NewFile(d.path("log"), o), "")
		s.expect("one")
		d.rename("log", "log.1")
		d.add("log", "two\n")
		s.expect("one", "two")
		if s.recs[1].Ref.Epoch != 2 || s.recs[1].Line != 1 {
			t.Errorf("the new file's line is %+v", s.recs[1])
		}
	}},
	{"renamed many times", nil, func(t *testing.T, d folder, o FileOptions) {
		d.add("log", "0\n")
		s := begin(t, NewFile(d.path("log"), o), "")
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
	{"rotated rapidly, generations skipped", nil, func(t *testing.T, d folder, o FileOptions) {
		d.add("log", "first\n")
		s := begin(t, NewFile(d.path("log"), o), "")
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
	{"late writer", nil, func(t *testing.T, d folder, o FileOptions) {
		w := d.open("log")
		defer func() { _ = w.Close() }()
		d.put(w, "one\n")
		s := begin(t, NewFile(d.path("log"), o), "")
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
	{"late end of a line", nil, func(t *testing.T, d folder, o FileOptions) {
		w := d.open("log")
		defer func() { _ = w.Close() }()
		d.put(w, "one\nhal")
		s := begin(t, NewFile(d.path("log"), o), "")
		s.expect("one")
		d.rename("log", "log.1")
		d.add("log", "new\n")
		s.expect("one", "new")
		d.put(w, "f\n")
		s.expect("one", "new", "half")
	}},
	{"last line of a rotated file has no end", nil, func(t *testing.T, d folder, o FileOptions) {
		d.add("log", "one\ntail")
		s := begin(t, NewFile(d.path("log"), o), "")
		s.expect("one")
		d.rename("log", "log.1")
		d.add("log", "new\n")
		s.expect("one", "new", "tail")
	}},
	{"copied and truncated", nil, func(t *testing.T, d folder, o FileOptions) {
		d.add("log", "one\ntwo\n")
		s := begin(t, NewFile(d.path("log"), o), "")
		s.expect("one", "two")
		d.copy("log", "log.1")
		d.truncate("log")
		d.add("log", "3\n")
		s.expect("one", "two", "3")
		s.expectNoLoss()
	}},
	{"copied and truncated before it was read", nil, func(t *testing.T, d folder, o FileOptions) {
		d.add("log", "one\n")
		gate := make(chan struct{}, 100)
		gate <- struct{}{}
		s := beginGated(t, NewFile(d.path("log"), o), "", gate)
		s.expect("one")
		d.add("log", "unread\npart")
		d.copy("log", "log.1")
		d.truncate("log")
		d.add("log", "3\n")
		for range 50 {
			gate <- struct{}{}
		}
		s.until("three more lines", func() bool { return len(s.lines) == 4 })
		for _, want := range []string{"unread", "part", "3"} {
			if n := strings.Count(strings.Join(s.lines, "\n")+"\n", want+"\n"); n != 1 {
				t.Errorf("%q came %d times in %q", want, n, s.lines)
			}
		}
		s.expectNoLoss()
	}},
	{"truncated without a copy", nil, func(t *testing.T, d folder, o FileOptions) {
		d.add("log", "one\ntwo\n")
		s := begin(t, NewFile(d.path("log"), o), "")
		s.expect("one", "two")
		d.truncate("log")
		s.expectLost("at least 1 record may be missing")
		d.add("log", "3\n")
		s.expect("one", "two", "3")
		if s.recs[2].Ref.Epoch != 2 || s.recs[2].Ref.Offset != 0 {
			t.Errorf("after the truncation: %+v", s.recs[2].Ref)
		}
	}},
	{"truncated and regrown", nil, func(t *testing.T, d folder, o FileOptions) {
		d.add("log", "one\ntwo\n")
		s := begin(t, NewFile(d.path("log"), o), "")
		s.expect("one", "two")
		d.do(os.WriteFile(d.path("log"), []byte("longer than before\nand more of it\n"), 0o644))
		s.expect("one", "two", "longer than before", "and more of it")
		s.expectLost("truncated")
	}},
	{"rewritten behind an equal beginning", nil, func(t *testing.T, d folder, o FileOptions) {
		head := strings.Repeat("# the same header\n", 100)
		d.add("log", head+"secret\n")
		s := begin(t, NewFile(d.path("log"), o), "")
		s.until("the file", func() bool { return len(s.lines) == 101 })
		d.do(os.WriteFile(d.path("log"), []byte(head+"harmls\nmore\n"), 0o644))
		s.until("the file again", func() bool { return len(s.lines) == 101+102 })
		s.expectLost("overwritten")
	}},
	{"hole left by a writer that does not append", nil, func(t *testing.T, d folder, o FileOptions) {
		w, err := os.Create(d.path("log"))
		d.do(err)
		defer func() { _ = w.Close() }()
		d.put(w, "one\ntwo\n")
		s := begin(t, NewFile(d.path("log"), o), "")
		s.expect("one", "two")
		d.copy("log", "log.1")
		d.truncate("log")
		d.put(w, "three\n")
		s.expect("one", "two", "three")
		if s.recs[2].Ref.Offset != 8 {
			t.Errorf("the line behind the hole is at %d", s.recs[2].Ref.Offset)
		}
	}},
	{"deleted and made again", nil, func(t *testing.T, d folder, o FileOptions) {
		d.add("log", "one\n")
		s := begin(t, NewFile(d.path("log"), o), "")
		s.expect("one")
		d.remove("log")
		d.add("log", "two\n")
		s.expect("one", "two")
		s.expectNoLoss()
	}},
	{"deleted while the writer goes on", nil, func(t *testing.T, d folder, o FileOptions) {
		w := d.open("log")
		defer func() { _ = w.Close() }()
		d.put(w, "one\n")
		s := begin(t, NewFile(d.path("log"), o), "")
		s.expect("one")
		d.remove("log")
		s.state(event.SourceGone)
		d.put(w, "hidden\n")
		s.expect("one", "hidden")
		d.add("log", "new\n")
		s.expect("one", "hidden", "new")
		s.state(event.SourceLive)
	}},
	{"moved away and back", nil, func(t *testing.T, d folder, o FileOptions) {
		d.add("log", "one\n")
		s := begin(t, NewFile(d.path("log"), o), "")
		s.expect("one")
		d.rename("log", "elsewhere")
		s.state(event.SourceGone)
		d.rename("elsewhere", "log")
		s.state(event.SourceLive)
		d.add("log", "two\n")
		s.expect("one", "two")
		s.expectNoLoss()
	}},
	{"link leads elsewhere", nil, func(t *testing.T, d folder, o FileOptions) {
		d.do(os.Mkdir(d.path("pods"), 0o755))
		d.add("pods/0.log", "one\n")
		d.do(os.Symlink("pods/0.log", d.path("log")))
		s := begin(t, NewFile(d.path("log"), o), "")
		s.expect("one")
		d.add("pods/1.log", "two\n")
		d.do(os.Symlink("pods/1.log", d.path("next")))
		d.rename("next", "log")
		s.expect("one", "two")
		d.add("pods/1.log", "three\n")
		s.expect("one", "two", "three")
	}},
	{"line in pieces", nil, func(t *testing.T, d folder, o FileOptions) {
		d.add("log", "one\npar")
		s := begin(t, NewFile(d.path("log"), o), "")
		s.expect("one")
		d.add("log", "ti")
		d.add("log", "al\r")
		d.add("log", "\nx\n")
		s.expect("one", "partial", "x")
	}},
	{"line in pieces across a restart", nil, func(t *testing.T, d folder, o FileOptions) {
		d.add("log", "one\npar")
		s := begin(t, NewFile(d.path("log"), o), "")
		s.expect("one")
		pos := s.stop()
		d.add("log", "tial\ntwo\n")
		s = begin(t, NewFile(d.path("log"), o), pos)
		s.expect("partial", "two")
		if s.recs[0].Line != 2 || s.recs[0].Ref.Epoch != 1 {
			t.Errorf("after the restart: %+v", s.recs[0])
		}
	}},
	{"restarted", nil, func(t *testing.T, d folder, o FileOptions) {
		d.add("log", "1\n")
		pos := Position("")
		for i := 1; i < 5; i++ {
			s := begin(t, NewFile(d.path("log"), o), pos)
			s.expect(fmt.Sprint(i))
			pos = s.stop()
			d.add("log", fmt.Sprintln(i+1))
		}
	}},
	{"rotated while away", nil, func(t *testing.T, d folder, o FileOptions) {
		d.add("log.1", "ancient\n")
		d.add("log", "one\n")
		s := begin(t, NewFile(d.path("log"), o), "")
		s.expect("one")
		pos := s.stop()
		d.add("log", "two\n")
		rotate(d, 5)
		d.add("log", "three\n")
		s = begin(t, NewFile(d.path("log"), o), pos)
		s.expect("two", "three")
		s.expectNoLoss()
	}},
	{"rotated more than once while away", nil, func(t *testing.T, d folder, o FileOptions) {
		d.add("log.1", "ancient\n")
		d.add("log", "one\n")
		s := begin(t, NewFile(d.path("log"), o), "")
		s.expect("one")
		pos := s.stop()
		now := time.Now()
		d.add("log", "two\n")
		for i, line := range []string{"three", "four", "five"} {
			d.do(os.Chtimes(d.path("log"), now, now.Add(time.Duration(i+1)*time.Second)))
			rotate(d, 8)
			d.add("log", line+"\n")
		}
		s = begin(t, NewFile(d.path("log"), o), pos)
		s.expect("two", "three", "four", "five")
		s.expectNoLoss()
	}},
	{"copied and truncated while away", nil, func(t *testing.T, d folder, o FileOptions) {
		d.add("log", "one\n")
		s := begin(t, NewFile(d.path("log"), o), "")
		s.expect("one")
		pos := s.stop()
		d.add("log", "two\n")
		d.copy("log", "log.1")
		d.truncate("log")
		d.add("log", "3\n")
		s = begin(t, NewFile(d.path("log"), o), pos)
		s.expect("two", "3")
		s.expectNoLoss()
	}},
	{"replaced while away", nil, func(t *testing.T, d folder, o FileOptions) {
		d.add("log", "one\n")
		s := begin(t, NewFile(d.path("log"), o), "")
		s.expect("one")
		pos := s.stop()
		d.remove("log")
		d.add("log", "other\n")
		s = begin(t, NewFile(d.path("log"), o), pos)
		s.expect("other")
		s.expectLost("while nobody read it")
	}},
	{"permission lost and given again", nil, func(t *testing.T, d folder, o FileOptions) {
		var denied atomic.Bool
		o.Open = func(p string) (*os.File, error) {
			if denied.Load() {
				return nil, &fs.PathError{Op: "open", Path: p, Err: fs.ErrPermission}
			}
			return openRegular(p)
		}
		d.add("log", "one\n")
		s := begin(t, NewFile(d.path("log"), o), "")
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
	{"stat fails for a while", nil, func(t *testing.T, d folder, o FileOptions) {
		var broken atomic.Bool
		o.stat = func(p string) (fs.FileInfo, error) {
			if broken.Load() {
				return nil, &fs.PathError{Op: "stat", Path: p, Err: fs.ErrInvalid}
			}
			return os.Stat(p)
		}
		d.add("log", "one\n")
		s := begin(t, NewFile(d.path("log"), o), "")
		s.expect("one")
		broken.Store(true)
		s.state(event.SourceRetrying)
		d.add("log", "two\n") // what is open is still read
		s.expect("one", "two")
		broken.Store(false)
		s.state(event.SourceLive)
	}},
	{"long line", nil, func(t *testing.T, d folder, o FileOptions) {
		d.add("log", "one\n"+strings.Repeat("x", 3*MaxRecord)+"\ntwo\n")
		s := begin(t, NewFile(d.path("log"), o), "")
		s.until("three records", func() bool { return len(s.lines) == 3 })
		r := s.recs[1]
		if len(r.Raw) != MaxRecord || r.Flags&event.FlagCut == 0 || r.Cut.Bytes != 2*MaxRecord || s.lines[2] != "two" {
			t.Errorf("kept %d, flags %v, cut %+v, then %q", len(r.Raw), r.Flags, r.Cut, s.lines[2])
		}
	}},
	{"carriage returns", nil, func(t *testing.T, d folder, o FileOptions) {
		d.add("log", "one\r\ntwo\r\n")
		s := begin(t, NewFile(d.path("log"), o), "")
		s.expect("one", "two")
	}},
	{"json array that grows", nil, func(t *testing.T, d folder, o FileOptions) {
		d.add("log", "[\n{\"a\":1},\n")
		s := begin(t, NewFile(d.path("log"), o), "")
		s.expect(`{"a":1}`)
		pos := s.stop()
		d.add("log", "{\"a\":2},\n")
		s = begin(t, NewFile(d.path("log"), o), pos)
		s.expect(`{"a":2}`)
		if s.recs[0].Line != 2 {
			t.Errorf("element %d", s.recs[0].Line)
		}
	}},
	{"from the end", nil, func(t *testing.T, d folder, o FileOptions) {
		o.Start = StartEnd
		d.add("log", "old\nhal")
		s := begin(t, NewFile(d.path("log"), o), "")
		s.state(event.SourceLive)
		d.add("log", "f\nnew\n")
		s.expect("half", "new")
		rotate(d, 3)
		d.add("log", "newer\n")
		s.expect("half", "new", "newer")
	}},
	{"blocked downstream while rotating", nil, func(t *testing.T, d folder, o FileOptions) {
		gate := make(chan struct{}, 1000)
		d.add("log", "start\n")
		s := beginGated(t, NewFile(d.path("log"), o), "", gate)
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
		for _, sc := range scenarios {
			t.Run(name+"/"+sc.name, func(t *testing.T) {
				if why := sc.notFor[name]; why != "" {
					t.Skip(why)
				}
				t.Parallel()
				sc.play(t, newFolder(t), o)
			})
		}
	}
}
