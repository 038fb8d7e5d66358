package engine

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"bartizan/detect"
	"bartizan/sources/parse"
)

// settleTime is how long an engine listens, or how much of a place's time it must
// have seen, before it says that something does not arrive: cloud logs come every
// five to ten minutes.
const settleTime = 15 * time.Minute

// foldFrom is from how many places on the same gap is told once for all of them.
const foldFrom = 4

// maxGapNames bounds the places that one gap names.
const maxGapNames = 64

// Gap is a log that does not arrive and that a rule, or a person, would need.
type Gap struct {
	ID     string         // of the kind of log, as docs/coverage.md has it
	Place  Place          // what lacks it
	Names  []string       // which, sorted, at most 64; "" is the only one there is
	More   int            // further ones
	Log    string         // what does not arrive
	Why    string         // one sentence: what arrives that shows it, and how much of that was looked at
	Mend   string         // setting or command
	Then   string         // what to mind about it; may be ""
	Rules  []*detect.Rule // that can match nothing without it, in their order
	Looked uint64         // records looked at
}

// String is the gap in one line.
func (g *Gap) String() string {
	text := g.Where() + ": " + g.Log + " " + verb(g.Log) + " not arriving: " + g.Why
	if n := len(g.Rules); n > 0 {
		text += "; " + g.Lacking()
	}
	return text
}

// verb is "is" or "are" for a log's name.
func verb(log string) string {
	if strings.Contains(log, "logs") || strings.Contains(log, "events of") || strings.HasPrefix(log, "started programs") {
		return "are"
	}
	return "is"
}

// Where names the place or places: "bucket a, b and 12 more".
func (g *Gap) Where() string {
	names := g.Names[:min(len(g.Names), foldFrom-1)]
	more := g.More + len(g.Names) - len(names)
	word := g.Place.String()
	switch {
	case len(g.Names) == 1 && g.Names[0] == "" && g.Place == PlaceHost:
		return "a host that its logs do not name"
	case len(g.Names) == 1 && g.Names[0] == "":
		return "the " + word
	case more > 0:
		return fmt.Sprintf("%ss %s and %d more", word, strings.Join(names, ", "), more)
	case len(names) > 1:
		return word + "s " + strings.Join(names, ", ")
	}
	return word + " " + strings.Join(names, "")
}

