package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// listens is the line by which an engine says where a source listens.
var listens = regexp.MustCompile(`msg=listening source=\S+ address=(\S+)`)

// wordPost sends a file to the source that the engine's log says listens, and
// wants that answer: post LOG CODE FILE [HEADER VALUE]….
func wordPost(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, len(args) >= 3 && len(args)%2 == 1, "post LOG CODE FILE [HEADER VALUE]…")
	wordWaitFor(ts, false, []string{args[0], "msg=listening"})
	log, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	at := listens.FindSubmatch(log)
	if at == nil {
		ts.Fatalf("%s does not say where it listens: %s", args[0], log)
	}
	req, err := http.NewRequest(http.MethodPost, "http://"+string(at[1])+"/", bytes.NewReader([]byte(ts.ReadFile(args[2]))))
	ts.Check(err)
	for i := 3; i < len(args); i += 2 {
		req.Header.Set(args[i], args[i+1])
	}
	res, err := (&http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	ts.Check(err)
	said, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	ts.Check(err)
	ts.Check(res.Body.Close())
	if strconv.Itoa(res.StatusCode) != args[1] {
		ts.Fatalf("%s was answered with %d, not %s: %s", args[2], res.StatusCode, args[1], said)
	}
}
