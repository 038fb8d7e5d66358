package sources

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// judgePatience is how long a judged follower may take for one step.
const judgePatience = 1500 * time.Millisecond

// judge plays a scenario without failing: it counts what was lost, doubled and
// split, for followers of which nobody promised anything.
type judge struct {
	sessions []*session
	mends    []func()
	failed   string
}

// Helper implements tester.
func (j *judge) Helper() {}

// Errorf implements tester.
func (j *judge) Errorf(f string, a ...any) { j.failed = fmt.Sprintf(f, a...) }

// Fatalf implements tester.
func (j *judge) Fatalf(f string, a ...any) { j.Errorf(f, a...); runtime.Goexit() }

// Fatal implements tester.
func (j *judge) Fatal(a ...any) { j.Fatalf("%s", fmt.Sprint(a...)) }

// Cleanup implements tester.
func (j *judge) Cleanup(f func()) { j.mends = append(j.mends, f) }

// play runs the scenario and returns what came of it.
func (j *judge) play(sc scenario, dir string, r reader) string {
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		defer func() {
			if p := recover(); p != nil { // it looks at a line that never came
				j.failed = fmt.Sprint(p)
			}
		}()
		sc.play(j, folder{j, dir}, r)
	}()
	wg.Wait()
	for _, f := range slices.Backward(j.mends) {
		f()
	}
	return j.verdict()
}

// verdict sums up the sessions.
func (j *judge) verdict() string {
	var c count
	counted, vain := false, false
	for _, s := range j.sessions {
		vain = vain || s.vain
		if s.owed == nil {
			continue
		}
		counted = true
		got := map[string]int{}
		for _, l := range s.lines {
			got[l]++
		}
		for _, l := range s.owed {
			if got[l] == 0 {
				c.lost++
			}
			c.doubled += max(0, got[l]-1)
			delete(got, l)
		}
		for _, l := range got { // what nobody wrote as one line, or not here
			c.split += l
		}
	}
	switch {
	case counted:
		return fmt.Sprintf("%d / %d / %d", c.lost, c.doubled, c.split)
	case vain:
		return "no"
	}
	return "yes"
}

// framing are the scenarios that are about lines, not about files.
var framing = []string{"long line", "carriage returns", "json array that grows"}

// TestRotationSuite plays the scenarios for all followers and writes what came of
// them to docs/rotation.md with -update. Without, it checks that the page has
// them all.
func TestRotationSuite(t *testing.T) {
	all := slices.DeleteFunc(slices.Concat(scenarios, restartScenarios), func(sc scenario) bool { return slices.Contains(framing, sc.name) })
	if !*update {
		b, err := os.ReadFile(rotationPage)
		if err != nil {
			t.Fatal(err)
		}
		for _, sc := range all {
			if !strings.Contains(string(b), "\n| "+sc.name+" | ") {
				t.Errorf("%s does not have %q: run go test ./sources -run TestRotationSuite -update", rotationPage, sc.name)
			}
		}
		return
	}
	readers := []struct {
		name string
		r    reader
	}{
		{"ours", reader{FileOptions{Grace: testGrace}, nil}},
		{"ours, polling", reader{FileOptions{Grace: testGrace, NoWake: true}, nil}},
		{"nxadm/tail, wrapped", reader{FileOptions{Grace: testGrace, Follower: FollowerNxadm}, nil}},
		{"nxadm/tail, bare", reader{peer: bareNxadm}},
		{"tail -F", reader{peer: tailF}},
	}
	var text strings.Builder
	text.WriteString("| scenario |")
	for _, r := range readers {
		text.WriteString(" " + r.name + " |")
	}
	text.WriteString("\n|---|---|---|---|---|---|\n")
	for _, sc := range all {
		cells := make([]string, len(readers))
		var wg sync.WaitGroup
		for i, r := range readers {
			dir := t.TempDir()
			wg.Go(func() { cells[i] = (&judge{}).play(sc, dir, r.r) })
		}
		wg.Wait()
		fmt.Fprintf(&text, "| %s | %s |\n", sc.name, strings.Join(cells, " | "))
	}
	page(t, "suite", text.String())
}
