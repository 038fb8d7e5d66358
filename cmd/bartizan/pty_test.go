package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"bartizan/triage"
)

// logLine is a line of auth.log, stamped now.
func logLine(format string, args ...any) string {
	return time.Now().UTC().Format(time.Stamp) + " bastion " + fmt.Sprintf(format, args...)
}

func acceptedLine(user string) string {
	return logLine("sshd[2213]: Accepted publickey for %s from 198.51.100.21 port 50112 ssh2: ED25519 SHA256:1nJ0tqXh2Z7e9wqv", user)
}

func rootShellLine(user string) string {
	return logLine("sudo[2301]:   %s : TTY=pts/0 ; PWD=/home/%s ; USER=root ; COMMAND=/bin/bash", user, user)
}

// rootShell is how the alert about rootShellLine reads on the screen.
const rootShell = "A root shell was opened with sudo  user "

// body is the screen without its header, whose rate and times go on.
func body(text string) string {
	_, rest, _ := strings.Cut(text, "\n")
	return rest
}

// alerts lists the board's alerts.
func (b *bench) alerts() (list []triage.Alert) {
	b.Helper()
	out := b.must(b.onBoard("alerts", "list", "--only", "all", "-o", "json")...)
	for d := json.NewDecoder(strings.NewReader(out)); d.More(); {
		var a triage.Alert
		if err := d.Decode(&a); err != nil {
			b.Fatalf("alerts list printed %s: %v", out, err)
		}
		list = append(list, a)
	}
	return list
}

// TestConsoleEndToEnd is one engineer's day: from the first line on the screen
// over a dropped connection to a journal that shows every tampering.
func TestConsoleEndToEnd(t *testing.T) {
	b := newBench(t, "")
	b.put("auth.log", acceptedLine("early")+"\n")
	b.put("far.log", acceptedLine("farearly")+"\n")
	args := []string{"--agent", b.startAgent("far.log"), "--certs", b.path("certs"), b.path("auth.log")}
	one := b.console(120, 40, args...)

	lineByLine(t, one)
	engine := b.engine()
	decideOne(t, one)
	left := halfTyped(t, one)
	one.hangUp()
	if !alive(engine) {
		t.Fatalf("the engine %d went with the terminal", engine)
	}
	two := b.console(120, 40, args...)
	two.waitUntil("the screen as it was left:\n"+left, func(now string) bool { return body(now) == left })
	other := twoAtOnce(t, two, args)

	if got := b.engine(); got != engine {
		t.Errorf("the engine is %d, it was %d", got, engine)
	}
	if err := syscall.Kill(engine, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*screen{two, other} {
		if text := s.waitEnd(); !strings.Contains(text, "the engine was stopped") {
			t.Errorf("the console left behind\n%s", text)
		}
	}
	b.gone(engine)
	again(t, b, args)
	tampered(t, b)
}

// lineByLine: what is appended, here and at the agent, is on the screen, and what
// rules find is an alert.
func lineByLine(t *testing.T, s *screen) {
	t.Helper()
	s.waitFor("for early from")
	s.waitFor("for farearly from")
	s.add("auth.log", acceptedLine("nearline"))
	s.waitFor("for nearline from")
	s.add("far.log", acceptedLine("farline"))
	s.waitFor("for farline from")
	s.add("auth.log", rootShellLine("mallory"))
	s.waitFor(rootShell + "mallory")
}

// decideOne closes the alert under the cursor with two keys, and takes in another.
func decideOne(t *testing.T, s *screen) {
	t.Helper()
	s.decide("ab", "closed as benign")
	s.waitFor("0 open")
	s.add("far.log", rootShellLine("trudy"))
	s.waitFor("new (gn)") // nothing moves under the cursor until it is asked for
	s.press("gn")
	s.waitFor(rootShell + "trudy")
}

// halfTyped leaves traces: a mark, a paused stream, half a filter. It returns the
// screen below its header.
func halfTyped(t *testing.T, s *screen) string {
	t.Helper()
	s.press(" ")
	s.waitFor("1 marked")
	s.press("\tkk")
	s.waitFor("stream · paused")
	s.press("f")
	s.waitFor("filter:")
	s.press("farline or user.na")
	return body(s.waitFor("1 of 6 in memory match"))
}

// twoAtOnce attaches a second console beside s: each has its own screen, and
// moves are seen by both.
func twoAtOnce(t *testing.T, s *screen, args []string) *screen {
	t.Helper()
	other := s.console(120, 40, args...)
	text := other.waitFor(rootShell + "trudy")
	if strings.Contains(text, "filter:") || strings.Contains(text, "paused") {
		t.Errorf("the second console shows the first one's work:\n%s", text)
	}
	s.press("\x1b") // the filter bar closes
	s.waitGone("filter:")
	s.press("\t")
	s.decide("t", "took ")
	s.waitFor("taken ")
	other.waitFor("taken ")
	other.decide("at", "closed as true positive")
	s.waitFor("true positive")
	s.waitFor("0 open")
	return other
}

// again starts everything anew: decisions stand.
func again(t *testing.T, b *bench, args []string) {
	t.Helper()
	s := b.console(120, 40, args...)
	s.waitFor("no alert since")
	s.press("C")
	s.waitUntil("both closed alerts", func(now string) bool {
		return strings.Contains(now, "benign") && strings.Contains(now, rootShell+"mallory") &&
			strings.Contains(now, "true positive") && strings.Contains(now, rootShell+"trudy")
	})
	s.press("q")
	if text := s.waitEnd(); !strings.Contains(text, "detached: the engine goes on") {
		t.Errorf("q left behind\n%s", text)
	}
	want := map[string]triage.Verdict{"mallory": triage.VerdictBenign, "trudy": triage.VerdictTruePositive}
	list := b.alerts()
	for _, a := range list {
		user := a.Group[0].Value
		if a.State != triage.StateClosed || a.Verdict != want[user] || a.Count != 1 {
			t.Errorf("the alert about %s is %s, %s, counts %d", user, a.State, a.Verdict, a.Count)
		}
	}
	if len(list) != 2 {
		t.Errorf("there are %d alerts", len(list))
	}
}
