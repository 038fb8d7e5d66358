package main

import (
	"fmt"
	"slices"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/query"

	"github.com/spf13/cobra"
)

// checked is what rules check -o json prints; the shape is a promise.
type checked struct {
	Loaded   int              `json:"loaded"`
	Refused  []detect.Refusal `json:"refused"`
	Warnings []detect.Refusal `json:"warnings"`
}

func rulesCheck(a *app) *cobra.Command {
	var strict bool
	c := &cobra.Command{
		Use: "check", Short: "load the rules and say what is wrong with them; exit 1 when one is refused", Args: cobra.NoArgs,
		Long: `Check loads every rule that would run (Sigma, Falco, and those of the config) and
says what is wrong, each with file and line. A rule that is refused does not run,
and check ends with exit code 1. Warnings are about rules that run, but likely not
as meant: that ask for a log source or for fields which no format supplies, that
ask the same as another, that are tried on every event; filters that filter
nothing. With --strict they are failures too, and so is a rule without tests.`,
		Example: `  bartizan rules check --rules ./sigma
  bartizan rules check --strict --rules ./my-rules -o json | jq .warnings`,
		RunE: func(*cobra.Command, []string) error {
			l, asJSON, err := a.rulesFor()
			if err != nil {
				return err
			}
			l.Warnings = append(l.Warnings, remarks(l, strict)...)
			if asJSON {
				err = a.printJSON(checked{len(l.Rules), nonNil(l.Refused), nonNil(l.Warnings)})
			} else {
				err = a.printChecked(l)
			}
			if err == nil && (len(l.Refused) > 0 || strict && len(l.Warnings) > 0) {
				return exitError{exitFailed, nil}
			}
			return err
		},
	}
	c.Flags().BoolVar(&strict, "strict", false, "exit 1 also for warnings, and warn about rules without tests")
	return c
}

func nonNil(l []detect.Refusal) []detect.Refusal {
	if l == nil {
		return []detect.Refusal{}
	}
	return l
}

func (a *app) printChecked(l detect.Loaded) error {
	for _, w := range l.Warnings {
		_, _ = fmt.Fprintln(a.err, printable("warning: "+w.Error()))
	}
	for _, r := range l.Refused {
		_, _ = fmt.Fprintln(a.err, printable(r.Error()))
	}
	_, err := fmt.Fprintf(a.out, "%d rules loaded, %d refused, %d warnings\n", len(l.Rules), len(l.Refused), len(l.Warnings))
	return err
}

// remarks are warnings that only the whole set of rules shows.
func remarks(l detect.Loaded, strict bool) []detect.Refusal {
	m := &remarker{warned: map[string]bool{}}
	for _, w := range l.Warnings {
		m.warned[w.ID] = true
	}
	m.filters(l.Rules)
	m.twins(l.Rules)
	m.reach(l.Rules)
	for _, r := range detect.NewSet(l.Rules).Expensive() {
		m.add(r, "nothing in its condition can be looked up, so it is tried on every event of its log source; ask for an exact value, or a text of three letters or more, in each way it can hold")
	}
	if strict {
		m.untested(l.Rules)
	}
	return m.list
}

type remarker struct {
	list   []detect.Refusal
	warned map[string]bool // ids the loader warned about
}

func (m *remarker) add(r *detect.Rule, format string, args ...any) {
	m.list = append(m.list, detect.Refusal{File: r.File, Line: r.Line, ID: r.ID, Reason: fmt.Sprintf(format, args...)})
}

// filters finds filters that are part of no rule.
func (m *remarker) filters(all []*detect.Rule) {
	used := map[string]bool{}
	for _, r := range all {
		for _, f := range r.Filters {
			used[f] = true
		}
	}
	for _, r := range all {
		if r.Filter != nil && !r.Filter.Expired && !used[r.ID] && !m.warned[r.ID] {
			m.add(r, "the filter is part of no rule, because none that is loaded has its log source (%s); correct one of them", orNone(logSourceText(r.LogSource)))
		}
	}
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// twins finds rules that ask the same of the same events.
func (m *remarker) twins(all []*detect.Rule) {
	type asked struct {
		source event.LogSource
		what   string
	}
	first := map[asked]*detect.Rule{}
	for _, r := range all {
		if r.Cond == nil || r.Filter != nil || r.Correlation != nil || r.Count > 1 || r.Silent {
			continue // parts of correlations may be written more than once
		}
		key := asked{r.LogSource, query.Print(r.Cond)}
		if one := first[key]; one != nil {
			m.add(r, "it asks the same as %s (%s:%d), so both hit the same events; keep one of them", one.ID, one.File, one.Line)
			continue
		}
		first[key] = r
	}
}

// reach finds rules that cannot hit. Those that ask for a log source nobody
// supplies are told once for each log source, because they may be thousands.
func (m *remarker) reach(all []*detect.Rule) {
	x := detect.NewReacher(all, supplies())
	var order []event.LogSource
	nowhere := map[event.LogSource][]*detect.Rule{}
	for _, r := range all {
		if r.Filter != nil || r.Cond == nil && r.Correlation == nil {
			continue
		}
		switch got := x.Reach(r); {
		case got.State > detect.ReachNone:
		case r.Correlation != nil && len(r.Correlation.Rules) > 0 || got.By != "":
			m.add(r, "it cannot hit: %s; see bartizan rules coverage", got.Why)
		default:
			if nowhere[r.LogSource] == nil {
				order = append(order, r.LogSource)
			}
			nowhere[r.LogSource] = append(nowhere[r.LogSource], r)
		}
	}
	for _, s := range order {
		of := nowhere[s]
		what := "it cannot hit"
		if len(of) > 1 {
			what = fmt.Sprintf("it and %d more cannot hit", len(of)-1)
		}
		m.add(of[0], "%s: no format that is read here has the log source %s; see bartizan rules coverage", what, logSourceText(s))
	}
}

// untested finds rules without tests of either form.
func (m *remarker) untested(all []*detect.Rule) {
	for _, r := range all {
		if len(r.Hit)+len(r.Miss) > 0 || r.Filter != nil || r.Kind != detect.KindSigma || r.Silent {
			continue // a rule that only feeds correlations is tested by theirs
		}
		if cases, err := regressionOf(r); err == nil && !slices.ContainsFunc(cases, caseOf(r)) {
			m.add(r, "it has no tests; write lines it must hit and lines it must miss under bartizan, or SigmaHQ's regression tests")
		}
	}
}
