package agent

import (
	"context"
	"hash/fnv"
	"io/fs"
	"os"
	"strconv"
	"syscall"
	"time"
)

// lookAnew is how many looks for files pass until each is opened to try again
// whether it may be served: in between only its name is looked at.
const lookAnew = 10

// looker finds out what the file of stream id is, as guard.look does.
type looker func(id, path string) (fs.FileInfo, error)

// looker returns how this scan looks at files. One that is what it was the last
// time is not opened again; whoever reads it opens it through the guard anyway.
// The caller holds scanning.
func (c *catalog) looker() looker {
	c.scans++
	if c.scans%lookAnew == 1 {
		return func(_, path string) (fs.FileInfo, error) { return c.guard.look(path) }
	}
	known := c.entries // only a scan replaces it
	return func(id, path string) (fs.FileInfo, error) {
		if e := known[id]; e != nil && e.stat != nil && e.path == path {
			if st, err := os.Stat(path); err == nil && unchanged(e.stat, st) {
				return st, nil
			}
		}
		return c.guard.look(path)
	}
}

// unchanged says whether two looks saw the same file, with the same names and rights.
func unchanged(a, b fs.FileInfo) bool {
	x, ok := a.Sys().(*syscall.Stat_t)
	y, ok2 := b.Sys().(*syscall.Stat_t)
	return ok && ok2 && os.SameFile(a, b) && a.Mode() == b.Mode() && x.Nlink == y.Nlink && x.Uid == y.Uid && x.Gid == y.Gid
}

// replace makes what was found the catalog and tells who waits for a change.
func (c *catalog) replace(found map[string]*entry, order []*entry, trouble string) {
	listed := digestOf(order)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries, c.order, c.trouble = found, order, trouble
	if c.listed != listed {
		c.listed = listed
		close(c.changed)
		c.changed = make(chan struct{})
	}
}

// state returns the digest of the streams and what is closed when it changes.
func (c *catalog) state() (listed uint64, changed <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.listed, c.changed
}

// digestOf is of what the streams are in the upper half, never 0, and of their
// sizes in the lower one.
func digestOf(order []*entry) uint64 {
	what, sizes := fnv.New32a(), fnv.New32a()
	var b []byte
	for _, e := range order {
		b = append(append(append(append(b[:0], e.id...), 0), e.refused...), 0)
		b = append(strconv.AppendUint(b, e.file.Dev, 16), 0)
		b = append(strconv.AppendUint(b, e.file.Ino, 16), 0)
		_, _ = what.Write(b) // a hash never fails
		_, _ = sizes.Write(append(strconv.AppendInt(b[:0], e.size, 16), 0))
	}
	return uint64(what.Sum32()|1)<<32 | uint64(sizes.Sum32())
}

// await waits until the streams are others than those of listed, until a third of
// wait has passed and their sizes are others, or all of it has passed.
func (c *catalog) await(ctx context.Context, listed uint64, wait time.Duration) error {
	third, all := time.NewTimer(wait/3), time.NewTimer(wait)
	defer third.Stop()
	defer all.Stop()
	patient := true
	for {
		now, changed := c.state()
		if now>>32 != listed>>32 || !patient && now != listed {
			return nil
		}
		select {
		case <-changed:
		case <-third.C:
			patient = false
		case <-all.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
