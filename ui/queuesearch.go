package ui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

// askSearch looks for text in the titles and entities of the alerts shown.
func (q *queue) askSearch() tea.Cmd {
	before := q.look
	return q.c.ask(&prompt{
		kind: "search", label: "/",
		change: func(text string) tea.Cmd { q.look = lower(clean(text)); return nil },
		cancel: func() { q.look = before },
		enter:  func(string) tea.Cmd { return q.hop(1) },
	}, "")
}

func (q *queue) noSearch() string {
	if q.look == "" {
		return "nothing is searched for; / begins a search"
	}
	return ""
}

// hop goes to the next alert in direction dir that has the searched text.
func (q *queue) hop(dir int64) tea.Cmd {
	for i := q.list.Cursor + dir; q.look != "" && i >= 0 && i < int64(len(q.order)); i += dir {
		if a := q.at(i); a != nil && strings.Contains(lower(clean(a.Title)+"  "+entityWords(a.Group)), q.look) {
			q.list.To(i)
			return nil
		}
	}
	if q.look != "" {
		q.c.say("no further match")
	}
	return nil
}
