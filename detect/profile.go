package detect

import (
	"cmp"
	"slices"
	"time"
)

// Profile is what matching cost, rule by rule.
type Profile struct {
	Events uint64        // matched whose log source has rules
	Index  time.Duration // finding out which rules are possible, for all events
	Rules  []RuleCost    // every rule with a condition, the most expensive first
}

// RuleCost is what one rule cost.
type RuleCost struct {
	Rule        *Rule
	Events      uint64        // of its log source: so often it would be evaluated without the index
	Evaluations uint64        // of its condition: so often the index held it to be possible
	Hits        uint64        //
	Time        time.Duration // of the evaluations, one reading of the clock each included; a predicate that several rules share is paid by the first that asks
}

// profile is what one matcher measures while it is asked to.
type profile struct {
	now    func() time.Duration
	events map[*route]uint64
	index  time.Duration
	rules  []ruleCost
}

type ruleCost struct {
	evaluations, hits uint64
	time              time.Duration
}

// Profile begins to measure every evaluation by a monotonic clock, from zero; nil
// ends it. It costs two readings of the clock per event and one per evaluation
// while it is on, and nothing when it is off.
func (m *Matcher) Profile(now func() time.Duration) {
	m.until = 0
	if m.profile = nil; now != nil {
		m.profile = &profile{now: now, events: map[*route]uint64{}, rules: make([]ruleCost, len(m.set.rules))}
	}
}

// ProfileOf adds up what matchers of one set measured; matchers that do not measure
// and those of other sets count nothing. None may be in use meanwhile.
func ProfileOf(matchers ...*Matcher) Profile {
	var out Profile
	var set *Set
	var events []uint64
	for _, m := range matchers {
		if m == nil || m.profile == nil || set != nil && m.set != set {
			continue
		}
		if set == nil {
			set = m.set
			events, out.Rules = make([]uint64, len(set.rules)), make([]RuleCost, len(set.rules))
		}
		out.add(m.profile, events)
	}
	for i := range out.Rules {
		out.Rules[i].Rule, out.Rules[i].Events = set.rules[i], events[i]
	}
	out.Rules = slices.DeleteFunc(out.Rules, func(c RuleCost) bool { return c.Rule.Cond == nil })
	slices.SortStableFunc(out.Rules, func(a, b RuleCost) int {
		return cmp.Or(cmp.Compare(b.Time, a.Time), cmp.Compare(b.Evaluations, a.Evaluations))
	})
	return out
}

func (p *Profile) add(one *profile, events []uint64) {
	p.Index += one.index
	for route, n := range one.events {
		p.Events += n
		for _, r := range route.rules {
			events[r] += n
		}
	}
	for i := range one.rules {
		c := &one.rules[i]
		p.Rules[i].Evaluations += c.evaluations
		p.Rules[i].Hits += c.hits
		p.Rules[i].Time += c.time
	}
}

// evaluate is the part of Match behind the index, measured.
func (m *Matcher) evaluate(began time.Duration, now func() time.Duration, off *bitset) {
	t := now()
	if m.profile != nil {
		m.profile.index += t - began
		m.profile.events[m.route.route]++
	}
	m.took = slices.Grow(m.took[:0], len(m.todo))[:len(m.todo)]
	for i, r := range m.todo {
		m.took[i] = 0
		if off != nil && off.has(r) {
			continue
		}
		yes := m.eval(m.set.code[r], 0)
		if yes {
			m.hits = append(m.hits, r)
		}
		before := t
		t = now()
		m.took[i] = t - before
		if m.profile != nil {
			m.profile.rules[r].add(m.took[i], yes)
		}
	}
}

func (c *ruleCost) add(took time.Duration, hit bool) {
	c.evaluations++
	c.time += took
	if hit {
		c.hits++
	}
}

// watch is the part of Match behind the index for an event that is measured, with
// the decision which one is the next.
func (m *Matcher) watch(began time.Duration, off *bitset) {
	l := &m.set.limiter
	now := l.Now
	if m.profile != nil {
		now = m.profile.now
	}
	m.evaluate(began, now, off)
	if l.meters == nil {
		return
	}
	if m.set.take(m.todo, m.took) {
		m.stride, m.quiet = 1, 0
	} else if m.quiet++; m.quiet >= quietSamples {
		m.stride, m.quiet = min(2*m.stride, l.Every), 0
	}
	m.until = m.stride - 1
}

// measured reports whether the event at hand is one to measure, and the time.
func (m *Matcher) measured() (began time.Duration, yes bool) {
	switch {
	case m.profile != nil:
		return m.profile.now(), true
	case m.set.limiter.meters == nil:
		m.until = 1 << 62
		return 0, false
	}
	return 0, true
}
