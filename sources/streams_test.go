package sources

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestStdin(t *testing.T) {
	s := begin(t, Stdin(strings.NewReader("one\ntwo\nend")).Source, "")
	if err := s.wait(); err != nil {
		t.Fatal(err)
	}
	s.expect("one", "two", "end")
	if s.pos != "stream1 l:11:3:0" {
		t.Errorf("position %q", s.pos)
	}
}

func TestStdinJSONArray(t *testing.T) {
	s := begin(t, Stdin(strings.NewReader(`{"Records":[{"a":1},{"b":2}]}`)).Source, "")
	if err := s.wait(); err != nil {
		t.Fatal(err)
	}
	s.expect(`{"a":1}`, `{"b":2}`)
}

func TestStdinPipeIsLiveAndCanBeCancelled(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close(); _ = w.Close() }()
	s := begin(t, Stdin(r).Source, "")
	fmt.Fprint(w, "one\ntw")
	s.expect("one")
	fmt.Fprint(w, "o\n")
	s.expect("one", "two")
	s.stop() // nobody closed the pipe
}

func TestStdinFails(t *testing.T) {
	bad := errors.New("cable cut")
	s := begin(t, Stdin(io.MultiReader(strings.NewReader("one\nhalf"), failing{bad})).Source, "")
	if err := s.wait(); !errors.Is(err, bad) {
		t.Fatalf("ended with %v", err)
	}
	s.expect("one", "half")
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestFIFOOutlivesItsWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	s := begin(t, FIFO(path).Source, "")
	var want []string
	for i := range 3 {
		w, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(w, "%d\n", i)
		_ = w.Close()
		want = append(want, fmt.Sprint(i))
		s.expect(want...)
	}
}

func TestCommand(t *testing.T) {
	s := begin(t, Command("x", []string{"sh", "-c", "echo one; echo two; echo oh dear >&2; exit 3"}).Source, "")
	err := s.wait()
	if err == nil || !strings.Contains(err.Error(), "oh dear") || !strings.Contains(err.Error(), "exit status 3") {
		t.Fatalf("ended with %v", err)
	}
	s.expect("one", "two")
	for argv, words := range map[string]string{"/does/not/exist": "cannot be started", "true": "ended by itself", "": "no command"} {
		if err := begin(t, Command("x", strings.Fields(argv)).Source, "").wait(); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%q ended with %v, want %q", argv, err, words)
		}
	}
}

func TestJournalctlArguments(t *testing.T) {
	base := "journalctl --output=json --follow --all --quiet --no-pager"
	const id = "0123456789abcdef0123456789abcdef"
	for _, c := range []struct {
		from    Position
		args    []string
		machine string
		want    string
	}{
		{"", nil, "", base + " --lines=0"},
		{"", []string{"--since=-24h"}, "", base + " --since=-24h --no-tail"},
		{"s=1;i=2", []string{"--since=-24h", "--unit=ssh"}, "", base + " --unit=ssh --no-tail --after-cursor=s=1;i=2"},
		{"s=1;i=2", []string{"--since=-24h"}, id, base + " --merge _MACHINE_ID=" + id + " --no-tail --after-cursor=s=1;i=2"},
		{"", []string{"--directory=/srv/journal"}, id, base + " --directory=/srv/journal --merge --no-tail"},
	} {
		got, err := journalctl(c.from, c.args, c.machine)
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%q %q: %q, %v", c.from, c.args, got, err)
		}
	}
	if _, err := journalctl("x=1 --file=/etc/shadow", nil, ""); err == nil {
		t.Error("a cursor with a blank in it was taken")
	}
	path := filepath.Join(t.TempDir(), "machine-id")
	for text, want := range map[string]string{id + "\n": id, "": "", "uninitialized\n": "", id + " +": "", strings.ToUpper(id): ""} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := machineID(path); got != want {
			t.Errorf("%q is taken for machine %q", text, got)
		}
	}
}

// TestJournald runs a journalctl of our own that prints what the real one would
// print behind the cursor it is given.
func TestJournald(t *testing.T) {
	dir := t.TempDir()
	script := `#!/bin/sh
case "$*" in
*--after-cursor=s=a\;i=2*) echo '{"MESSAGE":"three","__CURSOR":"s=a;i=3"}' ;;
*) echo '{"__CURSOR":"s=a;i=1","MESSAGE":"one"}'; echo '{"__CURSOR" : "s=a;i=2","MESSAGE":"a \"__CURSOR\":\"s=f\" in quotes"}' ;;
esac
exec sleep 60
`
	if err := os.WriteFile(filepath.Join(dir, "journalctl"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	s := begin(t, Journald().Source, "")
	s.until("two entries", func() bool { return len(s.lines) == 2 })
	if pos := s.stop(); pos != "s=a;i=2" {
		t.Fatalf("cursor %q", pos)
	}
	s = begin(t, Journald().Source, "s=a;i=2")
	s.until("the third entry", func() bool { return len(s.lines) == 1 && strings.Contains(s.lines[0], "three") })
}

func TestLastBytes(t *testing.T) {
	var l lastBytes
	for range 10 {
		_, _ = l.Write(bytes.Repeat([]byte("x"), 3000))
	}
	_, _ = l.Write([]byte("end"))
	if got := l.String(); len(got) != maxComplaint || !strings.HasSuffix(got, "xend") {
		t.Errorf("kept %d bytes", len(got))
	}
}
