package triage

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"
)

// written makes a journal of n chained rows.
func written(t testing.TB, n int) []Entry {
	t.Helper()
	var out []Entry
	prev := ""
	for i := range n {
		e := Entry{
			ID: MoveID(i + 1), At: t0.Add(time.Duration(i) * time.Second), By: Actor{Name: "anna", UID: 1000, Claimed: "192.0.2.1"},
			Do: DoNote, On: []AlertVersion{{"a-1", uint64(i + 1)}}, From: []State{StateNew}, Note: "<note> & " + strings.Repeat("é", i),
		}
		if i%3 == 0 {
			e.Do, e.To, e.Until = DoSnooze, StateSnoozed, t0.Add(time.Hour)
		}
		e, err := Chain(e, prev)
		if err != nil {
			t.Fatal(err)
		}
		out, prev = append(out, e), e.Hash
	}
	return out
}

func rows(list []Entry) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for _, e := range list {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// rechain makes all hashes fit again, as somebody who rewrites everything would.
func rechain(t testing.TB, list []Entry) []Entry {
	prev := ""
	for i, e := range list {
		e.ID = MoveID(i + 1)
		e, err := Chain(e, prev)
		if err != nil {
			t.Fatal(err)
		}
		list[i], prev = e, e.Hash
	}
	return list
}

func testKey(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune('a'+seed)), ed25519.SeedSize)))
}

func TestCanonicalSurvivesJSON(t *testing.T) {
	for _, e := range written(t, 6) {
		body, err := Canonical(e)
		if err != nil {
			t.Fatal(err)
		}
		var back Entry
		if err := json.Unmarshal(body, &back); err != nil {
			t.Fatal(err)
		}
		again, err := Canonical(back)
		if err != nil || string(again) != string(body) {
			t.Errorf("%s\nbecame\n%s (%v)", body, again, err)
		}
	}
	e := Entry{ID: 1, At: t0, By: Actor{Name: "anna"}, Do: DoTake, On: []AlertVersion{{"a-1", 1}}, From: []State{StateNew}, To: StateTaken}
	const want = `{"seq":1,"at":"2026-03-01T03:00:00Z","by":{"name":"anna","uid":0,"login_uid":0,"session":0},"do":"take","on":[{"id":"a-1","version":1}],"from":["new"],"to":"taken","verdict":"","prev":""}`
	if got, _ := Canonical(e); string(got) != want {
		t.Errorf("the stored form changed, which breaks every journal there is:\n%s\nwant\n%s", got, want)
	}
	e.At = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	if _, err := Chain(e, ""); err == nil {
		t.Error("the year 10000 was written")
	}
	e.At = t0
	if _, err := Chain(e, "no hash"); err == nil {
		t.Error("a previous hash that is none was taken")
	}
}

