package engine

import (
	"encoding/json"
	"math"
	"time"

	"bartizan/event"
)

// usualEvery is how often what was learnt of sources is written to the board, in
// the transaction of positions; the last writing is at the end.
const usualEvery = time.Minute

// usualKey is where the board keeps what is usual for a source, beside positions.
func usualKey(id event.SourceID) event.SourceID { return "usual " + id }

// keptUsual is a usual as the board keeps it.
type keptUsual struct {
	Weight  []float64      `json:"weight"` // seconds, see usual
	Total   float64        `json:"total"`
	Pauses  int            `json:"pauses"`
	First   time.Time      `json:"first"`
	Last    time.Time      `json:"last"`
	Decayed float64        `json:"decayed"`
	Lately  [][2]time.Time `json:"lately,omitempty"`
}

// text returns what was learnt, for the board; "" when nothing was since the call
// before.
func (u *usual) text() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.pauses == 0 || u.pauses == u.kept {
		return ""
	}
	k := keptUsual{Weight: u.weight[:], Total: u.total, Pauses: u.pauses, First: u.first, Last: u.last, Decayed: u.decayed}
	for _, l := range u.lately {
		k.Lately = append(k.Lately, [2]time.Time{l.from, l.to})
	}
	b, err := json.Marshal(k)
	if err != nil {
		return "" // a time outside the years that JSON has: nobody's log
	}
	u.kept = u.pauses
	return string(b)
}

// readUsual reads what text wrote; anything else is forgotten, and learnt anew.
func readUsual(text string) *usual {
	var k keptUsual
	u := &usual{}
	if text == "" || json.Unmarshal([]byte(text), &k) != nil || len(k.Weight) != len(u.weight) || k.Pauses <= 0 || len(k.Lately) > maxPauses {
		return u
	}
	for _, w := range append(k.Weight, k.Total, k.Decayed) {
		if w < 0 || math.IsNaN(w) || math.IsInf(w, 0) {
			return u
		}
	}
	copy(u.weight[:], k.Weight)
	u.total, u.pauses, u.first, u.last, u.decayed, u.kept = k.Total, k.Pauses, k.First, k.Last, k.Decayed, k.Pauses
	for _, l := range k.Lately {
		u.lately = append(u.lately, lull{l[0], l[1]})
	}
	return u
}

// through is the newest time that something was learnt of.
func (u *usual) through() time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.last
}

// keepUsual adds to what is committed now what was learnt of sources lately.
func (c *committer) keepUsual(positions map[event.SourceID]string) {
	now := time.Now()
	if !c.isClosed() && now.Sub(c.usualAt) < usualEvery {
		return
	}
	c.usualAt = now
	for _, st := range c.e.feeds.streams() {
		if st.clock == nil {
			continue
		}
		if text := st.clock.usual.text(); text != "" {
			positions[usualKey(st.info.ID)] = text
		}
	}
}

// streams are the open sources.
func (f *feeds) streams() []*stream {
	f.mu.RLock()
	defer f.mu.RUnlock()
	out := make([]*stream, len(f.order))
	for i, fd := range f.order {
		out[i] = fd.stream
	}
	return out
}
