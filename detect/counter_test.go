package detect

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"bartizan/event"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// at is an event of a user at a number of seconds after noon.
func at(user string, seconds int) *event.Event {
	t := noon.Add(time.Duration(seconds) * time.Second)
	return &event.Event{
		Time: t, Seen: t, Raw: fmt.Appendf(nil, "%s %d", user, seconds),
		Fields: []event.Field{field("user.name", user)}, Native: 1,
	}
}

func threshold(count int, within time.Duration) *Rule {
	return &Rule{ID: "t", Count: count, Within: within, GroupBy: []string{"user.name"}}
}

// TestCounter: each step is user@second; a capital X behind it means it hits.
func TestCounter(t *testing.T) {
	type step struct {
		user string
		sec  int
		hit  bool
	}
	for name, steps := range map[string][]step{
		"once per crossing":       {{"a", 0, false}, {"a", 1, false}, {"a", 2, true}, {"a", 3, false}, {"a", 4, false}},
		"groups apart":            {{"a", 0, false}, {"b", 1, false}, {"a", 2, false}, {"b", 3, false}, {"a", 4, true}, {"b", 5, true}},
		"slides":                  {{"a", 0, false}, {"a", 9, false}, {"a", 11, false}, {"a", 18, true}},
		"the edge belongs to it":  {{"a", 0, false}, {"a", 5, false}, {"a", 10, true}},
		"again after falling":     {{"a", 0, false}, {"a", 1, false}, {"a", 2, true}, {"a", 60, false}, {"a", 61, false}, {"a", 62, true}},
		"late completes":          {{"a", 0, false}, {"a", 30, false}, {"a", 8, false}, {"a", 4, true}},
		"late does not rearm":     {{"a", 10, false}, {"a", 11, false}, {"a", 12, true}, {"a", -90, false}, {"a", 13, false}},
		"far apart, out of order": {{"a", 40, false}, {"a", 20, false}, {"a", 0, false}},
		"no group":                {{"", 0, false}, {"", 1, false}, {"", 2, true}},
	} {
		c, r := NewCounter(func() time.Time { return noon }), threshold(3, 10*time.Second)
		for i, s := range steps {
			if hit, refs, n := c.Take(r, at(s.user, s.sec)); hit != s.hit || hit && (n < 3 || len(refs) < 3) {
				t.Errorf("%s, step %d: hit %v with %d of %d, want %v", name, i, hit, len(refs), n, s.hit)
			}
		}
	}
}

func TestCounterRefs(t *testing.T) {
	c, r := NewCounter(time.Now), threshold(150, time.Hour)
	var last *event.Event
	for i := range 149 {
		if hit, _, _ := c.Take(r, at("a", i)); hit {
			t.Fatalf("hit at event %d of 150", i+1)
		}
	}
	last = at("a", 149)
	hit, refs, n := c.Take(r, last)
	if !hit || n != 150 || len(refs) != MaxRefs || refs[len(refs)-1] != last.Ref.Sealed(last.Raw) || refs[0] == refs[1] {
		t.Errorf("hit %v, %d references of %d events", hit, len(refs), n)
	}
	hit, refs, n = c.Take(&Rule{ID: "single"}, last)
	if !hit || len(refs) != 1 || n != 1 {
		t.Errorf("a rule without a count: hit %v, %d references of %d", hit, len(refs), n)
	}
}

// TestCounterWrongClock: an event from far ahead counts as of its arrival and
// does not keep later ones from being counted.
func TestCounterWrongClock(t *testing.T) {
	c, r := NewCounter(func() time.Time { return noon }), threshold(3, 10*time.Second)
	wrong := at("a", 0)
	wrong.Time = wrong.Time.AddDate(70, 0, 0)
	var hits []bool
	for _, e := range []*event.Event{wrong, at("a", 1), at("a", 2)} {
		hit, _, _ := c.Take(r, e)
		hits = append(hits, hit)
	}
	if !slices.Equal(hits, []bool{false, false, true}) {
		t.Errorf("hits %v", hits)
	}
	unknown := at("b", 0)
	unknown.Time, unknown.Seen = time.Time{}, time.Time{}
	for i, want := range []bool{false, false, true} {
		if hit, _, _ := c.Take(r, unknown); hit != want {
			t.Errorf("event %d without any time: hit %v", i, hit)
		}
	}
}

func TestCounterCaps(t *testing.T) {
	c, r := NewCounter(time.Now), threshold(3, time.Hour)
	c.limits = limits{states: 10, kept: 25}
	for i := range 100 {
		c.Take(r, at(fmt.Sprint("u", i), i))
	}
	if c.States() != 10 || c.Evicted() != 90 {
		t.Errorf("%d states, %d evicted", c.States(), c.Evicted())
	}
	for i := range 40 {
		c.Take(r, at("u99", 200+i)) // used: stays, while others go
	}
	if hit, _, _ := c.Take(r, at("u99", 300)); hit || c.kept > 25 {
		t.Errorf("the group in use was forgotten (hit %v), or %d events kept", hit, c.kept)
	}
	for i := range 10 {
		for range 6 {
			c.Take(r, at(fmt.Sprint("v", i), 400))
		}
	}
	if c.kept > 25 {
		t.Errorf("%d events kept, the cap is 25", c.kept)
	}
}

