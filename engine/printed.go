package engine

import (
	"fmt"
	"strings"

	"bartizan/event"
	"bartizan/triage"
)

// untold is where the board keeps, in the transaction that put alerts on disk, which
// of them nobody has been told about yet: an engine that is killed in between
// tells of them when it starts again.
const untold = event.SourceID("untold alerts")

// stillUntold are the alerts an engine before this one had no time to tell of.
func (e *Engine) stillUntold() (ids []triage.AlertID) {
	if e.o.Alert == nil {
		return nil
	}
	for _, id := range strings.Fields(e.o.Positions[untold]) {
		ids = append(ids, triage.AlertID(id))
	}
	return ids
}

// owe adds to what is committed now whom to tell afterwards.
func (c *committer) owe(positions map[event.SourceID]string, tell []triage.AlertID) {
	if c.e.o.Alert == nil || len(tell) == 0 && !c.owes {
		return
	}
	var list strings.Builder
	for _, id := range tell {
		list.WriteString(string(id) + " ")
	}
	positions[untold] = list.String()
}

// print gives the work's records to whoever asked for every record, before they
// count as read. After a failure nothing counts as read any more, and the engine ends.
func (q *sequencer) print(w *work) bool {
	if q.e.o.Records == nil || w.replay || len(w.events) == 0 {
		return true
	}
	if q.unprinted == nil {
		if err := q.e.o.Records(w.events); err != nil {
			q.unprinted = fmt.Errorf("records cannot be printed any more: %w", err)
			q.stop()
		}
	}
	return q.unprinted == nil
}
