package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// times are measured durations.
type times struct{ list []time.Duration }

func (t *times) add(d time.Duration) { t.list = append(t.list, d) }

// report gives the median, the 99th percentile and the worst, in milliseconds.
func (t *times) report(b *testing.B, what string) {
	slices.Sort(t.list)
	at := func(share float64) float64 {
		i := min(int(share*float64(len(t.list))), len(t.list)-1)
		return float64(t.list[i].Microseconds()) / 1000
	}
	b.ReportMetric(at(0.5), "ms-"+what+"-p50")
	b.ReportMetric(at(0.99), "ms-"+what+"-p99")
	b.ReportMetric(at(1), "ms-"+what+"-max")
	b.ReportMetric(float64(len(t.list)), "samples")
}

// flow is what went to a terminal over some time.
type flow struct {
	total, worst int64 // worst: in any second that began with a tenth of one
	mean         float64
}

func (f flow) report(b *testing.B) {
	b.ReportMetric(f.mean/1000, "KB/s-mean")
	b.ReportMetric(float64(f.worst)/1000, "KB/s-worst")
}

// meter counts bytes to the terminal, in tenths of a second, until the function
// it returns is called.
func (s *screen) meter() func() flow {
	stop, done := make(chan struct{}), make(chan flow)
	began := time.Now()
	go func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		counts := []int64{s.sent()}
		var f flow
		for {
			select {
			case <-stop:
				f.total = s.sent() - counts[0]
				f.mean = float64(f.total) / time.Since(began).Seconds()
				done <- f
				return
			case <-tick.C:
				counts = append(counts, s.sent())
				if n := len(counts); n > 10 {
					f.worst = max(f.worst, counts[n-1]-counts[n-11])
				}
			}
		}
	}()
	return func() flow { close(stop); return <-done }
}

func (s *screen) sent() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes
}

// row is one line of the terminal as it is now.
func (s *screen) row(y int) (text string, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for x := range s.emu.Width() {
		if c := s.emu.CellAt(x, y); c != nil {
			b.WriteString(c.Content)
		}
	}
	return b.String(), s.changed
}

func (s *screen) cell(x, y int) (text string, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text = " "
	if c := s.emu.CellAt(x, y); c != nil && c.Content != "" {
		text = c.Content
	}
	return text, s.changed
}

// waitRow waits until a line of the terminal holds the text.
func (s *screen) waitRow(y int, want string) {
	s.Helper()
	s.waitPlace(fmt.Sprintf("%q in line %d", want, y), func() (bool, <-chan struct{}) {
		text, changed := s.row(y)
		return strings.Contains(text, want), changed
	})
}

// waitCell waits until one cell of the terminal shows the character.
func (s *screen) waitCell(x, y int, want string) {
	s.Helper()
	s.waitPlace(fmt.Sprintf("%q in cell %d, %d", want, x, y), func() (bool, <-chan struct{}) {
		text, changed := s.cell(x, y)
		return text == want, changed
	})
}

func (s *screen) waitPlace(what string, right func() (bool, <-chan struct{})) {
	s.Helper()
	limit := time.After(s.patience)
	for {
		ok, changed := right()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-limit:
			text, _ := s.look()
			s.Fatalf("waited %s in vain for %s; the screen shows\n%s", s.patience, what, text)
		}
	}
}

// cost is what a process used until now.
type cost struct {
	at        time.Time
	cpu       time.Duration
	rss, anon int64 // bytes resident now: all, and without mapped files
	peak      int64 // most bytes that were ever resident
}

// needProc skips where the kernel does not tell of processes.
func needProc(tb testing.TB) {
	tb.Helper()
	if _, err := os.Stat("/proc/self/schedstat"); err != nil {
		tb.Skipf("this system does not say what a process uses: %v", err)
	}
}

// costOf reads what the process used: proc(5), status and schedstat of each task.
func costOf(tb testing.TB, pid int) cost {
	tb.Helper()
	c := cost{at: time.Now()}
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(tasks) == 0 {
		tb.Fatalf("process %d is not there: %v", pid, err)
	}
	for _, f := range tasks {
		if text, err := os.ReadFile(f); err == nil {
			ns, _ := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
			c.cpu += time.Duration(ns)
		}
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		tb.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue
		}
		kb, _ := strconv.ParseInt(f[1], 10, 64)
		switch f[0] {
		case "VmHWM:":
			c.peak = kb << 10
		case "VmRSS:":
			c.rss = kb << 10
		case "RssAnon:":
			c.anon = kb << 10
		}
	}
	return c
}

// lines makes log lines of two kinds and counts them.
type lines struct {
	n     [2]int
	marks int
	buf   []byte
}

// busyFiles are the names of the files that grow.
var busyFiles = [2]string{"auth.log", "access.log"}

func (l *lines) total() int { return l.n[0] + l.n[1] }

// block returns the next count lines of a kind: 0 is auth.log, 1 an access log.
func (l *lines) block(kind, count int) []byte {
	l.buf = l.buf[:0]
	now := time.Now().UTC()
	stamp, web := now.Format(time.Stamp), now.Format("02/Jan/2006:15:04:05 -0700")
	for range count {
		n := l.n[kind]
		l.n[kind]++
		switch {
		case n%markEvery == markEvery-1:
			l.marks++
			l.buf = fmt.Appendf(l.buf, "%s bastion marker[%d]: line %d of %s\n", stamp, kind+1, n, busyFiles[kind])
		case kind == 0 && n%3 == 0:
			l.buf = fmt.Appendf(l.buf, "%s bastion sshd[%d]: Accepted publickey for user%d from 10.20.%d.%d port %d ssh2: ED25519 SHA256:1nJ0tqXh2Z7e9wqv\n", stamp, 1000+n%30000, n%40, n%7, n%250, 1024+n%60000)
		case kind == 0:
			l.buf = fmt.Appendf(l.buf, "%s bastion sshd[%d]: pam_unix(sshd:session): session closed for user user%d\n", stamp, 1000+n%30000, n%40)
		default:
			l.buf = fmt.Appendf(l.buf, "10.20.%d.%d - - [%s] \"GET /shop/item/%d HTTP/1.1\" 200 %d \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\"\n", n%7, n%250, web, n%5000, 200+n%9000)
		}
	}
	return l.buf
}

// write appends rate lines a second to both files together, for that long.
func (l *lines) write(b *bench, long time.Duration, rate int) error {
	var open [2]*os.File
	for i, name := range busyFiles {
		f, err := os.OpenFile(b.path(name), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		open[i] = f
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	began, wrote := time.Now(), 0
	for i := 0; ; i++ {
		gone := min(time.Since(began), long)
		due := int(gone.Seconds()*float64(rate)) - wrote
		half := due / 2
		if i%2 == 1 {
			half = due - half
		}
		_, err := open[0].Write(l.block(0, half))
		_, again := open[1].Write(l.block(1, due-half))
		if err := errors.Join(err, again); err != nil {
			return err
		}
		wrote += due
		if gone == long {
			return nil
		}
		<-tick.C
	}
}

// fill makes a file of that size, of both kinds of lines' first.
func (l *lines) fill(b *bench, name string, size int64) {
	b.Helper()
	f, err := os.Create(b.path(name))
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	block := bytes.Clone(l.block(0, 200_000))
	for n := int64(0); n < size && err == nil; n += int64(len(block)) {
		_, err = w.Write(block)
	}
	if err = errors.Join(err, w.Flush(), f.Close()); err != nil {
		b.Fatal(err)
	}
}
