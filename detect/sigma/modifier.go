package sigma

import (
	"encoding/base64"
	"slices"
	"strings"
	"unicode/utf8"

	"bartizan/query"
)

var ordering = map[string]query.Op{
	"lt": query.OpLess, "lte": query.OpLessEq, "gt": query.OpGreater, "gte": query.OpGreaterEq,
}

// wide are the modifiers that write text in UTF-16, with the byte order.
var wide = map[string]string{"wide": "le", "utf16le": "le", "utf16be": "be", "utf16": "bom"}

var regexFlags = map[string]string{
	"i": "i", "ignorecase": "i", "m": "m", "multiline": "m", "s": "s", "dotall": "s",
}

// modify applies the modifier at place i of the item's list.
func (it *item) modify(i int, name string) error {
	switch name {
	case "all":
		it.all = true
		return nil
	case "neq":
		it.neq = true
		return nil
	case "cased":
		if it.how != compareValue && it.how != compareField {
			return fail(it.key, "cased does not go with %s; remove one", it.mods[0])
		}
		it.cased = true
		return nil
	case "contains", "startswith", "endswith":
		return it.place(name)
	case "re", "cidr", "exists", "fieldref", "lt", "lte", "gt", "gte":
		return it.compareBy(i, name)
	case "minute", "hour", "day", "week", "month", "year":
		return it.timePart(i, name)
	case "expand":
		return it.expand()
	case "base64", "base64offset", "windash", "wide", "utf16le", "utf16be", "utf16":
		return it.transform(i, name)
	}
	if flag, ok := regexFlags[name]; ok {
		if it.how != compareRegex {
			return fail(it.key, "the modifier %s belongs to re, which is not before it", name)
		}
		it.flags += flag
		return nil
	}
	return fail(it.key, "the modifier %s is not known; see docs/sigma.md for those that are", quote(name))
}

// compareBy sets how values are compared; such a modifier comes first.
func (it *item) compareBy(i int, name string) error {
	if op, ok := ordering[name]; ok && i == 1 && it.how == compareTime {
		it.op = op
		return nil
	}
	if i != 0 {
		return fail(it.key, "the modifier %s must be the first", name)
	}
	switch name {
	case "re":
		it.how = compareRegex
	case "cidr":
		it.how = compareCIDR
	case "fieldref":
		it.how = compareField
	case "exists":
		it.how = compareExists
		if len(it.mods) > 1 || len(it.terms) > 1 {
			return fail(it.key, "exists goes with one value and no other modifier")
		}
	default:
		it.how, it.op = compareNumber, ordering[name]
	}
	return nil
}

// place applies contains, startswith or endswith.
func (it *item) place(name string) error {
	start, end := name != "startswith", name != "endswith"
	switch it.how {
	case compareRegex:
		for i := range it.terms {
			it.terms[i].start = it.terms[i].start || !start
			it.terms[i].end = it.terms[i].end || !end
		}
		return nil
	case compareField:
		if it.op != query.OpEqual {
			return fail(it.key, "fieldref goes with one of contains, startswith and endswith; remove the others")
		}
		it.op = map[string]query.Op{"contains": query.OpContains, "startswith": query.OpPrefix, "endswith": query.OpSuffix}[name]
		return nil
	case compareValue:
	default:
		return fail(it.key, "%s does not go with %s; remove one", name, it.mods[0])
	}
	if it.field == "" && name != "contains" {
		return fail(it.key, "%s can only be used on a field, not on keywords", name)
	}
	return it.each(name, func(p pattern) ([]pattern, error) {
		return []pattern{p.open(start, end)}, nil
	})
}

// transform applies the modifiers that write a value in another form.
func (it *item) transform(i int, name string) error {
	if it.how != compareValue {
		return fail(it.key, "%s does not go with %s; remove one", name, it.mods[0])
	}
	switch name {
	case "windash":
		return it.each(name, func(p pattern) ([]pattern, error) {
			size := len(p.glob()) + 1
			out, ok := windash(p, min(maxDashes, *it.room/size))
			if !ok {
				return nil, fail(it.key, "a value has so many option dashes that windash would make too many variants (over %d, or %d bytes in the document); split the rule", maxDashes, maxVariants)
			}
			*it.room -= len(out) * size
			return out, nil
		})
	case "base64", "base64offset":
		return it.encode(name)
	}
	binary := i+1 < len(it.mods) && strings.HasPrefix(it.mods[i+1], "base64")
	return it.each(name, func(p pattern) ([]pattern, error) {
		out := slices.Clone(p)
		for k := range out {
			if out[k].wild != 0 {
				continue
			}
			out[k].text = wideText(out[k].text, wide[name])
			if !binary && !utf8.ValidString(out[k].text) {
				return nil, fail(it.key, "text in UTF-16 is only found in base64; put base64 or base64offset after %s", name)
			}
		}
		return []pattern{out}, nil
	})
}

func (it *item) encode(name string) error {
	return it.each(name, func(p pattern) ([]pattern, error) {
		text, plain := p.plain()
		if !plain {
			return nil, fail(it.key, "%s cannot encode a value with wildcards; remove them, or put contains behind it", name)
		}
		if name == "base64" {
			return []pattern{literalPattern(base64.StdEncoding.EncodeToString([]byte(text)))}, nil
		}
		var out []pattern
		for _, t := range base64Offsets(text) {
			out = append(out, literalPattern(t))
		}
		return out, nil
	})
}

// each replaces every pattern of every value by those that f makes of it.
func (it *item) each(name string, f func(pattern) ([]pattern, error)) error {
	for i := range it.terms {
		t := &it.terms[i]
		if t.kind == termNull {
			return fail(t.node, "%s does not go with null; remove one", name)
		}
		var out []pattern
		for _, p := range t.alts {
			more, err := f(p)
			if err != nil {
				return err
			}
			out = append(out, more...)
		}
		if len(out) > maxDashes {
			return fail(t.node, "the value %s has more than %d variants; split it", quote(t.raw), maxDashes)
		}
		t.alts = out
	}
	return nil
}
