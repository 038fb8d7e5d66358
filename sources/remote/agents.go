package remote

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"bartizan/event"
)

// Agents returns the agents that can be asked to search their files: this one.
func (p *Peer) Agents() []*Peer { return []*Peer{p} }

// Retire says for good why this peer will never have an agent, so that searches
// need not wait for one.
func (p *Peer) Retire(why error) { p.failed(why, 0) }

// StreamOf returns which stream of this agent the source is; ok is false when it
// is none, or while nobody knows the agent's name.
func (p *Peer) StreamOf(id event.SourceID) (stream string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	name := p.nameNow()
	if name == "" {
		return "", false
	}
	return strings.CutPrefix(string(id), string(p.sourceID(name, "")))
}

// The bounds on looking around a record: how far from its time records may lie,
// nearest first, and how many are looked at each time.
const aroundMatches = 4096

func aroundWithin() []time.Duration { return []time.Duration{time.Second, time.Minute, time.Hour} }

// Around returns up to n records before and after ref from the agent's file it lies
// in, oldest first. An agent has no call for that, so its files are searched around
// at, the record's time: what lies beside it by position but more than an hour away
// by time is not found. The error says that the record was not found there any more.
func (p *Peer) Around(ctx context.Context, stream string, ref event.Ref, at time.Time, n int) (before, after []Found, err error) {
	found := false
	for _, within := range aroundWithin() {
		var near []Found
		a := p.Search(ctx, Question{
			Query: "*", Streams: []string{stream}, From: at.Add(-within), To: at.Add(within), Matches: aroundMatches, Within: 20 * time.Second,
		}, func(f Found) bool {
			if f.Record.Ref.File == ref.File {
				near = append(near, f)
			}
			return true
		}, nil)
		if a.Err != nil {
			return nil, nil, a.Err
		}
		slices.SortFunc(near, func(x, y Found) int { return cmp.Compare(x.Record.Ref.Offset, y.Record.Ref.Offset) })
		i, here := slices.BinarySearchFunc(near, ref.Offset, func(f Found, off int64) int { return cmp.Compare(f.Record.Ref.Offset, off) })
		if here {
			found = true
			before, after = near[max(i-n, 0):i], near[i+1:min(i+1+n, len(near))]
		}
		if here && len(before) == n && len(after) == n || a.Stopped != "" {
			break
		}
	}
	if !found {
		return nil, nil, fmt.Errorf("agent %s does not find the record in stream %.80q any more: it was truncated, rotated away or compressed", p.display(), stream)
	}
	return before, after, nil
}
