package ui

import (
	"context"
	"fmt"

	tea "charm.land/bubbletea/v2"

	"bartizan/triage"
)

// undoReach is how many rows of the journal are searched for a move to undo.
const undoReach = 1000

// undo takes back the latest decision of this person that still stands, also one
// of an earlier session; pressed again it goes further back.
func (c *Console) undo() tea.Cmd {
	desk, me, at := c.opt.Desk, c.opt.Actor, c.now()
	_, cmd := c.spawn(func(context.Context) func() tea.Cmd {
		words, err := undoLatest(desk, me, triage.Move{Do: triage.DoUndo, By: me, At: at})
		return func() tea.Cmd {
			c.refresh()
			if err != nil {
				c.complain("not undone: %s", clean(err.Error()))
				return c.changed()
			}
			c.say("%s", words)
			return c.changed()
		}
	})
	return cmd
}

func undoLatest(d Desk, me triage.Actor, m triage.Move) (string, error) {
	entries, err := d.Journal("", undoReach)
	if err != nil {
		return "", err
	}
	undone := map[triage.MoveID]bool{}
	for i := len(entries) - 1; i >= 0; i-- {
		e := entries[i]
		if e.Undoes != 0 {
			undone[e.Undoes] = true
			continue
		}
		if undone[e.ID] || !personal(e) || e.By.UID != me.UID || e.By.Name != me.Name {
			continue
		}
		m.Undoes = e.ID
		_, err := d.Apply(m)
		if e.Host != "" {
			return fmt.Sprintf("undid %s of host %s; u goes further back", e.Do, clean(e.Host)), err
		}
		return fmt.Sprintf("undid %s of %s; u goes further back", e.Do, plural(len(e.On), "alert")), err
	}
	return "", fmt.Errorf("none of the last %d decisions is yours and still stands", undoReach)
}

// personal says whether a row is a person's decision.
func personal(e triage.Entry) bool {
	switch e.Do {
	case triage.DoTake, triage.DoClose, triage.DoSnooze, triage.DoNote, triage.DoReopen, triage.DoDistrust, triage.DoTrust:
		return !e.By.Machine
	}
	return false
}
