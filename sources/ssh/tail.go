package ssh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"

	"bartizan/event"
	"bartizan/sources"
)

// tail is one file of a host without an agent.
type tail struct {
	host   *Host
	path   string
	id     event.SourceID
	report func(sources.Condition) // may be nil
}

// Report implements sources.Reporting.
func (t *tail) Report(fn func(sources.Condition)) { t.report = fn }

// Run reads the file from a position on. It ends with an error when the
// connection does; that a generation ended is none.
func (t *tail) Run(ctx context.Context, from sources.Position, out chan<- sources.Batch) error {
	at, err := parsePosition(from)
	if err != nil {
		return err
	}
	for {
		at, err = t.generation(ctx, at, out)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// errEnd says that a file was read to where it ended when it was opened.
var errEnd = errors.New("read to its end")

// generation reads one generation of the file, as far as the connection lasts, and
// returns where the next one begins.
func (t *tail) generation(ctx context.Context, at place, out chan<- sources.Batch) (place, error) {
	l, err := t.host.logIn(ctx, read, t.arguments(at)...)
	if err != nil {
		return at, err
	}
	defer l.wait()
	h, err := parseHeader(l.words)
	if err != nil {
		return at, err
	}
	next, why := begin(at, h)
	if why != "" {
		lost := fmt.Sprintf("%s on %s %s", t.path, t.host.cfg.Target.Host, why)
		if err := t.lost(ctx, next, lost, out); err != nil {
			return at, err
		}
	}
	if t.report != nil {
		t.report(sources.Condition{State: event.SourceLive, Behind: h.size - h.start})
	}
	return t.convey(ctx, l, h, next, out)
}

// arguments are those of the read script.
func (t *tail) arguments(at place) []string {
	look := t.host.cfg.look
	if t.host.cfg.once {
		look = "0"
	}
	num := func(n int64) string { return strconv.FormatInt(n, 10) }
	finished := "0"
	if at.finished {
		finished = "1"
	}
	return []string{
		t.path, strconv.FormatUint(at.inode, 10), num(at.state.Offset), num(int64(at.headLen)), num(int64(at.head)),
		num(t.host.cfg.Tail), finished, look,
	}
}

// begin returns where reading begins, and what was lost before that in words.
func begin(at place, h header) (next place, lost string) {
	next = place{inode: h.inode, epoch: at.epoch, headLen: h.headLen, head: h.head}
	switch h.match {
	case "same":
		next.state = at.state
		return next, ""
	case "first":
		if h.start > 0 { // in the middle of a line, of a file whose lines nobody counted
			next.state = sources.FrameState{Mode: sources.ModeLines, Offset: h.start}
		}
	case "cut":
		lost = "was truncated while nobody was connected; what was written before is missing"
	case "new":
		lost = "was replaced while nobody was connected, and what it was before is not beside it; the end of that is missing"
	}
	next.epoch++
	return next, lost
}

// lost delivers a row that stands for at least one missing record.
func (t *tail) lost(ctx context.Context, at place, why string, out chan<- sources.Batch) error {
	b := sources.Batch{Source: t.id, Pos: at.position(), Done: func(error) {}, Records: []sources.Record{{
		Raw: []byte(why), Lost: 1, Seen: t.host.cfg.Now(), Flags: event.FlagShrank,
		Ref: event.Ref{Source: t.id, Epoch: at.epoch, File: event.FileID{Ino: at.inode}, Offset: at.state.Offset},
	}}}
	select {
	case out <- b:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// convey moves the bytes of one connection.
func (t *tail) convey(ctx context.Context, l *login, h header, at place, out chan<- sources.Batch) (place, error) {
	if h.match == "first" && h.start > 0 {
		n, err := passLine(l.in)
		if err != nil {
			return at, l.why(err)
		}
		at.state.Offset += n
	}
	head := &headReader{Reader: l.in, place: at}
	code := -1
	c := sources.Conveyor{
		ID: t.id, Ref: event.Ref{Epoch: at.epoch, File: event.FileID{Ino: at.inode}}, State: at.state,
		Position: head.position, Reader: head, Interrupt: l.end,
		Complete: func(error) bool {
			code = l.code()
			return code == codeRotated || code == codeEnd
		},
	}
	state, err := c.Run(ctx, out)
	at = head.at(state)
	switch {
	case ctx.Err() != nil:
		return at, ctx.Err()
	case err != nil && !errors.Is(err, os.ErrClosed):
		return at, err
	case code == codeEnd:
		return at, errEnd
	case code == codeRotated:
		at.finished = true
		return at, nil
	case code == codeTruncated:
		return t.truncated(ctx, at, out)
	}
	return at, l.why(io.EOF)
}

// truncated goes on at the beginning of the same file.
func (t *tail) truncated(ctx context.Context, at place, out chan<- sources.Batch) (place, error) {
	at = place{inode: at.inode, epoch: at.epoch + 1}
	why := fmt.Sprintf("%s on %s was truncated while it was read; what was written since the last look is missing", t.path, t.host.cfg.Target.Host)
	return at, t.lost(ctx, at, why, out)
}

// passLine passes over the rest of a line that began before, byte by byte.
func passLine(r io.Reader) (int64, error) {
	one := make([]byte, 1)
	for n := int64(1); ; n++ {
		if _, err := r.Read(one); err != nil {
			return 0, err
		}
		if one[0] == '\n' || n >= sources.MaxRecord {
			return n, nil
		}
	}
}

// headReader learns the head of a file that was empty when it was opened, so that
// it is known again.
type headReader struct {
	io.Reader

	mu    sync.Mutex
	place place
	head  []byte
}

// Read implements io.Reader.
func (r *headReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	r.mu.Lock()
	defer r.mu.Unlock()
	if n > 0 && (r.place.headLen == 0 || len(r.head) > 0) && r.place.state.Offset == 0 && len(r.head) < headLen {
		r.head = append(r.head, b[:min(n, headLen-len(r.head))]...)
		r.place.headLen, r.place.head = len(r.head), cksum(r.head)
	}
	return n, err
}

// at returns the place with a later state.
func (r *headReader) at(s sources.FrameState) place {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.place
	p.state = s
	return p
}

func (r *headReader) position(s sources.FrameState) sources.Position { return r.at(s).position() }
