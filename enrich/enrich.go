// Package enrich answers fields that no record brings: what kind of address a
// record names, whose it is, where it is, what a user agent is known for, and what
// a person's own list of assets says of hosts, users, accounts, buckets and roles.
//
// Everything comes from tables in the program and from files that the person names;
// nothing asks the network. Answers are worked out when a filter, a rule or a screen
// asks, and remembered; lines that nobody asks about cost nothing. Looking never
// blocks. Only New, Refresh and Watch read files; when a changed file is wrong, what
// was known before stays in use. Nothing is lost here.
package enrich

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"bartizan/event"
)

// Options name the files; all may be empty.
type Options struct {
	Assets []string // lists of assets, CSV or TOML
	Own    []string // networks that are the person's own
	From   string   // the file that names Own
	GeoIP  []string // MMDB files; what the first one says counts
	Ranges []string // published address ranges
}

// files lists all of them.
func (o *Options) files() []string {
	return append(append(append([]string(nil), o.Assets...), o.GeoIP...), o.Ranges...)
}

// Enricher is an event.Enricher. It is safe for many goroutines.
type Enricher struct {
	o     Options
	now   atomic.Pointer[knowledge]
	mu    sync.Mutex // of Refresh
	stamp []fileStamp

	trouble atomic.Pointer[string]
}

// New reads the files. The error joins a sentence for everything that is wrong with
// them; there is no Enricher then.
func New(o Options) (*Enricher, error) {
	x := &Enricher{o: o}
	x.stamp = stampsOf(o.files())
	k, err := read(&o)
	if err != nil {
		return nil, err
	}
	x.now.Store(k)
	return x, nil
}

// Check says what is wrong with the files, one error a sentence. Of a GeoIP database
// it reads only the end, where its description is.
func Check(o Options) []error {
	var bad []error
	geo := o.GeoIP
	o.GeoIP = nil
	if _, err := read(&o); err != nil {
		bad = append(bad, sentences(err)...)
	}
	for _, f := range geo {
		if err := checkGeo(f); err != nil {
			bad = append(bad, err)
		}
	}
	return bad
}

// sentences takes joined errors apart.
func sentences(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var out []error
	for _, e := range joined.Unwrap() {
		out = append(out, sentences(e)...)
	}
	return out
}

// fileStamp tells whether a file changed.
type fileStamp struct {
	size int64
	at   time.Time
}

func stampsOf(files []string) []fileStamp {
	out := make([]fileStamp, len(files))
	for i, f := range files {
		if st, err := os.Stat(f); err == nil {
			out[i] = fileStamp{st.Size(), st.ModTime()}
		}
	}
	return out
}

func same(a, b []fileStamp) bool {
	for i := range a {
		if a[i].size != b[i].size || !a[i].at.Equal(b[i].at) {
			return false
		}
	}
	return true
}

// Refresh reads all files again when one of them changed. With an error, what was
// known before stays.
func (x *Enricher) Refresh() (changed bool, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	stamp := stampsOf(x.o.files())
	if same(stamp, x.stamp) {
		return false, nil
	}
	x.stamp = stamp // before the reading: what changes meanwhile is seen next time
	k, err := read(&x.o)
	if err != nil {
		err = fmt.Errorf("what was known before the change stays in use: %w", err)
		text := err.Error()
		text, _, _ = strings.Cut(text, "\n")
		x.trouble.Store(&text)
		return false, err
	}
	x.now.Store(k)
	x.trouble.Store(nil)
	return true, nil
}

// Trouble is why the last change of a file was not taken in, one sentence; "" when
// nothing is wrong.
func (x *Enricher) Trouble() string {
	if t := x.trouble.Load(); t != nil {
		return *t
	}
	return ""
}

// Watch calls Refresh when a file has changed and stayed so for one look, until ctx
// ends, and told after each reading.
func (x *Enricher) Watch(ctx context.Context, every time.Duration, told func(err error)) {
	if len(x.o.files()) == 0 {
		return
	}
	t := time.NewTicker(every)
	defer t.Stop()
	last := stampsOf(x.o.files())
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		now := stampsOf(x.o.files())
		settled := same(now, last) // else somebody may still be writing
		last = now
		if !settled {
			continue
		}
		if changed, err := x.Refresh(); changed || err != nil {
			told(err)
		}
	}
}

// knowledge is all that is known, immutable but for its caches.
type knowledge struct {
	assets *assets
	own    *nets // nil: none configured
	ownAt  []string
	ranges *ranges
	geo    []*geoFile
	addrs  *addrCache
	names  [assetKinds]*textCache[*asset]
	agents *textCache[*agentTool]
	deaf   []bool // by question: no file could answer it
}

