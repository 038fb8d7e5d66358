package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"bartizan/config"
	"bartizan/detect"
	"bartizan/detect/falco"
	"bartizan/detect/rules"
	"bartizan/detect/sigma"
	"bartizan/event"
	"bartizan/sources"
	"bartizan/sources/parse"
)

// loadRules loads what the config and --rules name. A rule that is not accepted
// is in Refused with file, line and reason; a place that cannot be read is an error.
func (a *app) loadRules(c *config.Config) (detect.Loaded, error) {
	var all detect.Loaded
	var falcoFiles []string // one namespace: macros and overrides work across files
	for _, place := range c.Rules {
		l, more, err := rulesOf(place)
		if err != nil {
			return all, err
		}
		all.Add(l)
		falcoFiles = append(falcoFiles, more...)
	}
	if len(falcoFiles) > 0 {
		all.Add(falco.LoadFiles(falcoFiles...))
	}
	all.Add(detect.Loaded{Rules: c.QuickRules()})
	sigma.Link(&all)
	return all, nil
}

// rulesOf loads the Sigma rules of one place, and names its Falco files.
func rulesOf(place string) (l detect.Loaded, falcoFiles []string, err error) {
	switch place {
	case "none", "":
		return l, nil, nil
	case "builtin":
		return rules.Load(), nil, nil
	}
	st, err := os.Stat(place)
	if err != nil {
		return l, nil, fmt.Errorf("cannot read the rules: %w; --rules takes a folder, a file, builtin or none", err)
	}
	if !st.IsDir() {
		if isFalco(place) {
			return l, []string{place}, nil
		}
		return sigma.LoadFile(place), nil, nil
	}
	if falcoFiles = findFalco(place); len(falcoFiles) == 0 {
		return sigma.LoadDir(place), nil, nil
	}
	err = filepath.WalkDir(place, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && isYAML(path) && !slices.Contains(falcoFiles, path) {
			l.Add(sigma.LoadFile(path))
		}
		return err
	})
	return l, falcoFiles, err
}

// findFalco lists the Falco rule files in a folder, in lexical order.
func findFalco(dir string) (out []string) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error { // what cannot be read is said by the loader
		if err == nil && d.Type().IsRegular() && isYAML(path) && isFalco(path) {
			out = append(out, path)
		}
		return nil
	})
	return out
}

func isYAML(path string) bool {
	return strings.HasSuffix(path, ".yml") || strings.HasSuffix(path, ".yaml")
}

// isFalco tells a Falco rule file by its first line of content: Falco's files are
// lists, Sigma's are maps.
func isFalco(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(io.LimitReader(f, 64<<10))
	for lines.Scan() {
		if t := strings.TrimSpace(lines.Text()); t != "" && t[0] != '#' && t != "---" {
			return strings.HasPrefix(t, "- ")
		}
	}
	return false
}

func newRules(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "rules", Short: "check, list, show and test rules",
		Example: `  bartizan rules check --rules ./sigma -o json
  bartizan rules list --rules builtin
  bartizan rules test --rules ./my-rules`,
	}
	c.AddCommand(rulesCheck(a), rulesList(a), rulesShow(a), rulesTest(a))
	for _, sub := range c.Commands() {
		a.outputFlag(sub)
		sub.Flags().StringVarP(&a.configFile, "config", "c", "", "config `FILE`")
		sub.Flags().StringArrayVar(&a.rules, "rules", nil, "a `DIR`, FILE, builtin or none; repeatable (default: builtin)")
	}
	return c
}

// checked is what rules check -o json prints; the shape is a promise.
type checked struct {
	Loaded   int              `json:"loaded"`
	Refused  []detect.Refusal `json:"refused"`
	Warnings []detect.Refusal `json:"warnings"`
}

func rulesCheck(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "load the rules and say what is wrong with them; exit 1 when one is refused", Args: cobra.NoArgs,
		Example: "  bartizan rules check --rules ./sigma",
		RunE: func(c *cobra.Command, _ []string) error {
			l, asJSON, err := a.rulesFor()
			if err != nil {
				return err
			}
			if asJSON {
				err = a.printJSON(checked{len(l.Rules), nonNil(l.Refused), nonNil(l.Warnings)})
			} else {
				err = a.printChecked(l)
			}
			if err == nil && len(l.Refused) > 0 {
				return exitError{exitFailed, nil}
			}
			return err
		},
	}
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

func (a *app) rulesFor() (detect.Loaded, bool, error) {
	asJSON, err := a.json()
	if err != nil {
		return detect.Loaded{}, false, err
	}
	c, err := a.config()
	if err != nil {
		return detect.Loaded{}, false, err
	}
	l, err := a.loadRules(c)
	return l, asJSON, err
}

