package triage

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"slices"
	"strconv"
	"strings"

	"bartizan/event"
)

// Fingerprint is SHA-256 cut to 128 bits, in hex, over the rule's id and the
// group's entities. Every part is preceded by its length, so no value can be
// chosen to look like two; the order and doubles of the group do not matter.
// Time, count and severity never enter.
func Fingerprint(ruleID string, group []event.Entity) string {
	keys := slices.Clone(group)
	for i := range keys {
		keys[i] = lasting(keys[i])
	}
	slices.SortFunc(keys, func(a, b event.Entity) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Role, b.Role), cmp.Compare(a.Value, b.Value))
	})
	keys = slices.Compact(keys)
	h := sha256.New()
	writePart(h, ruleID)
	for _, e := range keys {
		writePart(h, string([]byte{byte(e.Kind), byte(e.Role)}))
		writePart(h, e.Value)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// lasting gives an entity the kind and the role that fingerprints have always had
// for it: both were told apart more finely later.
func lasting(e event.Entity) event.Entity {
	switch e.Kind {
	case event.EntityPod, event.EntityResource:
		e.Kind = event.EntityContainer
	case event.EntityRole:
		e.Kind = event.EntityWorkload
	case event.EntityDomain:
		e.Kind, e.Role = event.EntityOther, event.RoleActor
	}
	if e.Role == event.RoleSource {
		e.Role = event.RoleActor
	}
	return e
}

func writePart(h hash.Hash, s string) {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(s)))
	h.Write(n[:])
	h.Write([]byte(s))
}

// episodeID names one episode of a fingerprint.
func episodeID(fingerprint string, episode int) AlertID {
	return AlertID(fingerprint + "-" + strconv.Itoa(episode))
}

// short is an alert's id as sentences name it: long enough to find it.
func (id AlertID) short() string {
	print, episode, found := strings.Cut(string(id), "-")
	if !found || len(print) < 12 {
		return string(id)
	}
	return print[:12] + "-" + episode
}
