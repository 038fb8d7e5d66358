package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
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

const rootShell = "A root shell was opened with sudo"

// body is the screen without its header, whose rate and times go on.
func body(text string) string {
	_, rest, _ := strings.Cut(text, "\n")
	return rest
}

// TestConsoleEndToEnd is one engineer's day: from the first line on the screen
// over a dropped connection to a journal that stands every tampering.
func TestConsoleEndToEnd(t *testing.T) {
	b := newBench(t, "")
	b.put("auth.log", acceptedLine("early")+"\n")
	b.put("far.log", acceptedLine("farearly")+"\n")
	at := b.startAgent("far.log")
	args := []string{"--agent", at, "--certs", b.path("certs"), b.path("auth.log")}
	one := b.console(120, 40, args...)
	one.waitFor("for early from")
	one.waitFor("for farearly from")
	b.add("auth.log", acceptedLine("nearline"))
	one.waitFor("for nearline from")
	b.add("far.log", acceptedLine("farline"))
	one.waitFor("for farline from")

	b.add("auth.log", rootShellLine("mallory"))
	one.waitFor(rootShell + "  user mallory")
	engine := b.engine()
	if !alive(engine) {
		t.Fatalf("no engine runs: pid %d", engine)
	}
	one.press("ab")
	one.waitFor("closed as benign")
	one.waitFor("0 open")
	b.add("far.log", rootShellLine("trudy"))
	t.Log(one.waitFor("new (gn)"))
	one.press("gn")
	t.Log(one.waitFor(rootShell + "  user trudy"))
	_ = syscall.SIGTERM
}
