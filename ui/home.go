package ui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

// pane is a part of the alerts screen.
type pane int

const (
	paneAlerts pane = iota
	paneStream
)

// home is the first screen: alerts over a stream as wide as the terminal, so
// that the terminal itself can scroll the stream.
type home struct {
	c      *Console
	stream *stream
	focus  pane
	full   bool // only the focused pane is shown
}

func newHome(c *Console) *home {
	return &home{c: c, stream: newStream(c, "stream")}
}

// Title is the first crumb.
func (h *home) Title() string { return "alerts" }

// show goes to the first screen as it was left, with the focus on p. There it
// gives the pane all of the screen, or splits it again when p has it already.
func (h *home) show(p pane) tea.Cmd {
	if h.c.places.at == 0 {
		h.full = h.focus != p || !h.full
	}
	h.c.places.at, h.focus = 0, p
	return h.c.changed()
}

// Keys are those of the focused pane.
func (h *home) Keys() []Binding {
	swap := func() tea.Cmd { h.focus = 1 - h.focus; return nil }
	var out []Binding
	if h.focus == paneAlerts {
		out = h.c.queue.keys()
	} else {
		out = h.stream.keys()
		out = append(out, Binding{Name: "new", Off: h.c.queue.noNew, Do: h.c.queue.takeInKey})
	}
	return append(out, Binding{Name: "next-pane", Hint: "pane", Do: swap}, Binding{Name: "previous-pane", Do: swap})
}

// Take looks for more rows.
func (h *home) Take(tea.Msg) tea.Cmd { return h.stream.take() }

func (h *home) undoStep() (bool, tea.Cmd) {
	if h.focus == paneAlerts && h.c.queue.undoStep() {
		return true, nil
	}
	return h.stream.undoStep()
}

// Draw shows both panes, or the focused one where there is no room for two.
func (h *home) Draw(w, height int) string {
	if h.full || h.c.opt.Plain || height < 6 {
		if h.focus == paneAlerts {
			return strings.Join(h.c.queue.draw(w, height, true), "\n")
		}
		return strings.Join(h.stream.draw(w, height, true), "\n")
	}
	top := h.split(height)
	lines := h.c.queue.draw(w, top, h.focus == paneAlerts)
	for len(lines) < top {
		lines = append(lines, "")
	}
	lines = append(lines, h.stream.draw(w, height-top, h.focus == paneStream)...)
	return strings.Join(lines, "\n")
}

// split is how many lines the alerts get: what they need, between 3 and a third.
// Their number only changes when the person asks for it, so that the stream
// below does not jump.
func (h *home) split(height int) int {
	return max(min(int(h.c.queue.len())+2, height/3), 3)
}
