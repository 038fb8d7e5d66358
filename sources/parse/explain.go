package parse

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"

	"bartizan/event"
)

// Explain says for every format how well raw fits it and why, best first.
func (s *Stream) Explain(raw []byte) []Score {
	var out []Score
	var slab Slab
	var e event.Event
	e.Raw = raw
	out = append(out, s.explainUsers(raw, &slab, &e)...)
	for i := 1; i < len(readers); i++ {
		if i == readUserID {
			continue
		}
		r := &readers[i]
		n, why := r.score(raw)
		if n > 0 {
			p := &slab.pass
			p.begin(s.reg, &slab, &e, raw)
			p.stream, p.spec, p.ref = nil, s.base, s.reg.opt.Now()
			p.spec.header = s.header
			if name := r.name; p.try(uint8(i)) {
				if why += "; read in full"; e.FormatName != name {
					why += ", as " + e.FormatName
				}
			} else {
				n, why = n/4, why+"; but it cannot be read to its end: "+missing(i, raw)
			}
		}
		out = append(out, Score{r.name, n, why})
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Score > out[j].Score })
	return out
}

// Near reports whether the record begins like the format and then does not fit it.
func (s Score) Near() bool { return strings.Contains(s.Why, " but ") }

// missing says what of a record with the right beginning does not fit.
func missing(reader int, raw []byte) string {
	switch reader {
	case readJSONID:
		var doc json.RawMessage
		var bad *json.SyntaxError
		if errors.As(json.Unmarshal(raw, &doc), &bad) {
			return fmt.Sprintf("JSON stops at byte %d of %d (%v)", bad.Offset, len(raw), bad)
		}
		return fmt.Sprintf("it nests deeper than %d levels", maxSkip)
	case readVPCID:
		return fmt.Sprintf("%d values, where a record without a line of column names before it has %d, addresses and ACCEPT or REJECT among them", len(bytes.Fields(raw)), len(vpcDefault))
	case readSyslogID:
		return "no host and program with a colon after the stamp"
	case readWeb:
		return "no closed request with a status after it"
	}
	return "what follows is not the format's"
}

// Summary says in a sentence or two why e was read as it was, by what Explain found.
func Summary(e *event.Event, scores []Score) string {
	var b strings.Builder
	switch by := readBy(e, scores); {
	case e.Flags&event.FlagRawOnly != 0:
		b.WriteString("No format fits")
		if best := nearest(scores); best.Name != "" {
			fmt.Fprintf(&b, "; the nearest is %s: %s", best.Name, best.Why)
		} else {
			b.WriteString("; none begins like this")
		}
		b.WriteString(". It is kept and can be searched, but has no fields: --format NAME fixes a format, [[format]] in the config describes one.")
	case by.Name == "":
		fmt.Fprintf(&b, "Read as %s because of what stood before it in the source, or because the format is fixed.", e.FormatName)
	case by.Name == e.FormatName:
		fmt.Fprintf(&b, "Read as %s: %s.", e.FormatName, by.Why)
	default:
		fmt.Fprintf(&b, "Read as %s, found in %s: %s.", e.FormatName, by.Name, by.Why)
	}
	switch {
	case e.Flags&event.FlagNoTime != 0 && e.Flags&event.FlagRawOnly == 0:
		b.WriteString(" It carries no time that can be read, so the time it arrived counts.")
	case e.Flags&event.FlagClock != 0:
		b.WriteString(" Its own time cannot be right, so the time it arrived counts.")
	}
	return b.String()
}

// readBy returns the score of the format that e was read as, or that it was found in.
func readBy(e *event.Event, scores []Score) Score {
	for _, s := range scores {
		if s.Score > 0 && !strings.Contains(s.Why, "; but ") && (s.Name == e.FormatName || strings.HasSuffix(s.Why, ", as "+e.FormatName)) {
			return s
		}
	}
	return Score{}
}

// nearest returns the format that fitted longest, if any did at all.
func nearest(scores []Score) Score {
	for _, s := range scores {
		if s.Near() {
			return s
		}
	}
	return Score{}
}
