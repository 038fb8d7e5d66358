package sources

import (
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// check says whether everything owed came exactly once; at the end nothing may
// be missing, before it nothing may be doubled.
func (w *world) check(end bool) {
	w.t.Helper()
	defer func(n int) { w.torn = n }(w.torn)
	count := map[string]int{}
	rows := w.rows
	for _, l := range w.kept {
		count[l]++
	}
	for _, sh := range w.s.sent {
		rows += len(sh.lost)
		for _, l := range sh.lines {
			count[l]++
		}
	}
	for text, n := range count {
		if w.lines[text] == nil && strings.HasPrefix(text, "part ") && w.torn > 0 {
			w.torn -= n
			continue // the beginning of a line that was destroyed
		}
		if w.lines[text] == nil {
			w.t.Fatalf("nobody wrote %q", text)
		}
		if n > 1 {
			w.t.Fatalf("%q came %d times", text, n)
		}
	}
	for text, l := range w.lines {
		if end && !l.forgiven && count[text] == 0 {
			w.t.Fatalf("%q never came", text)
		}
	}
	if rows > w.excuses {
		w.t.Fatalf("%d losses were told where %d may be", rows, w.excuses)
	}
}

func (w *world) close() {
	for _, f := range w.late {
		_ = f.Close()
	}
	if w.s != nil {
		w.s.close()
	}
}

// playWorld is one random history.
func playWorld(rt *rapid.T) {
	dir, err := os.MkdirTemp("", "bartizan-model")
	if err != nil {
		rt.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	w := newWorld(rt, dir)
	defer w.close()
	num := func(rt *rapid.T, most int) int { return rapid.IntRange(0, most).Draw(rt, "n") }
	actions := map[string]func(*rapid.T){
		"write":         func(rt *rapid.T) { w.write(1 + num(rt, 30)) },
		"begin":         func(*rapid.T) { w.begin() },
		"rename":        func(rt *rapid.T) { w.rename(rapid.Bool().Draw(rt, "open"), rapid.Bool().Draw(rt, "create")) },
		"late":          func(*rapid.T) { w.writeLate() },
		"copy truncate": func(rt *rapid.T) { w.copyTruncate(max(0, num(rt, 8)-4)) },
		"truncate":      func(*rapid.T) { w.truncate() },
		"delete":        func(*rapid.T) { w.remove() },
		"pack":          func(rt *rapid.T) { w.pack(1 + num(rt, 3)) },
		"look":          func(*rapid.T) { w.look() },
		"read":          func(rt *rapid.T) { w.s.read(rt) },
		"step":          func(*rapid.T) { w.step() },
		"pause":         func(*rapid.T) { w.pause() },
		"rest":          func(*rapid.T) { w.rest() },
		"crash":         func(rt *rapid.T) { w.crash(num(rt, 4), func() {}) },
		"away": func(rt *rapid.T) {
			w.crash(num(rt, 2), func() {
				for range 1 + num(rt, 2) {
					w.write(1 + num(rt, 5))
					w.rename(false, true)
				}
				if rapid.Bool().Draw(rt, "pack") {
					w.pack(num(rt, 2))
				}
			})
		},
		"": func(rt *rapid.T) { w.t = rt; w.check(false) },
	}
	rt.Repeat(actions)
	w.t = rt
	if w.current != nil && w.current.partial != "" {
		w.write(1)
	}
	w.pause()
	w.create()
	w.write(1)
	w.pause()
	w.rest()
	w.pause()
	w.check(true)
}

// TestFollowerModel plays random histories, 200 of them or as many as
// -rapid.checks says; FuzzFollow looks for more by what the code does.
func TestFollowerModel(t *testing.T) { rapid.Check(t, playWorld) }

func FuzzFollow(f *testing.F) { f.Fuzz(rapid.MakeFuzz(playWorld)) }
