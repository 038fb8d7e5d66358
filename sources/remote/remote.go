// Package remote reads the streams of an agent over gRPC and mutual TLS: one
// Peer is one agent, with its connection, its streams as sources and its state.
//
// A stream blocks when its batches are not taken; the agent then stops reading
// its file, and other streams go on. Nothing is lost: what was not acknowledged
// lives in the agent's files and is read again from the last position. An agent
// that breaks the protocol is dropped with one sentence and dialled again later.
package remote

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"bartizan/event"
	"bartizan/sources"
)

// Config says which agent to dial and how.
type Config struct {
	Address string // HOST:PORT
	Name    string // the agent's name in its certificate; "" takes whoever answers first, for good
	// TLS is certs.ClientTLS of the console's directory: it verifies chain, dates
	// and revocation. That the certificate belongs to Address and Name is
	// checked here.
	TLS *tls.Config
	// Carrier, when not nil, makes the connections instead of dialling Address over
	// TLS; Address is then only for people.
	Carrier Carrier
	Scheme  string // what source ids begin with; "" is "agent"
	Version string // of this console, for the agent
	Filter  string // what agents shall send only, in the filter language; "" is everything
	// Edge is detect.Digest of the rules this console runs: an agent that runs the
	// same sends only what they need, and what Filter matches; nil: everything.
	Edge []byte
	Now  func() time.Time
	// Backoff returns the pause before attempt n (from 0); nil is Backoff(rand.Float64).
	Backoff func(n int) time.Duration
	Every   time.Duration // between looks at the list of streams; 0 is 3 s
	pause   time.Duration // before the first attempt
	// Tail is how many bytes before the end of a file a stream begins that has
	// no position yet; 0 is DefaultTail, less than 0 the file's beginning.
	Tail int64
}

// DefaultTail is how much of a remote file is read when it is seen for the first
// time: hours of a busy host's log, but not a history of months over the wire.
const DefaultTail = 64 << 20

const (
	defaultEvery = 3 * time.Second
	callTimeout  = 10 * time.Second
	// A connection that lived this long was a good one: the next pause is short.
	goodAfter = 10 * time.Second
)

// Backoff returns pauses of 0.5 s doubling to 30 s, of which up to half is taken
// off by chance (0 <= random() < 1), so that a fleet does not come back at once.
func Backoff(random func() float64) func(n int) time.Duration {
	return func(n int) time.Duration {
		d := 30 * time.Second
		if n < 6 {
			d = 500 * time.Millisecond << max(n, 0)
		}
		return d - time.Duration(random()*float64(d)/2)
	}
}

// Peer is one agent. It is safe from any goroutine.
type Peer struct {
	cfg Config

	mu      sync.Mutex
	current *session      // nil while there is none
	changed chan struct{} // closed and replaced when current changes
	filter  *filter
	state   peerState
	streams map[string]*stream
	order   []*stream
}

// filter is what the agent shall send; replaced is closed when another is set.
type filter struct {
	text     string
	edge     []byte
	replaced chan struct{}
}

// Dial checks the configuration and returns a peer that Run connects.
func Dial(c Config) (*Peer, error) {
	if _, _, err := net.SplitHostPort(c.Address); err != nil && c.Carrier == nil {
		return nil, fmt.Errorf("the agent's address %q is not HOST:PORT: %w", c.Address, err)
	}
	if c.TLS == nil && c.Carrier == nil {
		return nil, errors.New("an agent is only dialled over mutual TLS: name the directory of certificates")
	}
	if c.Scheme == "" {
		c.Scheme = "agent"
	}
	if err := checkFilter(c.Filter); err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Backoff == nil {
		c.Backoff = Backoff(rand.Float64)
	}
	if c.Every <= 0 {
		c.Every = defaultEvery
	}
	if c.Tail == 0 {
		c.Tail = DefaultTail
	}
	return &Peer{
		cfg: c, changed: make(chan struct{}), streams: map[string]*stream{},
		filter: &filter{c.Filter, c.Edge, make(chan struct{})},
		state:  peerState{state: event.SourceStarting},
	}, nil
}

// Run keeps the connection until ctx is cancelled, then returns nil. found gets
// every stream the agent serves, once; it must not block for long. The sources
// stay valid over reconnects; a source that has no connection waits for one.
func (p *Peer) Run(ctx context.Context, found func(sources.Opened)) error {
	if !waited(ctx, p.cfg.pause) {
		return nil
	}
	for attempt := 0; ; attempt++ {
		since := p.cfg.Now()
		err := p.once(ctx, found)
		if ctx.Err() != nil {
			return nil
		}
		if p.cfg.Now().Sub(since) > goodAfter {
			attempt = 0
		}
		pause := p.cfg.Backoff(attempt)
		p.failed(err, pause)
		if !waited(ctx, pause) {
			return nil
		}
	}
}

// Stagger makes Run wait before its first attempt, for a part of within that
// random chooses (0 <= random() < 1), so that a fleet is not dialled all at once.
// Call it before Run.
func (p *Peer) Stagger(within time.Duration, random func() float64) {
	p.cfg.pause = time.Duration(random() * float64(within))
}

// waited waits for d; false when ctx ended first.
func waited(ctx context.Context, d time.Duration) bool {
	wait := time.NewTimer(d)
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-wait.C:
		return true
	}
}

// SetFilter asks the agent to send only what matches text ("" is everything).
// Streams go on from where they are. The error is about the text's size; what
// the agent thinks of it stands in the streams' status.
func (p *Peer) SetFilter(text string) error {
	if err := checkFilter(text); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ask(text, p.filter.edge)
	return nil
}

// SetEdge is SetFilter for Config.Edge: this console runs other rules from now on.
func (p *Peer) SetEdge(digest []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ask(p.filter.text, digest)
}

func (p *Peer) ask(text string, edge []byte) {
	if p.filter.text == text && bytes.Equal(p.filter.edge, edge) {
		return
	}
	close(p.filter.replaced)
	p.filter = &filter{text, edge, make(chan struct{})}
}

func (p *Peer) wanted() *filter {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.filter
}

// connected returns the session there is, or waits for one; never the one that
// is known to be over.
func (p *Peer) connected(ctx context.Context, over *session) (*session, error) {
	for {
		p.mu.Lock()
		s, changed := p.current, p.changed
		p.mu.Unlock()
		if s != nil && s != over {
			return s, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		}
	}
}

func (p *Peer) setSession(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.current = s
	close(p.changed)
	p.changed = make(chan struct{})
}