// Lacking counts the rules: "17 rules can never match: A, B and 15 more".
func (g *Gap) Lacking() string {
	if len(g.Rules) == 0 {
		return "no loaded rule needs it"
	}
	var titles []string
	for _, r := range g.Rules[:min(len(g.Rules), 3)] {
		titles = append(titles, cmp.Or(r.Title, r.ID))
	}
	text := fmt.Sprintf("%d rules can never match: %s", len(g.Rules), strings.Join(titles, ", "))
	if len(g.Rules) == 1 {
		text = "1 rule can never match: " + titles[0]
	}
	if more := len(g.Rules) - len(titles); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// Gaps says what does not arrive, by what was seen and what rules need: those that
// most rules need first. own is this host's name. Places of which less than settled
// was seen are passed over; early says how often. needs may be nil.
func (c *Census) Gaps(needs *Needs, own string, settled time.Duration) (out []Gap, early int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	places := c.asSeen(own)
	for i := range wants {
		gaps, n := gapsOf(&wants[i], places, needs, settled)
		out, early = append(out, gaps...), early+n
	}
	slices.SortStableFunc(out, func(a, b Gap) int {
		return cmp.Or(len(b.Rules)-len(a.Rules), int(a.Place)-int(b.Place), strings.Compare(a.Names[0], b.Names[0]))
	})
	return out, early
}

// asSeen is what was seen of every place. What hosts said without a name (audit
// records seldom have one) is this host's where it is one of those seen, else
// everybody's, so that nothing is called missing that may be there. Pods are in a
// cluster with an audit log where there is one.
func (c *Census) asSeen(own string) map[placeKey]*placeSeen {
	own, _, _ = strings.Cut(own, ".")
	out := make(map[placeKey]*placeSeen, len(c.places))
	audited := false
	for k, s := range c.places {
		seen := *s
		out[k] = &seen
		audited = audited || k.place == PlaceCluster && s.saw&sawAudit != 0
	}
	if pods := out[placeKey{PlaceCluster, ""}]; pods != nil && audited {
		pods.saw |= sawAudit | sawBodies
	}
	none := out[placeKey{PlaceHost, ""}]
	if none == nil {
		return out
	}
	if s := out[placeKey{PlaceHost, own}]; s != nil && own != "" {
		s.saw |= none.saw
		delete(out, placeKey{PlaceHost, ""})
		return out
	}
	for k, s := range out {
		if k.place == PlaceHost && k.name != "" {
			s.saw |= none.saw &^ (sawAuth | sawSudoSession)
			delete(out, placeKey{PlaceHost, ""})
		}
	}
	return out
}

// hole is one place that lacks a log.
type hole struct {
	name, region string
	seen         *placeSeen
}

func gapsOf(w *Wanted, places map[placeKey]*placeSeen, needs *Needs, settled time.Duration) (out []Gap, early int) {
	var holes []hole
	for k, s := range places {
		if k.place != w.Place || !w.missing(s) {
			continue
		}
		if s.to.Sub(s.from) < settled {
			early++
			continue
		}
		if w.ID != "cloudtrail-region" {
			holes = append(holes, hole{k.name, "", s})
			continue
		}
		for _, r := range s.untrailed() {
			holes = append(holes, hole{k.name, r, s})
		}
	}
	slices.SortFunc(holes, func(a, b hole) int {
		return cmp.Or(strings.Compare(a.seen.owner, b.seen.owner), strings.Compare(a.name, b.name), strings.Compare(a.region, b.region))
	})
	for _, group := range alike(w, holes) {
		out = append(out, gapOf(w, group, needs))
	}
	return out, early
}

// alike puts places together that lack the same for the same rules: all of them
// where they are many, else each for itself.
func alike(w *Wanted, holes []hole) [][]hole {
	by := map[string][]hole{}
	var order []string
	for _, h := range holes {
		key := fmt.Sprint(h.seen.owner, " ", h.seen.saw&(sawRuntime|sawAuditd|sawPeerAddress))
		if w.Place == PlaceAccount {
			key = h.name + " " + h.region
		}
		if by[key] == nil {
			order = append(order, key)
		}
		by[key] = append(by[key], h)
	}
	var out [][]hole
	for _, key := range order {
		if group := by[key]; len(group) >= foldFrom {
			out = append(out, group)
		} else {
			for i := range group {
				out = append(out, group[i:i+1])
			}
		}
	}
	return out
}

func gapOf(w *Wanted, holes []hole, needs *Needs) Gap {
	h := holes[0]
	fill := strings.NewReplacer("{name}", cmp.Or(h.name, "NAME"), "{region}", h.region).Replace
	g := Gap{ID: w.ID, Place: w.Place, Log: fill(w.Log), Mend: fill(w.Mend), Then: fill(w.Then)}
	var from, to time.Time
	for _, x := range holes {
		if len(g.Names) < maxGapNames {
			g.Names = append(g.Names, x.name)
		} else {
			g.More++
		}
		g.Looked += x.seen.looked
		if from.IsZero() || x.seen.from.Before(from) {
			from = x.seen.from
		}
		if x.seen.to.After(to) {
			to = x.seen.to
		}
	}
	g.Why = fmt.Sprintf("%s (%s looked at%s)", fill(w.Shown), recordWords(g.Looked), spanWords(from, to))
	if h.seen.owner != "" {
		g.Why = "account " + h.seen.owner + ": " + g.Why
	}
	if len(holes) > 1 {
		g.Then = strings.TrimSpace("For the other " + w.Place.String() + "s accordingly. " + g.Then)
	}
	if needs != nil {
		g.Rules = needs.of(w, h.seen.saw)
	}
	return g
}

func recordWords(n uint64) string {
	if n == 1 {
		return "1 record"
	}
	return fmt.Sprintf("%d records", n)
}

// spanWords says over how much time.
func spanWords(from, to time.Time) string {
	d := to.Sub(from)
	switch {
	case from.IsZero() || d < time.Second:
		return ""
	case d >= 48*time.Hour:
		return fmt.Sprintf(", over %d days", int(d/(24*time.Hour)))
	case d >= time.Hour:
		return fmt.Sprintf(", over %d h", int(d/time.Hour))
	case d >= time.Minute:
		return fmt.Sprintf(", over %d min", int(d/time.Minute))
	}
	return fmt.Sprintf(", over %d s", int(d/time.Second))
}

// Left is how often a place could not be remembered because there were too many.
func (c *Census) Left() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.full
}

// needed judges the rules in use, anew when they were read again.
type needed struct {
	mu    sync.Mutex
	rules *ruleSet
	needs *Needs
}

func (n *needed) of(s *ruleSet, reg *parse.Registry) *Needs {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.rules != s {
		n.rules, n.needs = s, NewNeeds(s.set.Rules(), reg.Supplies())
	}
	return n.needs
}

// Gaps says which logs do not arrive that rules need. The first call after rules
// were read takes as long as judging them does. early counts what may be missing,
// where too little was seen to say so.
func (e *Engine) Gaps() (gaps []Gap, early int) {
	settled := settleTime
	if time.Since(e.born) >= settleTime {
		settled = 0
	}
	return e.census.Gaps(e.needed.of(e.rules.Load(), e.o.Registry), e.host, settled)
}
