package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"bartizan/event"
	"bartizan/sources"
)

// The bounds on agents that call: how many may be known, how many connections
// may be in their handshake at once, in all and from one address (many agents
// call from behind one), and how long a handshake may take.
const (
	maxCallers     = 1024
	maxShaking     = 128
	maxShakingHost = 32
	shakeWithin    = 10 * time.Second
)

// ListenConfig says where agents that cannot be dialled may call.
type ListenConfig struct {
	Address string // HOST:PORT
	// TLS is certs.Store.Server of the console's directory: it verifies chain,
	// dates, role and revocation of each agent.
	TLS *tls.Config
	// Peers is how the agents that called are read: Address, Name, TLS and Carrier
	// are set here.
	Peers Config
	// Listening is told the address when it is bound; nil tells nobody.
	Listening func(address string)
}

// Listener takes the calls of agents: each agent of this console's CA becomes a
// Peer, by the name in its certificate. It is safe from any goroutine.
type Listener struct {
	cfg ListenConfig

	mu      sync.Mutex
	state   peerState
	callers map[string]*caller
	order   []*caller
	filter  string
	shaking map[string]int // by address
	all     int            // that are in their handshake
	refused string         // the newest refusal, for people
}

// Listen checks the configuration and returns a listener that Run opens.
func Listen(c ListenConfig) (*Listener, error) {
	if _, _, err := net.SplitHostPort(c.Address); err != nil {
		return nil, fmt.Errorf("the address to listen at %q is not HOST:PORT: %w", c.Address, err)
	}
	if c.TLS == nil {
		return nil, errors.New("agents are only let in over mutual TLS: name the directory of certificates")
	}
	if err := checkFilter(c.Peers.Filter); err != nil {
		return nil, err
	}
	if c.Peers.Now == nil {
		c.Peers.Now = time.Now
	}
	return &Listener{
		cfg: c, callers: map[string]*caller{}, shaking: map[string]int{}, filter: c.Peers.Filter,
		state: peerState{state: event.SourceStarting},
	}, nil
}

// caller is one agent that called, and the line it last called on.
type caller struct {
	name    string
	peer    *Peer
	running bool         // guarded by the listener's mutex
	calls   chan Carried // at most one: the newest

	mu      sync.Mutex
	current net.Conn
}

// Connect implements Carrier: it waits for the agent to call.
func (c *caller) Connect(ctx context.Context) (Carried, error) {
	select {
	case <-ctx.Done():
		return Carried{}, ctx.Err()
	case call := <-c.calls:
		c.mu.Lock()
		c.current = call.Conn
		c.mu.Unlock()
		return call, nil
	}
}

// offer hands a new call over. An agent calls again when its connection is lost,
// which it may learn before this side does: the newest call counts.
func (c *caller) offer(call Carried) {
	for {
		select {
		case c.calls <- call:
			c.mu.Lock()
			before := c.current
			c.current = nil
			c.mu.Unlock()
			if before != nil {
				cut(before)
			}
			return
		default:
		}
		select {
		case old := <-c.calls:
			cut(old.Conn)
		default:
		}
	}
}

// cut closes a connection that was replaced, without the goodbye of TLS, which
// could block.
func cut(c net.Conn) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	_ = c.Close() // it is given up anyway
}

