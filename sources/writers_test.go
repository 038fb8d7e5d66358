package sources

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// installed returns the path of a program, or skips the test.
func installed(t *testing.T, name string) string {
	t.Helper()
	for _, dir := range []string{"", "/usr/sbin", "/sbin", "/usr/lib/systemd", "/lib/systemd"} {
		if p, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return p
		}
	}
	t.Skipf("%s is not installed: apt-get install -y %s", name, strings.TrimSuffix(name, "d"))
	return ""
}

// TestLogrotate rotates a log with the real logrotate in its modes while a writer
// goes on, and checks every line.
func TestLogrotate(t *testing.T) {
	bin := installed(t, "logrotate")
	for _, c := range []struct {
		name, how string
		reopen    bool // the writer opens the log again after each rotation
		lossy     bool // what is written between copy and truncation is gone
	}{
		{"create", "create 0644", true, false},
		{"create, delaycompress", "create 0644\ncompress\ndelaycompress", true, false},
		{"nocreate", "nocreate", true, false},
		{"create, compress at once", "create 0644\ncompress", true, false},
		{"dateext", "create 0644\ndateext\ndateformat -%Y%m%d-%s", true, false},
		{"copytruncate", "copytruncate", false, true},
		{"copytruncate, compress", "copytruncate\ncompress", false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newFolder(t)
			logrotate := rotator(t, d, bin, c.how)
			w := &rotated{d: d, f: d.open("log"), reopen: c.reopen}
			s := begin(t, NewFile(d.path("log"), FileOptions{Grace: testGrace}), "")
			w.write(1)
			w.settle(s)
			for range 4 {
				w.while(logrotate)
				switch {
				case c.name == "dateext": // its names have seconds
					w.settle(s)
					w.nextSecond(t)
				case !strings.Contains(c.how, "compress"):
				case c.lossy:
					w.settleLossy(s)
				default: // a generation that nobody saw before it is compressed is gone
					w.settle(s)
				}
			}
			if c.lossy {
				w.settleLossy(s)
				return
			}
			s.expectAll(w.lines)
			s.expectNoLoss()
		})
	}
}

// rotator returns a function that rotates d's log once.
func rotator(t *testing.T, d folder, bin, how string) func() {
	conf := d.path("rotate.conf")
	me := "root"
	if os.Getuid() != 0 {
		me = fmt.Sprint(os.Getuid())
	}
	text := fmt.Sprintf("su %s %s\n%q {\nrotate 30\nmissingok\nnotifempty\n%s\n}\n", me, me, d.path("log"), how)
	if os.Getuid() != 0 {
		text = text[strings.IndexByte(text, '\n')+1:]
	}
	d.do(os.WriteFile(conf, []byte(text), 0o644))
	return func() {
		out, err := exec.Command(bin, "-f", "-s", d.path("state"), conf).CombinedOutput()
		if err != nil {
			t.Errorf("logrotate: %v: %s", err, out)
		}
	}
}

// rotated is a writer whose log is rotated by another process.
type rotated struct {
	d      folder
	f      *os.File
	reopen bool
	lines  []string
}

func (w *rotated) write(n int) {
	var b strings.Builder
	for range n {
		l := numbered(len(w.lines))
		w.lines = append(w.lines, l)
		b.WriteString(l + "\n")
	}
	w.d.put(w.f, b.String())
}

// while writes while the log is being rotated, and some lines to the old file
// after that, as a daemon does until it is told.
func (w *rotated) while(rotate func()) {
	w.write(50)
	var done sync.WaitGroup
	done.Add(1)
	over := make(chan struct{})
	go func() { defer done.Done(); defer close(over); rotate() }()
	tick := time.NewTicker(200 * time.Microsecond)
	defer tick.Stop()
	for going := true; going; {
		select {
		case <-over:
			going = false
		case <-tick.C:
			w.write(3)
		}
	}
	done.Wait()
	w.write(20)
	if w.reopen {
		w.d.do(w.f.Close())
		w.f = w.d.open("log")
	}
	w.write(5)
}

