// Package detect holds what a rule is, what a hit is, and the set of rules that
// tells which of thousands of them one event satisfies.
//
// A Set is an immutable snapshot: build a new one and swap the pointer to reload.
// It finds candidates by log source and by the literals a rule cannot hold
// without, so its cost follows what is in the event and not how many rules there
// are; rules that have no such literal are tried on every event of their log
// source and are listed by Set.Expensive. A Matcher is one worker's scratch.
// A Correlator keeps the windows of rules that need several events; its states are
// capped, the least recently used one gives way, and Evicted counts that loss.
//
// Nothing here blocks or does I/O. Lost can be: states of a Correlator (counted).
package detect