// Run listens until ctx is cancelled, then returns nil. An address that cannot be
// listened at is tried again. found gets every stream of every agent, once.
func (l *Listener) Run(ctx context.Context, found func(sources.Opened)) error {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	pause := Backoff(func() float64 { return 0 })
	for attempt := 0; ctx.Err() == nil; attempt++ {
		n, err := (&net.ListenConfig{}).Listen(ctx, "tcp", l.cfg.Address)
		if err == nil {
			attempt = 0
			l.note(event.SourceLive, "", time.Time{})
			if l.cfg.Listening != nil {
				l.cfg.Listening(n.Addr().String())
			}
			err = l.accept(ctx, n, &all, found)
		}
		wait := pause(attempt)
		l.note(event.SourceRetrying, fmt.Sprintf("cannot listen for agents: %v", err), l.cfg.Peers.Now().Add(wait))
		sleep(ctx, wait)
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// accept takes calls until ctx ends or the listener breaks.
func (l *Listener) accept(ctx context.Context, n net.Listener, all *sync.WaitGroup, found func(sources.Opened)) error {
	stop := context.AfterFunc(ctx, func() { _ = n.Close() })
	defer stop()
	defer func() { _ = n.Close() }()
	for {
		conn, err := n.Accept()
		if err != nil {
			return err
		}
		host, _, _ := net.SplitHostPort(conn.RemoteAddr().String()) // TCP has a port
		if !l.enter(host) {
			l.refuse(fmt.Sprintf("a call from %s was cut off: too many handshakes at once", host))
			_ = conn.Close() // it was never used
			continue
		}
		all.Go(func() {
			defer l.leave(host)
			call, err := l.shake(ctx, conn)
			if err == nil {
				err = l.take(ctx, call, all, found)
			}
			if err != nil {
				_ = conn.Close() // refused
				l.refuse(fmt.Sprintf("a call from %s was refused: %.300q", host, err.Error()))
			}
		})
	}
}

// shake does the handshake of one call and says who it is.
func (l *Listener) shake(ctx context.Context, conn net.Conn) (Carried, error) {
	ctx, cancel := context.WithTimeout(ctx, shakeWithin)
	defer cancel()
	c := tls.Server(conn, l.cfg.TLS)
	if err := c.HandshakeContext(ctx); err != nil {
		return Carried{}, err
	}
	leaf := c.ConnectionState().PeerCertificates[0] // verified, so there is one
	name, err := agentName(leaf)
	if err != nil {
		return Carried{}, err
	}
	return Carried{Conn: c, Name: name, Identity: leaf.URIs[0].String(), Leaf: leaf}, nil
}

// take gives the call to its peer, which is made with an agent's first call.
func (l *Listener) take(ctx context.Context, call Carried, all *sync.WaitGroup, found func(sources.Opened)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.callers[call.Name]
	if c == nil {
		if len(l.order) >= maxCallers {
			return fmt.Errorf("more than %d agents call here: dial some of them, or start another console", maxCallers)
		}
		c = &caller{name: call.Name, calls: make(chan Carried, 1)}
		conf := l.cfg.Peers
		conf.Address, conf.Name, conf.TLS, conf.Carrier, conf.Filter = call.RemoteAddr().String(), call.Name, nil, c, l.filter
		var err error
		if c.peer, err = Dial(conf); err != nil {
			return err
		}
		l.callers[c.name] = c
		l.order = append(l.order, c)
	}
	if !c.running {
		c.running = true
		all.Go(func() {
			_ = c.peer.Run(ctx, found) // it only ends with ctx
			l.rest(c)
		})
	}
	c.offer(call)
	return nil
}

// rest closes a call that came too late for a peer that ended.
func (l *Listener) rest(c *caller) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.running = false
	select {
	case call := <-c.calls:
		cut(call.Conn)
	default:
	}
}

func (l *Listener) enter(host string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all >= maxShaking || l.shaking[host] >= maxShakingHost {
		return false
	}
	l.all++
	l.shaking[host]++
	return true
}

func (l *Listener) leave(host string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all--
	if l.shaking[host]--; l.shaking[host] == 0 {
		delete(l.shaking, host)
	}
}

func (l *Listener) refuse(why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused = why
}

func (l *Listener) note(state event.SourceState, reason string, next time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state.state, l.state.reason, l.state.nextTry = state, reason, next
}

// SetFilter asks every agent, also those that call later, to send only what
// matches text. The error is about the text's size.
func (l *Listener) SetFilter(text string) error {
	if err := checkFilter(text); err != nil {
		return err
	}
	l.mu.Lock()
	l.filter = text
	l.mu.Unlock()
	for _, c := range l.known() {
		if err := c.peer.SetFilter(text); err != nil {
			return err
		}
	}
	return nil
}

// Status returns the listener itself, then every agent that called and its streams.
func (l *Listener) Status() []event.SourceStatus {
	l.mu.Lock()
	own := event.SourceStatus{
		ID: event.SourceID("listen:" + l.cfg.Address), Kind: "listen", Name: "calls at " + l.cfg.Address, Behind: -1,
		State: l.state.state, Reason: l.state.reason, NextTry: l.state.nextTry,
	}
	if own.Reason == "" {
		own.Reason = l.refused
	}
	l.mu.Unlock()
	out := []event.SourceStatus{own}
	for _, c := range l.known() {
		out = append(out, c.peer.Status()...)
	}
	return out
}

// Agents returns the peers of the agents that called so far, in that order.
func (l *Listener) Agents() []*Peer {
	var out []*Peer
	for _, c := range l.known() {
		out = append(out, c.peer)
	}
	return out
}

func (l *Listener) known() []*caller {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.order)
}
