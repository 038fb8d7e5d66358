package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"bartizan/agent/agentpb"
	"bartizan/event"
	"bartizan/history"
	"bartizan/sources"
	"bartizan/sources/parse"
)

// SpoolConfig is where streams that have no file are kept until consoles take them,
// and what each may grow to. Without Dir there are no such streams.
type SpoolConfig struct {
	Dir      string
	MaxBytes int64         // of each stream, compressed; 0 is DefaultSpoolBytes
	MaxAge   time.Duration // 0 is DefaultSpoolAge
}

// The caps of a spool that names none.
const (
	DefaultSpoolBytes = history.DefaultSpoolBytes
	DefaultSpoolAge   = history.DefaultSpoolAge
)

// How often a spool that failed is tried again, and looked through for what is too old.
const (
	spoolAgain = time.Second
	spoolTrim  = time.Minute
)

// journalSince is where a console begins that reads the journal for the first time.
const journalSince = "--since=-1d"

// kept is a stream that has no file: a named pipe, a program, this host's health. One
// reader fills its spool, whether a console is there or not; every console reads the
// spool from its own cursor, so the agent need not know who they are.
type kept struct {
	entry   *entry
	source  sources.Source
	options history.SpoolOptions
	log     *slog.Logger
	spool   atomic.Pointer[history.Spool] // nil: not open, or the journal, which is a spool itself
	trouble atomic.Pointer[string]
}

// keepAll prepares the streams of the configuration that have no file, and takes them
// out of those that have.
func (s *Server) keepAll(streams []StreamConfig) error {
	for _, c := range streams {
		if c.Path != "" {
			continue
		}
		if c.ID == "" || cleanID(c.ID) != c.ID {
			return fmt.Errorf("a stream without a path needs an id that prints, and %q is none", c.ID)
		}
		k := &kept{entry: &entry{id: c.ID, size: -1, conf: c}}
		k.entry.kept = k
		switch {
		case c.Journald:
			k.source = sources.Journald(journalSince).Source
			k.entry.conf.Format = "journald"
		case s.cfg.Login != "":
			continue // its spool would belong to one of several logins
		case s.cfg.Spool.Dir == "":
			return fmt.Errorf("stream %q has no file: name a folder for its spool", c.ID)
		case c.FIFO != "":
			k.source = sources.FIFO(c.FIFO).Source
		case len(c.Command) > 0:
			k.source = sources.Command(c.ID, c.Command).Source
		default:
			return fmt.Errorf("stream %q names nothing to read: give it a path, a fifo or a command", c.ID)
		}
		s.kept = append(s.kept, k)
	}
	if s.cfg.Health > 0 && s.cfg.Spool.Dir != "" && s.cfg.Login == "" {
		k := &kept{entry: &entry{id: healthID, size: -1, conf: StreamConfig{Format: "json"}}, source: s.pulse()}
		k.entry.kept = k
		s.kept = append(s.kept, k)
	}
	for _, k := range s.kept {
		k.log = s.cfg.Log
		k.options = history.SpoolOptions{
			Dir: filepath.Join(s.cfg.Spool.Dir, history.FolderOf(k.entry.id)), MaxBytes: s.cfg.Spool.MaxBytes, MaxAge: s.cfg.Spool.MaxAge,
			Number: true, Now: s.cfg.Now,
		}
	}
	return nil
}

// withFiles are the streams that have a file.
func withFiles(streams []StreamConfig) (out []StreamConfig) {
	for _, c := range streams {
		if c.Path != "" {
			out = append(out, c)
		}
	}
	return out
}

// findKept returns the stream without a file of that id, nil when there is none.
func (s *Server) findKept(id string) *entry {
	for _, k := range s.kept {
		if k.entry.id == id {
			return k.entry
		}
	}
	return nil
}

