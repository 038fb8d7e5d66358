package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"bartizan/detect"
	"bartizan/detect/falco"
	"bartizan/query"

	"github.com/spf13/cobra"
)

// listed is one rule as list and show print it.
type listed struct {
	ID             string   `json:"id"`
	Title          string   `json:"title"`
	Kind           string   `json:"kind"`
	Level          string   `json:"level"`
	State          string   `json:"state"` // see ruleState
	Status         string   `json:"status,omitempty"`
	LogSource      string   `json:"logsource"`
	Tags           []string `json:"tags"`
	Description    string   `json:"description,omitempty"`
	FalsePositives []string `json:"falsepositives,omitempty"`
	Runbook        string   `json:"runbook,omitempty"`
	GroupBy        []string `json:"group_by,omitempty"`
	Count          int      `json:"count,omitempty"`
	Within         string   `json:"within,omitempty"`
	Asks           string   `json:"asks,omitempty"`    // of a correlation: what it asks of its window, in words
	Over           []string `json:"over,omitempty"`    // of a correlation: the rules it stands on
	Filters        []string `json:"filters,omitempty"` // ids of the filters that are part of it
	Owner          string   `json:"owner,omitempty"`   // of a filter
	Reason         string   `json:"reason,omitempty"`  // of a filter
	Expires        string   `json:"expires,omitempty"` // of a filter
	File           string   `json:"file"`
	Line           int      `json:"line"`
}

func newListed(r *detect.Rule, state string) listed {
	l := listed{
		ID: r.ID, Title: r.Title, Kind: ruleKind(r), Level: r.Severity.String(), State: state, Status: r.Status,
		LogSource: logSourceText(r.LogSource), Tags: append([]string{}, r.Tags...), Description: r.Description, FalsePositives: r.FalsePositives,
		Runbook: r.Runbook, GroupBy: r.GroupBy, Count: r.Count, Filters: r.Filters, File: r.File, Line: r.Line,
	}
	if r.Within > 0 {
		l.Within = r.Within.String()
	}
	if c := r.Correlation; c != nil {
		l.Asks, l.Over = c.String(), c.Rules
	}
	if f := r.Filter; f != nil {
		l.Owner, l.Reason, l.Over = f.Owner, f.Reason, f.Rules
		if !f.Expires.IsZero() {
			l.Expires = f.Expires.UTC().Format(time.RFC3339)
		}
	}
	return l
}

// ruleKind is the dialect, or what Sigma calls a document that is no plain rule.
func ruleKind(r *detect.Rule) string {
	if r.Correlation != nil && len(r.Correlation.Rules) > 0 {
		return "correlation"
	}
	return string(r.Kind)
}

// ruleState says whether a rule runs: on; silent (it only feeds correlations);
// expensive (on, but tried on every event of its log source); off (disabled by
// its author, or a filter that has expired); shown (loaded for display and as the
// explanation of Falco's alerts, not evaluable here).
func ruleState(r *detect.Rule, expensive map[*detect.Rule]bool) string {
	switch {
	case r.Status == falco.StatusDisabled || r.Filter != nil && r.Filter.Expired:
		return "off"
	case r.Kind == detect.KindFalco && !falco.Evaluable(r):
		return "shown"
	case expensive[r]:
		return "expensive"
	case r.Silent:
		return "silent"
	}
	return "on"
}

func expensiveRules(all []*detect.Rule) map[*detect.Rule]bool {
	out := map[*detect.Rule]bool{}
	for _, r := range detect.NewSet(all).Expensive() {
		out[r] = true
	}
	return out
}

func rulesList(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "every rule that is loaded: level, state, kind, log source, id, title", Args: cobra.NoArgs,
		Long: `List prints one line for each rule that is loaded, in the order of loading.

The state is on; silent: it only feeds correlations; expensive: nothing in its
condition can be looked up, so it is tried on every event of its log source; off:
disabled by its author, or a filter that has expired; shown: loaded for display
and as the explanation of Falco's alerts, but it cannot be evaluated here. The kind
is sigma, falco, quick (of the config), filter or window (a correlation). An id
that is a UUID is cut to its first part, which is enough for bartizan rules show.`,
		Example: `  bartizan rules list
  bartizan rules list -o json | jq -r 'select(.state == "expensive") | .file'`,
		RunE: func(*cobra.Command, []string) error {
			l, asJSON, err := a.rulesFor()
			if err != nil {
				return err
			}
			a.sayRefused(l)
			expensive := expensiveRules(l.Rules)
			t := newTable(a.out, 8, 9, 6, 18, 8, 0)
			for _, r := range l.Rules {
				state := ruleState(r, expensive)
				switch {
				case err != nil:
				case asJSON:
					err = a.printJSON(newListed(r, state))
				default:
					err = t.row(shortLevel(r.Severity), state, shortKind(r), logSourceText(r.LogSource), shortID(r.ID), r.Title+filterNote(r))
				}
			}
			return errors.Join(err, t.flush())
		},
	}
}

