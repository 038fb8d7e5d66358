package falco

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"bartizan/query"
)

// several compiles the comparison for a field of several values. A condition on
// a path holds when any of its values answers, so intersects is asked as it is,
// and in is: there are values, and none of them is outside the list.
func (a *asking) several() (query.Node, error) {
	t := a.test
	if a.length || a.decoded {
		return nil, cannot("%s cannot be asked: the field has several values", t.left.String())
	}
	switch {
	case t.op == "exists":
		return a.someValue()
	case t.op == "intersects":
		return a.member()
	case t.op == "in":
		return a.allWithin()
	case t.mod == "anyof" || t.mod == "oneof":
		return a.each(func(v string) (query.Node, error) {
			if t.op == "!=" {
				return nil, cannot("%s != %s cannot be asked of several values", t.left.String(), t.mod)
			}
			return a.one(t.op, v)
		})
	case t.mod == "allof":
		return nil, cannot("%s %s allof cannot be asked of several values", t.left.String(), t.op)
	}
	if t.op == "!=" || contains(numberOps, t.op) {
		return nil, cannot("%s %s cannot be asked: the field has several values; use in, intersects or exists", t.left.String(), t.op)
	}
	a.c.remark("Falco cannot ask %s, which has several values, by %s; here any of the values may answer", t.left.String(), t.op)
	return a.each(func(v string) (query.Node, error) { return a.one(t.op, v) })
}

// someValue holds when the list has a value: the list as a whole is a value under
// the same name, and does not count.
func (a *asking) someValue() (query.Node, error) { return a.expression(`^(?:[^\[{]|$)`) }

// allWithin compiles in.
func (a *asking) allWithin() (query.Node, error) {
	if a.base {
		return nil, cannot("%s in cannot be asked: the field has several values", a.test.left.String())
	}
	if len(a.test.texts) == 0 {
		return never, nil
	}
	outside, err := a.outside()
	if err != nil {
		return nil, err
	}
	inside, err := a.someValue()
	return all(exists(a.path), inside, not(outside)), err
}

// outside holds when a value is none of the texts: an expression that follows the
// letters of all texts at once and takes the first step aside.
func (a *asking) outside() (query.Node, error) {
	words := make([]string, 0, len(a.test.texts))
	for _, w := range a.test.texts {
		if !utf8.ValidString(w) {
			return nil, cannot("the list for %s has a value that is no UTF-8", a.test.left.String())
		}
		if a.repo && strings.ContainsAny(w, ":@") {
			continue // no repository is called that
		}
		if a.letters == "lower" && strings.ToLower(w) != w || a.letters == "upper" && strings.ToUpper(w) != w {
			continue // no value in these letters is that
		}
		words = append(words, w)
	}
	if len(words) == 0 {
		return always, nil
	}
	slices.Sort(words)
	words = slices.Compact(words)
	total := 0
	for _, w := range words {
		total += len(w)
	}
	if total > query.MaxRegex {
		return nil, cannot("the list for %s is too long to be asked: a field of several values is compared with at most some hundred texts", a.test.left.String())
	}
	o := outsider{}
	if a.repo {
		o.stop = `:@`
	}
	o.write(words, 0, true)
	n, err := a.expression(flags(a.letters != "") + `^` + o.String())
	if err != nil {
		return nil, cannot("the list for %s is too long to be asked: a field of several values is compared with at most some hundred texts", a.test.left.String())
	}
	return n, nil
}

// outsider writes the expression of outside. Each group stands for one place in
// the texts: the value ends there though no text does, or goes on with a character
// that no text has there, or with one that some have.
type outsider struct {
	strings.Builder
	stop string // characters that end a value
}

// write handles the sorted words, which share their first n bytes.
func (o *outsider) write(words []string, n int, root bool) {
	o.WriteByte('(')
	var next []rune
	groups := map[rune][]string{}
	ends := false
	for _, w := range words {
		if len(w) == n {
			ends = true
			continue
		}
		r, _ := utf8.DecodeRuneInString(w[n:])
		if groups[r] == nil {
			next = append(next, r)
		}
		groups[r] = append(groups[r], w)
	}
	other := ""
	if ends {
		other = o.stop // the value may end here
	} else {
		o.WriteString(`$|`)
	}
	if root {
		other += `[{` // a list as a whole is no value of its own
	}
	if len(next) == 0 && other == "" {
		o.WriteString(`.`)
	} else {
		o.WriteString(`[^` + classOf(next, other) + `]`)
	}
	for _, r := range next {
		o.WriteString("|" + regexp.QuoteMeta(string(r)))
		o.write(groups[r], n+len(string(r)), false)
	}
	o.WriteByte(')')
}

// classOf writes characters for the inside of a class.
func classOf(next []rune, more string) string {
	var b strings.Builder
	for _, r := range string(next) + more {
		if strings.ContainsRune(`[]^\-`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// firstOfSeveral compiles Falco's old fields that give the first container only.
// Which one is first cannot be told here, so the rule is made to hit when any
// container would make it hit: under not, all of them must be as asked.
func (a *asking) firstOfSeveral(negated bool) (query.Node, error) {
	t := a.test
	if t.op == "!=" {
		inner := *t
		check := *t.check
		check.op = "="
		inner.check = &check
		b := *a
		b.test = &inner
		n, err := b.firstOfSeveral(!negated)
		if err != nil {
			return nil, err
		}
		return all(a.there(), not(n)), nil
	}
	switch {
	case t.op == "exists":
		return a.there(), nil
	case t.op == "=" || t.op == "in" || t.op == "intersects":
		if negated && t.mod != "allof" {
			return a.allWithin()
		}
		return a.member()
	case negated:
		return nil, cannot("%s %s under not cannot be asked: which container is the first is not known", t.left.String(), t.op)
	}
	return a.each(func(v string) (query.Node, error) { return a.one(t.op, v) })
}

// manyValues is from how many texts on a set is asked instead of each text.
const manyValues = 32

// MaxSets bounds the texts in the sets of one Load.
const MaxSets = 400_000

// sets makes the sets of large lists, the same one for the same list.
type sets struct {
	made map[setKey]*query.Set
	left int
	re   query.RegexRoom // of one Load
}

type setKey struct {
	first   *string
	n       int
	letters string
}

func (s *sets) of(t *test, letters string) (*query.Set, error) {
	k := setKey{&t.texts[0], len(t.texts), letters}
	if have := s.made[k]; have != nil {
		return have, nil
	}
	if s.left -= len(t.texts); s.left < 0 {
		return nil, fmt.Errorf("the large lists of all rules together have more than %d values; use fewer", MaxSets)
	}
	name := t.name
	if name == "" {
		name = fmt.Sprintf("%d values", len(t.texts))
	}
	set := &query.Set{Name: name, Values: make(map[string]struct{}, len(t.texts))}
	for _, v := range t.texts {
		switch {
		case letters == "":
		case letters == "lower" && strings.ToLower(v) != v, letters == "upper" && strings.ToUpper(v) != v:
			continue
		default:
			v = query.Fold(v)
		}
		set.Values[v] = struct{}{}
	}
	s.made[k] = set
	return set, nil
}
