package engine

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"bartizan/detect"
	"bartizan/detect/falco"
	"bartizan/detect/sigma"
	"bartizan/event"
	"bartizan/query"
)

// RuleFiles are rules as they were read, not linked, and the files and folders
// they came from.
type RuleFiles struct {
	Loaded detect.Loaded
	Places []string
}

// ruleSet is an immutable snapshot of rules with what could not be loaded.
type ruleSet struct {
	judging  sync.Mutex
	judge    *detect.Matcher // under judging; nil until it is asked
	nth      uint64          // later sets have higher numbers
	set      *detect.Set
	files    RuleFiles
	refused  []detect.Refusal
	warnings []detect.Refusal
	costly   map[string]bool                // ids of rules that nothing rules out before they are evaluated
	explain  func(name string) *detect.Rule // the loaded rule of an alert from Falco
	ended    map[string][]*detect.Rule      // by rule id: filters that have expired
	joined   sync.Map                       // rule made from an alert from Falco -> the same with what its loaded rule says
	expired  []*detect.Rule                 // filters that have ended
	expiring []time.Time                    // when filters in force end
	joins    atomic.Int64
}

// newRuleSet links the rules and indexes them.
func (e *Engine) newRuleSet(f RuleFiles) *ruleSet {
	l := f.Loaded
	l.Refused, l.Warnings = slices.Clone(l.Refused), slices.Clone(l.Warnings)
	sigma.Link(&l)
	s := &ruleSet{
		set: detect.NewSet(l.Rules), files: f, refused: l.Refused, warnings: l.Warnings,
		costly: map[string]bool{}, explain: falco.Explainer(l.Rules), ended: map[string][]*detect.Rule{},
	}
	limit := detect.DefaultLimit(e.elapsed)
	if e.o.RuleLimit != nil {
		limit = *e.o.RuleLimit
	}
	limit.Off = func(o detect.OffRule) { e.tooSlow(s.set, o) }
	s.set.SetLimit(limit)
	for _, r := range s.set.Expensive() {
		s.costly[r.ID] = true
	}
	s.findEnded()
	return s
}

// findEnded notes which rules an expired filter named.
func (s *ruleSet) findEnded() {
	byName := map[string]string{}
	for _, r := range s.set.Rules() {
		if r.Name != "" {
			byName[r.Name] = r.ID
		}
	}
	for _, r := range s.set.Rules() {
		if r.Filter == nil {
			continue
		}
		if !r.Filter.Expired {
			if !r.Filter.Expires.IsZero() {
				s.expiring = append(s.expiring, r.Filter.Expires)
			}
			continue
		}
		s.expired = append(s.expired, r)
		for _, ref := range r.Filter.Rules {
			id := ref
			if s.set.Rule(ref) == nil {
				id = byName[ref]
			}
			s.ended[id] = append(s.ended[id], r)
		}
	}
}

// maxJoined bounds the rules of alerts from Falco that are kept joined.
const maxJoined = falco.MaxRules

// join gives the rule made from an alert from Falco what the loaded rule of its
// name says: its text, its tags, where it stands.
func (s *ruleSet) join(r *detect.Rule) *detect.Rule {
	if have, ok := s.joined.Load(r); ok {
		return have.(*detect.Rule)
	}
	out := r
	if known := s.explain(r.Title); known != nil {
		c := *r
		c.Description, c.References, c.FalsePositives = known.Description, known.References, known.FalsePositives
		c.Runbook, c.Author, c.Status = known.Runbook, known.Author, known.Status
		c.LogSource, c.Fields, c.File, c.Line = known.LogSource, known.Fields, known.File, known.Line
		c.Tags = slices.Clone(r.Tags)
		for _, t := range known.Tags {
			if !slices.Contains(c.Tags, t) {
				c.Tags = append(c.Tags, t)
			}
		}
		out = &c
	}
	if s.joins.Add(1) <= maxJoined {
		s.joined.Store(r, out)
	}
	return out
}

