package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"bartizan/config"
	"bartizan/triage"
)

func newAlerts(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "alerts",
		Short: "triage from a script: list, show, take, close, snooze, note, reopen, undo",
		Example: `  bartizan alerts list -o json | jq -r 'select(.severity >= 3) | .id'
  bartizan alerts close 9f3c --verdict benign --note "planned key rotation"
  bartizan alerts undo 9f3c --move 17`,
	}
	c.AddCommand(alertsList(a), alertsShow(a), alertsJournal(a))
	for _, verb := range []struct{ name, short string }{
		{"take", "make them yours"},
		{"close", "close them with a verdict"},
		{"snooze", "hide them for a while"},
		{"note", "write a note on them"},
		{"reopen", "open them again"},
		{"undo", "take a move back"},
	} {
		c.AddCommand(alertsMove(a, verb.name, verb.short))
	}
	for _, sub := range c.Commands() {
		a.stateFlags(sub)
		a.outputFlag(sub)
	}
	return c
}

func alertsList(a *app) *cobra.Command {
	state := "new,taken"
	c := &cobra.Command{
		Use: "list", Short: "the board's alerts, most urgent first", Args: cobra.NoArgs,
		Example: "  bartizan alerts list --only all -o json",
		RunE: func(c *cobra.Command, _ []string) error {
			if err := checkStates(state); err != nil {
				return err
			}
			return a.each(c, ask{Verb: "list", State: state}, a.alertLine)
		},
	}
	c.Flags().StringVar(&state, "only", state, "comma list of new, taken, snoozed, closed; or all")
	return c
}

// checkStates refuses a state that no alert can have: it would list nothing.
func checkStates(list string) error {
	for _, s := range strings.Split(list, ",") {
		switch triage.State(s) {
		case triage.StateNew, triage.StateTaken, triage.StateSnoozed, triage.StateClosed, "all":
		default:
			return usage("--only %s: use new, taken, snoozed, closed or all", list)
		}
	}
	return nil
}

func alertsShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show ID…", Short: "one alert with its evidence and journal", Args: cobra.MinimumNArgs(1),
		Example: "  bartizan alerts show 9f3c -o json",
		RunE: func(c *cobra.Command, ids []string) error {
			return a.each(c, ask{Verb: "show", IDs: ids}, a.alertPage)
		},
	}
}

func alertsJournal(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "journal", Short: "every move made on this board, oldest first", Args: cobra.NoArgs,
		Example: "  bartizan alerts journal -o json",
		RunE: func(c *cobra.Command, _ []string) error {
			return a.each(c, ask{Verb: "journal"}, func(raw json.RawMessage) error {
				var e triage.Entry
				if err := json.Unmarshal(raw, &e); err != nil {
					return err
				}
				_, err := fmt.Fprintln(a.out, printable(entryLine(e)))
				return err
			})
		},
	}
}

// entryLine is one journal row for people.
func entryLine(e triage.Entry) string {
	s := fmt.Sprintf("%d %s %s %s", e.ID, e.At.UTC().Format(time.RFC3339), e.By.Name, e.Do)
	if e.Verdict != triage.VerdictNone {
		s += " " + e.Verdict.String()
	}
	for _, on := range e.On {
		s += " " + string(on.ID)
	}
	if e.Host != "" {
		s += " " + e.Host
	}
	if e.Note != "" {
		s += " — " + e.Note
	}
	return s
}

func alertsMove(a *app, verb, short string) *cobra.Command {
	var q ask
	var until string
	c := &cobra.Command{
		Use: verb + " ID…", Short: short, Args: cobra.MinimumNArgs(1),
		Example: "  bartizan alerts " + verb + " 9f3c" + map[string]string{"close": " --verdict benign", "snooze": " --for 4h", "note": " --note \"asked amira\"", "undo": " --move 17"}[verb],
		RunE: func(c *cobra.Command, ids []string) error {
			q.Verb, q.IDs = verb, ids
			if verb == "close" {
				if _, err := verdictNamed(q.Verdict); err != nil {
					return exitError{exitUsage, err}
				}
			}
			if until != "" {
				d, err := config.ParseDuration(until)
				if err != nil {
					return exitError{exitUsage, err}
				}
				q.Until = time.Now().Add(d)
			}
			return a.each(c, q, a.moveLine)
		},
	}
	c.Flags().StringVar(&q.Note, "note", "", "why, in your words")
	switch verb {
	case "close":
		c.Flags().StringVar(&q.Verdict, "verdict", "", "true_positive, benign, false_positive, duplicate, suspicious, test, insufficient_data")
	case "snooze":
		c.Flags().StringVar(&until, "for", "4h", "how long")
	case "undo":
		c.Flags().Uint64Var(&q.Undoes, "move", 0, "the move's number in the journal (default: the last one on the alert)")
	}
	return c
}

// each asks and prints every reply: as it is with -o json, else through text.
func (a *app) each(c *cobra.Command, q ask, text func(json.RawMessage) error) error {
	asJSON, err := a.json()
	if err != nil {
		return err
	}
	return a.askBoard(c.Context(), q, func(raw json.RawMessage) error {
		if !asJSON {
			return text(raw)
		}
		return a.printJSON(raw)
	})
}

func (a *app) alertLine(raw json.RawMessage) error {
	var al triage.Alert
	if err := json.Unmarshal(raw, &al); err != nil {
		return err
	}
	_, err := fmt.Fprintln(a.out, printable(alertText(&al)))
	return err
}

// alertText is one alert for people, on one line.
func alertText(al *triage.Alert) string {
	s := fmt.Sprintf("%s %-13s %-7s %4d× %s %s", al.ID, al.Severity, al.State, al.Count, al.Last.UTC().Format("2006-01-02 15:04:05Z"), al.Title)
	for _, e := range al.Group {
		s += " " + e.Value
	}
	if al.Verdict != triage.VerdictNone {
		s += " [" + al.Verdict.String() + "]"
	}
	for _, m := range al.Compromised {
		s += " [host " + m.Host + " compromised]"
	}
	return s
}

func (a *app) moveLine(raw json.RawMessage) error {
	var m struct {
		Move   triage.MoveID
		Alerts []*triage.Alert
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return err
	}
	for _, al := range m.Alerts {
		if _, err := fmt.Fprintf(a.out, "move %d: %s\n", m.Move, printable(alertText(al))); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) alertPage(raw json.RawMessage) error {
	var s shown
	if err := json.Unmarshal(raw, &s); err != nil {
		return err
	}
	p := func(format string, args ...any) { _, _ = fmt.Fprintln(a.out, printable(fmt.Sprintf(format, args...))) }
	p("%s", alertText(s.Alert))
	p("rule %s  tags %v  risk %d  first %s", s.RuleID, s.Tags, s.Risk, s.First.UTC().Format(time.RFC3339))
	for _, m := range s.Compromised {
		p("%s: records from a host marked compromised since %s by %s: %s", m.Host, m.Since.UTC().Format(time.RFC3339), m.By, m.Reason)
	}
	if s.Runbook != "" {
		p("do first: %s", s.Runbook)
	}
	for _, w := range s.Why {
		p("why: %s (%s)", a.people(w.Predicate), a.peopleField(w.Field, w.Value))
	}
	for _, e := range s.Evidence {
		mark := " "
		if e.Hit {
			mark = "!"
		}
		p("%s %s:%d %s", mark, e.Source, e.Line, a.people(e.Text))
	}
	for _, e := range s.Journal {
		p("%s", entryLine(e))
	}
	return nil
}
