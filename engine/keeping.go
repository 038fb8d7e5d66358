package engine

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"bartizan/event"
	"bartizan/history"
	"bartizan/sources"
)

// How often a spool that failed is tried again, and looked through for what is too old.
const (
	keepAgain = time.Second
	keepTrim  = time.Minute
)

// spools are what came here without a file, so that the past can be searched.
type spools struct {
	mu   sync.Mutex
	list []history.Kept
}

// lasts says whether a kind of source is kept elsewhere: it can be read again there,
// or, as standard input, belongs to one look only.
func lasts(kind string) bool { return kind == "journald" || kind == "kubectl" || kind == "stdin" }

// keeping makes a source that has no file leave its records in a spool before anybody
// else sees them. Without a folder for spools it stays as it is.
func (e *Engine) keeping(op sources.Opened) sources.Opened {
	o := e.o.Spool
	if o.Dir == "" || lasts(op.Info.Kind) {
		return op
	}
	o.Dir = filepath.Join(o.Dir, history.FolderOf(string(op.Info.ID)))
	op.Source = &kept{Source: op.Source, e: e, info: op.Info, o: o}
	return op
}

// kept is a source with a spool.
type kept struct {
	sources.Source
	e     *Engine
	info  sources.Info
	o     history.SpoolOptions
	spool *history.Spool // from the first Run on
}

// Report implements sources.Reporting.
func (k *kept) Report(to func(sources.Condition)) {
	if r, ok := k.Source.(sources.Reporting); ok {
		r.Report(to)
	}
}

// Run implements sources.Source. While the spool cannot be written the source waits,
// and the header says so.
func (k *kept) Run(ctx context.Context, from sources.Position, out chan<- sources.Batch) error {
	if k.spool == nil {
		var err error
		if k.spool, err = history.OpenSpool(k.o); err != nil {
			return err
		}
		k.e.spools.add(history.Kept{Info: k.info, Spool: k.spool})
	}
	in, ended := make(chan sources.Batch), make(chan error, 1)
	go func() { ended <- k.Source.Run(ctx, from, in) }()
	trim := time.NewTicker(keepTrim)
	defer trim.Stop()
	for {
		select {
		case <-trim.C:
			k.spool.Trim()
		case b := <-in:
			if err := k.keep(ctx, b.Records); err != nil {
				b.Done(err)
				continue
			}
			select {
			case out <- b:
			case <-ctx.Done():
				b.Done(ctx.Err())
			}
		case err := <-ended:
			return err
		}
	}
}

// keep writes the records to the spool; the error is that of ctx.
func (k *kept) keep(ctx context.Context, records []sources.Record) error {
	for failed := false; ; failed = true {
		n, err := k.spool.Append(records)
		if records = records[n:]; err == nil {
			if failed {
				k.e.say("")
			}
			return nil
		}
		k.e.say(fmt.Sprintf("%s waits: %v", k.info.Name, err))
		again := time.NewTimer(keepAgain)
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			return ctx.Err()
		}
	}
}

func (s *spools) add(k history.Kept) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, k)
}

// kept lists the spools for a search.
func (s *spools) kept() []history.Kept {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]history.Kept(nil), s.list...)
}

// close writes everything to the disk.
func (s *spools) close(say func(event.SourceID, error)) {
	for _, k := range s.kept() {
		if err := k.Spool.Close(); err != nil {
			say(k.Info.ID, err)
		}
	}
}
