package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"bartizan/detect"
	"bartizan/detect/sigma"
	"bartizan/engine"
	"bartizan/enrich"
	"bartizan/event"
	"bartizan/sources"
	"bartizan/sources/parse"

	"github.com/spf13/cobra"
)

func rulesTest(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "test", Short: "run the tests beside each rule: lines it must hit and must miss, SigmaHQ's regression tests", Args: cobra.NoArgs,
		Long: `Test runs every rule over its own tests, through the real parser, and says in a
sentence for each that fails what was expected and what decided otherwise.

Tests are the lines under bartizan: hit and miss of a rule (198.51.100.0/24 being your own addresses), and the event files
that SigmaHQ's key regression_tests_path leads to. A line of a rule that counts
must be one that counts. What a correlation must hit or miss are several lines
together: all of its lines, or, where one of them has line ends, each by itself.`,
		Example: "  bartizan rules test --rules ./my-rules\n  bartizan rules test --rules ./sigma/rules -o json | jq '.failed[].reason'",
		RunE: func(c *cobra.Command, _ []string) error {
			l, asJSON, err := a.rulesFor()
			if err != nil {
				return err
			}
			p := a.startProgress("testing rules")
			t := &tester{all: l.Rules, out: tested{Failed: []failedTest{}, Absent: []string{}}, progress: p}
			t.run(c.Context())
			p.stop()
			if asJSON {
				err = a.printJSON(t.out)
			} else {
				err = a.printTested(t.out)
			}
			if c.Context().Err() != nil {
				return errors.Join(err, errStopped)
			}
			a.sayRefused(l)
			if err == nil && len(t.out.Failed)+len(l.Refused) > 0 {
				return exitError{exitFailed, nil}
			}
			return err
		},
	}
}

func (a *app) printTested(t tested) error {
	for _, f := range t.Failed {
		_, _ = fmt.Fprintln(a.err, printable(f.sentence()))
	}
	if n := len(t.Absent); n > 0 {
		_, _ = fmt.Fprintln(a.err, printable(fmt.Sprintf("the tests of %d rules are not there, the first: %s", n, t.Absent[0])))
	}
	_, err := fmt.Fprintf(a.out, "%d rules with tests, %d lines, %d event files, %d failed, %d rules without tests\n",
		t.Tested, t.Lines, t.Files, len(t.Failed), t.Untested)
	return err
}

// tested is the outcome of rules test.
type tested struct {
	Tested   int          `json:"tested"`
	Untested int          `json:"untested"`
	Lines    int          `json:"lines"`  // records of hit and miss tests
	Files    int          `json:"files"`  // regression tests
	Absent   []string     `json:"absent"` // rules whose regression tests are named and not there
	Failed   []failedTest `json:"failed"`
}

// failedTest is a test that did not come out as it must.
type failedTest struct {
	File   string       `json:"file"`
	Line   int          `json:"line"`
	ID     string       `json:"id"`
	Reason string       `json:"reason"`
	Why    string       `json:"why,omitempty"`  // what decided, in words
	Tree   *detect.Tree `json:"tree,omitempty"` // and part by part, of the last record
}

func (f failedTest) sentence() string {
	s := detect.Refusal{File: f.File, Line: f.Line, Reason: f.Reason}.Error()
	if f.File == "" {
		s = f.Reason
	}
	if f.Why != "" {
		s += "; " + f.Why
	}
	return s
}

// tester runs the tests of rules, one rule after the other.
type tester struct {
	all      []*detect.Rule
	out      tested
	progress *progress
	cases    map[string][]sigma.Case // by rule file
}

func (t *tester) run(ctx context.Context) {
	t.cases = map[string][]sigma.Case{}
	for _, r := range t.all {
		if ctx.Err() != nil {
			return
		}
		if r.Filter != nil || r.Silent && len(r.Hit)+len(r.Miss) == 0 {
			continue // a filter never hits; a rule that only feeds correlations is tested by theirs
		}
		n := t.out.Lines + t.out.Files
		t.lines(r)
		t.regression(ctx, r)
		if t.out.Lines+t.out.Files > n {
			t.out.Tested++
		} else {
			t.out.Untested++
		}
	}
}

func (t *tester) fail(r *detect.Rule, tree *detect.Tree, why, format string, args ...any) {
	t.out.Failed = append(t.out.Failed, failedTest{File: r.File, Line: r.Line, ID: r.ID, Reason: fmt.Sprintf(format, args...), Why: why, Tree: tree})
}

