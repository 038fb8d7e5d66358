package store

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bartizan/triage"
)

// victimDir tells the test binary to be a process that is going to be killed.
const victimDir = "BARTIZAN_TEST_VICTIM"

// victim raises and closes alerts for ever, saying each move once it is made.
func victim() {
	db, err := Open(os.Getenv(victimDir), time.Now)
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	board, _, err := db.Load()
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	d := NewDesk(db, board, time.Now)
	for i := board.Len(); ; i++ {
		c, err := d.Raise([]Found{found(fmt.Sprint("10.1.", i/250, ".", i%250), i)})
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		id, err := d.Apply(closing(d, anna, c[0].Alert))
		fmt.Println(id, c[0].Alert, err)
	}
}

// TestKilled kills an engine in the middle of its work, several times; what it
// said it had done must be there, nothing may be there by half.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	said := map[string]bool{}
	for round := range 4 {
		kill(t, dir, 5+round*3, said)
		d, db := openDesk(t, dir)
		list, _ := d.Alerts()
		for _, a := range list {
			if a.State != triage.StateClosed || a.Count != 1 {
				t.Errorf("alert %s is %s with %d hits", a.ID, a.Standing(), a.Count)
			}
			if e, err := d.Evidence(a.ID); err != nil || len(e) != 1 {
				t.Errorf("alert %s has %d records of evidence, %v", a.ID, len(e), err)
			}
			delete(said, string(a.ID))
		}
		if len(said) > 0 {
			t.Errorf("moves that were made are lost: %v", said)
		}
		if p, err := db.Verify(); err != nil || int(p.Rows) != 2*len(list) {
			t.Errorf("%d alerts, %+v, %v", len(list), p, err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// kill runs a victim until it has said n moves, then kills it.
func kill(t *testing.T, dir string, n int, said map[string]bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), victimDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for i := 0; lines.Scan(); i++ {
		w := strings.Fields(lines.Text())
		if len(w) != 3 || w[2] != "<nil>" {
			t.Errorf("the victim says %q", lines.Text())
			break
		}
		said[w[1]] = true
		if i == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the victim was not killed")
	}
}

// TestWrittenButNotShown loses the process between the disk and the board: the
// next one must show what the disk says.
func TestWrittenButNotShown(t *testing.T) {
	dir := t.TempDir()
	d, db := openDesk(t, dir)
	id := raise(t, d, found("10.0.0.1", 1))[0].Alert
	commit(t, d, "1")
	e, err := d.board.Check(closing(d, anna, id))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Commit(t.Context(), Batch{Raised: d.board.Preview(e), Entries: []triage.Entry{e}}); err != nil {
		t.Fatal(err)
	}
	if a, _ := d.Alert(id); a.State != triage.StateNew {
		t.Fatalf("the board shows %s, which it was not told", a.Standing())
	}
	left := t.TempDir() // what a power cut would leave: the files as they lie, unclosed
	for _, name := range []string{boardFile, boardFile + "-wal", keyFile} {
		if err := copyFile(filepath.Join(dir, name), filepath.Join(left, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	after, _ := openDesk(t, left)
	if a, _ := after.Alert(id); a == nil || a.Standing() != "closed as benign by anna" {
		t.Errorf("after the crash: %+v", a)
	}
	if err := d.board.Commit(e); err != nil || standing(d) != standing(after) {
		t.Errorf("%v: the fold and the board differ:\n%s\n%s", err, standing(d), standing(after))
	}
}
