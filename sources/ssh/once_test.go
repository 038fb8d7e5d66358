package ssh

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"bartizan/sources"
)

// once reads everything of the far side to its end, and calls each with every record.
func (f *far) once(each func(sources.Record)) (note string) {
	f.t.Helper()
	r, err := f.host.Once(f.t.Context(), false)
	check(f.t, err)
	defer r.Stop()
	for _, op := range r.Open {
		if op.Info.Live {
			f.t.Errorf("%s has no end", op.Info.Name)
		}
		ctx, cancel := context.WithTimeout(f.t.Context(), patience)
		out, ended := make(chan sources.Batch), make(chan error, 1)
		go func() { ended <- op.Source.Run(ctx, "", out) }()
		for over := false; !over; {
			select {
			case b := <-out:
				for _, rec := range b.Records {
					each(rec)
				}
				b.Done(nil)
			case err := <-ended:
				check(f.t, err)
				over = true
			}
		}
		check(f.t, ctx.Err())
		cancel()
	}
	return r.Note
}

func TestOnceReadsToTheEnd(t *testing.T) {
	f := newFar(t, "*.log")
	check(t, os.WriteFile(filepath.Join(f.dir, "a.log"), []byte("one\ntwo\nhalf a line"), 0o600))
	check(t, os.WriteFile(filepath.Join(f.dir, "b.log"), nil, 0o600))
	check(t, os.WriteFile(filepath.Join(f.dir, "c.log"), []byte("three\n"), 0o600))
	var got []string
	note := f.once(func(r sources.Record) { got = append(got, string(r.Raw)) })
	if strings.Join(got, "|") != "one|two|half a line|three" {
		t.Errorf("read %q", got)
	}
	if note != "web-1: its files are read with tail: there is no bartizan on it" {
		t.Errorf("it says %q", note)
	}
}

// TestOnceGoesOn: a connection that is lost in the middle is made again, and no
// record is missing or comes twice.
func TestOnceGoesOn(t *testing.T) {
	f := newFar(t, "a.log")
	var text strings.Builder
	const lines = 200_000
	for i := range lines {
		text.WriteString("line " + strconv.Itoa(i) + " of a log that takes a while to be read\n")
	}
	check(t, os.WriteFile(filepath.Join(f.dir, "a.log"), []byte(text.String()), 0o600))
	n := 0
	cut := sync.OnceFunc(func() { f.cut(t) })
	f.once(func(r sources.Record) {
		if want := "line " + strconv.Itoa(n) + " "; !strings.HasPrefix(string(r.Raw), want) {
			t.Fatalf("%q where %q is due", r.Raw, want)
		}
		if n++; n == lines/10 {
			cut()
		}
	})
	if n != lines {
		t.Errorf("%d of %d lines", n, lines)
	}
}

// cut ends the newest ssh, as a broken line would.
func (f *far) cut(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(f.note, "pids"))
	check(t, err)
	pids := strings.Fields(string(b))
	pid, err := strconv.Atoi(pids[len(pids)-1])
	check(t, err)
	check(t, syscall.Kill(-pid, syscall.SIGKILL)) // each ssh has a group of its own
}