// tallies are the hits of every rule since the engine began.
type tallies struct {
	mu   sync.Mutex
	hits map[string]uint64
	late map[string]uint64 // by filter id: hits it would have taken out, had it not expired
}

func (t *tallies) hit(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.hits == nil {
		t.hits = map[string]uint64{}
	}
	t.hits[id]++
}

func (t *tallies) ended(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.late == nil {
		t.late = map[string]uint64{}
	}
	t.late[id]++
}

func (t *tallies) copy() (hits, late map[string]uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.hits), maps.Clone(t.late)
}

// RuleState says whether a rule runs.
type RuleState string

// The states of a rule.
const (
	RuleOn        RuleState = "on"
	RuleExpensive RuleState = "expensive" // on, and evaluated for every event of its log source
	RuleOff       RuleState = "off"       // switched off: it took more time than it may
	RuleShown     RuleState = "shown"     // not evaluable here: for display and as the explanation of alerts
	RuleFilter    RuleState = "filter"    // an exception in force
	RuleExpired   RuleState = "expired"   // an exception that ended
)

// RuleInfo is one loaded rule as it stands now.
type RuleInfo struct {
	Rule    *detect.Rule
	State   RuleState
	Why     string // the reason for a state other than on
	Hits    uint64 // since the engine began; of an expired exception: those it would have taken out
	Windows int    // groups being counted
}

// RuleInfos lists every loaded rule as it stands now, in the order of loading.
func (e *Engine) RuleInfos() []RuleInfo {
	s := e.rules.Load()
	hits, late := e.tallies.copy()
	off := map[string]string{}
	for _, o := range s.set.Off() {
		off[o.Rule.ID] = offWords(o)
	}
	counting := map[string]int{}
	if q := e.windows.Load(); q != nil {
		counting = q.counter.StatesOf()
	}
	out := make([]RuleInfo, 0, len(s.set.Rules()))
	for _, r := range s.set.Rules() {
		i := RuleInfo{Rule: r, State: RuleOn, Hits: hits[r.ID], Windows: counting[r.ID]}
		switch why, isOff := off[r.ID]; {
		case r.Filter != nil:
			i.State, i.Why = RuleFilter, filterWords(r.Filter)
			if r.Filter.Expired {
				i.State, i.Hits = RuleExpired, late[r.ID]
				i.Why = fmt.Sprintf("exception expired %s: %d hits since this engine began", r.Filter.Expires.Format("2006-01-02 15:04 MST"), late[r.ID])
			}
		case isOff:
			i.State, i.Why = RuleOff, why
		case r.Cond == nil && r.Correlation == nil:
			i.State, i.Why = RuleShown, r.Status
		case s.costly[r.ID]:
			i.State, i.Why = RuleExpensive, "no value rules it out early: it is evaluated for every event of its log source"
		}
		out = append(out, i)
	}
	return out
}

// filterWords says for whom a filter answers and until when.
func filterWords(f *detect.Filter) string {
	words := "exception"
	if f.Owner != "" {
		words += " of " + f.Owner
	}
	if !f.Expires.IsZero() {
		words += " until " + f.Expires.Format("2006-01-02")
	}
	if f.Reason != "" {
		words += ": " + f.Reason
	}
	return words
}

// Windows are the groups a rule that counts is counting, the most recently used
// first.
func (e *Engine) Windows(id string) []detect.Window {
	if q := e.windows.Load(); q != nil {
		return q.counter.Windows(id)
	}
	return nil
}

// Warnings are what loaders remarked about rules they took.
func (e *Engine) Warnings() []detect.Refusal { return e.rules.Load().warnings }

// tally counts a hit of a rule, and what an expired exception would have done with
// it; e is nil where a window was completed by time.
func (e *Engine) tally(r *detect.Rule, ev *event.Event) {
	e.tallies.hit(r.ID)
	if ev == nil {
		return
	}
	for _, f := range e.rules.Load().ended[r.ID] {
		if !query.Holds(f.Filter.Keep, ev) {
			e.tallies.ended(f.ID)
		}
	}
}
