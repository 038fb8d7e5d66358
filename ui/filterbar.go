package ui

import (
	"context"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"bartizan/event"
	"bartizan/query"
)

// typingPause is how long nothing must be typed before matches are counted.
const typingPause = 120 * time.Millisecond

// askFilter opens the filter bar: it counts what would match before Enter and
// says in one sentence where a filter is wrong.
func (s *stream) askFilter() tea.Cmd {
	var counting *task
	p := &prompt{kind: "filter", label: "filter: ", offer: s.offerNames}
	p.change = func(text string) tea.Cmd {
		s.c.drop(counting)
		p.status, p.bad = "empty shows everything; names, values, and or not, * for any: user: root and not ip: 10.0.0.0/8", false
		if strings.TrimSpace(text) == "" {
			return nil
		}
		f, err := parseFilter(text)
		if err != nil {
			p.status, p.bad = err.Error(), true
			return nil
		}
		m, err := query.Compile(both(s.within, f.node))
		if err != nil {
			p.status, p.bad = err.Error(), true
			return nil
		}
		p.status = "counting"
		n := &counter{c: s.c, p: p, m: m, at: s.c.snap.next, task: &counting}
		return n.next(typingPause)
	}
	p.cancel = func() { s.c.drop(counting) }
	p.enter = func(text string) tea.Cmd {
		s.c.drop(counting)
		return s.setFilter(text)
	}
	return s.c.ask(p, s.filter.text)
}

// parseFilter reads a filter; empty is none.
func parseFilter(text string) (filter, error) {
	text = strings.TrimSpace(text)
	if text == "" || text == "*" {
		return filter{}, nil
	}
	n, err := query.Parse(text)
	return filter{text, n}, err
}

func (s *stream) setFilter(text string) tea.Cmd {
	f, err := parseFilter(text)
	if err != nil {
		s.c.complain("%s", clean(err.Error()))
		return nil
	}
	if f.text == s.filter.text {
		return nil
	}
	s.filter = f
	return s.rebuild()
}

// filterTo filters the stream of the alerts screen, from the palette.
func (c *Console) filterTo(text string) tea.Cmd {
	if s := c.stream(); s != nil {
		return s.setFilter(text)
	}
	return c.home.stream.setFilter(text)
}

// stream is the stream of the open screen, nil when it has none.
func (c *Console) stream() *stream {
	switch s := c.places.now().(type) {
	case *home:
		return s.stream
	case *entity:
		return s.stream
	}
	return nil
}

// counter counts what a filter matches in the ring, newest first, and shows the
// count as it grows.
type counter struct {
	c     *Console
	p     *prompt
	m     *query.Matcher
	at    uint64 // what is left to look at ends here
	found uint64
	total uint64
	task  **task
}

func (n *counter) next(pause time.Duration) tea.Cmd {
	live, first, from := n.c.opt.Live, n.c.snap.first, n.at
	to := max(from-min(from, sweepChunk), first)
	after := n.c.opt.After
	t, cmd := n.c.spawn(func(ctx context.Context) func() tea.Cmd {
		if pause > 0 {
			select {
			case <-after(pause):
			case <-ctx.Done():
				return nil
			}
		}
		var found uint64
		err := live.Scan(ctx, from, to, n.m, func(uint64) bool { found++; return true })
		return func() tea.Cmd { return n.add(from-to, to, found, err) }
	})
	*n.task = t
	return cmd
}

func (n *counter) add(looked, to, found uint64, err error) tea.Cmd {
	n.found, n.total, n.at = n.found+found, n.total+looked, to
	if err != nil {
		n.p.status, n.p.bad = err.Error(), true
		return nil
	}
	if first := n.c.snap.first; n.at > first {
		n.p.status = fmt.Sprintf("%s of %s match so far, %s to look at", count(n.found), count(n.total), count(n.at-first))
		return n.next(0)
	}
	n.p.status = fmt.Sprintf("%s of %s in memory match; Enter shows them", count(n.found), count(n.total))
	return nil
}

// offerNames completes the word that is being written, with the names that the
// row under the cursor has.
func (s *stream) offerNames(text string) []pick {
	var names []string
	var e event.Event
	if seq, ok := s.current(); ok && s.live.Read(seq, &e) == nil {
		for _, f := range e.Fields {
			names = append(names, f.Name)
		}
	}
	at := query.WordStart(text, len(text))
	if at == len(text) && text != "" {
		return nil
	}
	var out []pick
	for _, n := range query.Complete(text, len(text), names) {
		out = append(out, pick{text[:at] + n, s.c.nameWords(&e, strings.TrimRight(n, ": ")), n})
	}
	return out
}

// nameWords says what a name is, or which value it has in the row.
func (c *Console) nameWords(e *event.Event, name string) string {
	if v := e.Text(name); v != "" {
		return "here: " + c.opt.Mask.MaskField(name, head(v, 60))
	}
	if at := event.EnrichedAt(name); at >= 0 {
		return event.EnrichedNames()[at].Words
	}
	for _, n := range query.ShortNames() {
		if n.Name == name {
			return n.Words
		}
	}
	return ""
}
