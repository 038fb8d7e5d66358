package history

import (
	"context"
	"fmt"

	"bartizan/sources"
)

// Kept is a source without a file, and the spool that has its records.
type Kept struct {
	Info  sources.Info
	Spool *Spool
}

// FolderOf is a source's id as the name of one folder: what could lead elsewhere is
// %XX.
func FolderOf(id string) string {
	var b []byte
	for _, c := range []byte(id) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
			b = append(b, c)
		} else {
			b = fmt.Appendf(b, "%%%02X", c)
		}
	}
	return string(b)
}

// kept lists the spools to search, and how many bytes they are.
func (h *History) kept() (all []Kept, bytes int64) {
	if h.Kept == nil {
		return nil, 0
	}
	all = h.Kept()
	for _, k := range all {
		n, _, _ := k.Spool.Usage()
		bytes += n
	}
	return all, bytes
}

// spools searches what has no file, after the files.
func (s *search) spools(ctx context.Context, all []Kept, q Query) (bad []error) {
	for _, k := range all {
		size, _, _ := k.Spool.Usage()
		st := &reading{stream: s.history.Registry.Stream(k.Info)}
		err := k.Spool.Each(ctx, q.From, func(r *sources.Record) bool {
			r.Ref.Source = k.Info.ID
			if r.Lost > 0 {
				bad = append(bad, fmt.Errorf("%s: %s", k.Info.Name, r.Raw))
				return true
			}
			st.parse(r)
			s.stopped = !s.each(&st.last)
			return !s.stopped
		})
		if err != nil && ctx.Err() == nil {
			bad = append(bad, fmt.Errorf("%s could not be searched to its end: %w", k.Info.Name, err))
		}
		if s.stopped || ctx.Err() != nil {
			return bad
		}
		s.done += size
		s.Done = s.done
		s.report(s.Progress)
	}
	return bad
}