func filterNote(r *detect.Rule) string {
	if len(r.Filters) == 0 {
		return ""
	}
	return fmt.Sprintf(" (filters: %d)", len(r.Filters))
}

// shortKind is the kind in at most six letters.
func shortKind(r *detect.Rule) string {
	if k := ruleKind(r); k != "correlation" {
		return k
	}
	return "window"
}

func shortLevel(s detect.Severity) string {
	if s == detect.Informational {
		return "info"
	}
	return s.String()
}

// shortID is the first part of a UUID; of quick and Falco rules, whose ids are
// their names, the dialect.
func shortID(id string) string {
	if len(id) == 36 && id[8] == '-' {
		return id[:8]
	}
	if dialect, _, ok := strings.Cut(id, ":"); ok {
		return dialect + ":"
	}
	return id
}

func rulesShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show ID…", Short: "one rule with all that is known of it, its condition included", Args: cobra.MinimumNArgs(1),
		Example: "  bartizan rules show 5b8d2b1e\n  bartizan rules show 'A root shell' -o json", ValidArgsFunction: a.completeRules,
		RunE: func(_ *cobra.Command, names []string) error {
			l, asJSON, err := a.rulesFor()
			if err != nil {
				return err
			}
			expensive := expensiveRules(l.Rules)
			reach, err := a.reacher(l.Rules)
			if err != nil {
				return err
			}
			for i, name := range names {
				found := findRules(l.Rules, name)
				if len(found) == 0 {
					err = errors.Join(err, fmt.Errorf("no rule's id or title begins with %q; see bartizan rules list", name))
				}
				for _, r := range found {
					s := newShown(r, ruleState(r, expensive), reach.Reach(r))
					if asJSON {
						err = errors.Join(err, a.printJSON(s))
					} else {
						err = errors.Join(err, a.printShown(s, i > 0))
					}
				}
			}
			return err
		},
	}
}

// printShown writes one rule for people: a name and a value per line.
func (a *app) printShown(s shownRule, again bool) error {
	t := newTable(a.out, 14, 0)
	if again {
		_, _ = fmt.Fprintln(t.w)
	}
	for _, x := range []struct{ name, value string }{
		{"title", s.Title},
		{"id", s.ID},
		{"kind", s.Kind},
		{"level", s.Level},
		{"state", s.State},
		{"status", s.Status},
		{"log source", s.LogSource},
		{"reach", s.Reach + reachNote(s)},
		{"tags", strings.Join(s.Tags, " ")},
		{"description", s.Description},
		{"false positives", strings.Join(s.FalsePositives, "\n")},
		{"runbook", s.Runbook},
		{"grouped by", strings.Join(s.GroupBy, ", ")},
		{"asks", s.Asks},
		{"over", strings.Join(s.Over, "\n")},
		{"filters", strings.Join(s.Filters, "\n")},
		{"owner", s.Owner},
		{"reason", s.Reason},
		{"expires", s.Expires},
		{"tests", testsNote(s)},
		{"condition", s.Condition},
		{"file", fmt.Sprintf("%s:%d", s.File, s.Line)},
	} {
		if x.value != "" {
			t.wrapped(x.name, x.value)
		}
	}
	return t.flush()
}

func reachNote(s shownRule) string {
	if s.ReachWhy == "" {
		return ""
	}
	return ": " + s.ReachWhy
}

func testsNote(s shownRule) string {
	if s.HitLines+s.MissLines == 0 {
		return ""
	}
	return fmt.Sprintf("%d to hit, %d to miss", s.HitLines, s.MissLines)
}

// shownRule is a rule as show prints it.
type shownRule struct {
	listed
	Condition string `json:"condition,omitempty"` // in the filter language
	Reach     string `json:"reach"`               // none, part or full, see rules coverage
	ReachWhy  string `json:"reach_why,omitempty"`
	HitLines  int    `json:"hit_lines"`
	MissLines int    `json:"miss_lines"`
}

func newShown(r *detect.Rule, state string, reach detect.Reach) shownRule {
	s := shownRule{listed: newListed(r, state), Reach: reach.State.String(), ReachWhy: reach.Why, HitLines: len(r.Hit), MissLines: len(r.Miss)}
	if r.Kind == detect.KindFilter {
		s.Reach, s.ReachWhy = "", ""
	}
	switch {
	case r.Filter != nil:
		s.Condition = query.Print(r.Filter.Keep)
	case r.Cond != nil:
		s.Condition = query.Print(r.Cond)
	}
	return s
}
