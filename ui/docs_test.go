package ui

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// docs/keys.md is made from the key table and the screens.
func TestKeyReference(t *testing.T) {
	d := newDriver(t, newWorld(), nil)
	golden(t, "../docs/keys.md", keyReference(d.c))
}

func keyReference(c *Console) string {
	var b strings.Builder
	b.WriteString("# Keys\n\nMade from the key table by `go test ./ui -update`; do not edit.\n\n" +
		"The same keys do the same everywhere. A key that does nothing on a screen says why. Every command can be run by\n" +
		"name with `:` and given other keys in the configuration, by its name: `[keys]` `close-benign = [\"a b\"]`. An empty list\n" +
		"takes its keys away. Conflicts are reported at the start.\n")
	screens := c.everyScreen()
	on := map[string][]string{}
	global := names(c.global())
	for _, s := range screens {
		for _, n := range names(s.Keys()) {
			if !slices.Contains(on[n], s.Title()) {
				on[n] = append(on[n], s.Title())
			}
		}
	}
	group := ""
	for _, e := range table() {
		if e.group != group {
			group = e.group
			fmt.Fprintf(&b, "\n## %s\n\n| keys | command | does | on |\n|---|---|---|---|\n", group)
		}
		where := strings.Join(on[e.name], ", ")
		if slices.Contains(global, e.name) || len(on[e.name]) == len(screens) {
			where = "every screen"
		}
		if where == "" {
			where = "nowhere yet: " + e.absent
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", keyCells(e.keys), e.name, e.help, where)
	}
	return b.String()
}

func names(list []Binding) []string {
	var out []string
	for _, b := range list {
		out = append(out, b.Name)
	}
	return out
}

func keyCells(keys []string) string {
	var out []string
	for _, k := range keys {
		out = append(out, "`"+strings.ReplaceAll(keyName(k), "|", "\\|")+"`")
	}
	return strings.Join(out, " ")
}

// Every binding of every screen must be in the key table, so that it has keys,
// help and a place in the reference; and the table must have no clashes.
func TestTableIsComplete(t *testing.T) {
	d := newDriver(t, newWorld(), nil)
	known := map[string]bool{}
	for _, e := range table() {
		if known[e.name] {
			t.Errorf("%s is in the table twice", e.name)
		}
		known[e.name] = true
		if e.help == "" {
			t.Errorf("%s has no help", e.name)
		}
	}
	global := names(d.c.global())
	for _, s := range d.c.everyScreen() {
		seen := map[string]bool{}
		for _, n := range append(names(s.Keys()), global...) {
			if !known[n] {
				t.Errorf("%s on %s is not in the key table", n, s.Title())
			}
			if seen[n] {
				t.Errorf("%s is bound twice on %s", n, s.Title())
			}
			seen[n] = true
		}
		for _, b := range d.c.bound(s) {
			if b.Do == nil && d.c.why(b) == "" {
				t.Errorf("%s on %s does nothing and does not say why", b.Name, s.Title())
			}
		}
	}
	if p := d.c.Problems(); len(p) > 0 {
		t.Errorf("the keys as shipped clash: %s", strings.Join(p, "; "))
	}
}

func TestOverrides(t *testing.T) {
	d := newDriver(t, story(), func(o *Options) {
		o.Keys = map[string][]string{"take": {"T"}, "close-benign": {"a"}, "fly": {"X"}, "search": {}, "sources": {"S"}}
	})
	for _, want := range []string{
		`the keys "T" mean both take and time`, `the key "a" of close-benign hides "a t" of close-true-positive`, "keys.fly: there is no such command",
	} {
		if !strings.Contains(strings.Join(d.c.Problems(), "\n"), want) {
			t.Errorf("no complaint %q in\n%s", want, strings.Join(d.c.Problems(), "\n"))
		}
	}
	d.press("S")
	d.sees("alerts › sources")
	d.press("q tab /")
	if d.c.prompt != nil {
		t.Error("a command whose keys were taken away still has one")
	}
}
