package agent

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"bartizan/agent/agentpb"
)

// TestSearchOfSpools: what has no file is searched too, and what cannot be is said.
func TestSearchOfSpools(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	must(t, syscall.Mkfifo(pipe, 0o600))
	w, err := os.OpenFile(pipe, os.O_RDWR, 0)
	must(t, err)
	t.Cleanup(func() { _ = w.Close() })
	s := newSite(t, func(c *Config) {
		c.Spool.Dir = t.TempDir()
		c.Log = slog.New(slog.DiscardHandler)
		c.Streams = append(c.Streams, StreamConfig{ID: "pipe", FIFO: pipe}, StreamConfig{ID: "journal", Journald: true})
	})
	s.write("auth.log", oldLine)
	_, err = w.WriteString(newLine)
	must(t, err)
	waitFor(t, "the line is in the spool", func() bool {
		spool := s.server.kept[0].spool.Load()
		if spool == nil {
			return false
		}
		_, _, next := spool.Usage()
		return next == 1
	})
	conn := s.dial("")
	waitFor(t, "the file is known", func() bool { return s.server.catalog.find("logs/auth.log") != nil })
	got, err := s.search(conn, &agentpb.SearchRequest{Query: "source.ip: 203.0.113.9"})
	must(t, err)
	if !slices.Equal(got.streams, []string{"logs/auth.log", "pipe"}) || got.lines[1]+"\n" != newLine {
		t.Errorf("found %q in %q", got.lines, got.streams)
	}
	if p := got.end.GetProblems(); len(p) != 1 || !strings.HasPrefix(p[0], "journal was not searched") {
		t.Errorf("the problems are %q", p)
	}
	got, err = s.search(conn, &agentpb.SearchRequest{Query: "*", Streams: []string{"pipe"}, From: time.Unix(0, 0).UnixNano()})
	must(t, err)
	if !slices.Equal(got.streams, []string{"pipe"}) {
		t.Errorf("of the pipe alone: %q", got.streams)
	}
}
