package falco

import "slices"

// Askable lists the fields that rules of a source can be asked by, sorted, and
// whether each has several values.
func Askable(source string) (names []string, list map[string]bool) {
	list = map[string]bool{}
	for name, f := range families[source].fields {
		if f.why == "" {
			names = append(names, name)
			list[name] = f.list
		}
	}
	slices.Sort(names)
	return names, list
}
