package enrich

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"bartizan/event"
)

var update = flag.Bool("update", false, "write the tables of docs/enrichment.md")

const docsFile = "../docs/enrichment.md"

// docTables are the tables of docs/enrichment.md, made of the program's own.
func docTables() map[string]string {
	var fields, classTable, users, agents, agentKinds, geo strings.Builder
	fields.WriteString("| field | what it is |\n|---|---|\n")
	seen := map[string]bool{}
	for _, n := range event.EnrichedNames() {
		base := n.Base
		switch {
		case strings.HasPrefix(n.Leaf, "asset."):
			base = "N"
		case bases[n.Base].address:
			base = "S"
		}
		if name := base + "." + n.Leaf; !seen[name] {
			seen[name] = true
			fmt.Fprintf(&fields, "| `%s` | %s |\n", name, n.Words)
		}
	}
	classTable.WriteString("| class | what it is | local | networks |\n|---|---|---|---|\n")
	for _, c := range classes {
		fmt.Fprintf(&classTable, "| `%s` | %s | %s | %s |\n", c.name, c.words, map[bool]string{true: "yes", false: "no"}[c.local], strings.Join(c.nets, " "))
	}
	users.WriteString("| `user.class` | name | what it is |\n|---|---|---|\n")
	for _, u := range userClasses {
		name := u.prefix + "…"
		if u.exact {
			name = u.prefix
		}
		fmt.Fprintf(&users, "| `%s` | `%s` | %s |\n", u.class, name, u.words)
	}
	for _, u := range userSuffixes {
		fmt.Fprintf(&users, "| `%s` | `…%s` | %s |\n", u.class, u.prefix, u.words)
	}
	agentKinds.WriteString("| `user_agent.class` | what it does |\n|---|---|\n")
	for _, c := range agentClasses {
		fmt.Fprintf(&agentKinds, "| `%s` | %s |\n", c[0], c[1])
	}
	agents.WriteString("| `user_agent.tool` | class | text in the user agent |\n|---|---|---|\n")
	for _, a := range agentTools {
		fmt.Fprintf(&agents, "| %s | %s | `%s` |\n", a.tool, a.class, a.text)
	}
	geo.WriteString("| field | places in the database, the first that has it |\n|---|---|\n")
	for _, g := range geoPaths {
		var paths []string
		for _, p := range g.paths {
			paths = append(paths, "`"+strings.Trim(strings.ReplaceAll(fmt.Sprint(p), " ", "."), "[]")+"`")
		}
		for name, l := range leafNames {
			if l == g.leaf {
				fmt.Fprintf(&geo, "| `S.%s` | %s |\n", name, strings.Join(paths, ", "))
			}
		}
	}
	return map[string]string{
		"fields": fields.String(), "classes": classTable.String(), "users": users.String(),
		"agents": agents.String(), "agent classes": agentKinds.String(), "geoip": geo.String(),
	}
}

// TestDocs holds docs/enrichment.md to the tables it is about.
func TestDocs(t *testing.T) {
	b, err := os.ReadFile(docsFile)
	if err != nil {
		t.Fatal(err)
	}
	want := string(b)
	for name, table := range docTables() {
		head, rest, ok := strings.Cut(want, "<!-- generated: "+name+" -->\n")
		_, tail, ok2 := strings.Cut(rest, "<!-- end -->")
		if !ok || !ok2 {
			t.Fatalf("%s has no place for the table %q", docsFile, name)
		}
		want = head + "<!-- generated: " + name + " -->\n" + table + "<!-- end -->" + tail
	}
	if *update {
		if err := os.WriteFile(docsFile, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(b) {
		t.Errorf("%s is out of date; run: go test ./enrich -run Docs -update", docsFile)
	}
}

// TestAgentTable wants every text to be found, in lower case, and of a known class.
func TestAgentTable(t *testing.T) {
	for _, a := range agentTools {
		if a.text != strings.ToLower(a.text) {
			t.Errorf("%q is not in lower case", a.text)
		}
		if got := agentOf("Mozilla/5.0 (" + a.text + "/1.0)"); got == nil || got.tool != a.tool {
			t.Errorf("%q is found as %v, not as %s", a.text, got, a.tool)
		}
		if !slices.ContainsFunc(agentClasses, func(c [2]string) bool { return c[0] == a.class }) {
			t.Errorf("%s is of class %q, which nothing explains", a.tool, a.class)
		}
	}
	for _, harmless := range []string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0", "kubectl/v1.30.2 (linux/amd64) kubernetes/3968350",
		"Boto3/1.34 botocore/1.34", "kube-probe/1.30", "ELB-HealthChecker/2.0", "Slackbot-LinkExpanding 1.0", "", "-",
	} {
		if got := agentOf(harmless); got != nil {
			t.Errorf("%q is taken for %s", harmless, got.tool)
		}
	}
}
