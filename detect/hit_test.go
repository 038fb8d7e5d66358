package detect

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"bartizan/event"
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
		{[]string{"source.ip"}, []event.Entity{{Kind: event.EntityIP, Role: event.RoleSource, Value: "192.0.2.1"}}},
		{[]string{"user.target.name", "src"}, []event.Entity{{Kind: event.EntityUser, Role: event.RoleTarget, Value: "bob"}, {Kind: event.EntityIP, Role: event.RoleSource, Value: "192.0.2.1"}}},
		{[]string{"eventName", "nothing", "absent"}, []event.Entity{{Kind: event.EntityOther, Role: event.RoleActor, Value: "CreateUser"}}},
	} {
		hit := MakeHit(&Rule{ID: "r", GroupBy: c.by}, e, nil)
		if !slices.Equal(hit.Group, c.want) {
			t.Errorf("grouped by %v: %v, want %v", c.by, hit.Group, c.want)
		}
	}
}

// TestGroupLeavesOutWhatWasJoined: an alert is the same whatever else is in memory.
func TestGroupLeavesOutWhatWasJoined(t *testing.T) {
	e := &event.Event{Fields: []event.Field{
		field(event.FieldSession, "web-2/700@1"), field(event.FieldBehind, "alice"), field("source.ip", "192.0.2.1"), field("host.name", "web-2"),
	}}
	want := []event.Entity{{Kind: event.EntityIP, Role: event.RoleSource, Value: "192.0.2.1"}}
	if got := Group(&Rule{ID: "r"}, e, nil); !slices.Equal(got, want) {
		t.Errorf("grouped by %+v, want %+v", got, want)
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
