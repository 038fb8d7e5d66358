package parse

import (
	"slices"
	"strings"
	"testing"

	"bartizan/event"
	"bartizan/sources"
)

// TestSuppliesKnowTheirExamples holds that a format's example has no field that
// its supply does not know, and comes from the log source it names.
func TestSuppliesKnowTheirExamples(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range testRegistry().Formats() {
		of := slices.DeleteFunc(Supplies(), func(s Supply) bool { return s.Format != f.Name })
		if len(of) == 0 {
			if f.LogSource != (event.LogSource{}) {
				t.Errorf("%s is no supply, and rules ask for its log source", f.Name)
			}
			continue
		}
		seen[f.Name] = true
		e := parseOne(t, sources.Info{Format: f.Name}, f.Example)
		fits := slices.ContainsFunc(of, func(s Supply) bool {
			return !slices.ContainsFunc(e.Fields, func(x event.Field) bool { return !s.Gives(x.Name) })
		})
		if !fits {
			for _, x := range e.Fields {
				if !of[0].Gives(x.Name) {
					t.Errorf("%s gives %s, which its supply does not name", f.Name, x.Name)
				}
			}
		}
		if !slices.ContainsFunc(of, func(s Supply) bool { return s.LogSource == e.LogSource }) {
			t.Errorf("%s comes from %+v, its supply says %+v", f.Name, e.LogSource, of[0].LogSource)
		}
	}
	for _, table := range fieldTables {
		for _, f := range strings.Fields(table.formats) {
			if !seen[f] {
				t.Errorf("the table %s is about %s, which is no supply", table.title, f)
			}
		}
	}
}

func TestSupplyGives(t *testing.T) {
	find := func(format, kind string) *Supply {
		for _, s := range Supplies() {
			if s.Format == format && (kind == "" || slices.Contains(s.Kinds, kind)) {
				return &s
			}
		}
		t.Fatalf("no supply %s %s", format, kind)
		return nil
	}
	for _, c := range []struct {
		format, kind, name string
		want               bool
	}{
		{"cloudtrail", "", "requestParameters.bucketName", true},
		{"cloudtrail", "", "requestParameters", true},
		{"cloudtrail", "", "requestParametersx", false},
		{"cloudtrail", "", "source.ip", true},
		{"cloudtrail", "", "src_ip", false},
		{"k8saudit", "", "objectRef.subresource", true},
		{"k8saudit", "", "hostPath", false},
		{"nginx", "", "cs-uri-query", true},
		{"nginx", "", "cs-content-type", false},
		{"auditd", "EXECVE", "a17", true},
		{"auditd", "EXECVE", "a", false},
		{"auditd", "EXECVE", "exe", false},
		{"auditd", "SYSCALL", "a3", true},
		{"auditd", "SYSCALL", "a4", false},
		{"vpcflow", "", "flow_direction", true},
		{"json", "", "whatever", true},
	} {
		if got := find(c.format, c.kind).Gives(c.name); got != c.want {
			t.Errorf("%s %s gives %s: %t", c.format, c.kind, c.name, got)
		}
	}
}
