package enrich

import (
	"strings"
	"testing"

	"bartizan/query"
)

// TestEveryAddressCounts has a request through proxies: whoever sends it chooses what
// stands first.
func TestEveryAddressCounts(t *testing.T) {
	x, err := New(Options{Own: []string{"198.51.100.0/24"}})
	if err != nil {
		t.Fatal(err)
	}
	e := eventWith("source.ip", "198.51.100.7", "source.ip", "no address", "source.ip", "203.0.113.40", "source.address", "10.0.0.1")
	e.More = x
	for text, want := range map[string]bool{
		"source.own: false": true, "source.own: true": true, "not source.own: false": false, "source.class: private": false, "source.class: documentation": true,
	} {
		n, err := query.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		m, err := query.Compile(n)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Match(e); got != want {
			t.Errorf("%s is %v", text, got)
		}
	}
	var own []string
	for _, f := range x.About(e) {
		if f.Name == "source.own" {
			own = append(own, f.Value)
		}
	}
	if strings.Join(own, " ") != "true false" {
		t.Errorf("own is %q", own)
	}
}
