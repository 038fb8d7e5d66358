package sources

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// sleeper starts a process that has w open for writing and returns how it is named.
func sleeper(t *testing.T, w *os.File) string {
	t.Helper()
	c := exec.Command("sleep", "60")
	c.Stdout = w
	if err := c.Start(); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	return fmt.Sprintf("(pid %d)", c.Process.Pid)
}

// TestWriterOf finds this test's own child.
func TestWriterOf(t *testing.T) {
	d := newFolder(t)
	w := d.open("log")
	cmd := sleeper(t, w)
	d.do(w.Close())
	fi, err := os.Stat(d.path("log"))
	d.do(err)
	if who := writerOf(statID(fi)); !strings.HasSuffix(who, cmd) {
		t.Errorf("%q writes, want pid %s", who, cmd)
	}
}
