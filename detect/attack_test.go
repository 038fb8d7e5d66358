package detect

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTechniques(t *testing.T) {
	all := Techniques()
	if len(all) < 800 || !slices.IsSortedFunc(all, func(a, b Technique) int { return strings.Compare(a.ID, b.ID) }) {
		t.Fatalf("%d techniques, or not in order", len(all))
	}
	for _, x := range all {
		if x.Name == "" || x.Retired != (len(x.Tactics) == 0) {
			t.Errorf("%+v", x)
		}
		for _, tactic := range x.Tactics {
			if !slices.Contains(Tactics, tactic) {
				t.Errorf("%s has the tactic %s, which is none", x.ID, tactic)
			}
		}
	}
	if x, ok := TechniqueOf("t1110.001"); !ok || x.Name != "Password Guessing" || x.Tactics[0] != "credential-access" {
		t.Errorf("T1110.001 is %+v", x)
	}
	if _, ok := TechniqueOf("T0000"); ok {
		t.Error("there is no T0000")
	}
}

// TestTechniquesAgree holds the table to the published one.
func TestTechniquesAgree(t *testing.T) {
	corpus := os.Getenv("BARTIZAN_CORPUS")
	if corpus == "" {
		t.Skip("BARTIZAN_CORPUS is not set: the techniques are not compared with the published ones")
	}
	f, err := os.Open(filepath.Join(corpus, "mitre-attack", "enterprise_techniques.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows)-1 != len(Techniques()) {
		t.Errorf("%d techniques are published, %d are here", len(rows)-1, len(Techniques()))
	}
	for _, r := range rows[1:] {
		have, ok := TechniqueOf(r[0])
		if !ok || have.Name != r[1] || have.Retired != (r[3] == "yes") || !have.Retired && strings.Join(have.Tactics, " ") != r[2] {
			t.Errorf("published %q, here %+v", r, have)
		}
	}
}

func TestRuleAttack(t *testing.T) {
	r := Rule{Tags: []string{"attack.T1110.001", "attack.credential_access", "attack.t1110.001", "attack.s0154", "cve.2021-44228", "attack.stealth"}}
	techniques, tactics := r.Attack()
	if got := strings.Join(techniques, " ") + "; " + strings.Join(tactics, " "); got != "T1110.001; credential-access stealth" {
		t.Error(got)
	}
}
