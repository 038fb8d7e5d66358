package main

import (
	"bytes"
	"testing"

	"bartizan/config"
	"bartizan/detect"
)

// TestEdgeDigest: who reads records otherwise must not be taken for the same.
func TestEdgeDigest(t *testing.T) {
	rules := []*detect.Rule{{ID: "a"}}
	plain := edgeDigest(rules, &config.Config{})
	if !bytes.Equal(plain, detect.Digest(rules)) {
		t.Error("without formats it is not the digest of the rules")
	}
	format := config.Format{Name: "gate", Regex: `^(?P<who>\w+)$`, Detect: true}
	with := edgeDigest(rules, &config.Config{Format: []config.Format{format}})
	worded := format
	worded.Doc, worded.Samples = "who passes", []string{"amira"}
	other := format
	other.Aliases = map[string][]string{"user.name": {"who"}}
	aliased := edgeDigest(rules, &config.Config{Aliases: map[string]map[string][]string{"sshd": {"who": {"user"}}}})
	for name, c := range map[string]struct {
		got  []byte
		same bool
	}{
		"no formats":    {plain, false},
		"the same":      {edgeDigest(rules, &config.Config{Format: []config.Format{format}}), true},
		"words only":    {edgeDigest(rules, &config.Config{Format: []config.Format{worded}}), true},
		"more aliases":  {edgeDigest(rules, &config.Config{Format: []config.Format{other}}), false},
		"other aliases": {aliased, false},
		"other rules":   {edgeDigest(nil, &config.Config{Format: []config.Format{format}}), false},
	} {
		if bytes.Equal(c.got, with) != c.same {
			t.Errorf("%s: the same is %v", name, !c.same)
		}
	}
	if format.Doc != "" || worded.Samples == nil {
		t.Error("the config was changed")
	}
}
