package triage

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"bartizan/detect"
	"bartizan/event"
)

var t0 = time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)

var (
	ruleBrute = &detect.Rule{ID: "r-brute", Kind: detect.KindSigma, Title: "Many failed logins", Severity: detect.Medium, Tags: []string{"attack.credential-access"}}
	ruleSudo  = &detect.Rule{ID: "r-sudo", Kind: detect.KindSigma, Title: "Sudo to root", Severity: detect.High}
)

// hit makes one hit of r by user and address, the nth record of the log.
func hit(r *detect.Rule, user, ip string, nth int, at time.Time, outcome string) Hit {
	raw := fmt.Appendf(nil, "record %d of %s from %s", nth, user, ip)
	ref := event.Ref{Source: "file:/var/log/auth.log", Offset: int64(nth) * 100, Len: int32(len(raw))}.Sealed(raw)
	e := &event.Event{Ref: ref, Time: at, Raw: raw, Fields: []event.Field{
		{Name: "user.name", Value: event.Value{Str: user}},
		{Name: "source.ip", Value: event.Value{Str: ip}},
		{Name: "event.outcome", Value: event.Value{Str: outcome}},
	}}
	return Hit{
		ID: detect.NewHitID(r.ID, []event.Ref{ref}), Rule: r, Refs: []event.Ref{ref}, Event: e, Count: 1,
		Group: []event.Entity{{Kind: event.EntityIP, Role: event.RoleActor, Value: ip}},
	}
}