func (w *rotated) settle(s *session) { s.t.Helper(); s.expectAll(w.lines) }

// nextSecond waits until the clock shows another second.
func (w *rotated) nextSecond(t *testing.T) {
	next := time.Now().Truncate(time.Second).Add(1100 * time.Millisecond) // other clocks of the kernel lag a little
	wait(t, "the next second", func() bool { return time.Now().After(next) })
}

// settleLossy checks that nothing came twice, and that what is missing is in no
// file, compressed or not: the rotation itself lost it.
func (w *rotated) settleLossy(s *session) {
	s.t.Helper()
	s.until("the last line", func() bool {
		return len(s.lines) > 0 && s.lines[len(s.lines)-1] == w.lines[len(w.lines)-1]
	})
	left := w.onDisk()
	s.until("what is on the disk", func() bool {
		have := map[string]bool{}
		for _, l := range s.lines {
			have[l] = true
		}
		for l := range left {
			if !have[l] {
				return false
			}
		}
		return true
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	count := map[string]int{}
	for _, l := range s.lines {
		if count[l]++; count[l] == 2 {
			s.t.Errorf("%.60q came twice", l)
		}
	}
	written := map[string]bool{}
	for _, l := range w.lines {
		written[l] = true
	}
	for l := range count {
		if !written[l] && !w.torn(l) {
			s.t.Errorf("nobody wrote %.100q", l)
		}
	}
}

// torn says whether l is the beginning or the end of a line: the copy may end
// in the middle of one, and the file begin again there.
func (w *rotated) torn(l string) bool {
	for _, whole := range w.lines {
		if strings.HasPrefix(whole, l) || strings.HasSuffix(whole, l) {
			return true
		}
	}
	return false
}

// onDisk returns the whole lines that are in any file.
func (w *rotated) onDisk() map[string]bool {
	all := map[string]bool{}
	entries, err := os.ReadDir(w.d.dir)
	w.d.do(err)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "log") {
			continue
		}
		f, err := os.Open(w.d.path(e.Name()))
		w.d.do(err)
		b, err := beginning(f, 64<<20)
		w.d.do(err)
		w.d.do(f.Close())
		for line := range strings.Lines(string(b)) {
			if line = strings.TrimSuffix(line, "\n"); numberOf([]byte(line)) >= 0 {
				all[line] = true
			}
		}
	}
	return all
}

// TestRsyslog lets a real rsyslogd write a file that is renamed under it, with
// and without telling it to open the new one.
func TestRsyslog(t *testing.T) {
	bin := installed(t, "rsyslogd")
	d := newFolder(t)
	conf := fmt.Sprintf(`module(load="imfile" mode="polling" PollingInterval="1")
template(name="raw" type="string" string="%%msg%%\n")
input(type="imfile" file="%s" tag="t" freshStartTail="off")
action(type="omfile" file="%s" template="raw" flushOnTXEnd="on" asyncWriting="off")
`, d.path("feed"), d.path("log"))
	d.do(os.WriteFile(d.path("rsyslog.conf"), []byte(conf), 0o644))
	d.do(os.Mkdir(d.path("work"), 0o755))
	cmd := exec.Command(bin, "-n", "-f", d.path("rsyslog.conf"), "-i", d.path("pid"))
	cmd.Dir = d.path("work")
	d.do(cmd.Start())
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()

	s := begin(t, NewFile(d.path("log"), FileOptions{Grace: testGrace}), "")
	var lines []string
	feed := func(n int) {
		var b strings.Builder
		for range n {
			lines = append(lines, numbered(len(lines)))
			b.WriteString(lines[len(lines)-1] + "\n")
		}
		d.add("feed", b.String())
	}
	for i := range 3 {
		feed(500)
		s.expectAll(lines)
		d.rename("log", fmt.Sprintf("log.%d", 3-i))
		feed(200) // it still has the old file open
		s.expectAll(lines)
		d.do(cmd.Process.Signal(syscall.SIGHUP))
		feed(300)
		s.expectAll(lines)
	}
	s.expectNoLoss()
}
