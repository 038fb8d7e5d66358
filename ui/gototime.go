package ui

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"bartizan/event"
)

// askTime asks for a time and goes to the first record that is not earlier.
func (s *stream) askTime() tea.Cmd {
	p := &prompt{kind: "time", label: "go to: ", status: "03:12, 03:12:05, 2026-11-21 03:12, -15m or RFC 3339"}
	p.enter = s.gotoTime
	return s.c.ask(p, "")
}

func (c *Console) gotoTime(text string) tea.Cmd {
	if s := c.stream(); s != nil {
		return s.gotoTime(text)
	}
	return c.home.stream.gotoTime(text)
}

// parseTime reads a time as people write it: a time of day is the latest one.
func parseTime(text string, now time.Time, zone *time.Location) (time.Time, error) {
	text = strings.TrimSpace(text)
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(-max(d, -d)), nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t, nil
		}
	}
	for _, layout := range []string{"15:04:05", "15:04"} {
		t, err := time.ParseInLocation(layout, text, zone)
		if err != nil {
			continue
		}
		n := now.In(zone)
		t = time.Date(n.Year(), n.Month(), n.Day(), t.Hour(), t.Minute(), t.Second(), 0, zone)
		if t.After(now) {
			t = t.AddDate(0, 0, -1)
		}
		return t, nil
	}
	return time.Time{}, fmt.Errorf("%q is no time; write 03:12, 2026-11-21 03:12, -15m or RFC 3339", head(text, 40))
}

func (s *stream) gotoTime(text string) tea.Cmd {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	at, err := parseTime(text, s.c.now(), s.c.zone())
	if err != nil {
		s.c.complain("%s", clean(err.Error()))
		return nil
	}
	r := s.rows()
	lo, hi := r.bounds()
	if hi <= lo {
		s.c.complain("there is no record to go to")
		return nil
	}
	seqAt, live := s.seqs(r), s.live
	_, cmd := s.c.spawn(func(context.Context) func() tea.Cmd {
		var e event.Event
		i := sort.Search(int(hi-lo), func(i int) bool {
			return live.Read(seqAt(lo+int64(i)), &e) == nil && !e.Time.Before(at)
		})
		return func() tea.Cmd {
			s.list.Center(s.rows().pos(seqAt(min(lo+int64(i), hi-1))), s.height)
			if i == int(hi-lo) {
				s.c.say("nothing is as late as %s; this is the newest", s.c.full(at))
			}
			return nil
		}
	})
	return cmd
}

// seqs returns what maps a position to its event in a task: the rows themselves
// may change meanwhile, the slices they stand on now do not.
func (s *stream) seqs(r rows) func(int64) uint64 {
	switch r := r.(type) {
	case *sweep:
		up, down := r.up, r.down
		return func(pos int64) uint64 {
			if pos >= 0 {
				return up[pos]
			}
			return down[-1-pos]
		}
	case *timeline:
		shown := r.shown
		return func(pos int64) uint64 { return shown[pos].seq }
	}
	return r.seq
}