func mustRaise(t *testing.T, b *Board, h Hit, now time.Time) Change {
	t.Helper()
	c, err := b.Raise(h, now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// do makes a move of anna's on the alerts as they stand.
func do(t *testing.T, b *Board, m Move, ids ...AlertID) MoveID {
	t.Helper()
	id, err := try(b, m, ids...)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func try(b *Board, m Move, ids ...AlertID) (MoveID, error) {
	for _, id := range ids {
		a, _ := b.Alert(id)
		m.On = append(m.On, AlertVersion{id, a.Version})
	}
	if m.By.Name == "" {
		m.By = Actor{Name: "anna", UID: 1000}
	}
	if m.At.IsZero() {
		m.At = t0
	}
	e, err := b.Check(m)
	if err != nil {
		return 0, err
	}
	return e.ID, b.Commit(e)
}

func alertOf(t *testing.T, b *Board, id AlertID) *Alert {
	t.Helper()
	a, ok := b.Alert(id)
	if !ok {
		t.Fatalf("alert %s is not on the board", id)
	}
	return a
}

func TestFingerprint(t *testing.T) {
	ip := func(v string) event.Entity { return event.Entity{Kind: event.EntityIP, Value: v} }
	user := func(v string) event.Entity { return event.Entity{Kind: event.EntityUser, Value: v} }
	same := Fingerprint("r", []event.Entity{ip("10.0.0.1"), user("bob")})
	if got := Fingerprint("r", []event.Entity{user("bob"), ip("10.0.0.1"), user("bob")}); got != same {
		t.Error("order or doubles of the group changed the fingerprint")
	}
	if len(same) != 32 {
		t.Errorf("fingerprint %q is not 128 bits in hex", same)
	}
	seen := map[string]int{}
	for i, p := range []string{
		same,
		Fingerprint("r", []event.Entity{user("bo"), ip("b10.0.0.1")}),
		Fingerprint("rbob", []event.Entity{user(""), ip("10.0.0.1")}),
		Fingerprint("r", []event.Entity{user("10.0.0.1"), ip("bob")}),
		Fingerprint("r", []event.Entity{user("bob10.0.0.1")}),
		Fingerprint("r", []event.Entity{{Kind: event.EntityUser, Role: event.RoleTarget, Value: "bob"}, ip("10.0.0.1")}),
		Fingerprint("r", nil), Fingerprint("r2", nil),
	} {
		if j, twice := seen[p]; twice {
			t.Errorf("groups %d and %d share a fingerprint", i, j)
		}
		seen[p] = i
	}
}

func TestRaiseGroupsAndCountsOnce(t *testing.T) {
	b := NewBoard()
	c := mustRaise(t, b, hit(ruleBrute, "root", "198.51.100.7", 1, t0, "failure"), t0)
	if !c.Raised || len(c.Entries) != 1 || c.Entries[0].Do != DoRaise || c.Nth != 1 {
		t.Fatalf("the first hit gave %+v", c)
	}
	again := mustRaise(t, b, hit(ruleBrute, "root", "198.51.100.7", 1, t0, "failure"), t0)
	if !again.Known || again.Alert != c.Alert {
		t.Fatalf("the same hit again gave %+v", again)
	}
	mustRaise(t, b, hit(ruleBrute, "admin", "198.51.100.7", 2, t0.Add(-time.Minute), "failure"), t0)
	a := alertOf(t, b, c.Alert)
	if a.Count != 2 || a.Version != 1 || !a.First.Equal(t0.Add(-time.Minute)) || !a.Last.Equal(t0) {
		t.Errorf("after two hits: count %d version %d first %s last %s", a.Count, a.Version, a.First, a.Last)
	}
	if !a.Background || a.Risk > maxBackgroundRisk {
		t.Errorf("failures from a public address: background %v risk %d", a.Background, a.Risk)
	}
	if _, err := b.Raise(Hit{}, t0); err == nil {
		t.Error("a hit without a rule was counted")
	}
}

func TestKnownHitsOfEarlierRuns(t *testing.T) {
	b := NewBoard()
	h := hit(ruleBrute, "root", "198.51.100.7", 1, t0, "")
	c := mustRaise(t, b, h, t0)
	b.Settle([]HitID{h.ID})
	b.Known = func(id HitID) bool { return id == h.ID }
	if again := mustRaise(t, b, h, t0); !again.Known || again.Alert != c.Alert {
		t.Errorf("a hit on disk was counted again: %+v", again)
	}
}

func TestFutureIsNotBelieved(t *testing.T) {
	b := NewBoard()
	c := mustRaise(t, b, hit(ruleBrute, "root", "10.0.0.7", 1, t0.AddDate(73, 0, 0), ""), t0)
	if a := alertOf(t, b, c.Alert); !a.Last.Equal(t0.Add(MaxFuture)) {
		t.Errorf("a record from 2099 set the last time to %s", a.Last)
	}
}

func TestEpisodes(t *testing.T) {
	for _, c := range []struct {
		name  string
		move  Do
		after time.Duration
		want  bool
	}{
		{"closed, long quiet", DoClose, EpisodeQuiet + time.Hour, true},
		{"closed, short quiet", DoClose, EpisodeQuiet - time.Hour, false},
		{"taken, long quiet", DoTake, EpisodeQuiet + time.Hour, true},
		{"snoozed, long quiet", DoSnooze, EpisodeQuiet + time.Hour, false},
		{"never decided", DoNote, EpisodeQuiet + time.Hour, false},
	} {
		b := NewBoard()
		first := mustRaise(t, b, hit(ruleBrute, "root", "10.0.0.7", 1, t0, ""), t0)
		do(t, b, Move{Do: c.move, Verdict: VerdictBenign, Until: t0.Add(48 * time.Hour), Note: "n"}, first.Alert)
		later := t0.Add(c.after)
		next := mustRaise(t, b, hit(ruleBrute, "root", "10.0.0.7", 2, later, ""), later)
		if next.Raised != c.want {
			t.Errorf("%s: new episode %v, want %v", c.name, next.Raised, c.want)
		}
		if a := alertOf(t, b, next.Alert); c.want && (a.Previous != first.Alert || a.Episode != 2 || a.Count != 1) {
			t.Errorf("%s: episode %d after %q with %d hits", c.name, a.Episode, a.Previous, a.Count)
		}
	}
}

func TestReraise(t *testing.T) {
	loud := *ruleBrute
	loud.Severity = detect.Critical
	other := hit(ruleSudo, "root", "10.0.0.7", 90, t0, "")
	for _, c := range []struct {
		name string
		hits []Hit
		why  string // "" for none
	}{
		{"one more of the same", []Hit{hit(ruleBrute, "root", "10.0.0.7", 2, t0, "")}, ""},
		{"severity", []Hit{hit(&loud, "root", "10.0.0.7", 2, t0, "")}, "severity rose from medium to critical"},
		{"new entity", []Hit{hit(ruleBrute, "admin", "10.0.0.7", 2, t0, "")}, "new user admin"},
		{"another rule", []Hit{other}, "another rule (Sudo to root) hit ip 10.0.0.7"},
		{"another rule elsewhere", []Hit{hit(ruleSudo, "root", "10.0.0.8", 90, t0, "")}, ""},
		{"count", many(10), "11 hits, more than 10 times the 1 there were"},
		{"count not yet", many(9), ""},
	} {
		for _, how := range []Do{DoClose, DoTake, DoSnooze} {
			b := NewBoard()
			first := mustRaise(t, b, hit(ruleBrute, "root", "10.0.0.7", 1, t0, ""), t0)
			do(t, b, Move{Do: how, Verdict: VerdictBenign, Until: t0.Add(time.Hour)}, first.Alert)
			before := alertOf(t, b, first.Alert)
			var entries []Entry
			for _, h := range c.hits {
				entries = append(entries, mustRaise(t, b, h, t0).Entries...)
			}
			a := alertOf(t, b, first.Alert)
			if a.Reraised != c.why {
				t.Errorf("%s after %s: re-raised %q, want %q", c.name, how, a.Reraised, c.why)
			}
			if c.why == "" {
				if a.Version != before.Version || a.State != before.State {
					t.Errorf("%s after %s: went from %s to %s", c.name, how, before.Standing(), a.Standing())
				}
				continue
			}
			want := StateNew
			if how == DoTake {
				want = StateTaken
			}
			if a.State != want || a.Version != before.Version+1 || a.ActedCount != 0 {
				t.Errorf("%s after %s: %s version %d", c.name, how, a.Standing(), a.Version)
			}
			if e := entries[len(entries)-1]; e.Do != DoReraise || e.Note != c.why || !e.By.Machine {
				t.Errorf("%s after %s: row %+v", c.name, how, e)
			}
		}
	}
}

func many(n int) (out []Hit) {
	for i := range n {
		out = append(out, hit(ruleBrute, "root", "10.0.0.7", 2+i, t0, ""))
	}
	return out
}

func TestEntitiesAreBounded(t *testing.T) {
	b := NewBoard()
	var id AlertID
	for i := range 3 * MaxEntities {
		h := hit(ruleBrute, fmt.Sprintf("user%d", i), "10.0.0.7", i, t0, "")
		h.Event.Fields = append(h.Event.Fields, event.Field{Name: "trace.id", Value: event.Value{Str: fmt.Sprint("trace", i)}},
			event.Field{Name: "host.name", Value: event.Value{Str: strings.Repeat("h", 2000)}})
		id = mustRaise(t, b, h, t0).Alert
	}
	a := alertOf(t, b, id)
	if len(a.Entities) != MaxEntities || countPassing(a.Entities) != MaxPassing {
		t.Errorf("%d entities, %d of them passing", len(a.Entities), countPassing(a.Entities))
	}
	for _, e := range a.Entities {
		if len(e.Value) > MaxValue {
			t.Errorf("an entity of %d bytes was kept", len(e.Value))
		}
	}
	if a.Count != 3*MaxEntities {
		t.Errorf("count %d", a.Count)
	}
}

func TestRiskOrder(t *testing.T) {
	b := NewBoard()
	mustRaise(t, b, hit(ruleBrute, "root", "198.51.100.7", 1, t0, "failure"), t0)
	inside := mustRaise(t, b, hit(ruleBrute, "root", "10.0.0.9", 2, t0, "failure"), t0).Alert
	broken := mustRaise(t, b, hit(ruleBrute, "root", "203.0.113.9", 3, t0, "failure"), t0).Alert
	before := alertOf(t, b, broken).Risk
	mustRaise(t, b, hit(ruleBrute, "root", "203.0.113.9", 4, t0, "success"), t0)
	list, gen := b.Alerts()
	if list[0].ID != broken || list[1].ID != inside || !list[2].Background {
		t.Errorf("order %s %s %s", list[0].Standing(), list[1].Standing(), list[2].Standing())
	}
	if list[0].Outcome != OutcomeBroken || list[0].Risk <= before || list[0].Background {
		t.Errorf("success after failures: %+v", list[0])
	}
	why := strings.Join(RiskWhy(list[0]), "; ")
	if !strings.Contains(why, "+35 severity medium") || !strings.Contains(why, "success after failures") {
		t.Errorf("why: %s", why)
	}
	if again, same := b.Alerts(); same != gen || &again[0] != &list[0] {
		t.Error("nothing changed, but the list did")
	}
	held := *list[2]
	mustRaise(t, b, hit(ruleBrute, "root", "198.51.100.7", 5, t0, "failure"), t0)
	if list[2].Count != held.Count {
		t.Error("an alert that was handed out changed")
	}
	if _, next := b.Alerts(); next == gen {
		t.Error("a hit did not change the generation")
	}
}

func TestCriticality(t *testing.T) {
	b := NewBoard()
	b.Criticality = func(e event.Entity) int {
		if e.Value == "10.0.0.1" {
			return 25
		}
		return 0
	}
	a := alertOf(t, b, mustRaise(t, b, hit(ruleBrute, "root", "10.0.0.1", 1, t0, ""), t0).Alert)
	c := alertOf(t, b, mustRaise(t, b, hit(ruleBrute, "root", "10.0.0.2", 2, t0, ""), t0).Alert)
	if a.Criticality != 10 || a.Risk != c.Risk+10 {
		t.Errorf("criticality %d, risk %d against %d", a.Criticality, a.Risk, c.Risk)
	}
	if !slices.Contains(RiskWhy(a), "+10 a critical asset is involved") {
		t.Errorf("why: %v", RiskWhy(a))
	}
}
