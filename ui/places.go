package ui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

// maxPlaces bounds the way back; the oldest place after the first is forgotten.
const maxPlaces = 64

// places is the way a person came: screens stay as they were left, so going
// back restores the exact position.
type places struct {
	list []Screen
	at   int
}

func (p *places) now() Screen { return p.list[p.at] }

// open goes to s; what was ahead is forgotten.
func (p *places) open(s Screen) {
	if len(p.list) > 0 {
		p.list = p.list[:p.at+1]
	}
	if len(p.list) >= maxPlaces {
		p.list = append(p.list[:1], p.list[2:]...)
	}
	p.list = append(p.list, s)
	p.at = len(p.list) - 1
}

func (p *places) move(n int) { p.at = min(max(p.at+n, 0), len(p.list)-1) }

func (p *places) noBack() string {
	if p.at == 0 {
		return "this is the first place"
	}
	return ""
}

func (p *places) noForward() string {
	if p.at == len(p.list)-1 {
		return "there is no place further on"
	}
	return ""
}

// crumbs is the way from the first place to here.
func (p *places) crumbs(sep string) string {
	var names []string
	for _, s := range p.list[:p.at+1] {
		names = append(names, s.Title())
	}
	return strings.Join(names, " "+sep+" ")
}

// visit opens a screen, or goes on with it when it is the place already.
func (c *Console) visit(s Screen) tea.Cmd {
	if c.places.now().Title() != s.Title() {
		c.places.open(s)
	}
	return c.changed()
}
