package parse

import (
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"

	"bartizan/event"
)

// Bounds of the table of JSON names, and of one record.
const (
	maxNames      = 20_000 // distinct dotted names; later ones are built for each record
	maxDepth      = 64     // levels whose members become fields
	maxSkip       = 1_000  // levels a record may have at all
	maxJSONFields = 2_000  // fields per record; what follows stays searchable in Raw
	nameSlots     = 1 << 16
)

// node is one member name below its parent's name.
type node struct {
	parent *node
	key    string
	name   string // dotted, from the root
	sym    event.Sym
	id     uint32 // 0 for the root and for names beyond maxNames
	slot   uint16
	plain  bool // the key stands in JSON text as it is, without escapes
	opaque bool // its lists stay whole
}

// nameTable is a trie of member names, as a hash table from (parent, key) to node.
// Readers take no lock: nodes never change and places are only ever filled.
type nameTable struct {
	seed  maphash.Seed
	root  *node
	slots []atomic.Pointer[node]
	mu    sync.Mutex
	count int
}

func newNameTable() *nameTable {
	return &nameTable{seed: maphash.MakeSeed(), root: &node{}, slots: make([]atomic.Pointer[node], nameSlots)}
}

func (t *nameTable) hash(parent *node, key []byte) uint64 {
	return maphash.Bytes(t.seed, key) ^ uint64(parent.id)*0x9e3779b97f4a7c15
}

// child returns the node of key below parent.
func (t *nameTable) child(parent *node, key []byte) *node {
	h := t.hash(parent, key)
	for i := h; ; i++ {
		n := t.slots[i%nameSlots].Load()
		if n == nil {
			return t.add(parent, key, h)
		}
		if n.parent == parent && n.key == string(key) {
			return n
		}
	}
}

func (t *nameTable) add(parent *node, key []byte, h uint64) *node {
	n := newNode(parent, string(key))
	t.mu.Lock()
	defer t.mu.Unlock()
	if parent != t.root && parent.id == 0 || t.count >= maxNames {
		n.sym = event.LookupSym(n.name)
		return n
	}
	for i := h; ; i++ {
		have := t.slots[i%nameSlots].Load()
		if have == nil {
			t.count++
			n.id, n.sym = uint32(t.count), event.Intern(n.name)
			t.slots[i%nameSlots].Store(n)
			return n
		}
		if have.parent == parent && have.key == n.key {
			return have
		}
	}
}

func newNode(parent *node, key string) *node {
	n := &node{parent: parent, key: key, name: key}
	if parent.name != "" || parent.parent != nil {
		n.name = parent.name + "." + key
	}
	n.slot = slotOf[n.name]
	n.opaque = n.name == "MESSAGE"
	n.plain = !strings.ContainsAny(key, "\"\\")
	return n
}
