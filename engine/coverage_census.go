package engine

import (
	"bytes"
	"strings"
	"sync"
	"time"

	"bartizan/event"
	"bartizan/sources/parse"
)

// The bounds of what is remembered of what arrives.
const (
	maxPlaces    = 8192 // accounts, buckets, meshes, clusters and hosts
	maxRegions   = 64   // of one account
	maxPlaceName = 256  // bytes of a name
	lookAll      = 2048 // records of each source that are all looked at …
	lookEvery    = 16   // … and of those after them one in so many
)

// Place says what kind of thing lacks a log.
type Place uint8

// The places, in the order they are listed.
const (
	PlaceAccount Place = iota
	PlaceBucket
	PlaceMesh
	PlaceCluster
	PlaceHost
)

var placeNames = [...]string{"account", "bucket", "mesh", "cluster", "host"}

// String is the place in one word.
func (p Place) String() string { return placeNames[p] }

// saw is what was seen of one place.
type saw uint32

const (
	sawTrail saw = 1 << iota
	sawBucketUse
	sawObjects
	sawS3Access
	sawFlow
	sawDNS
	sawFunctions
	sawInvokes
	sawAzure
	sawSignin
	sawEntra
	sawMesh
	sawPeerAddress
	sawPeerName
	sawPods
	sawAudit
	sawBodies
	sawAuth
	sawSudoSession
	sawSudoCommand
	sawAuditd
	sawExec
	sawSysmon
	sawFalco
	sawTetragon
)

// sawRuntime are the sensors that see what runs besides auditd.
const sawRuntime = sawSysmon | sawFalco | sawTetragon

// The kinds of log of an account that come by region.
const (
	regionTrail = 1 << iota
	regionOther
)

type placeKey struct {
	place Place
	name  string
}

type placeSeen struct {
	saw      saw
	looked   uint64
	from, to time.Time
	owner    string           // of a bucket: the account that names it
	regions  map[string]uint8 // of an account
}

// Census remembers which logs arrive, and from where, by looking at events: a
// bounded index of accounts, buckets, meshes, clusters and hosts. It is safe for
// many goroutines and allocates only for places it has not met.
type Census struct {
	mu     sync.Mutex
	places map[placeKey]*placeSeen
	full   uint64 // looks that found no room
}

// NewCensus returns an empty one.
func NewCensus() *Census { return &Census{places: map[placeKey]*placeSeen{}} }

// due says whether the nth record of a source (from 0) is looked at: all of the
// first, then a sample, so that the pipeline does not feel it.
func due(n uint64) bool { return n < lookAll || n%lookEvery == 0 }

// glance is what one event says about where it comes from.
type glance struct {
	e                                              *event.Event
	format                                         string
	account, region, bucket, host, namespace       string
	provider, action, category, manages, errorCode string
	level, pamService, command                     string
	wrapped, proxied, peer, address                bool
}

