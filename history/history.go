// Package history searches the logs where they lie: the files that are followed
// and their rotated and compressed generations. It keeps no copy and no index.
//
// A search reads files from disk for as long as it takes; it is called off by its
// context and says how far it is. Nothing is lost here: a file that cannot be
// read is returned as part of the error, after all others were searched.
package history

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bartizan/event"
	"bartizan/query"
	"bartizan/sources"
	"bartizan/sources/parse"
)

// aroundBytes bounds how much of a file is read on each side of a record.
const aroundBytes = 256 << 10

// History searches the files of some sources.
type History struct {
	Registry *parse.Registry
	Sources  func() []sources.Info // those that have a Path are searched
}

// generation is one file to search.
type generation struct {
	info sources.Info
	path string
	size int64
	mod  time.Time
}

// Search gives found every event that m matches with a time in [from, to) (zero
// is open), newest file first and in a file oldest first, until found returns
// false or ctx ends. progress is told the part of all bytes that was read.
func (h *History) Search(ctx context.Context, m *query.Matcher, from, to time.Time, found func(*event.Event) bool, progress func(float64)) error {
	all := h.generations(from)
	var total, done int64
	for _, g := range all {
		total += g.size
	}
	var bad []error
	stop := false
	for _, g := range all {
		err := h.file(ctx, g, func(e *event.Event) bool {
			if !from.IsZero() && e.Time.Before(from) || !to.IsZero() && !e.Time.Before(to) || !m.Match(e) {
				return true
			}
			stop = !found(e.Clone())
			return !stop
		})
		if ctx.Err() != nil || stop {
			return ctx.Err()
		}
		if err != nil {
			bad = append(bad, err)
		}
		done += g.size
		progress(float64(done) / float64(max(total, 1)))
	}
	return errors.Join(bad...)
}

// generations lists the files of all sources and their rotated siblings, newest
// first, leaving out those last written before from.
func (h *History) generations(from time.Time) []generation {
	var out []generation
	for _, info := range h.Sources() {
		if info.Path == "" {
			continue
		}
		paths := []string{info.Path}
		for _, pattern := range []string{".*", "-*"} {
			more, _ := filepath.Glob(globEscape(info.Path) + pattern) // the pattern is ours
			paths = append(paths, more...)
		}
		for _, p := range paths {
			st, err := os.Stat(p)
			if err != nil || !st.Mode().IsRegular() || st.ModTime().Before(from) {
				continue
			}
			out = append(out, generation{info, p, st.Size(), st.ModTime()})
		}
	}
	slices.SortStableFunc(out, func(a, b generation) int { return b.mod.Compare(a.mod) })
	return out
}

func globEscape(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// file reads one generation to its end, or until each returns false.
func (h *History) file(ctx context.Context, g generation, each func(*event.Event) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	batches := make(chan sources.Batch, 1)
	failed := make(chan error, 1)
	go func() {
		failed <- sources.NewStatic(g.path, g.info.ID, sources.SystemClock{}).Run(ctx, "", batches)
		close(batches)
	}()
	st := h.Registry.Stream(g.info)
	var slab parse.Slab
	var e event.Event
	going := true
	for b := range batches {
		slab.Reset()
		for i := 0; i < len(b.Records) && going; i++ {
			st.Parse(&b.Records[i], &slab, &e)
			going = each(&e)
		}
		if b.Done != nil {
			b.Done(nil)
		}
		if !going {
			cancel()
		}
	}
	if err := <-failed; err != nil && going {
		return fmt.Errorf("%s could not be searched to its end: %w", g.path, err)
	}
	return nil
}

// ErrNoFile says that a record's bytes lie in no file here.
var ErrNoFile = errors.New("what came before and after lies in no file on this host")

// Around returns up to n records before and after ref from the file it lies in,
// also when that was renamed since.
func (h *History) Around(ctx context.Context, ref event.Ref, n int) (before, after []*event.Event, err error) {
	info, f, err := h.find(ref)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = f.Close() }()
	start := max(ref.Offset-aroundBytes, 0)
	head := make([]byte, ref.Offset-start)
	if _, err := io.ReadFull(io.NewSectionReader(f, start, ref.Offset-start), head); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	tail := make([]byte, aroundBytes)
	m, err := f.ReadAt(tail, ref.Offset+int64(ref.Len))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	lines := splitLines(head)
	if start > 0 && len(lines) > 0 {
		lines = lines[1:]
	}
	rest := splitLines(bytes.TrimLeft(tail[:m], "\r\n"))
	if m == len(tail) && len(rest) > 0 {
		rest = rest[:len(rest)-1]
	}
	before = h.events(info, ref, lines[max(0, len(lines)-n):])
	after = h.events(info, ref, rest[:min(len(rest), n)])
	return before, after, ctx.Err()
}

// find opens the file a record lies in: the one at its source's path, or a
// sibling with the same identity.
func (h *History) find(ref event.Ref) (sources.Info, *os.File, error) {
	for _, info := range h.Sources() {
		if info.ID != ref.Source || info.Path == "" {
			continue
		}
		more, _ := filepath.Glob(globEscape(info.Path) + ".*") // the pattern is ours
		for _, p := range append([]string{info.Path}, more...) {
			if f := openAs(p, ref.File); f != nil {
				return info, f, nil
			}
		}
	}
	return sources.Info{}, nil, ErrNoFile
}

// openAs opens the file at path if it is that one. What is no regular file (a
// pipe would block) is not opened.
func openAs(path string, id event.FileID) *os.File {
	if st, err := os.Stat(path); err != nil || !st.Mode().IsRegular() {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	if have, err := sources.IDOf(f); err != nil || have != id {
		_ = f.Close()
		return nil
	}
	return f
}

func splitLines(b []byte) [][]byte {
	b = bytes.TrimSuffix(b, []byte{'\n'})
	if len(b) == 0 {
		return nil
	}
	return bytes.Split(b, []byte{'\n'})
}

func (h *History) events(info sources.Info, ref event.Ref, lines [][]byte) []*event.Event {
	st := h.Registry.Stream(info)
	var slab parse.Slab
	var out []*event.Event
	for _, l := range lines {
		var e event.Event
		raw := bytes.TrimSuffix(l, []byte{'\r'})
		st.Parse(&sources.Record{Raw: raw, Ref: event.Ref{Source: ref.Source, File: ref.File, Len: int32(len(raw))}, Seen: time.Now()}, &slab, &e)
		out = append(out, e.Clone())
		slab.Reset()
	}
	return out
}
