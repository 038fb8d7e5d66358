package enrich

import (
	"encoding/binary"
	"hash/maphash"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync/atomic"
)

// cacheSlots bounds each cache. A slot holds the answer that was asked for last
// among those that fall into it, so hostile keys cost time and no memory.
const cacheSlots = 1 << 12

// addrCache remembers what is known of addresses. It is safe for many goroutines.
type addrCache struct {
	salt  uint64
	slots [cacheSlots]atomic.Pointer[addrSlot]
}

type addrSlot struct {
	addr  netip.Addr
	facts address
}

func newAddrCache() *addrCache { return &addrCache{salt: rand.Uint64()} }

// slot returns where an address belongs.
func (c *addrCache) slot(a netip.Addr) *atomic.Pointer[addrSlot] {
	b := a.As16()
	h := (binary.LittleEndian.Uint64(b[:8]) ^ c.salt) * 0x9E3779B97F4A7C15
	h = (h ^ h>>32 ^ binary.LittleEndian.Uint64(b[8:])) * 0xD6E8FEB86659FD93
	return &c.slots[h>>(64-12)]
}

// maxKey is how many bytes of a text are looked at; what is longer is cut.
const maxKey = 1 << 10

// textCache remembers what is known of texts. It is safe for many goroutines.
type textCache[V any] struct {
	seed  maphash.Seed
	slots [cacheSlots]atomic.Pointer[textSlot[V]]
}

type textSlot[V any] struct {
	key   string
	value V
}

func newTextCache[V any]() *textCache[V] { return &textCache[V]{seed: maphash.MakeSeed()} }

// get returns the answer for key, from the cache or from work.
func (c *textCache[V]) get(key string, work func(string) V) V {
	key = key[:min(len(key), maxKey)]
	s := &c.slots[maphash.String(c.seed, key)%cacheSlots]
	if have := s.Load(); have != nil && have.key == key {
		return have.value
	}
	n := &textSlot[V]{strings.Clone(key), work(key)}
	s.Store(n)
	return n.value
}
