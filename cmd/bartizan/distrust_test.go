package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"bartizan/event"
	"bartizan/sources"
	"bartizan/sources/remote"
	"bartizan/store"
	"bartizan/triage"
)

// TestAnswersCarryTheMark: what grep --agent prints of a host that the board calls
// compromised says so, in text and in JSON.
func TestAnswersCarryTheMark(t *testing.T) {
	dir, at := t.TempDir(), time.Date(2026, 11, 21, 2, 16, 0, 0, time.UTC)
	db, err := store.Open(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	board, _, err := db.Load()
	if err != nil {
		t.Fatal(err)
	}
	_, err = store.NewDesk(db, board, time.Now).Apply(triage.Move{Do: triage.DoDistrust, Host: "web-1", Note: "its sshd was replaced", By: triage.Actor{Name: "anna"}, At: at})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	var out, said bytes.Buffer
	a := &app{out: &out, err: &said, state: dir}
	marks, err := a.distrusted()
	if err != nil {
		t.Fatal(err)
	}
	sum := remote.Summary{{Agent: "web-1", Matches: 1, Over: true}, {Agent: "web-2", Over: true}}
	found := []remote.Found{{Agent: "web-1", Record: sources.Record{Raw: []byte("x"), Ref: event.Ref{Source: "agent:web-1/a"}}, Time: at}, {Agent: "web-2", Time: at}}
	if err := a.printFound(found, false, true, marks); err != nil {
		t.Fatal(err)
	}
	if err := a.printAnswers(sum, true, marks); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	if !strings.Contains(lines[0], `"compromised":true`) || strings.Contains(lines[1], "compromised") {
		t.Errorf("the records are %q", lines[:2])
	}
	if want := `"compromised":{"host":"web-1","since":"2026-11-21T02:16:00Z","by":"anna","reason":"its sshd was replaced"}`; strings.Count(lines[2], want) != 1 {
		t.Errorf("the summary is %s", lines[2])
	}
	if want := "  web-1: answers from a host marked compromised since 2026-11-21T02:16:00Z by anna: its sshd was replaced\n"; !strings.Contains(said.String(), want) {
		t.Errorf("it says\n%s", said.String())
	}
	a.state = t.TempDir()
	if marks, err := a.distrusted(); err != nil || marks.of("web-1") != nil {
		t.Errorf("without a board: %v, %v", marks, err)
	}
}
