package agent

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"bartizan/event"
	"bartizan/sources"
)

// keeping is a server that fills the spool of one named pipe.
func keeping(t *testing.T, c Config) (s *Server, write func(string)) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	c.Spool.Dir = filepath.Join(dir, "spool")
	s = &Server{cfg: c, keeper: make(chan struct{}, 1)}
	s.cfg.Now, s.cfg.Log = time.Now, slog.New(slog.DiscardHandler)
	if err := s.keepAll([]StreamConfig{{ID: "a/../pipe", FIFO: path}}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); s.keep(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	waitFor(t, "the spool", func() bool { return s.kept[0].spool.Load() != nil })
	return s, func(text string) {
		t.Helper()
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	late, tick := time.After(30*time.Second), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("never %s", what)
		}
	}
}

// TestKeptStreamSaysWhatItsCapsTook: a console that was away too long gets one record
// that says how many are missing, and all that came after.
func TestKeptStreamSaysWhatItsCapsTook(t *testing.T) {
	s, write := keeping(t, Config{Spool: SpoolConfig{MaxBytes: 128 << 10}})
	spool := s.kept[0].spool.Load()
	ctx, cancel := context.WithCancel(context.Background())
	out, ended := make(chan sources.Batch), make(chan error, 1)
	go func() { ended <- spool.Source("kept:x").Run(ctx, "", out) }()
	write("line 0\n")
	first := <-out
	cancel()
	if err := <-ended; err != nil || string(first.Records[0].Raw) != "line 0" {
		t.Fatal(string(first.Records[0].Raw), err)
	}
	const lines = 40
	for i := 1; i <= lines; i++ {
		write(fmt.Sprintf("line %d %s\n", i, noise(i)))
		waitFor(t, "the line", func() bool { _, _, next := spool.Usage(); return next == uint64(i+1) })
	}
	ctx, cancel = context.WithCancel(context.Background())
	defer cancel()
	go func() { ended <- spool.Source("kept:x").Run(ctx, first.Pos, out) }()
	lost, got, last := uint64(0), 0, ""
	for !strings.HasPrefix(last, fmt.Sprint("line ", lines, " ")) {
		for _, r := range (<-out).Records {
			if lost += r.Lost; r.Lost == 0 {
				got, last = got+1, string(r.Raw)
			}
		}
	}
	cancel()
	if err := <-ended; err != nil || lost == 0 || int(lost)+got != lines { //nolint:gosec // few
		t.Errorf("%d lost and %d came of %d, %v", lost, got, lines, err)
	}
}

// noise is text that does not compress.
func noise(seed int) string {
	b := make([]byte, 30_000)
	x := uint32(seed)*2654435761 + 1 //nolint:gosec // any number will do
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = 'a' + byte(x%64)
	}
	return string(b)
}

// TestKeptStreamsAreStreams: they are listed and found by id, their folders lie in the
// spool, and nothing but what the configuration names is read.
func TestKeptStreamsAreStreams(t *testing.T) {
	s, _ := keeping(t, Config{})
	k := s.kept[0]
	if e := s.findKept("a/../pipe"); e != k.entry || s.findKept("pipe") != nil {
		t.Errorf("found %v", e)
	}
	if filepath.Dir(k.options.Dir) != s.cfg.Spool.Dir {
		t.Errorf("its spool lies in %s", k.options.Dir)
	}
	k.report(event.SourceStatus{State: event.SourceRetrying, Reason: "it broke"})
	if got := s.keptProblem(); got != `stream "a/../pipe": it broke` {
		t.Errorf("the problem is %q", got)
	}
	k.report(event.SourceStatus{State: event.SourceLive})
	if got := s.keptProblem(); got != "" {
		t.Errorf("the problem is still %q", got)
	}
	for _, c := range []struct {
		conf Config
		list []StreamConfig
		want string
	}{
		{Config{}, []StreamConfig{{ID: "x", FIFO: "/run/x"}}, "name a folder"},
		{Config{Spool: SpoolConfig{Dir: "/x"}}, []StreamConfig{{ID: "x"}}, "nothing to read"},
		{Config{Spool: SpoolConfig{Dir: "/x"}}, []StreamConfig{{FIFO: "/run/x"}}, "needs an id"},
		{Config{Spool: SpoolConfig{Dir: "/x"}}, []StreamConfig{{ID: "\x1b", FIFO: "/run/x"}}, "needs an id"},
	} {
		o := &Server{cfg: c.conf}
		if err := o.keepAll(c.list); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.list, err, c.want)
		}
	}
	login := &Server{cfg: Config{Login: "ann", Spool: SpoolConfig{Dir: "/x"}}}
	if err := login.keepAll([]StreamConfig{{ID: "x", FIFO: "/run/x"}, {ID: "j", Journald: true}}); err != nil || len(login.kept) != 1 {
		t.Errorf("a login has %d streams, %v", len(login.kept), err)
	}
}
