package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/creack/pty"

	"bartizan/query"
	"bartizan/triage"
)

// TestAlertPageHidesSecrets: a person reads an alert's evidence with its secrets
// hidden; a pipe gets the bytes.
func TestAlertPageHidesSecrets(t *testing.T) {
	const hush = "hunter2-hunter2"
	raw, err := json.Marshal(shown{
		Alert:    &triage.Alert{ID: "5ec2e7", Title: "A password in a log", Why: []query.Match{{Field: "password", Predicate: `password: "` + hush + `"`, Value: hush}}},
		Evidence: []pinned{{Source: "file:/a.log", Line: 1, Hit: true, Text: "login user=ana password=" + hush + " failed"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ptmx, tty, err := pty.Open()
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _ = ptmx.Close() })
	if err := (&app{out: tty}).alertPage(raw); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(tty, "end\n"); err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for buf := make([]byte, 4096); !strings.Contains(got.String(), "end"); {
		n, err := ptmx.Read(buf)
		if got.Write(buf[:n]); err != nil {
			t.Fatal(err)
		}
	}
	_ = tty.Close()
	if strings.Contains(got.String(), hush) || strings.Count(got.String(), "masked:") != 3 {
		t.Errorf("a person sees %q", got.String())
	}
	var pipe bytes.Buffer
	if err := (&app{out: &pipe}).alertPage(raw); err != nil || strings.Count(pipe.String(), hush) != 3 {
		t.Errorf("a pipe gets %q, %v", pipe.String(), err)
	}
}