// read makes knowledge out of the files.
func read(o *Options) (*knowledge, error) {
	k := &knowledge{addrs: newAddrCache(), agents: newTextCache[*agentTool]()}
	var bad []error
	r := &assetReader{seen: map[string]*asset{}}
	for _, f := range o.Assets {
		bad = append(bad, r.read(f))
	}
	for _, s := range o.Own {
		n, err := parseNet(s)
		if err != nil {
			bad = append(bad, fmt.Errorf("own: %w", err))
			continue
		}
		r.own = append(r.own, netEntry{n, int32(len(r.from))})
		r.from = append(r.from, cmp.Or(o.From, "your own addresses"))
	}
	rr := newRangeReader()
	for _, f := range o.Ranges {
		bad = append(bad, rr.read(f))
	}
	for _, f := range o.GeoIP {
		g, err := openGeo(f)
		bad = append(bad, err)
		k.geo = append(k.geo, g)
	}
	if err := errors.Join(bad...); err != nil {
		return nil, err
	}
	k.assets, k.ranges, k.ownAt = newAssets(r.list), rr.table(), r.from
	if len(r.own) > 0 {
		k.own = newNets(r.own)
	}
	for kind := range assetKinds {
		if k.assets.has(kind) {
			k.names[kind] = newTextCache[*asset]()
		}
	}
	k.deaf = make([]bool, len(questions))
	for i, q := range questions {
		k.deaf[i] = !k.hears(q)
	}
	return k, nil
}

// hears reports whether a question can have an answer, whatever the event.
func (k *knowledge) hears(q question) bool {
	switch {
	case q.leaf == leafOwn:
		return k.own != nil
	case q.leaf >= leafCountryCode && q.leaf <= leafASName:
		return len(k.geo) > 0
	case q.leaf == leafCloudRegion:
		return len(k.ranges.said) > 0
	case q.leaf >= leafAssetName && q.leaf <= leafAssetRegion && q.base.address:
		return len(k.assets.nets.v4)+len(k.assets.nets.v6) > 0
	case q.leaf >= leafAssetName && q.leaf <= leafAssetRegion:
		return k.assets.has(q.base.kind)
	}
	return true
}

// KnowsOwn says whether any network is configured as the person's own.
func (x *Enricher) KnowsOwn() bool { return x.now.Load().own != nil }

// OwnInTests is the network that is the person's own where the lines beside rules are
// tested.
const OwnInTests = "198.51.100.0/24"

// ForTests knows what lines beside rules are tested with: the built-in tables and
// OwnInTests.
func ForTests() *Enricher {
	x, err := New(Options{Own: []string{OwnInTests}})
	if err != nil {
		panic(err) // a constant that is no network
	}
	return x
}

// said is a text and the file that says it.
type said struct{ text, from string }

// address is what is known of an address.
type address struct {
	class, provider, service, region string

	rangeFrom string
	local     bool
	own       bool
	ownFrom   string // "": not decidable
	asset     *asset
	geo       [leafASName - leafCountryCode + 1]said
	asNumber  float64
}

// address returns what is known of the address a text is, nil when it is none.
func (k *knowledge) address(text string) *address {
	a, ok := parseAddr(text)
	if !ok {
		return nil
	}
	slot := k.addrs.slot(a)
	if have := slot.Load(); have != nil && have.addr == a {
		return &have.facts
	}
	n := &addrSlot{addr: a}
	k.work(a, &n.facts)
	slot.Store(n)
	return &n.facts
}

// work finds out what is known of an address.
func (k *knowledge) work(a netip.Addr, f *address) {
	f.class, f.local = classOf(a)
	f.asset = k.assets.ofAddr(a)
	if k.own != nil {
		if i := k.own.find(a); i >= 0 {
			f.own, f.ownFrom = true, k.ownAt[i]
		} else if !f.local {
			f.ownFrom = "not among your own addresses"
		}
	}
	if i := k.ranges.nets.find(a); i >= 0 {
		p := k.ranges.said[i]
		f.provider, f.service, f.region, f.rangeFrom = p.provider, p.service, p.region, p.from
	}
	for _, g := range k.geo {
		g.fill(a, f)
	}
	f.asNumber = numberOf(f.geo[leafASNumber-leafCountryCode].text)
}

// numberOf is the number that digits are.
func numberOf(s string) (n float64) {
	for i := range len(s) {
		n = n*10 + float64(s[i]-'0')
	}
	return n
}

// asset returns the asset of a name, nil when none is.
func (k *knowledge) asset(kind assetKind, name string) *asset {
	c := k.names[kind]
	if c == nil {
		return nil
	}
	return c.get(name, func(s string) *asset { return k.assets.ofName(kind, s) })
}

// Criticality rates an entity from 0 to 10 by the person's list of assets.
func (x *Enricher) Criticality(n event.Entity) int {
	k := x.now.Load()
	var a *asset
	switch n.Kind {
	case event.EntityIP:
		if addr, ok := parseAddr(n.Value); ok {
			a = k.assets.ofAddr(addr)
		}
	case event.EntityHost:
		a = k.asset(assetHost, n.Value)
	case event.EntityUser:
		a = k.asset(assetUser, n.Value)
	case event.EntityBucket:
		a = k.asset(assetBucket, n.Value)
	case event.EntityRole, event.EntityWorkload:
		a = k.asset(assetRole, n.Value)
		if a == nil {
			a = k.asset(assetAccount, accountOf(n.Value))
		}
	}
	if a == nil {
		return 0
	}
	return a.points
}

// accountOf is the account in an ARN, "" where s is none.
func accountOf(s string) string {
	if !strings.HasPrefix(s, "arn:") {
		return ""
	}
	parts := strings.SplitN(s, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	return parts[4]
}