func TestVerifyChain(t *testing.T) {
	anchor := func(list []Entry, at int) Head { return SignHead(list[at-1].ID, list[at-1].Hash, t0, testKey(0)) }
	whole := written(t, 12)
	for _, c := range []struct {
		name   string
		tamper func(l []Entry) []Entry
		row    MoveID // where it must be found; 0: only an anchor finds it
		anchor MoveID // where an anchor of row 10 finds it
	}{
		{"edit", func(l []Entry) []Entry { l[4].Note = "nothing to see"; return l }, 5, 5},
		{"edit the actor", func(l []Entry) []Entry { l[6].By.Name = "bob"; return l }, 7, 7},
		{"edit and rehash", func(l []Entry) []Entry { l[4].Note = "x"; l[4], _ = Chain(l[4], l[4].Prev); return l }, 6, 6},
		{"delete", func(l []Entry) []Entry { return slices.Delete(l, 4, 5) }, 5, 5},
		{"delete the first", func(l []Entry) []Entry { return l[1:] }, 1, 1},
		{"reorder", func(l []Entry) []Entry { l[4], l[5] = l[5], l[4]; return l }, 5, 5},
		{"reorder and renumber", func(l []Entry) []Entry { l[4], l[5] = l[5], l[4]; l[4].ID, l[5].ID = 5, 6; return l }, 5, 5},
		{"double", func(l []Entry) []Entry { return slices.Insert(l, 5, l[4]) }, 6, 6},
		{"cut tail", func(l []Entry) []Entry { return l[:8] }, 0, 9},
		{"cut everything", func(l []Entry) []Entry { return nil }, 0, 1},
		{"rewritten", func(l []Entry) []Entry { l[4].Note = "nothing"; return rechain(t, l) }, 0, 10},
		{"rewritten shorter", func(l []Entry) []Entry { return rechain(t, slices.Delete(l, 2, 5)) }, 0, 10},
	} {
		_, err := VerifyChain(rows(c.tamper(slices.Clone(whole))))
		if got := rowOf(err); got != c.row {
			t.Errorf("%s: found at row %d (%v), want %d", c.name, got, err, c.row)
		}
		_, err = VerifyChain(rows(c.tamper(slices.Clone(whole))), anchor(whole, 10))
		if got := rowOf(err); got != c.anchor {
			t.Errorf("%s against an anchor: found at row %d (%v), want %d", c.name, got, err, c.anchor)
		}
	}
	p, err := VerifyChain(rows(whole))
	if err != nil || p.Rows != 12 || p.Through != 0 || !strings.Contains(p.Words(), "without an anchor nobody can prove") {
		t.Errorf("without an anchor: %s, %v", p.Words(), err)
	}
	p, err = VerifyChain(rows(whole), anchor(whole, 3), anchor(whole, 10))
	if err != nil || p.Through != 10 || p.Anchors != 2 || !strings.Contains(p.Words(), "rows 1 to 10") {
		t.Errorf("with anchors: %s, %v", p.Words(), err)
	}
	if p, err = VerifyChain(rows(whole), anchor(whole, 12)); err != nil || !strings.Contains(p.Words(), "all 12 rows are proved") {
		t.Errorf("with an anchor at the end: %s, %v", p.Words(), err)
	}
}

// rowOf is the row a *ChainError names, 0 for no error, -1 for another one.
func rowOf(err error) MoveID {
	var c *ChainError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &c):
		return c.Row
	}
	return ^MoveID(0)
}

func TestHeadSignature(t *testing.T) {
	h := SignHead(7, strings.Repeat("ab", 32), t0, testKey(0))
	if err := h.Check(); err != nil {
		t.Fatal(err)
	}
	var back Head
	text, _ := json.Marshal(h)
	if err := json.Unmarshal(text, &back); err != nil || back.Check() != nil {
		t.Errorf("a head does not survive JSON: %v", err)
	}
	other := SignHead(7, h.Hash, t0, testKey(1))
	for name, bad := range map[string]Head{
		"seq":  {8, h.Hash, h.At, h.PublicKey, h.Sig},
		"hash": {7, strings.Repeat("ac", 32), h.At, h.PublicKey, h.Sig},
		"time": {7, h.Hash, h.At.Add(1), h.PublicKey, h.Sig},
		"key":  {7, h.Hash, h.At, other.PublicKey, h.Sig},
		"none": {7, h.Hash, h.At, "", ""},
	} {
		if bad.Check() == nil {
			t.Errorf("a head with a changed %s passed", name)
		}
		if _, err := VerifyChain(rows(nil), bad); err == nil {
			t.Errorf("an anchor with a changed %s was taken", name)
		}
	}
}

func FuzzVerifyChain(f *testing.F) {
	for _, e := range written(f, 3) {
		body, _ := Canonical(e)
		f.Add(body, e.Hash)
	}
	f.Add([]byte(`{"seq":1,"at":"0000-01-01T00:00:00Z"}`), "")
	f.Fuzz(func(t *testing.T, body []byte, hash string) {
		var e Entry
		if json.Unmarshal(body, &e) != nil {
			return
		}
		e.Hash = hash
		if p, err := VerifyChain(rows([]Entry{e})); err == nil && (p.Rows != 1 || e.ID != 1 || e.Prev != "") {
			t.Errorf("row %+v passed as a journal of one", e)
		}
	})
}
