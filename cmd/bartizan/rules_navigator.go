package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"bartizan/detect"
)

// layer is what ATT&CK Navigator reads: its layer format, version 4.5.
type layer struct {
	Name        string           `json:"name"`
	Versions    layerVersions    `json:"versions"`
	Domain      string           `json:"domain"`
	Description string           `json:"description"`
	Sorting     int              `json:"sorting"` // 3: by score, the highest first
	HideUnused  bool             `json:"hideDisabled"`
	Techniques  []layerTechnique `json:"techniques"`
	Legend      []layerLegend    `json:"legendItems"`
}

type layerVersions struct {
	Attack    string `json:"attack"`
	Navigator string `json:"navigator"`
	Layer     string `json:"layer"`
}

type layerTechnique struct {
	ID      string `json:"techniqueID"`
	Score   int    `json:"score"` // rules that can hit
	Color   string `json:"color"`
	Comment string `json:"comment"`
	Enabled bool   `json:"enabled"`
	Subs    bool   `json:"showSubtechniques"`
}

type layerLegend struct {
	Label string `json:"label"`
	Color string `json:"color"`
}

// The colours of a technique by the best of its rules; they differ in brightness
// as well as in hue.
const (
	colourFired     = "#1b7837"
	colourReachable = "#7fbf7b"
	colourLoaded    = "#e0e0e0"
)

// maxComment bounds how many titles a comment names.
const maxComment = 20

// layer makes the Navigator's file of the techniques that this version of ATT&CK
// has.
func (v *coverage) layer() ([]byte, error) {
	l := layer{
		Name:     "Bartizan: what the rules cover",
		Versions: layerVersions{Attack: v.Attack, Navigator: "5.1.0", Layer: "4.5"}, Domain: "enterprise-attack", Sorting: 3,
		Description: fmt.Sprintf("%d rules loaded, %d reachable", v.Rules.Loaded, v.Rules.Reachable),
		Techniques:  []layerTechnique{},
		Legend:      []layerLegend{{"a rule that can hit", colourReachable}, {"only rules that cannot hit what is read", colourLoaded}},
	}
	if v.Ran {
		l.Description += fmt.Sprintf(", %d fired", v.Rules.Fired)
		l.Legend = append([]layerLegend{{"a rule fired", colourFired}}, l.Legend...)
	}
	parents := map[string]bool{}
	for _, t := range v.Techniques {
		if parent, _, sub := strings.Cut(t.ID, "."); sub {
			parents[parent] = true
		}
	}
	for _, t := range v.Techniques {
		if known, ok := detect.TechniqueOf(t.ID); !ok || known.Retired {
			continue
		}
		l.Techniques = append(l.Techniques, layerTechnique{
			ID: t.ID, Score: t.Reachable, Color: t.colour(), Comment: t.comment(v.Ran), Enabled: true, Subs: parents[t.ID],
		})
	}
	return json.MarshalIndent(l, "", " ")
}

func (t *coverTechnique) colour() string {
	switch {
	case t.Fired > 0:
		return colourFired
	case t.Reachable > 0:
		return colourReachable
	}
	return colourLoaded
}

func (t *coverTechnique) comment(ran bool) string {
	s := fmt.Sprintf("%d rules loaded, %d reachable", t.Loaded, t.Reachable)
	if ran {
		s += fmt.Sprintf(", %d fired", t.Fired)
	}
	titles := t.titles
	if more := len(titles) - maxComment; more > 0 {
		titles = append(titles[:maxComment:maxComment], fmt.Sprintf("and %d more", more))
	}
	return s + ": " + printable(strings.Join(titles, "; "))
}
