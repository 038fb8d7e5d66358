package detect

import "fmt"

// Refusal is one thing a loader did not accept, or accepted with a remark.
// Line is 1-based, 0 when the file as a whole is meant. Reason is one sentence.
type Refusal struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// Error gives the refusal as "file:line: reason", so that it can be returned.
func (r Refusal) Error() string {
	if r.Line == 0 {
		return fmt.Sprintf("%s: %s", r.File, r.Reason)
	}
	return fmt.Sprintf("%s:%d: %s", r.File, r.Line, r.Reason)
}

// Loaded is the outcome of reading rules: every document read is either in
// Rules or in Refused, never in neither.
type Loaded struct {
	Rules    []*Rule
	Refused  []Refusal
	Warnings []Refusal
}

// Add puts the outcome of another source of rules behind this one. A rule whose
// id is already taken is refused, because an id names the rule in alerts.
func (l *Loaded) Add(more Loaded) {
	have := make(map[string]*Rule, len(l.Rules))
	for _, r := range l.Rules {
		have[r.ID] = r
	}
	for _, r := range more.Rules {
		if first, taken := have[r.ID]; taken {
			l.Refused = append(l.Refused, Refusal{
				File: r.File, Line: r.Line, ID: r.ID,
				Reason: fmt.Sprintf("the id %s is already used by %s:%d; give one of them a new id", r.ID, first.File, first.Line),
			})
			continue
		}
		have[r.ID] = r
		l.Rules = append(l.Rules, r)
	}
	l.Refused = append(l.Refused, more.Refused...)
	l.Warnings = append(l.Warnings, more.Warnings...)
}
