package sources

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// remoteJournal is a systemd-journal-remote that writes what it is fed to journal
// files, as a host does that collects the journals of others.
type remoteJournal struct {
	t     *testing.T
	bin   string
	file  string
	n     int
	boot  int
	lines []string // the messages of all entries
	cmd   *exec.Cmd
	in    io.WriteCloser
}

func (j *remoteJournal) start() {
	j.t.Helper()
	j.cmd = exec.Command(j.bin, "--output="+j.file, "--split-mode=none", "-")
	var err error
	if j.in, err = j.cmd.StdinPipe(); err == nil {
		err = j.cmd.Start()
	}
	if err != nil {
		j.t.Fatal(err)
	}
}

// end lets it write out what it has and end.
func (j *remoteJournal) end() {
	j.t.Helper()
	if j.cmd == nil {
		return
	}
	_ = j.in.Close() // it ends at the end of its input
	if err := j.cmd.Wait(); err != nil {
		j.t.Errorf("systemd-journal-remote: %v", err)
	}
	j.cmd = nil
}

// write feeds n entries in the journal export format (systemd.io/JOURNAL_EXPORT_FORMATS).
// Each seventh message has a line end in it and is written in the binary form.
func (j *remoteJournal) write(n int) {
	j.t.Helper()
	var b strings.Builder
	for range n {
		text := numbered(j.n)
		fmt.Fprintf(&b, "__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%032x\n_HOSTNAME=web-01\nSYSLOG_IDENTIFIER=sshd\nPRIORITY=6\n",
			1_760_000_000_000_000+j.n*1000, 1_000_000+j.n*1000, j.boot)
		if j.n%7 == 0 {
			text += "\nand a second line"
			b.WriteString("MESSAGE\n" + string(binary.LittleEndian.AppendUint64(nil, uint64(len(text)))) + text + "\n\n")
		} else {
			b.WriteString("MESSAGE=" + text + "\n\n")
		}
		j.lines = append(j.lines, text)
		j.n++
	}
	if _, err := io.WriteString(j.in, b.String()); err != nil {
		j.t.Fatal(err)
	}
}

// messages waits until as many entries came as were expected, and checks that each
// came once, in order.
func (s *session) messages(want []string) {
	s.t.Helper()
	s.await(want)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, line := range s.lines {
		var e struct{ MESSAGE string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			s.t.Fatalf("entry %d is no JSON of a journal: %v: %.200q", i, err, line)
		}
		if i >= len(want) || e.MESSAGE != want[i] {
			s.t.Fatalf("entry %d of %d is %.100q", i, len(want), e.MESSAGE)
		}
	}
}

func fileSize(path string) int64 {
	fi, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return fi.Size()
}

// TestJournalRemote reads what a real systemd-journal-remote writes through a real
// journalctl, by file and by directory: live, resumed by cursor after entries were
// written while nobody read, those of another boot too, and after the writer began
// again.
func TestJournalRemote(t *testing.T) {
	bin, ctl := installed(t, "systemd-journal-remote"), installed(t, "journalctl")
	t.Logf("%s and %s", bin, ctl)
	d := newFolder(t)
	d.do(os.Mkdir(d.path("remote"), 0o755))
	for _, arg := range []string{"--file=" + d.path("remote/a.journal"), "--directory=" + d.path("remote")} {
		_ = os.Remove(d.path("remote/a.journal")) // not there at first
		j := &remoteJournal{t: t, bin: bin, file: d.path("remote/a.journal"), boot: 7}
		t.Cleanup(j.end)
		j.start()
		j.write(50)
		wait(t, "the journal", func() bool { return fileSize(j.file) > 0 })
		s := begin(t, Journald(arg).Source, "")
		s.messages(j.lines)
		j.write(150)
		s.messages(j.lines)
		pos := s.stop()
		read := len(j.lines)
		j.write(100)
		j.boot++ // the host begins again, and its last entries were not read yet
		j.write(20)
		j.end() // it wrote what was in its pipe
		s = begin(t, Journald(arg).Source, pos)
		s.messages(j.lines[read:])
		j.start()
		j.write(200)
		s.messages(j.lines[read:])
		s.stop()
		j.end()
		s = begin(t, Journald(arg).Source, "")
		s.messages(j.lines)
		s.stop()
	}
}
