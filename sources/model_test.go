package sources

import (
	"fmt"
	"os"
	"testing"

	"pgregory.net/rapid"
)

// model is a log directory and what a follower must have delivered of it.
type model struct {
	d       folder
	s       *session
	pos     Position
	opts    FileOptions
	n       int      // lines written so far
	partial string   // a line begun and not ended
	want    []string // in the order of writing
	old     *os.File // a rotated file whose writer has not switched yet
}

// TestFollowerModel plays random writers, rotations, truncations and restarts
// and checks that every line comes exactly once.
func TestFollowerModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp("", "bartizan-model")
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		m := &model{d: folder{rt, dir}, opts: FileOptions{Grace: testGrace}}
		m.d.add("log", "")
		m.start(rt)
		defer func() { m.s.stop(); m.lateEnd() }()
		rt.Repeat(map[string]func(*rapid.T){
			"write":   func(rt *rapid.T) { m.write(rapid.IntRange(1, 40).Draw(rt, "lines")) },
			"begin":   func(*rapid.T) { m.begin() },
			"rotate":  func(*rapid.T) { m.rotate() },
			"late":    func(*rapid.T) { m.late() },
			"empty":   func(*rapid.T) { m.empty() },
			"restart": func(*rapid.T) { m.stop(); m.start(rt) },
			"away":    func(*rapid.T) { m.stop(); m.write(3); m.start(rt) },
			"":        func(*rapid.T) { m.check() },
		})
		m.check()
	})
}

func (m *model) start(t tester) {
	m.s = begin(t, NewFile(m.d.path("log"), m.opts), m.pos)
	m.s.until("the first look", func() bool { return len(m.s.conds) > 0 })
}

// stop ends the follower; what it delivered has been checked.
func (m *model) stop() {
	m.check()
	m.lateEnd()
	m.pos = m.s.stop()
	m.want = nil
}

func (m *model) line() string {
	m.n++
	return fmt.Sprintf("line %d of the model", m.n)
}

func (m *model) write(n int) {
	text := ""
	for range n {
		l := m.partial + m.line()
		m.want = append(m.want, l)
		text += l[len(m.partial):] + "\n"
		m.partial = ""
	}
	m.d.add("log", text)
}

// begin writes the first part of a line.
func (m *model) begin() {
	m.partial += "part "
	m.d.add("log", "part ")
}

// rotate renames the file; its writer may keep it open.
func (m *model) rotate() {
	m.write(1) // a rotated file ends with a whole line
	m.lateEnd()
	m.old = m.d.open("log")
	rotate(m.d, 50)
	m.d.add("log", "")
}

// late writes to the rotated file.
func (m *model) late() {
	if m.old == nil {
		return
	}
	l := m.line()
	m.want = append(m.want, l)
	m.d.put(m.old, l+"\n")
}

func (m *model) lateEnd() {
	if m.old != nil {
		_ = m.old.Close()
		m.old = nil
	}
}

// empty truncates the file after all of it was delivered.
func (m *model) empty() {
	m.write(1)
	m.check()
	before := m.s.losses()
	m.d.truncate("log")
	m.s.until("the truncation", func() bool { return len(m.s.lost) > before })
}

func (m *model) check() { m.s.t.Helper(); m.s.expectAll(m.want) }