// lines runs a rule over the lines it must hit and those it must miss.
func (t *tester) lines(r *detect.Rule) {
	if len(r.Hit)+len(r.Miss) == 0 {
		return
	}
	s := newPlayer(with(t.all, r))
	for _, test := range []struct {
		want  bool
		lines []string
	}{{true, r.Hit}, {false, r.Miss}} {
		for _, script := range scripts(r, test.lines) {
			t.out.Lines += len(script.records)
			t.progress.events.Add(int64(len(script.records)))
			if s.play(r, script) == test.want {
				continue
			}
			what := "this line"
			if len(script.records) > 1 {
				what = fmt.Sprintf("these %d lines", len(script.records))
			}
			sentence := "the rule must hit " + what + " and does not: %s"
			if !test.want {
				sentence = "the rule must miss " + what + " and hits: %s"
			}
			tree := s.matcher.Tree(r, &s.event)
			t.fail(r, tree, s.why(r, tree, test.want), sentence, script.records[len(script.records)-1])
		}
	}
}

// script is what is played for one test.
type script struct {
	records []string
	window  bool // its end is a window that hits, not a record that matches
}

// scripts makes tests of a rule's lines. A plain rule is asked about each; so is
// one that counts its own matches, unless a test has several lines. A correlation
// is asked about all of them, or about each that has several.
func scripts(r *detect.Rule, lines []string) (out []script) {
	over := r.Correlation != nil && len(r.Correlation.Rules) > 0
	several := slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(strings.TrimSpace(l), "\n") })
	switch {
	case len(lines) == 0:
		return nil
	case over && !several:
		return []script{{lines, true}}
	}
	for _, l := range lines {
		s := script{records: []string{l}, window: over}
		if over || several && (r.Count > 1 || r.Correlation != nil) {
			if s.records = nonEmpty(strings.Split(l, "\n")); len(s.records) > 1 {
				s.window = true
			}
		}
		if len(s.records) > 0 {
			out = append(out, s)
		}
	}
	return out
}

func nonEmpty(lines []string) []string {
	return slices.DeleteFunc(lines, func(l string) bool { return strings.TrimSpace(l) == "" })
}

// player plays records through parser, matcher and windows of a few rules.
type player struct {
	set     *detect.Set
	matcher *detect.Matcher
	slab    parse.Slab
	event   event.Event
	found   []*detect.Rule
}

func newPlayer(rules []*detect.Rule) *player {
	set := detect.NewSet(rules)
	return &player{set: set, matcher: set.NewMatcher()}
}

// play reports whether r hits a script's records, or would count one. The last
// record stays in s.event.
func (s *player) play(r *detect.Rule, p script) bool {
	stream := parse.NewRegistry(parse.Options{More: enrich.ForTests()}).Stream(sources.Info{ID: "test"})
	windows := detect.NewCorrelator(time.Now, s.set.Rules())
	hit := false
	for i, l := range p.records {
		s.slab.Reset()
		stream.Parse(&sources.Record{Raw: []byte(l), Line: int64(i + 1)}, &s.slab, &s.event)
		s.found = s.matcher.Match(&s.event, s.found[:0])
		for _, f := range s.found {
			hit = hit || !p.window && f == r
			if p.window {
				hit = completes(r, windows.Take(f, &s.event)) || hit
			}
		}
	}
	return p.window && completes(r, windows.Flush()) || hit
}

func completes(r *detect.Rule, done []detect.Completed) bool {
	return slices.ContainsFunc(done, func(d detect.Completed) bool { return d.Rule == r })
}

// why says what decided about the last record played.
func (s *player) why(r *detect.Rule, tree *detect.Tree, want bool) string {
	read := "it was read as " + s.event.FormatName
	if src := logSourceText(s.event.LogSource); src != "" {
		read += " (" + src + ")"
	}
	switch {
	case want && tree.Holds:
		return read + ", which matches, but the window does not come to what is asked"
	case want:
		return read + ": " + blame(tree)
	}
	var held []string
	for _, m := range s.matcher.Explain(r, &s.event) {
		held = append(held, m.Predicate)
	}
	return read + ", and what holds is " + strings.Join(held, ", ")
}

