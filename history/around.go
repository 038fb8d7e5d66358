package history

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"bartizan/event"
	"bartizan/sources"
)

// aroundBytes bounds how much is kept of a file on each side of a record.
const aroundBytes = 256 << 10

// headBytes is what the framing of a file is decided by.
const headBytes = 64 << 10

// ErrNoFile says that a record's bytes lie in no file here.
var ErrNoFile = errors.New("what came before and after lies in no file on this host")

// Around returns up to n records before and after ref, at most 256 KiB each, from
// the file it lies in, also when that was renamed since. A compressed file and a
// JSON array are read from their beginning up to there. The error is ErrNoFile,
// or says that the file does not hold the record any more.
func (h *History) Around(ctx context.Context, ref event.Ref, n int) (before, after []*event.Event, err error) {
	g, err := h.holder(ref)
	if err != nil {
		return nil, nil, err
	}
	f, err := h.open(g)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = f.Close() }() // opened for reading: nothing can be lost
	a := &around{ref: ref, n: max(n, 0)}
	err = a.search(ctx, f)
	if err == nil && !a.found {
		err = fmt.Errorf("%s does not hold the record at byte %d any more: it was truncated or overwritten", g.path, ref.Offset)
	}
	if err != nil {
		return nil, nil, err
	}
	st := &reading{stream: h.Registry.Stream(g.info), gen: *g}
	st.stream.Preface(sources.PrefaceOf(f)) // columns may be named at the beginning
	return st.events(a.before), st.events(a.after), nil
}

// holder returns the file a record lies in: the one at its source's path, or a
// sibling with the same identity.
func (h *History) holder(ref event.Ref) (*generation, error) {
	if ref.File == (event.FileID{}) {
		return nil, ErrNoFile
	}
	for _, info := range h.Sources() {
		if info.ID != ref.Source {
			continue
		}
		if g, err := find(info, ref.File); g != nil || err != nil {
			return g, err
		}
	}
	return nil, ErrNoFile
}

func (r *reading) events(records []sources.Record) []*event.Event {
	var out []*event.Event
	for i := range records {
		out = append(out, r.event(&records[i]).Clone())
	}
	return out
}

// around collects the records on both sides of one.
type around struct {
	ref           event.Ref
	n             int
	found         bool
	before, after []sources.Record
	kept          int // bytes of the side that is being filled
}

// search reads from near the record where the file can be cut into records there,
// and from its beginning where it cannot.
func (a *around) search(ctx context.Context, f *os.File) error {
	head := make([]byte, headBytes)
	got, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	head = head[:got]
	mode := sources.Framing(head)
	if sources.Compression(head) != "" || mode == sources.ModeArray || mode == sources.ModeEnvelope {
		return a.whole(ctx, f)
	}
	if err := a.near(ctx, f, mode); err != nil || a.found || mode == sources.ModeLines {
		return err
	}
	return a.whole(ctx, f) // JSON that is not what its beginning promised
}

// near reads the part of the file around the record.
func (a *around) near(ctx context.Context, f *os.File, mode sources.Mode) error {
	state := sources.FrameState{}
	if from := a.ref.Offset - aroundBytes; from > 0 {
		at, err := a.begin(f, from, mode)
		if err != nil {
			return err
		}
		state = sources.FrameState{Mode: mode, Offset: at}
	}
	st, err := f.Stat()
	if err != nil {
		return err
	}
	end := a.ref.Offset + int64(a.ref.Len) + aroundBytes
	part := io.NewSectionReader(f, state.Offset, end-state.Offset)
	return a.read(ctx, part, state, st.Size() <= end)
}

// begin returns the first offset behind from where a record begins; the record's
// own when there is none before it.
func (a *around) begin(f io.ReaderAt, from int64, mode sources.Mode) (int64, error) {
	sep := "\n"
	if mode == sources.ModeObjects {
		sep = "\n{"
	}
	b := make([]byte, a.ref.Offset-from)
	got, err := f.ReadAt(b, from)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if i := bytes.Index(b[:got], []byte(sep)); i >= 0 {
		return from + int64(i) + 1, nil
	}
	return a.ref.Offset, nil
}

// whole reads the file from its beginning, decompressed.
func (a *around) whole(ctx context.Context, f *os.File) error {
	a.before, a.after, a.kept = nil, nil, 0
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	r, err := sources.Decompress(f)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Name(), err)
	}
	defer func() { _ = r.Close() }() // it never fails
	return a.read(ctx, r, sources.FrameState{}, true)
}

// read takes records of r, which stands at state, until there is enough. last
// says that the file ends where r does; else a record that is cut there is left out.
func (a *around) read(ctx context.Context, r io.Reader, state sources.FrameState, last bool) error {
	framer := sources.NewFramer(state)
	defer framer.Close()
	framer.Bound(a.ref.Offset, a.ref.Offset+int64(a.ref.Len)) // a live source may not have waited for all of it
	for ctx.Err() == nil {
		got, err := r.Read(framer.Space())
		framer.Commit(got)
		if err != nil && last {
			framer.Finish()
		}
		for fr, ok := framer.Next(); ok; fr, ok = framer.Next() {
			if a.take(&fr) {
				return nil
			}
		}
		if err == nil {
			continue
		}
		if !last && framer.State().Offset == a.ref.Offset {
			a.found = true // it is longer than what was read
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	}
	return ctx.Err()
}

// take keeps the record on its side; true: nothing more is wanted.
func (a *around) take(fr *sources.Frame) bool {
	switch {
	case fr.Offset < a.ref.Offset:
		a.before = append(a.before, a.record(fr))
		for len(a.before) > a.n || a.kept > aroundBytes {
			a.kept -= len(a.before[0].Raw)
			a.before = a.before[1:]
		}
		return false
	case fr.Offset == a.ref.Offset:
		a.found = a.ref.Hash == [16]byte{} || a.ref.Hash == a.ref.Sealed(fr.Raw).Hash
		a.kept = 0
		return !a.found || a.n == 0
	case !a.found:
		return true
	}
	if a.kept+len(fr.Raw) > aroundBytes {
		return true
	}
	a.after = append(a.after, a.record(fr))
	return len(a.after) == a.n
}

func (a *around) record(fr *sources.Frame) sources.Record {
	a.kept += len(fr.Raw)
	ref := event.Ref{Source: a.ref.Source, Epoch: a.ref.Epoch, File: a.ref.File, Offset: fr.Offset, Len: int32(len(fr.Raw))}
	return sources.Record{Raw: bytes.Clone(fr.Raw), Ref: ref, Line: fr.Line, Flags: fr.Flags, Cut: fr.Cut}
}