// unfiled prepares a Read of a stream that has no file.
func (s *Server) unfiled(r *reader, e *entry, open *agentpb.Open) error {
	k := e.kept
	if k == nil {
		r.source = s.pulse()
		return nil
	}
	info := k.info(s.host)
	s.edged(r, open, func() *parse.Stream { return s.registry.Stream(info) })
	if e.conf.Journald {
		r.source = k.source
		return nil
	}
	spool := k.spool.Load()
	if spool == nil {
		return status.Errorf(codes.Unavailable, "the spool of %q is not open: %s", e.id, k.problem())
	}
	r.source = spool.Source(info.ID)
	return nil
}

// info describes the stream to whoever reads it here.
func (k *kept) info(host string) sources.Info {
	return sources.Info{ID: event.SourceID("kept:" + k.entry.id), Kind: "kept", Name: k.entry.id, Host: host, Format: k.entry.conf.Format, Live: true}
}

func (k *kept) problem() string {
	if p := k.trouble.Load(); p != nil {
		return *p
	}
	return ""
}

func (k *kept) say(err error) {
	text := ""
	if err != nil {
		text = fmt.Sprintf("stream %q: %v", k.entry.id, err)
	}
	if old := k.trouble.Swap(&text); text != "" && (old == nil || *old != text) {
		k.log.Warn(text)
	}
}

// keptProblem is what is wrong with a stream that has no file; "" is nothing.
func (s *Server) keptProblem() string {
	for _, k := range s.kept {
		if p := k.problem(); p != "" {
			return p
		}
	}
	return ""
}

// keep fills the spools until ctx ends. Of several that serve at once one does, and
// the others wait for their turn.
func (s *Server) keep(ctx context.Context) {
	select {
	case s.keeper <- struct{}{}:
		defer func() { <-s.keeper }()
	case <-ctx.Done():
		return
	}
	ended := make(chan struct{}, len(s.kept))
	for _, k := range s.kept {
		go func() {
			defer func() { ended <- struct{}{} }()
			if !k.entry.conf.Journald {
				k.keep(ctx)
			}
		}()
	}
	for range s.kept {
		<-ended
	}
}

// keep opens the spool, again and again until that works, and fills it until ctx ends.
func (k *kept) keep(ctx context.Context) {
	var spool *history.Spool
	open := func() (err error) {
		spool, err = history.OpenSpool(k.options)
		return err
	}
	if !k.untilDone(ctx, open) {
		return
	}
	k.spool.Store(spool)
	defer func() {
		k.spool.Store(nil)
		if err := spool.Close(); err != nil {
			k.say(err)
		}
	}()
	in, over := make(chan sources.Batch), make(chan struct{})
	go func() {
		defer close(over)
		op := sources.Opened{Info: sources.Info{ID: event.SourceID("kept:" + k.entry.id), Kind: "kept", Name: k.entry.id, Live: true}, Source: k.source}
		sources.Supervise(ctx, op, "", in, k.report)
	}()
	k.fill(ctx, spool, in, over)
}

// fill writes what comes until the source is over.
func (k *kept) fill(ctx context.Context, spool *history.Spool, in <-chan sources.Batch, over <-chan struct{}) {
	trim := time.NewTicker(spoolTrim)
	defer trim.Stop()
	for {
		select {
		case b := <-in:
			rest := b.Records
			fine := k.untilDone(ctx, func() error {
				n, err := spool.Append(rest)
				rest = rest[n:]
				return err
			})
			if !fine {
				b.Done(ctx.Err())
				continue
			}
			b.Done(nil)
		case <-trim.C:
			spool.Trim()
		case <-over:
			return
		}
	}
}

// untilDone does what may fail until it does not, or ctx ends (false). Meanwhile
// the source waits: nothing of it is thrown away here.
func (k *kept) untilDone(ctx context.Context, do func() error) bool {
	for {
		err := do()
		if err == nil {
			if k.problem() != "" {
				k.say(nil)
			}
			return true
		}
		k.say(err)
		again := time.NewTimer(spoolAgain)
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			return false
		}
	}
}

// report takes in how the source is doing.
func (k *kept) report(st event.SourceStatus) {
	switch st.State {
	case event.SourceRetrying, event.SourceDenied, event.SourceGone, event.SourceSkipped:
		k.say(errors.New(st.Reason))
	case event.SourceLive:
		if k.problem() != "" {
			k.say(nil)
		}
	}
}
