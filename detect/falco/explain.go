package falco

import (
	"strings"

	"bartizan/detect"
)

// Explainer returns a function that finds the loaded rule of an alert from Falco,
// nil when there is none: by the rule's name, with "falco:" before it or not, and
// for alerts in text form, which carry no name, by the constant beginning of the
// rule's output. Use the title or id of the rule that Intake made.
func Explainer(rules []*detect.Rule) func(name string) *detect.Rule {
	byName := map[string]*detect.Rule{}
	byOutput := map[string]*detect.Rule{}
	for _, r := range rules {
		if r.Kind != detect.KindFalco {
			continue
		}
		name := cut(strings.TrimSpace(r.Title), maxName)
		if byName[name] == nil {
			byName[name] = r
		}
		start, twice := outputStart(Output(r)), false
		if _, twice = byOutput[start]; twice || start == "" {
			r = nil // several rules begin so: none is meant
		}
		byOutput[start] = r
	}
	return func(name string) *detect.Rule {
		name = strings.TrimPrefix(name, "falco:")
		if r := byName[name]; r != nil {
			return r
		}
		return byOutput[name]
	}
}

// outputStart is what messageName makes of every alert with that template: its
// beginning before the first parenthesis or field.
func outputStart(output string) string {
	output = strings.TrimSpace(strings.TrimPrefix(output, "*"))
	open, percent := strings.IndexByte(output, '('), strings.IndexByte(output, '%')
	if percent >= 0 && (open < 0 || percent < open) && !strings.Contains(output[:percent], "=") {
		return "" // a value stands within the beginning
	}
	return messageName(output)
}