func TestCounterSwap(t *testing.T) {
	c := NewCounter(time.Now)
	stay, change, gone := threshold(2, time.Hour), threshold(2, time.Hour), threshold(2, time.Hour)
	stay.ID, change.ID, gone.ID = "stay", "change", "gone"
	for _, r := range []*Rule{stay, change, gone} {
		c.Take(r, at("a", 0))
	}
	copied, changed := *stay, *change
	changed.Hash[0]++
	c.Swap([]*Rule{&copied, &changed})
	if c.States() != 1 || c.kept != 1 {
		t.Errorf("%d states with %d events stay, want 1", c.States(), c.kept)
	}
	if hit, _, _ := c.Take(&copied, at("a", 1)); !hit {
		t.Error("an unchanged rule lost its window")
	}
	if hit, _, _ := c.Take(&changed, at("a", 1)); hit {
		t.Error("a changed rule kept its window")
	}
}

// TestCounterModel compares with the plain definition, for events in order: hit
// when the last count events lie within the window and the event before did not
// complete one.
func TestCounterModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.IntRange(2, 6).Draw(t, "count")
		within := rapid.IntRange(0, 12).Draw(t, "within")
		r := threshold(count, time.Duration(within)*time.Second)
		c := NewCounter(time.Now)
		seen, firing := map[string][]int{}, map[string]bool{}
		now := 0
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			now += rapid.IntRange(0, 5).Draw(t, "gap")
			user := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "user")
			times := append(seen[user], now)
			seen[user] = times
			full := len(times) >= count && now-times[len(times)-count] <= within
			want := full && !firing[user]
			firing[user] = full
			if hit, _, _ := c.Take(r, at(user, now)); hit != want {
				t.Fatalf("%s at %d: hit %v, want %v (count %d within %ds, seen %v)", user, now, hit, want, count, within, times)
			}
		}
	})
}

// TestCounterAnyOrder: whatever the order, a group that never had Count events
// within the window does not hit, and one that has them has hit.
func TestCounterAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, c := threshold(3, 10*time.Second), NewCounter(time.Now)
		secs := rapid.SliceOfN(rapid.IntRange(0, 80), 1, 6).Draw(t, "seconds")
		hits := 0
		for _, s := range secs {
			if hit, _, _ := c.Take(r, at("a", s)); hit {
				hits++
			}
		}
		slices.Sort(secs)
		want := false
		for i := 2; i < len(secs); i++ {
			want = want || secs[i]-secs[i-2] <= 10
		}
		if (hits > 0) != want {
			t.Fatalf("%d hits, but a full window exists: %v (%v)", hits, want, secs)
		}
	})
}

func TestGroup(t *testing.T) {
	e := &event.Event{Native: 3, Fields: []event.Field{
		field("src", "192.0.2.1"), field("eventName", "CreateUser"), field("nothing", ""),
		field("user.name", "alice"), field("source.ip", "192.0.2.1"), field("user.target.name", "bob"), field("destination.ip", "10.0.0.1"),
	}}
	e.Fields[2].Value.Kind = event.KindNull
	for _, c := range []struct {
		by   []string
		want []event.Entity
	}{
		{nil, []event.Entity{{Kind: event.EntityUser, Role: event.RoleActor, Value: "alice"}, {Kind: event.EntityUser, Role: event.RoleTarget, Value: "bob"}}},
		{[]string{"source.ip"}, []event.Entity{{Kind: event.EntityIP, Role: event.RoleActor, Value: "192.0.2.1"}}},
		{[]string{"user.target.name", "src"}, []event.Entity{{Kind: event.EntityUser, Role: event.RoleTarget, Value: "bob"}, {Kind: event.EntityIP, Role: event.RoleActor, Value: "192.0.2.1"}}},
		{[]string{"eventName", "nothing", "absent"}, []event.Entity{{Kind: event.EntityOther, Role: event.RoleActor, Value: "CreateUser"}}},
	} {
		hit := MakeHit(&Rule{ID: "r", GroupBy: c.by}, e, nil)
		if !slices.Equal(hit.Group, c.want) {
			t.Errorf("grouped by %v: %v, want %v", c.by, hit.Group, c.want)
		}
	}
}

func TestHitID(t *testing.T) {
	r := &Rule{ID: "r"}
	a, b := MakeHit(r, at("a", 1), nil), MakeHit(r, at("a", 1), nil)
	other, rule := MakeHit(r, at("a", 2), nil), MakeHit(&Rule{ID: "s"}, at("a", 1), nil)
	if a.ID != b.ID || a.ID == other.ID || a.ID == rule.ID {
		t.Error("a hit's id is not that of its rule and bytes")
	}
	if len(a.Refs) != 1 || a.Refs[0].Hash == [16]byte{} || a.Count != 1 {
		t.Errorf("references %+v", a.Refs)
	}
}

func TestLoadedAdd(t *testing.T) {
	var l Loaded
	l.Add(Loaded{Rules: []*Rule{{ID: "a", File: "x", Line: 1}, {ID: "b"}}, Warnings: []Refusal{{Reason: "w"}}})
	l.Add(Loaded{Rules: []*Rule{{ID: "a", File: "y", Line: 7}, {ID: "c"}}, Refused: []Refusal{{Reason: "r"}}})
	if len(l.Rules) != 3 || len(l.Refused) != 2 || len(l.Warnings) != 1 {
		t.Fatalf("%+v", l)
	}
	if got := l.Refused[0].Error(); got != "y:7: the id a is already used by x:1; give one of them a new id" {
		t.Error(got)
	}
}
