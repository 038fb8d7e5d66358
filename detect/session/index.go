// Package session joins records to the sessions they belong to: a login over ssh or
// at a console and what was done in it, a cloud role session and who is behind it,
// a kubectl exec and what runtime sensors saw in that pod.
//
// The index keeps facts only (who logged in where, which key was given to whom) and
// joins a record when it is asked about one, by event time: so the answer does not
// depend on the order in which several sources delivered, and a replay gives the
// same joins. A join that rests on less than a number both records carry says so.
// Nothing blocks but for a short lock. What is lost: facts beyond MaxBytes, the
// longest unused first; Stats counts them.
package session

import (
	"container/list"
	"strings"
	"sync"
	"time"

	"bartizan/event"
)

// MaxBytes is what an index holds unless Options says otherwise.
const MaxBytes = 8 << 20

// Options are how an index is made; the zero value is fine.
type Options struct {
	Host     string // stands for hosts of records that name none: those of this machine
	MaxBytes int    // 0 is MaxBytes
}

// Stats are what an index holds.
type Stats struct {
	Logins, Credentials, Execs int
	Bytes                      int
	Forgotten                  uint64 // facts given up at the bound
}

// at is a number or a name on one host, or a role session's two names.
type at struct{ where, what string }

// peer is the client's end of a connection to a host.
type peer struct{ host, ip, port string }

// fact is something held; forget takes it out of the index.
type fact interface{ forget(x *Index) }

// held is a fact's place in the order of use.
type held struct {
	fact  fact
	bytes int
}

// pool holds facts of one kind: a flood of one must not drive out another.
type pool struct {
	used  *list.List // of *held, the longest unused last
	bytes int
	most  int
}

// Index is safe for use by several goroutines; Take is meant for one.
type Index struct {
	mu    sync.RWMutex
	o     Options
	stats Stats

	logins, elevations, grants, shells pool

	byPID  map[at][]*login
	bySes  map[at][]*login
	byPeer map[peer]*login
	byUser map[at][]*login
	byID   map[string]*login
	byTTY  map[at][]*elevation
	bySudo map[at][]*elevation // by process

	byKey  map[string]*credential
	byRole map[string][]*credential // by principal id
	byPod  map[at][]*exec
	execs  map[string]*exec // by audit id

	names map[string]fullName // by the first label
	begun uint64              // logins ever made
}

// New makes an empty index.
func New(o Options) *Index {
	if o.MaxBytes <= 0 {
		o.MaxBytes = MaxBytes
	}
	eighth := func(n int) pool { return pool{used: list.New(), most: o.MaxBytes / 8 * n} }
	return &Index{
		o: o, logins: eighth(4), elevations: eighth(1), grants: eighth(2), shells: eighth(1),
		byPID: map[at][]*login{}, bySes: map[at][]*login{}, byPeer: map[peer]*login{}, byUser: map[at][]*login{}, byID: map[string]*login{},
		byTTY: map[at][]*elevation{}, bySudo: map[at][]*elevation{},
		byKey: map[string]*credential{}, byRole: map[string][]*credential{},
		byPod: map[at][]*exec{}, execs: map[string]*exec{}, names: map[string]fullName{},
	}
}

// Stats says what is held and what was given up.
func (x *Index) Stats() Stats {
	x.mu.RLock()
	defer x.mu.RUnlock()
	s := x.stats
	s.Bytes = x.logins.bytes + x.elevations.bytes + x.grants.bytes + x.shells.bytes
	return s
}

// family is which of the three kinds of joins a format takes part in.
type family uint8

const (
	strange   family = iota
	loginLog         // brings and is joined to logins
	cloudLog         // role sessions
	auditLog         // execs
	sensorLog        // joined to execs
	delegate         // who is behind stands in the record itself
)

// familyOf is the first question about every event, so it costs next to nothing.
func familyOf(format string) family {
	switch format {
	case "sshd", "sudo", "su", "systemd", "auditd", "journald":
		return loginLog
	case "cloudtrail":
		return cloudLog
	case "k8saudit":
		return auditLog
	case "falco", "tetragon":
		return sensorLog
	case "gcpaudit", "azure-activity":
		return delegate
	}
	return strange
}

// Take learns what e says about sessions. It keeps nothing of e.
func (x *Index) Take(e *event.Event) {
	switch familyOf(e.FormatName) {
	case loginLog:
		x.takeLogin(e)
	case cloudLog:
		if grants(e.Text("eventName")) {
			x.takeGrant(e)
		}
	case auditLog:
		if opens(e.Text("objectRef.subresource")) {
			x.takeExec(e)
		}
	}
}

// hold counts a new fact and lets go of the longest unused ones of its kind beyond
// the bound.
func (p *pool) hold(x *Index, f fact, bytes int) *list.Element {
	el := p.used.PushFront(&held{f, bytes})
	p.bytes += bytes
	p.bound(x)
	return el
}

// grow counts more bytes of a fact that was used just now.
func (p *pool) grow(x *Index, el *list.Element, bytes int) {
	el.Value.(*held).bytes += bytes
	p.bytes += bytes
	p.used.MoveToFront(el)
	p.bound(x)
}

func (p *pool) bound(x *Index) {
	for p.bytes > p.most && p.used.Len() > 1 {
		h := p.used.Remove(p.used.Back()).(*held)
		p.bytes -= h.bytes
		x.stats.Forgotten++
		h.fact.forget(x)
	}
}

// host is the name records of one machine share.
func (x *Index) host(f *facts) string {
	if h := f.v[sHost]; h != "" {
		return h
	}
	return x.o.Host
}

// without returns list without one element; the map's entry goes with the last.
func without[K comparable, T comparable](m map[K][]T, key K, gone T) {
	old := m[key]
	kept := old[:0:0]
	for _, o := range old {
		if o != gone {
			kept = append(kept, o)
		}
	}
	if len(kept) == 0 {
		delete(m, key)
		return
	}
	m[key] = kept
}

// with adds an element to the list of key, which keeps the newest most.
func with[K comparable, T comparable](m map[K][]T, key K, one T, most int) {
	old := m[key]
	for _, o := range old {
		if o == one {
			return
		}
	}
	if len(old) >= most {
		old = append(old[:0:0], old[1:]...)
	}
	m[key] = append(old, one)
}

// maxText bounds every text that is kept of a record, in bytes.
const maxText = 256

// own copies a text, bounded.
func own(s string) string { return strings.Clone(s[:min(len(s), maxText)]) }

const second = int64(time.Second)