// listed is one rule as list and show print it.
type listed struct {
	ID             string   `json:"id"`
	Title          string   `json:"title"`
	Kind           string   `json:"kind"`
	Level          string   `json:"level"`
	Status         string   `json:"status,omitempty"`
	LogSource      string   `json:"logsource"`
	Tags           []string `json:"tags"`
	Description    string   `json:"description,omitempty"`
	FalsePositives []string `json:"falsepositives,omitempty"`
	Runbook        string   `json:"runbook,omitempty"`
	GroupBy        []string `json:"group_by,omitempty"`
	Count          int      `json:"count,omitempty"`
	Within         string   `json:"within,omitempty"`
	File           string   `json:"file"`
	Line           int      `json:"line"`
}

func newListed(r *detect.Rule) listed {
	l := listed{
		ID: r.ID, Title: r.Title, Kind: string(r.Kind), Level: r.Severity.String(), Status: r.Status,
		LogSource: logSourceText(r.LogSource), Tags: r.Tags, Description: r.Description, FalsePositives: r.FalsePositives,
		Runbook: r.Runbook, GroupBy: r.GroupBy, Count: r.Count, File: r.File, Line: r.Line,
	}
	if r.Within > 0 {
		l.Within = r.Within.String()
	}
	return l
}

func logSourceText(s event.LogSource) string {
	return strings.Trim(s.Product+"/"+s.Category+"/"+s.Service, "/")
}

func rulesList(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "every rule that would run", Args: cobra.NoArgs, Example: "  bartizan rules list -o json",
		RunE: func(*cobra.Command, []string) error {
			l, asJSON, err := a.rulesFor()
			for i := 0; i < len(l.Rules) && err == nil; i++ {
				err = a.printRule(l.Rules[i], asJSON)
			}
			return err
		},
	}
}

func (a *app) printRule(r *detect.Rule, asJSON bool) error {
	if asJSON {
		return a.printJSON(newListed(r))
	}
	_, err := fmt.Fprintln(a.out, printable(fmt.Sprintf("%-13s %-36s %-24s %s", r.Severity, r.ID, logSourceText(r.LogSource), r.Title)))
	return err
}

func rulesShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show ID…", Short: "one rule with all that is known of it", Args: cobra.MinimumNArgs(1), Example: "  bartizan rules show 5b8d2b1e",
		RunE: func(_ *cobra.Command, ids []string) error {
			l, _, err := a.rulesFor()
			if err != nil {
				return err
			}
			for _, id := range ids {
				n := 0
				for _, r := range l.Rules {
					if strings.HasPrefix(r.ID, id) {
						n++
						err = errors.Join(err, a.printJSON(newListed(r)))
					}
				}
				if n == 0 {
					err = errors.Join(err, fmt.Errorf("no rule's id begins with %q; see bartizan rules list", id))
				}
			}
			return err
		},
	}
}

func rulesTest(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "test", Short: "run the lines beside each rule: those it must hit and those it must miss", Args: cobra.NoArgs,
		Example: "  bartizan rules test --rules ./my-rules",
		RunE: func(c *cobra.Command, _ []string) error {
			l, asJSON, err := a.rulesFor()
			if err != nil {
				return err
			}
			t := testRules(c.Context(), l.Rules)
			if asJSON {
				err = a.printJSON(t)
			} else {
				for _, f := range t.Failed {
					_, _ = fmt.Fprintln(a.err, printable(f.Error()))
				}
				_, err = fmt.Fprintf(a.out, "%d rules with tests, %d lines, %d failed, %d rules without tests\n", t.Tested, t.Lines, len(t.Failed), t.Untested)
			}
			if err == nil && len(t.Failed)+len(l.Refused) > 0 {
				return exitError{exitFailed, nil}
			}
			return err
		},
	}
}

// tested is the outcome of rules test.
type tested struct {
	Tested   int              `json:"tested"`
	Untested int              `json:"untested"`
	Lines    int              `json:"lines"`
	Failed   []detect.Refusal `json:"failed"`
}

// testRules runs every rule's own lines through parser and matcher. For a rule
// that counts, a line is a hit when it would be counted.
func testRules(ctx context.Context, all []*detect.Rule) tested {
	t := tested{Failed: []detect.Refusal{}}
	for _, r := range all {
		if len(r.Hit)+len(r.Miss) == 0 {
			t.Untested++
			continue
		}
		if ctx.Err() != nil {
			break
		}
		t.Tested++
		set := detect.NewSet([]*detect.Rule{r})
		for want, lines := range map[bool][]string{true: r.Hit, false: r.Miss} {
			for _, line := range lines {
				t.Lines++
				if matches(set, line) != want {
					t.Failed = append(t.Failed, detect.Refusal{File: r.File, Line: r.Line, ID: r.ID, Reason: testSentence(want, line)})
				}
			}
		}
	}
	return t
}

func testSentence(want bool, line string) string {
	if want {
		return "the rule must hit this line and does not: " + line
	}
	return "the rule must miss this line and hits it: " + line
}

func matches(set *detect.Set, line string) bool {
	var slab parse.Slab
	var e event.Event
	rec := &sources.Record{Raw: []byte(line)}
	parse.NewRegistry(parse.Options{}).Stream(sources.Info{ID: "test"}).Parse(rec, &slab, &e)
	return len(set.NewMatcher().Match(&e, nil)) > 0
}
