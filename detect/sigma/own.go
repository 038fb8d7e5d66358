package sigma

import (
	"strconv"
	"time"

	"bartizan/detect"

	"go.yaml.in/yaml/v3"
)

// own reads the map under the key bartizan, which Sigma leaves to tools:
//
//	group_by: [field, …]  what alerts are grouped by
//	count: N, within: 5m  hit only when N events of a group fall within that time
//	runbook: "…"          what to do first, one line
//	hit, miss: [line, …]  raw lines the rule must and must not hit
func (r *reader) own(root *yaml.Node) error {
	n := get(root, "bartizan")
	if n == nil {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		return fail(n, "bartizan must be a map")
	}
	for i := 0; i < len(n.Content); i += 2 {
		if err := r.ownKey(n, n.Content[i]); err != nil {
			return err
		}
	}
	if (r.rule.Count > 1) != (r.rule.Within > 0) {
		return fail(n, "count (of 2 or more) and within go together; give both or neither")
	}
	return nil
}

func (r *reader) ownKey(n, key *yaml.Node) (err error) {
	switch key.Value {
	case "group_by":
		r.rule.GroupBy, err = texts(n, key.Value)
	case "hit":
		r.rule.Hit, err = texts(n, key.Value)
	case "miss":
		r.rule.Miss, err = texts(n, key.Value)
	case "runbook":
		r.rule.Runbook, err = text(n, key.Value)
	case "count":
		err = r.count(n)
	case "within":
		err = r.within(n)
	default:
		err = fail(key, "bartizan has no key %s; there are group_by, count, within, runbook, hit and miss", quote(key.Value))
	}
	return err
}

func (r *reader) count(n *yaml.Node) error {
	v, err := text(n, "count")
	if err != nil {
		return err
	}
	if r.rule.Count, err = strconv.Atoi(v); err != nil || r.rule.Count < 1 || r.rule.Count > detect.MaxCount {
		return fail(get(n, "count"), "count must be a whole number from 1 to %d, not %s", detect.MaxCount, quote(v))
	}
	return nil
}

// maxWithin is the longest window: a state is kept that long.
const maxWithin = 31 * 24 * time.Hour

func (r *reader) within(n *yaml.Node) error {
	v, err := text(n, "within")
	if err != nil {
		return err
	}
	if r.rule.Within, err = time.ParseDuration(v); err != nil || r.rule.Within <= 0 || r.rule.Within > maxWithin {
		return fail(get(n, "within"), "within must be a time such as 30s, 5m or 24h, at most %v, not %s", maxWithin, quote(v))
	}
	return nil
}

// quote shows a text from a rule in a message: escaped, and shortened when long.
func quote(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strconv.Quote(s)
}
