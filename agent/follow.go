package agent

import (
	"errors"
	"io/fs"
	"os"

	"bartizan/event"
	"bartizan/sources"
)

// door opens files for the follower of one Read: the path of its stream and the
// rotated names beside it, over time. Nothing comes in but what the guard opens.
type door struct {
	guard   *guard
	path    string
	refused chan error // the first refusal of what path names
}

func newDoor(g *guard, path string) *door {
	return &door{guard: g, path: path, refused: make(chan error, 1)}
}

// open is for sources.FileOptions. That the path itself leads to what must not
// be read ends the Read; what is gone or was just replaced is looked at again.
func (d *door) open(path string) (*os.File, error) {
	f, err := d.guard.open(path)
	if err == nil || path != d.path || errors.Is(err, fs.ErrNotExist) || errors.Is(err, errReplaced) {
		return f, err
	}
	select {
	case d.refused <- err:
	default: // one is enough
	}
	return nil, err
}

// tail returns where the last n bytes of the stream's file begin, "" when there
// is no file yet.
func (d *door) tail(n int64) (sources.Position, error) {
	f, err := d.guard.open(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return sources.TailOf(f, n)
}

// follower returns a follower of the stream's file, for one Read.
func (d *door) follower(id event.SourceID) sources.Source {
	return sources.NewFile(d.path, sources.FileOptions{ID: id, Open: d.open})
}