// See looks at one event. host and source name the source it came by; host is ""
// where that is not known.
func (c *Census) See(e *event.Event, host, source string) {
	if e.Lost > 0 || e.Flags&(event.FlagNotice|event.FlagRawOnly) != 0 {
		return
	}
	g := glance{e: e, format: formatLike(e)}
	g.proxied = g.format == "envoy" || g.format == "envoy-json"
	for i := range e.Fields {
		g.field(&e.Fields[i])
	}
	if g.host == "" {
		g.host = host
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cloud(&g)
	c.host(&g)
	c.kube(&g, source)
	c.mesh(&g, source)
}

// formats are the built-in formats by the log source they are routed by; the
// first of several with one log source stands for them.
var formats = sync.OnceValue(func() (f struct {
	known map[string]bool
	by    map[event.LogSource]string
},
) {
	f.known, f.by = map[string]bool{}, map[event.LogSource]string{}
	for _, s := range parse.Supplies() {
		f.known[s.Format] = true
		if _, ok := f.by[s.LogSource]; !ok && s.LogSource != (event.LogSource{}) {
			f.by[s.LogSource] = s.Format
		}
	}
	return f
})

// formatLike is the built-in format an event is like: its own, or for a format of a
// person's own the one with its log source.
func formatLike(e *event.Event) string {
	f := formats()
	if f.known[e.FormatName] {
		return e.FormatName
	}
	if like, ok := f.by[e.LogSource]; ok && e.FormatName != "" {
		return like
	}
	return e.FormatName
}

// field keeps what tells where the event comes from.
func (g *glance) field(f *event.Field) {
	v := f.Value.Str
	switch f.Name {
	case "cloud.account.id":
		first(&g.account, v)
	case "cloud.region":
		first(&g.region, v)
	case "bucket.name":
		first(&g.bucket, v)
	case "host.name":
		first(&g.host, v)
	case "orchestrator.namespace":
		first(&g.namespace, v)
	case "eventSource":
		first(&g.provider, v)
	case "eventName":
		first(&g.action, v)
	case "eventCategory":
		first(&g.category, v)
	case "managementEvent":
		first(&g.manages, v)
	case "errorCode":
		first(&g.errorCode, v)
	case "level":
		first(&g.level, v)
	case "pam_service":
		first(&g.pamService, v)
	case "command":
		first(&g.command, v)
	case "logtag", "kubernetes.pod_name", "kubernetes.pod.name":
		g.wrapped = true
	case "downstream_remote_address":
		g.address = g.address || v != "" && v != "-"
	default:
		if g.proxied && !g.peer {
			g.peer = peerName(f.Name, v)
		}
	}
}

func first(to *string, v string) {
	if *to == "" && v != "-" {
		*to = v
	}
}

// peerName says whether a field of an access log names who called by certificate.
func peerName(name, value string) bool {
	if value == "" || value == "-" {
		return false
	}
	return strings.HasPrefix(value, "spiffe://") || strings.Contains(name, "peer_uri_san") || strings.Contains(name, "peer_subject") ||
		strings.Contains(name, "peer_principal") || strings.Contains(name, "source_principal")
}

// note adds what was seen to a place; nil when there is no room for it.
func (c *Census) note(p Place, name string, what saw, e *event.Event) *placeSeen {
	if len(name) > maxPlaceName {
		name = name[:maxPlaceName]
	}
	s := c.places[placeKey{p, name}]
	if s == nil {
		if len(c.places) >= maxPlaces {
			c.full++
			return nil
		}
		s = &placeSeen{}
		c.places[placeKey{p, strings.Clone(name)}] = s
	}
	s.saw |= what
	s.looked++
	if e.Flags&(event.FlagNoTime|event.FlagClock) == 0 {
		if s.from.IsZero() || e.Time.Before(s.from) {
			s.from = e.Time
		}
		if e.Time.After(s.to) {
			s.to = e.Time
		}
	}
	return s
}

// host looks at what a host says about itself. A name is known by its first
// label: a log writes web-1, another web-1.example.org.
func (c *Census) host(g *glance) {
	var what saw
	switch g.format {
	case "sshd", "su", "pam", "accounts":
		what = sawAuth
	case "sudo":
		what = sawAuth
		if g.command != "" {
			what |= sawSudoCommand
		} else if g.pamService == "sudo" {
			what |= sawSudoSession
		}
	case "auditd":
		what = sawAuditd
		if g.e.LogSource.Category == "process_creation" || bytes.Contains(g.e.Raw[:min(len(g.e.Raw), 4096)], []byte("type=EXECVE ")) {
			what |= sawExec
		}
	case "falco", "falco-text":
		what = sawFalco
	case "sysmon-linux":
		what = sawSysmon
	case "tetragon":
		what = sawTetragon
	case "windows-evtx", "winlogbeat", "windows-flat":
		if g.e.LogSource.Product == "linux" {
			what = sawSysmon
		}
	}
	if what == 0 {
		return
	}
	name, _, _ := strings.Cut(g.host, ".")
	if name == "localhost" || strings.Trim(g.host, "0123456789.:") == "" {
		name = g.host
	}
	c.note(PlaceHost, name, what, g.e)
}

// kube looks at what a cluster delivers. A cluster has no name in its logs: each
// source of audit events is one, and pods belong to whichever.
func (c *Census) kube(g *glance, source string) {
	switch f := g.format; {
	case f == "k8saudit":
		what := sawAudit
		if g.level == "Request" || g.level == "RequestResponse" {
			what |= sawBodies
		}
		c.note(PlaceCluster, source, what, g.e)
	case g.wrapped || f == "kubectl" || f == "cri" || f == "k8sevent" || f == "klog":
		c.note(PlaceCluster, "", sawPods, g.e)
	}
}

// mesh looks at the access log of a proxy.
func (c *Census) mesh(g *glance, source string) {
	if !g.proxied {
		return
	}
	what, name := sawMesh, source
	if g.namespace != "" {
		name = g.namespace
	}
	if g.address {
		what |= sawPeerAddress
	}
	if g.peer {
		what |= sawPeerName
	}
	c.note(PlaceMesh, name, what, g.e)
}
