package ui

import (
	"context"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"bartizan/event"
	"bartizan/query"
)

// askSearch opens the search prompt; rows on the screen are marked while typing.
func (s *stream) askSearch() tea.Cmd {
	before := s.search
	p := &prompt{kind: "search", label: "/"}
	p.change = func(text string) tea.Cmd {
		found, err := parseSearch(text)
		p.status, p.bad = "", false
		if err != nil {
			p.status, p.bad = err.Error(), true
			return nil
		}
		s.search = found
		return nil
	}
	p.cancel = func() { s.search = before }
	p.enter = func(text string) tea.Cmd {
		if strings.TrimSpace(text) == "" {
			s.search = before
			return nil
		}
		found, err := parseSearch(text)
		if err != nil {
			s.search = before
			s.c.complain("%s", clean(err.Error()))
			return nil
		}
		s.search = found
		if s.list.Follow {
			return s.hopTo(-1, found.node)
		}
		return s.hopTo(1, found.node)
	}
	return s.c.ask(p, "")
}

// parseSearch reads a search: /text/ is a regular expression, anything else is
// looked for as it stands.
func parseSearch(text string) (search, error) {
	if text == "" {
		return search{}, nil
	}
	var node query.Node = &query.Pred{Op: query.OpContains, Value: text}
	if len(text) > 2 && text[0] == '/' && text[len(text)-1] == '/' {
		n, err := query.Parse(text)
		if err != nil {
			return search{}, err
		}
		node = n
	}
	m, err := query.Compile(node)
	return search{text, node, m}, err
}

// hop is a jump to the next row that matches, looked for chunk by chunk.
type hop struct {
	dir   int64
	node  query.Node // nil: rows that rules hit
	match *query.Matcher
	pos   int64 // the next position to look at
	task  *task
}

// hopTo looks from the row after the cursor in direction dir.
func (s *stream) hopTo(dir int64, node query.Node) tea.Cmd {
	s.stopHop("")
	r := s.rows()
	lo, hi := r.bounds()
	if hi <= lo {
		return nil
	}
	h := &hop{dir: dir, node: node, pos: s.list.Cursor + dir}
	if s.list.Follow {
		h.pos = hi - 1
		if s.list.Cursor == hi-1 && node == nil {
			h.pos = hi - 1 + dir
		}
	}
	if node != nil {
		m, err := query.Compile(node)
		if err != nil {
			s.c.complain("%s", clean(err.Error()))
			return nil
		}
		h.match = m
	}
	s.hop = h
	return s.hopOn()
}

func (s *stream) stopHop(words string) {
	if s.hop == nil {
		return
	}
	s.c.drop(s.hop.task)
	s.hop = nil
	if words != "" {
		s.c.say("%s", words)
	}
}

// hopOn looks through one more chunk.
func (s *stream) hopOn() tea.Cmd {
	h, r := s.hop, s.rows()
	lo, hi := r.bounds()
	if h.pos < lo || h.pos >= hi {
		s.stopHop("")
		s.c.say("%s", h.nothing())
		return nil
	}
	end := min(max(h.pos+h.dir*sweepChunk, lo-1), hi)
	find := s.finder(h, r, h.pos, end)
	live := s.live
	t, cmd := s.c.spawn(func(ctx context.Context) func() tea.Cmd {
		at, ok := find(ctx, live)
		return func() tea.Cmd {
			if s.hop != h {
				return nil
			}
			if ok {
				s.stopHop("")
				s.list.Center(s.rows().pos(at), s.height)
				return nil
			}
			h.pos = end
			s.c.say("searching, %d%%", int(100*float64(max(h.pos-lo, 0))/float64(hi-lo)))
			return s.hopOn()
		}
	})
	h.task = t
	return cmd
}

func (h *hop) nothing() string {
	what, back := "match", "N looks back"
	if h.node == nil {
		what, back = "hit", "E looks back"
	}
	if h.dir < 0 {
		return fmt.Sprintf("no earlier %s", what)
	}
	return fmt.Sprintf("no later %s; %s", what, back)
}

// finder returns a function that finds the first match from pos to end.
func (s *stream) finder(h *hop, r rows, pos, end int64) func(context.Context, Live) (uint64, bool) {
	if ring, ok := r.(ringRows); ok && h.match != nil {
		from, to := uint64(pos), uint64(max(end, 0))
		if h.dir < 0 {
			from, to = uint64(pos)+1, max(uint64(end+1), ring.first)
		}
		return func(ctx context.Context, l Live) (at uint64, ok bool) {
			err := l.Scan(ctx, from, to, h.match, func(seq uint64) bool { at, ok = seq, true; return false })
			return at, ok && err == nil
		}
	}
	seqs := make([]uint64, 0, max(end-pos, pos-end))
	for p := pos; p != end; p += h.dir {
		seqs = append(seqs, r.seq(p))
	}
	return func(ctx context.Context, l Live) (uint64, bool) { return firstOf(ctx, l, seqs, h.match) }
}

func firstOf(ctx context.Context, l Live, seqs []uint64, m *query.Matcher) (uint64, bool) {
	var e event.Event
	for i, seq := range seqs {
		if i%1024 == 0 && ctx.Err() != nil {
			return 0, false
		}
		if m == nil {
			if len(l.Hits(seq)) > 0 {
				return seq, true
			}
			continue
		}
		if l.Read(seq, &e) == nil && m.Match(&e) {
			return seq, true
		}
	}
	return 0, false
}
