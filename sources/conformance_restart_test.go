package sources

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// restartScenarios are what happens while nobody reads.
var restartScenarios = []scenario{
	{"line in pieces across a restart", func(t tester, d folder, o reader) {
		d.add("log", "one\npar")
		s := begin(t, o.source(d.path("log")), "")
		s.expect("one")
		pos := s.stop()
		d.add("log", "tial\ntwo\n")
		s = begin(t, o.source(d.path("log")), pos)
		s.expect("partial", "two")
		if s.recs[0].Line != 2 || s.recs[0].Ref.Epoch != 1 {
			t.Errorf("after the restart: %+v", s.recs[0])
		}
	}},
	{"restarted", func(t tester, d folder, o reader) {
		d.add("log", "1\n")
		pos := Position("")
		for i := 1; i < 5; i++ {
			s := begin(t, o.source(d.path("log")), pos)
			s.expect(fmt.Sprint(i))
			pos = s.stop()
			d.add("log", fmt.Sprintln(i+1))
		}
	}},
	{"rotated while away", func(t tester, d folder, o reader) {
		d.add("log.1", "ancient\n")
		d.add("log", "one\n")
		s := begin(t, o.source(d.path("log")), "")
		s.expect("one")
		pos := s.stop()
		d.add("log", "two\n")
		rotate(d, 5)
		d.add("log", "three\n")
		s = begin(t, o.source(d.path("log")), pos)
		s.expect("two", "three")
		s.expectNoLoss()
	}},
	{"rotated more than once while away", func(t tester, d folder, o reader) {
		d.add("log.1", "ancient\n")
		d.add("log", "one\n")
		s := begin(t, o.source(d.path("log")), "")
		s.expect("one")
		pos := s.stop()
		now := time.Now()
		d.add("log", "two\n")
		for i, line := range []string{"three", "four", "five"} {
			d.do(os.Chtimes(d.path("log"), now, now.Add(time.Duration(i+1)*time.Second)))
			rotate(d, 8)
			d.add("log", line+"\n")
		}
		s = begin(t, o.source(d.path("log")), pos)
		s.expect("two", "three", "four", "five")
		s.expectNoLoss()
	}},
	{"copied and truncated while away", func(t tester, d folder, o reader) {
		d.add("log", "one\n")
		s := begin(t, o.source(d.path("log")), "")
		s.expect("one")
		pos := s.stop()
		d.add("log", "two\n")
		d.copy("log", "log.1")
		d.truncate("log")
		d.add("log", "3\n")
		s = begin(t, o.source(d.path("log")), pos)
		s.expect("two", "3")
		s.expectNoLoss()
	}},
	{"replaced while away", func(t tester, d folder, o reader) {
		d.add("log", "one\n")
		s := begin(t, o.source(d.path("log")), "")
		s.expect("one")
		pos := s.stop()
		d.remove("log")
		d.add("log", "other\n")
		s = begin(t, o.source(d.path("log")), pos)
		s.expect("other")
		s.expectLost("while nobody read it")
	}},
	{"rotated and compressed while away", func(t tester, d folder, o reader) {
		for _, kind := range []string{"gzip", "zstd", "xz", "lz4"} {
			d := folder{t, d.path(kind)}
			d.do(os.Mkdir(d.dir, 0o755))
			d.add("log", "one\nhal")
			s := begin(t, o.source(d.path("log")), "")
			s.expect("one")
			pos := s.stop()
			d.add("log", "f\ntwo\n")
			d.pack(kind, "log", "log.1"+extOf[kind])
			d.add("log", "three\n")
			s = begin(t, o.source(d.path("log")), pos)
			s.expect("half", "two", "three")
			s.expectNoLoss()
			s.stop()
		}
	}},
	{"compressed more than once while away", func(t tester, d folder, o reader) {
		d.add("log.1", "ancient\n")
		d.do(os.Chtimes(d.path("log.1"), time.Time{}, time.Now().Add(-time.Hour)))
		d.pack("gzip", "log.1", "log.9.gz")
		d.add("log", "one\n")
		s := begin(t, o.source(d.path("log")), "")
		s.expect("one")
		pos := s.stop()
		now := time.Now()
		for i, line := range []string{"two", "three", "four"} {
			d.add("log", line+"\n")
			d.do(os.Chtimes(d.path("log"), now, now.Add(time.Duration(i+1)*time.Second)))
			d.pack("gzip", "log", fmt.Sprintf("log.%d.gz", 3-i))
		}
		d.add("log", "five\n")
		s = begin(t, o.source(d.path("log")), pos)
		s.expectAll([]string{"two", "three", "four", "five"})
		s.expectNoLoss()
		s.stop()
		s = begin(t, o.source(d.path("log")), s.pos)
		d.add("log", "six\n")
		s.expect("six")
		s.expectNoLoss()
	}},
	{"compressed while it is read from its middle", func(t tester, d folder, o reader) {
		lines := make([]string, 3000)
		for i := range lines {
			lines[i] = fmt.Sprintf("line %d", i)
		}
		d.add("log", strings.Join(lines[:1000], "\n")+"\n")
		s := begin(t, o.source(d.path("log")), "")
		s.expect(lines[:1000]...)
		pos := s.stop()
		d.add("log", strings.Join(lines[1000:], "\n")+"\n")
		d.pack("gzip", "log", "log.1.gz")
		d.add("log", "new\n")
		gate := make(chan struct{}, 1000)
		gate <- struct{}{} // one batch, and then the next restart
		s = beginGated(t, o.source(d.path("log")), pos, gate)
		s.until("a batch", func() bool { return len(s.lines) > 0 })
		pos = s.stop()
		rest := append(lines[1000+len(s.lines):len(lines):len(lines)], "new")
		d.rename("log.1.gz", "log.2.gz")
		s = begin(t, o.source(d.path("log")), pos)
		s.expectAll(rest)
		s.expectNoLoss()
	}},
	{"copied, truncated and the copy compressed", func(t tester, d folder, o reader) {
		d.add("log", "one\n")
		s := begin(t, o.source(d.path("log")), "")
		s.expect("one")
		pos := s.stop()
		d.add("log", "two\n")
		d.copy("log", "log.1")
		d.pack("gzip", "log.1", "log.1.gz")
		d.truncate("log")
		d.add("log", "3\n")
		s = begin(t, o.source(d.path("log")), pos)
		s.expect("two", "3")
		s.expectNoLoss()
	}},
}
