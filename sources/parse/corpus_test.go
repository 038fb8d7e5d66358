package parse

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"bartizan/event"
	"bartizan/sources"
)

// corpus returns a folder of the shared corpus, or skips the test.
func corpus(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("BARTIZAN_CORPUS")
	if root == "" {
		t.Skip("BARTIZAN_CORPUS is not set; it names the folder of real logs this test reads")
	}
	return filepath.Join(root, name)
}

// eachFile calls do with every log file below a corpus folder.
func eachFile(t *testing.T, root string, do func(path string, lines [][]byte)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		do(path, bytes.SplitAfter(b, []byte("\n")))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// tally counts formats of one file.
type tally map[string]int

func (c tally) String() string {
	var names []string
	for n := range c {
		names = append(names, n)
	}
	sort.Slice(names, func(i, j int) bool { return c[names[i]] > c[names[j]] })
	var parts []string
	for _, n := range names {
		parts = append(parts, fmt.Sprintf("%s %d", n, c[n]))
	}
	return strings.Join(parts, ", ")
}

func tallyFile(t *testing.T, path string, lines [][]byte) (tally, int) {
	c := tally{}
	kept := 0
	parseLines(t, sources.Info{Path: path}, lines, func(i int, e *event.Event) {
		if len(e.Raw) > 0 {
			c[e.FormatName]++
		}
		kept += len(e.Raw)
	})
	want := 0
	for _, l := range lines {
		want += len(l)
	}
	if kept != want {
		t.Errorf("%s: %d bytes of %d kept", path, kept, want)
	}
	return c, want - kept
}

// TestCorpusKept reads everything lnav and Zeek test with: each line is
// recognised or raw, and no byte is lost.
func TestCorpusKept(t *testing.T) {
	var table strings.Builder
	table.WriteString("| corpus | files | lines | recognised | raw | bytes lost |\n|---|---:|---:|---:|---:|---:|\n")
	for _, dir := range []string{"lnav-logs", "zeek-logs"} {
		files, lost, all := 0, 0, tally{}
		eachFile(t, corpus(t, dir), func(path string, lines [][]byte) {
			c, gone := tallyFile(t, path, lines)
			files, lost = files+1, lost+gone
			for n, k := range c {
				all[n] += k
			}
			if testing.Verbose() && dir == "lnav-logs" {
				t.Logf("%-50s %v", filepath.Base(path), c)
			}
		})
		t.Logf("%s: %d files: %v", dir, files, all)
		lines := 0
		for _, n := range all {
			lines += n
		}
		fmt.Fprintf(&table, "| %s | %d | %d | %d | %d | %d |\n", dir, files, lines, lines-all["raw"], all["raw"], lost)
	}
	qualityPart(t, "kept", table.String())
}
