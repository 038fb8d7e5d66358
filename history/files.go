package history

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"bartizan/event"
	"bartizan/sources"
)

// generation is one file to search.
type generation struct {
	info    sources.Info
	path    string
	id      event.FileID
	size    int64
	mod     time.Time
	rotated bool // nothing is written to it any more
}

// generations lists the files of all sources and their rotated siblings, newest
// first and each once, leaving out those last written before from; older says
// that there are such.
func (h *History) generations(from time.Time) (out []generation, older bool, bad []error) {
	var all []generation
	infos := h.Sources()
	for _, info := range infos {
		g, err := own(info)
		all, bad = append(all, g...), appendErr(bad, err)
	}
	for _, info := range infos {
		g, err := siblings(info)
		all, bad = append(all, g...), appendErr(bad, err)
	}
	known := map[event.FileID]bool{}
	for _, g := range all {
		switch {
		case known[g.id]:
		case g.mod.Before(from):
			older = true
		default:
			out = append(out, g)
		}
		known[g.id] = true
	}
	slices.SortStableFunc(out, func(a, b generation) int { return b.mod.Compare(a.mod) })
	return out, older, bad
}

func appendErr(list []error, err error) []error {
	if err == nil {
		return list
	}
	return append(list, err)
}

// own returns the file at the source's path; none when there is nothing, or
// something else than a file (opening a pipe would wait for its writer).
func own(info sources.Info) ([]generation, error) {
	if info.Path == "" {
		return nil, nil
	}
	st, err := os.Stat(info.Path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !st.Mode().IsRegular() {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot be searched: %w", info.Path, err)
	}
	return []generation{generationOf(info, info.Path, st, false)}, nil
}

// siblings returns the rotated files beside the one the source's path leads to.
// A link is none: it could lead anywhere.
func siblings(info sources.Info) ([]generation, error) {
	if info.Path == "" {
		return nil, nil
	}
	target, err := filepath.EvalSymlinks(info.Path)
	if err != nil {
		target = info.Path
	}
	dir, base := filepath.Split(target)
	entries, err := os.ReadDir(filepath.Clean(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the rotated files of %s cannot be searched: %w", info.Path, err)
	}
	var out []generation
	for _, e := range entries {
		if !sources.Rotated(base, e.Name()) {
			continue
		}
		if st, err := e.Info(); err == nil && st.Mode().IsRegular() { // else it is gone by now
			out = append(out, generationOf(info, dir+e.Name(), st, true))
		}
	}
	return out, nil
}

func generationOf(info sources.Info, path string, st fs.FileInfo, rotated bool) generation {
	return generation{info: info, path: path, id: sources.IDOfInfo(st), size: st.Size(), mod: st.ModTime(), rotated: rotated}
}

// whereabouts returns the path the generation has now: a rotation may have
// renamed it since it was listed.
func (h *History) whereabouts(g generation) (string, error) {
	if st, err := os.Stat(g.path); err == nil && sources.IDOfInfo(st) == g.id {
		return g.path, nil
	}
	now, err := find(g.info, g.id)
	if err == nil && now == nil {
		err = fmt.Errorf("%s was rotated away or compressed before it was searched: search again", g.path)
	}
	if err != nil {
		return "", err
	}
	return now.path, nil
}

// find returns the file of the source that has this identity; nil: there is none.
func find(info sources.Info, id event.FileID) (*generation, error) {
	mine, ownErr := own(info)
	rotated, err := siblings(info)
	for _, g := range append(mine, rotated...) {
		if g.id == id {
			return &g, nil
		}
	}
	return nil, errors.Join(ownErr, err)
}

// open opens the generation if its path still names it. It does not block.
func (h *History) open(g *generation) (*os.File, error) {
	open := h.Open
	if open == nil {
		open = func(path string) (*os.File, error) { return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) }
	}
	f, err := open(g.path)
	if err != nil {
		return nil, err
	}
	id, err := sources.IDOf(f)
	if err == nil && id != g.id {
		err = fmt.Errorf("%s was rotated away just now: look again", g.path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
