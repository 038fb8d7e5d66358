package detect

import (
	"bytes"
	"testing"
)

func TestDigest(t *testing.T) {
	a, b := &Rule{ID: "a", Hash: [16]byte{1}}, &Rule{ID: "b", Hash: [16]byte{2}}
	filter := &Rule{ID: "f", Filter: &Filter{}}
	base := Digest([]*Rule{a, b})
	for _, c := range []struct {
		name  string
		rules []*Rule
		same  bool
	}{
		{"another order", []*Rule{b, a}, true},
		{"a filter more", []*Rule{filter, a, b}, true},
		{"a rule less", []*Rule{a}, false},
		{"a rule more", []*Rule{a, b, {ID: "c"}}, false},
		{"another text", []*Rule{a, {ID: "b", Hash: [16]byte{3}}}, false},
		{"another id", []*Rule{a, {ID: "c", Hash: [16]byte{2}}}, false},
	} {
		if same := bytes.Equal(base, Digest(c.rules)); same != c.same {
			t.Errorf("%s: the digest is the same: %v", c.name, same)
		}
	}
	if got := Unfiltered([]*Rule{filter, a}); len(got) != 1 || got[0] != a {
		t.Errorf("what is no filter is %v", got)
	}
}
