package detect

import (
	"cmp"
	"crypto/sha256"
	"math"
	"slices"
	"strings"
	"time"

	"bartizan/event"
)

// How many marks of one group's window are kept at most. A window that needs
// more than that cannot be told from one that has just that.
const (
	keepLeast   = 256
	keepNumbers = 20_000 // sum and average
	keepRanks   = 4_096  // percentile and median, which sort
	keepRules   = 1_024  // temporal types
	MaxBound    = 100_000
)

// windowed is a rule with a window, ready for counting.
type windowed struct {
	rule    *Rule
	key     [16]byte
	cor     *Correlation
	span    int64
	members []member
	chain   []int32 // of temporal_ordered: members in the order listed
	plain   bool    // Rule.Count: what lacks a group field is a group of its own
	waits   bool
	absence bool // waits for what must be absent
	keep    int
	why     string
}

// member is one of the rules a window counts, with its names for the fields.
type member struct {
	id     string
	group  []string
	fields []string
}

// listener is a windowed rule that counts matches of another.
type listener struct {
	to     *windowed
	member int32
}

// plan is what a Correlator knows about a set of rules.
type plan struct {
	own    map[*Rule]*windowed // rules that count their own matches
	byKey  map[[16]byte]*windowed
	listen map[string][]listener // by the id of the rule counted
}

func newPlan(rules []*Rule) *plan {
	p := &plan{own: map[*Rule]*windowed{}, byKey: map[[16]byte]*windowed{}, listen: map[string][]listener{}}
	names := make(map[string]string, len(rules))
	for _, r := range rules {
		names[r.ID] = cmp.Or(r.Name, r.Title, r.ID)
	}
	for _, r := range rules {
		if w := newWindowed(r); w != nil {
			w.why = w.cor.Words(func(id string) string { return cmp.Or(names[id], id) })
			p.add(w)
		}
	}
	return p
}

func (p *plan) add(w *windowed) {
	if _, taken := p.byKey[w.key]; taken {
		return
	}
	p.byKey[w.key] = w
	if len(w.cor.Rules) == 0 {
		p.own[w.rule] = w
		return
	}
	for i, m := range w.members {
		p.listen[m.id] = append(p.listen[m.id], listener{w, int32(i)})
	}
}

// ownWindow is the window over r's own matches, nil when each match is one. Rules that
// were not among those of the plan are added: some are made while running.
func (p *plan) ownWindow(r *Rule) *windowed {
	if r.Count < 2 && r.Correlation == nil {
		return nil
	}
	if w := p.own[r]; w != nil {
		return w
	}
	w := newWindowed(r)
	if w == nil || len(w.cor.Rules) > 0 {
		return nil
	}
	if known := p.byKey[w.key]; known != nil {
		w = known
	}
	p.byKey[w.key], p.own[r] = w, w
	return w
}

// newWindowed prepares a rule, nil when it has no window.
func newWindowed(r *Rule) *windowed {
	w := &windowed{rule: r, key: ruleKey(r), cor: r.Correlation}
	switch {
	case r.Correlation != nil:
	case r.Count > 1:
		w.plain = true
		w.cor = &Correlation{
			Type: EventCount, GroupBy: r.GroupBy, Span: r.Within,
			Bounds: []Bound{{BoundGte, float64(min(r.Count, MaxCount))}},
		}
	default:
		return nil
	}
	w.span, w.waits, w.why = int64(w.cor.Span), w.cor.Waits(), w.cor.String()
	w.absence = w.cor.Expr != nil && w.waits
	w.addMembers()
	w.keep = w.keeps()
	return w
}

func (w *windowed) addMembers() {
	at := map[string]int32{}
	ids := w.cor.Rules
	if len(ids) == 0 {
		ids = []string{w.rule.ID}
	}
	for _, id := range ids {
		i, ok := at[id]
		if !ok {
			i = int32(len(w.members))
			at[id] = i
			w.members = append(w.members, member{id, w.namesFor(id, w.cor.GroupBy), w.namesFor(id, w.cor.Fields)})
		}
		w.chain = append(w.chain, i)
	}
}

// namesFor replaces aliases by the fields of one rule.
func (w *windowed) namesFor(id string, names []string) []string {
	out := slices.Clone(names)
	for i, n := range out {
		if field, ok := w.cor.Aliases[n][id]; ok {
			out[i] = field
		}
	}
	return out
}

func (w *windowed) member(id string) int32 {
	return int32(slices.IndexFunc(w.members, func(m member) bool { return m.id == id }))
}

func (w *windowed) keeps() int {
	switch w.cor.Type {
	case ValueSum, ValueAvg:
		return keepNumbers
	case ValuePercentile, ValueMedian:
		return keepRanks
	case Temporal, TemporalOrdered:
		return max(keepRules, 2*len(w.chain))
	}
	most := 0.0
	for _, b := range w.cor.Bounds {
		most = max(most, min(math.Abs(b.Value), MaxBound)+1)
	}
	return max(keepLeast, min(windowSlack*int(most), int(most)+MaxCount))
}

// groupOf appends the group of e as member m sees it: its values one by one, each
// marked as there or not. ok is false when e lacks one of them and so belongs to
// no group.
func (w *windowed) groupOf(m int32, e *event.Event, carried []event.Entity, dst []byte) (key []byte, ok bool) {
	if w.plain && len(w.cor.GroupBy) == 0 {
		for _, n := range carried {
			dst = append(dst, byte(n.Kind))
			dst = putText(dst, n.Value)
		}
		return dst, true
	}
	for _, name := range w.members[m].group {
		v, there := groupValue(e, name)
		switch {
		case there:
			dst = putText(append(dst, 1), v.Str)
		case w.plain:
			dst = append(dst, 0)
		default:
			return dst, false
		}
	}
	return dst, true
}

// entitiesOf is the group as alerts show it; known are the entities of e.
func (w *windowed) entitiesOf(m int32, e *event.Event, known []event.Entity) []event.Entity {
	if w.plain {
		return groupAmong(w.rule, e, known, nil)
	}
	var out []event.Entity
	for i, name := range w.members[m].group {
		v, ok := groupValue(e, name)
		if !ok {
			continue
		}
		n := groupEntity(name, strings.Clone(v.Str), known)
		if k, ok := kindOf[w.cor.GroupBy[i]]; ok {
			n.Kind = k
		}
		out = append(out, n)
	}
	return out
}

// The bounds of windows and of the rules they count for.
const (
	MaxStates = 100_000 // groups remembered, over all rules
	MaxRefs   = 100     // references kept of one hit
	MaxCount  = 10_000  // Rule.Count above this is treated as this
	maxAhead  = 5 * time.Minute

	windowSlack = 2 // times Count: how many matches of a group are remembered
)

type limits struct{ states, bytes int }

// stateKey is the rule (its hash and id) and the group (two keyed hashes, so that
// nobody can make groups collide), 128 bits each, so that a
// state survives a reload that leaves its rule alone.
type stateKey struct {
	rule  [16]byte
	group [2]uint64
}

// ruleKey is the same for the same rule, so that its windows survive a reload
// that leaves it alone.
func ruleKey(r *Rule) (k [16]byte) {
	b := append(make([]byte, 0, 64), r.Hash[:]...)
	b = append(b, r.ID...)
	sum := sha256.Sum256(b)
	copy(k[:], sum[:16])
	return k
}
