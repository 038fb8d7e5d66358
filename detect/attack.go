package detect

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

//go:embed attack.txt
var attackText string

// AttackVersion is the version of MITRE ATT&CK that Techniques lists.
const AttackVersion = "18"

// Tactics are those of ATT&CK for Enterprise in the order of its matrix, by the
// names that Sigma's tags use.
var Tactics = []string{
	"reconnaissance", "resource-development", "initial-access", "execution", "persistence", "privilege-escalation",
	"defense-evasion", "credential-access", "discovery", "lateral-movement", "collection", "command-and-control",
	"exfiltration", "impact",
}

// Technique is one technique, or sub-technique (T1110.001), of ATT&CK.
type Technique struct {
	ID, Name string
	Tactics  []string // of Tactics; none when it is retired
	Retired  bool
}

// Techniques returns all techniques in the order of their ids. The list is
// shared: do not change it.
var Techniques = sync.OnceValue(func() []Technique {
	var out []Technique
	for _, l := range strings.Split(attackText, "\n") {
		id, rest, _ := strings.Cut(l, " ")
		tactics, name, ok := strings.Cut(rest, " ")
		if !ok || id == "#" {
			continue
		}
		t := Technique{ID: id, Name: name, Retired: tactics == "-"}
		if !t.Retired {
			t.Tactics = strings.Split(tactics, ",")
		}
		out = append(out, t)
	}
	return out
})

// TechniqueOf returns the technique with that id (T1110.001, in any case).
func TechniqueOf(id string) (Technique, bool) {
	all := Techniques()
	i, ok := slices.BinarySearchFunc(all, strings.ToUpper(id), func(t Technique, id string) int { return strings.Compare(t.ID, id) })
	if !ok {
		return Technique{}, false
	}
	return all[i], true
}

// Attack returns the techniques (T1110.001) and tactics (credential-access) that
// the rule's tags name, each once, whether ATT&CK has them or not.
func (r *Rule) Attack() (techniques, tactics []string) {
	for _, tag := range r.Tags {
		name, ok := strings.CutPrefix(strings.ToLower(tag), "attack.")
		switch {
		case !ok:
		case isTechnique(name):
			techniques = appendNew(techniques, strings.ToUpper(name))
		case !isNumbered(name): // a group or a piece of software: g0007, s0154
			tactics = appendNew(tactics, strings.ReplaceAll(name, "_", "-"))
		}
	}
	return techniques, tactics
}

func isTechnique(s string) bool { return len(s) >= 5 && s[0] == 't' && digitsOnly(s[1:5]) }

func isNumbered(s string) bool { return len(s) == 5 && digitsOnly(s[1:]) }

func digitsOnly(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}
