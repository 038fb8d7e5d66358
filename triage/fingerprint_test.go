package triage

import (
	"testing"

	"bartizan/event"
)

// TestFingerprintOutlastsFinerKinds: what was one kind or role when an alert was
// raised and is told apart today is still the same alert.
func TestFingerprintOutlastsFinerKinds(t *testing.T) {
	of := func(k event.EntityKind, r event.Role) string {
		return Fingerprint("rule", []event.Entity{{Kind: k, Role: r, Value: "v"}})
	}
	for _, c := range []struct{ now, then event.Entity }{
		{event.Entity{Kind: event.EntityIP, Role: event.RoleSource}, event.Entity{Kind: event.EntityIP, Role: event.RoleActor}},
		{event.Entity{Kind: event.EntityPod, Role: event.RoleTarget}, event.Entity{Kind: event.EntityContainer, Role: event.RoleTarget}},
		{event.Entity{Kind: event.EntityResource, Role: event.RoleTarget}, event.Entity{Kind: event.EntityContainer, Role: event.RoleTarget}},
		{event.Entity{Kind: event.EntityRole, Role: event.RoleActor}, event.Entity{Kind: event.EntityWorkload, Role: event.RoleActor}},
		{event.Entity{Kind: event.EntityDomain, Role: event.RoleTarget}, event.Entity{Kind: event.EntityOther, Role: event.RoleActor}},
	} {
		if of(c.now.Kind, c.now.Role) != of(c.then.Kind, c.then.Role) {
			t.Errorf("%s %s is no longer the alert it was as %s %s", c.now.Role, c.now.Kind, c.then.Role, c.then.Kind)
		}
	}
	if of(event.EntityIP, event.RoleSource) == of(event.EntityIP, event.RoleTarget) {
		t.Error("where it came from and where it went are one alert")
	}
}
