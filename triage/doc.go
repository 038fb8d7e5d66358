// Package triage is the board: it groups hits into alerts, says which moves are
// legal, ranks what is waiting and defines the journal's bytes and hash chain.
//
// It is pure: no I/O, no clock, no goroutine, no lock (store.Desk adds those).
// Nothing blocks here. What may be lost is stated by the bounds in alert.go: an
// alert keeps at most MaxEntities entities and MaxSample bytes of its newest
// record; the count goes on.
//
// Legal moves:
//
//	take    from new, snoozed, and from taken by somebody else (a take-over, recorded)
//	close   from new, taken, snoozed; needs a verdict, never a note (two keys close an alert)
//	snooze  from new, taken, snoozed; until a time at most MaxSnooze away
//	note    from every state; needs text
//	reopen  from closed and snoozed
//	undo    of any person's move that still stands, while no later move on the
//	        same alerts stands; an undo can be undone, which makes the move again.
//	        Notes stand apart: they neither block an undo nor are blocked.
//	raise, reraise, wake   by the machine only
package triage
