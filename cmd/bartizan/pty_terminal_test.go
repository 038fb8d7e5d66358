package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestLogOnStandardInput: the console takes keys from the terminal while a log
// comes in on standard input.
func TestLogOnStandardInput(t *testing.T) {
	b := newBench(t, "")
	in, log, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	write := func(line string) {
		if _, err := log.WriteString(line + "\n"); err != nil {
			t.Fatal(err)
		}
	}
	write(acceptedLine("early"))
	c := b.program(b.onBoard()...)
	c.Stdin = in
	s := b.onTerminal(120, 40, c)
	_ = in.Close()
	s.waitFor("for early from")
	write(acceptedLine("piped"))
	s.waitFor("for piped from")
	s.press("\tf")
	s.waitFor("filter:")
	s.press("piped")
	s.waitFor("1 of 2 in memory match")
	s.press("\r")
	s.waitGone("for early from")
	write(rootShellLine("mallory"))
	s.waitFor(rootShell + "mallory")
	if err := log.Close(); err != nil { // the producer ends; the console stays
		t.Fatal(err)
	}
	s.press("6")
	s.waitFor("stdin")
	s.waitFor("done")
	s.press("q1")
	s.decide("ab", "closed as benign")
	s.press("q")
	s.waitEnd()
}

// TestSuspendAndResume: Ctrl-z gives the terminal to the shell, which brings the
// console back as it was.
func TestSuspendAndResume(t *testing.T) {
	b := newBench(t, "")
	b.put("auth.log", acceptedLine("early")+"\n")
	s := b.console(100, 30, b.path("auth.log"))
	s.waitFor("for early from")
	s.press("\tf")
	s.waitFor("filter:")
	s.press("early")
	s.waitFor("1 of 1 in memory match")
	s.press("\x1b")
	s.waitGone("filter:")
	for range 2 {
		was := body(s.waitFor("for early from"))
		s.press("\x1a")
		s.waitUntil("the shell's own screen", func(string) bool { return !s.emu.IsAltScreen() })
		b.until("the console stops", func() bool { return state(s.cmd.Process.Pid) == 'T' })
		if err := s.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		s.waitUntil("the screen as it was", func(now string) bool { return body(now) == was })
	}
	b.add("auth.log", acceptedLine("later"))
	s.waitFor("for later from")
}

// state is the process's, as ps shows it.
func state(pid int) byte {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, found := strings.Cut(string(stat), ") ")
	if err != nil || !found {
		return 0
	}
	return rest[0]
}

// TestResize: the screen fills the terminal it has now, also when it comes back
// on another one.
func TestResize(t *testing.T) {
	b := newBench(t, "")
	b.put("auth.log", strings.Repeat(acceptedLine("early")+"\n", 80))
	s := b.console(120, 40, b.path("auth.log"))
	fills := func(s *screen, w, h int) {
		t.Helper()
		s.waitUntil(fmt.Sprintf("a screen of %d times %d", w, h), func(now string) bool {
			lines := strings.Split(now, "\n")
			foot := lines[len(lines)-1]
			return len(lines) == h && strings.Contains(foot, "commands") && strings.HasPrefix(lines[1], "─▸ alerts") && len([]rune(lines[1])) == w-1
		})
	}
	fills(s, 120, 40)
	s.resize(90, 30)
	fills(s, 90, 30)
	s.resize(150, 50)
	fills(s, 150, 50)
	s.hangUp()
	fills(b.console(100, 20, b.path("auth.log")), 100, 20)
}

// TestTwoConsolesStartOneEngine: who comes while an engine is being started gets
// that one.
func TestTwoConsolesStartOneEngine(t *testing.T) {
	b := newBench(t, "")
	b.put("auth.log", acceptedLine("early")+"\n")
	var all []*screen
	for range 3 {
		all = append(all, b.console(100, 30, b.path("auth.log")))
	}
	for _, s := range all {
		s.waitFor("for early from")
	}
}

// TestNothingWrittenWhenNothingChanges: an idle console sends its terminal not
// one byte.
func TestNothingWrittenWhenNothingChanges(t *testing.T) {
	b := newBench(t, "")
	b.put("auth.log", acceptedLine("early")+"\n")
	s := b.console(120, 40, b.path("auth.log"))
	s.waitFor("for early from")
	if n, wrote := s.idleBytes(3); n != 0 {
		t.Errorf("%d bytes within 3 s: %q", n, wrote)
	}
}
