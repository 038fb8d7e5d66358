package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// truthLine is one labelled line of a generated log.
type truthLine struct {
	File string
	Line int64
	ID   string
	Kind string
}

func (l truthLine) attack() bool {
	return l.ID != "" && !strings.HasPrefix(l.Kind, "decoy.") && !strings.HasPrefix(l.Kind, "garbage.")
}

// readLines decodes NDJSON.
func readLines[T any](t *testing.T, text []byte) (out []T) {
	t.Helper()
	s := bufio.NewScanner(bytes.NewReader(text))
	s.Buffer(nil, 16<<20)
	for s.Scan() {
		var v T
		if err := json.Unmarshal(s.Bytes(), &v); err != nil {
			t.Fatalf("%v in %.200s", err, s.Text())
		}
		out = append(out, v)
	}
	return out
}

// TestScanFindsGeneratedAttacks scans generated logs with the built-in rules: at
// least 60 % of the incidents must be hit on one of their own lines, and fewer
// than 5 % of the hits may be on harmless lines. It needs python3 and the log
// generator in $BARTIZAN_TOOLS.
func TestScanFindsGeneratedAttacks(t *testing.T) {
	tool := filepath.Join(os.Getenv("BARTIZAN_TOOLS"), "mklogs.py")
	if _, err := os.Stat(tool); err != nil || os.Getenv("BARTIZAN_TOOLS") == "" {
		t.Skip("BARTIZAN_TOOLS names no folder with mklogs.py: generated attacks were not scanned")
	}
	found, incidents, hits, harmless := 0, 0, 0, 0
	for seed := 1; seed <= 3; seed++ {
		dir := t.TempDir()
		if out, err := exec.Command("python3", tool, "--out", dir, "--lines", "40000", "--rate", "0.01", "--decoys", "0.3", "--seed", fmt.Sprint(seed)).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		own := map[string]map[int64]string{}
		all := map[string]bool{}
		truth, err := os.ReadFile(filepath.Join(dir, "truth.ndjson"))
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range readLines[truthLine](t, truth) {
			if l.attack() {
				if own[l.File] == nil {
					own[l.File] = map[int64]string{}
				}
				own[l.File][l.Line] = l.ID
				all[l.ID] = false
			}
		}
		for _, h := range scanDir(t, dir) {
			hits++
			if id := own[filepath.Base(string(h.Source))][h.Line]; id != "" {
				all[id] = true
			} else {
				harmless++
			}
		}
		incidents += len(all)
		for _, hit := range all {
			if hit {
				found++
			}
		}
	}
	t.Logf("%d of %d incidents found, %d hits, %d of them on harmless lines", found, incidents, hits, harmless)
	if incidents == 0 || found*100 < incidents*60 {
		t.Errorf("%d of %d incidents found, want at least 60 %%", found, incidents)
	}
	if harmless*100 >= hits*5 {
		t.Errorf("%d of %d hits are on harmless lines, want fewer than 5 %%", harmless, hits)
	}
}

// scanDir runs the scan command over the logs of a generated folder.
func scanDir(t *testing.T, dir string) []scanned {
	t.Helper()
	var out, errs bytes.Buffer
	a := &app{out: &out, err: &errs}
	args := []string{"scan"}
	logs, _ := filepath.Glob(filepath.Join(dir, "*.log"))
	more, _ := filepath.Glob(filepath.Join(dir, "*.ndjson"))
	for _, f := range append(logs, more...) {
		if filepath.Base(f) != "truth.ndjson" {
			args = append(args, f)
		}
	}
	root := newRoot(a)
	root.SetArgs(args)
	if code := a.finish(root.ExecuteContext(t.Context())); code != exitFine {
		t.Fatalf("scan ended with %d: %s", code, &errs)
	}
	return readLines[scanned](t, out.Bytes())
}