// blame names the first leaf that keeps a tree from holding.
func blame(t *detect.Tree) string {
	switch t.Op {
	case "not":
		return "it must not be that " + praise(t.Kids[0])
	case "leaf":
		return leafText(t) + " does not hold"
	}
	for _, k := range t.Kids {
		if !k.Holds {
			if t.Op == "or" && len(t.Kids) > 1 {
				return fmt.Sprintf("none of %d alternatives holds, the first because ", len(t.Kids)) + blame(k)
			}
			return blame(k)
		}
	}
	return "a part without any alternative never holds"
}

// praise names the first leaf that makes a tree hold.
func praise(t *detect.Tree) string {
	for _, k := range t.Kids {
		if k.Holds && t.Op != "not" {
			return praise(k)
		}
	}
	if t.Op == "not" && len(t.Kids) > 0 {
		return "not: " + leafText(t.Kids[0])
	}
	return leafText(t)
}

// leafText is what a leaf asks and what the event has for it.
func leafText(t *detect.Tree) string {
	s := t.Text
	switch {
	case t.Field == "":
	case t.Seen == nil:
		s += " (the event has no " + t.Field + ")"
	default:
		s += " (the event has " + short(strings.Join(t.Seen, ", "), 100) + ")"
	}
	return s
}

// short cuts a text for one line of people's output.
func short(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// regressionOf returns SigmaHQ's regression tests of the file a rule is from; of
// the built-in rules, which lie in no file, none.
func regressionOf(r *detect.Rule) ([]sigma.Case, error) {
	if _, err := os.Stat(r.File); err != nil || r.Kind != detect.KindSigma {
		return nil, nil //nolint:nilerr // the rule is built in
	}
	return sigma.RegressionOf(r.File)
}

// caseOf tells the tests of r.
func caseOf(r *detect.Rule) func(sigma.Case) bool {
	return func(c sigma.Case) bool { return slices.Contains(c.RuleIDs, r.ID) }
}

// regression runs a rule over the event files of its regression tests.
func (t *tester) regression(ctx context.Context, r *detect.Rule) {
	cases, known := t.cases[r.File]
	if !known {
		var err error
		cases, err = regressionOf(r)
		t.cases[r.File] = cases
		t.unread(r, err)
	}
	for _, c := range cases {
		if caseOf(r)(c) {
			t.out.Files++
			t.regressionCase(ctx, r, &c)
		}
	}
}

// unread takes in why regression tests could not be read.
func (t *tester) unread(r *detect.Rule, err error) {
	list := []error{err}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		list = many.Unwrap()
	}
	for _, e := range list {
		switch {
		case e == nil:
		case errors.Is(e, sigma.ErrAbsent):
			t.out.Absent = append(t.out.Absent, e.Error())
		default:
			t.out.Failed = append(t.out.Failed, failedTest{ID: r.ID, Reason: e.Error()})
		}
	}
}

func (t *tester) regressionCase(ctx context.Context, r *detect.Rule, c *sigma.Case) {
	reg := parse.NewRegistry(parse.Options{})
	var open []sources.Opened
	err := sources.Discover(ctx, []string{c.File}, sources.Options{}, func(op sources.Opened) { open = append(open, op) })
	matched, tree, why := 0, (*detect.Tree)(nil), ""
	if err == nil {
		s := newPlayer(with(t.all, r))
		over := r.Correlation != nil
		err = engine.Scan(ctx, open, engine.ScanOptions{
			Registry: reg, Rules: s.set, Now: time.Now,
			Failed: func(_ sources.Info, e error) { err = errors.Join(err, e) },
			Event: func(e *event.Event) error {
				t.progress.events.Add(1)
				if s.found = s.matcher.Match(e, s.found[:0]); slices.Contains(s.found, r) && !over {
					matched++
				} else {
					tree = s.matcher.Tree(r, e)
					s.event = *e
					why = s.why(r, tree, true)
				}
				return nil
			},
			Hit: func(h *detect.Hit) error {
				if over && h.Rule == r {
					matched++
				}
				return nil
			},
		})
	}
	switch {
	case err != nil:
		t.fail(r, nil, "", "the events of its test %q cannot be read: %v", c.Name, err)
	case !c.Met(matched):
		want := "at least one event"
		if c.Matches > 0 {
			want = fmt.Sprintf("%d events", c.Matches)
		}
		t.fail(r, tree, why, "the rule must match %s of %s (%s:%d) and matches %d", want, c.File, c.Info, c.Line, matched)
	}
}
