package main

import (
	"fmt"
	"slices"
	"strings"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/query"
	"bartizan/sources/parse"

	"github.com/spf13/cobra"
)

func newRules(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "rules", Short: "everything about rules: check, list, show, test, explain, measure, convert them",
		Example: `  bartizan rules check --rules ./sigma -o json
  bartizan rules test --rules ./my-rules
  bartizan rules explain 'SSH password' /var/log/auth.log:812
  bartizan rules coverage --navigator layer.json /var/log/
  bartizan rules backtest ./new-rule.yml /srv/archive/`,
	}
	for _, sub := range []*cobra.Command{
		rulesCheck(a), rulesList(a), rulesShow(a), rulesTest(a), rulesExplain(a), rulesCoverage(a), rulesBench(a), rulesBacktest(a),
	} {
		a.outputFlag(sub)
		sub.Flags().StringVarP(&a.configFile, "config", "c", "", "config `FILE`")
		sub.Flags().StringArrayVar(&a.rules, "rules", nil, "a `DIR`, FILE, builtin or none; repeatable (default: builtin)")
		c.AddCommand(sub)
	}
	c.AddCommand(rulesConvert(a))
	return c
}

// rulesFor loads the rules that the flags and the config name, for a verb that
// prints text or JSON.
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

// sayRefused says on standard error that rules are missing from what follows.
func (a *app) sayRefused(l detect.Loaded) {
	if n := len(l.Refused); n > 0 {
		_, _ = fmt.Fprintf(a.err, "bartizan: %d rules were refused and are not looked at; bartizan rules check says why\n", n)
	}
}

// findRules returns the rules a person means by a name: the one with that id, else
// those whose id begins with it, else those whose title does, in any case.
func findRules(all []*detect.Rule, name string) (found []*detect.Rule) {
	for _, by := range []func(*detect.Rule) bool{
		func(r *detect.Rule) bool { return r.ID == name },
		func(r *detect.Rule) bool { return query.EqualFold(r.Title, name) },
		func(r *detect.Rule) bool { return strings.HasPrefix(r.ID, name) },
		func(r *detect.Rule) bool { return query.HasPrefixFold(r.Title, name) },
	} {
		for _, r := range all {
			if by(r) {
				found = append(found, r)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

// findRule returns the one rule a name means.
func findRule(all []*detect.Rule, name string) (*detect.Rule, error) {
	found := findRules(all, name)
	switch {
	case len(found) == 0:
		return nil, fmt.Errorf("no rule's id or title begins with %q; see bartizan rules list", name)
	case len(found) > 1:
		var names []string
		for _, r := range found[:min(len(found), 3)] {
			names = append(names, r.ID+" ("+r.Title+")")
		}
		return nil, usage("%q is the beginning of %d rules, among them %s; name one of them by its id", name, len(found), strings.Join(names, ", "))
	}
	return found[0], nil
}

// completeRules offers the ids of the rules that would run, with their titles.
func (a *app) completeRules(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault // events follow: files
	}
	l, _, err := a.rulesFor()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var out []string
	for _, r := range l.Rules {
		if strings.HasPrefix(r.ID, begun) && printable(r.ID) == r.ID { // a shell shows and takes it as it is
			out = append(out, r.ID+"\t"+printable(r.Title))
		}
	}
	return out, cobra.ShellCompDirectiveDefault
}

// with returns the rules that one needs to run: itself, the rules it stands on,
// and theirs.
func with(all []*detect.Rule, wanted ...*detect.Rule) []*detect.Rule {
	byID := make(map[string]*detect.Rule, len(all))
	for _, r := range all {
		byID[r.ID] = r
	}
	out := slices.Clone(wanted)
	for i := 0; i < len(out); i++ {
		if out[i].Correlation == nil {
			continue
		}
		for _, id := range out[i].Correlation.Rules {
			if base := byID[id]; base != nil && !slices.Contains(out, base) {
				out = append(out, base)
			}
		}
	}
	return out
}

// supplies is what the formats give to rules, in the words of detect.
func supplies() []detect.Supply {
	var out []detect.Supply
	for _, s := range parse.Supplies() {
		out = append(out, detect.Supply{Name: s.Format, LogSource: s.LogSource, Gives: s.Gives, Kind: s.Kind, Kinds: s.Kinds})
	}
	return out
}

func logSourceText(s event.LogSource) string {
	var parts []string
	for _, p := range []string{s.Product, s.Category, s.Service} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, "/")
}
