package falco_test

import (
	"encoding/json"
	"path"
	"slices"
	"strings"
	"testing"

	"bartizan/detect/falco"
	"bartizan/query"

	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"
)

// TestWithinModel compares in and intersects over fields of several values with a
// loop over them.
func TestWithinModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringOfN(rapid.RuneFrom([]rune(`abAö^]-.\/:@`)), 1, 5, -1)
		words := rapid.SliceOfN(word, 0, 8).Draw(t, "list")
		values := rapid.SliceOfN(rapid.OneOf(word, rapid.SampledFrom(append(words, "a"))), 0, 3).Draw(t, "values")
		field := rapid.SampledFrom([]string{"ka.user.groups", "ka.req.pod.containers.image.repository", "tolower(ka.user.groups)"}).Draw(t, "field")
		op := rapid.SampledFrom([]string{"in", "intersects"}).Draw(t, "op")
		list, err := yaml.Marshal([]map[string]any{
			{"list": "words", "items": quoteAll(words)},
			{"rule": "r", "desc": "d", "output": "o", "priority": "INFO", "source": "k8s_audit", "condition": field + " " + op + " (words)"},
		})
		if err != nil {
			t.Fatal(err)
		}
		got := falco.Parse("r.yaml", list)
		if len(got.Rules) != 1 || got.Rules[0].Cond == nil {
			t.Fatalf("%v %v of %s", got.Refused, got.Warnings, list)
		}
		var images []map[string]string
		for _, v := range values {
			images = append(images, map[string]string{"image": v})
		}
		rec, err := json.Marshal(map[string]any{
			"auditID": "1", "verb": "v", "apiVersion": "audit.k8s.io/v1",
			"user": map[string]any{"groups": values}, "requestObject": map[string]any{"spec": map[string]any{"containers": images}},
		})
		if err != nil {
			t.Fatal(err)
		}
		e := eventOf(rec)
		if holds, want := query.Holds(got.Rules[0].Cond, e), within(field, op, values, words); holds != want {
			t.Fatalf("%s %s %q on %q is %v, want %v", field, op, words, values, holds, want)
		}
	})
}

// quoteAll gives each text quotes of its own, so that none is a list's name.
func quoteAll(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		b := strings.ReplaceAll(w, `\`, `\\`)
		out[i] = `"` + b + `"`
	}
	return out
}

func within(field, op string, values, words []string) bool {
	inside := 0
	for _, v := range values {
		switch {
		case strings.Contains(field, "image"):
			if i := strings.IndexAny(v, ":@"); i >= 0 {
				v = v[:i]
			}
		case strings.HasPrefix(field, "tolower"):
			v = strings.ToLower(v)
		}
		if slices.Contains(words, v) {
			inside++
		}
	}
	if op == "intersects" {
		return inside > 0
	}
	return len(values) > 0 && inside == len(values)
}

// TestGlobModel compares glob, and glob on the last name of a path, with
// path.Match on texts without slashes, where both mean the same.
func TestGlobModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringOfN(rapid.RuneFrom([]rune(`abö*?[]-^`)), 0, 6, -1).Draw(t, "pattern")
		value := rapid.StringOfN(rapid.RuneFrom([]rune(`abö-]*`)), 0, 5, -1).Draw(t, "value")
		want, err := path.Match(pattern, value)
		if err != nil || strings.Contains(pattern, "[]") || strings.Contains(pattern, "[^]") || strings.Contains(pattern, "?(") {
			t.Skip("no pattern to both")
		}
		for field, record := range map[string]string{"json.value[/v]": value, "basename(json.value[/v])": "a/" + value} {
			src, err := json.Marshal([]map[string]string{{
				"rule": "r", "desc": "d", "output": "o", "priority": "INFO", "source": "json",
				"condition": field + ` glob "` + pattern + `"`,
			}})
			if err != nil {
				t.Fatal(err)
			}
			got := falco.Parse("r.yaml", src)
			if len(got.Rules) != 1 || got.Rules[0].Cond == nil {
				if strings.Contains(pattern, "-") {
					t.Skip("a range that runs backwards")
				}
				t.Fatalf("%v %v of %s", got.Refused, got.Warnings, src)
			}
			rec, err := json.Marshal(map[string]string{"v": record})
			if err != nil {
				t.Fatal(err)
			}
			if holds := query.Holds(got.Rules[0].Cond, eventOf(rec)); holds != want {
				t.Fatalf("%s glob %q on %q is %v, want %v", field, pattern, record, holds, want)
			}
		}
	})
}
