package agent

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc/credentials"

	"bartizan/agent/certs"
)

// How long a call to a console may take, and how long a connection has to live
// so that the pause after it is short again.
const (
	dialWithin = 15 * time.Second
	goodAfter  = 10 * time.Second
)

// Dial calls the console at address (HOST:PORT) and serves it over that
// connection, for agents that consoles cannot reach; when the connection ends it
// calls again, after pauses of 1 s doubling to 1 min of which up to half is taken
// off by random (0 <= random() < 1). Who may ask for what is decided as for a
// console that dials. It returns nil when ctx is cancelled.
func (s *Server) Dial(ctx context.Context, address string, random func() float64) error {
	if s.trust == nil {
		return fmt.Errorf("to call the console at %s the agent needs certificates: name their folder with certs", address)
	}
	if _, _, err := net.SplitHostPort(address); err != nil {
		return fmt.Errorf("the console's address %q is not HOST:PORT: %w", address, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l := &line{ctx: ctx, cancel: cancel, server: s, address: address, random: random}
	return s.serve(ctx, l, &calling{credentials.NewTLS(s.trust.Client()), s.trust, l})
}

// line is a listener whose connections are made by calling a console, one at a
// time. Only grpc's Accept loop touches it, but for mu.
type line struct {
	ctx     context.Context
	cancel  context.CancelFunc
	server  *Server
	address string
	random  func() float64

	attempt int
	over    chan struct{} // closed with the connection; nil before the first
	since   time.Time

	mu    sync.Mutex
	trust error // why the newest handshake failed
}

// Accept waits for the end of the connection there is and makes the next one.
func (l *line) Accept() (net.Conn, error) {
	if l.over != nil {
		select {
		case <-l.over:
		case <-l.ctx.Done():
			return nil, net.ErrClosed
		}
		if l.server.cfg.Now().Sub(l.since) > goodAfter && l.why() == nil {
			l.attempt = 0
		}
		l.server.cfg.Log.Info("the connection to a console is over", "console", l.address)
		if !l.pause() {
			return nil, net.ErrClosed
		}
	}
	for {
		d := net.Dialer{Timeout: dialWithin, KeepAlive: time.Minute}
		c, err := d.DialContext(l.ctx, "tcp", l.address)
		if err == nil {
			return l.begun(c), nil
		}
		if l.ctx.Err() == nil {
			l.server.cfg.Log.Warn("a console cannot be reached", "console", l.address, "reason", err.Error(), "attempt", l.attempt+1)
		}
		if !l.pause() {
			return nil, net.ErrClosed
		}
	}
}

func (l *line) begun(c net.Conn) net.Conn {
	over := make(chan struct{})
	l.over, l.since = over, l.server.cfg.Now()
	return &counted{Conn: c, leave: sync.OnceFunc(func() { close(over) })}
}

// pause waits before the next attempt; false when there shall be none.
func (l *line) pause() bool {
	d := backoff(l.attempt, l.random())
	l.attempt++
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-l.ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// backoff is the pause before attempt n: 1 s doubling to 1 min, less up to half
// of it by chance, so that a fleet does not call a console back all at once.
func backoff(n int, chance float64) time.Duration {
	d := time.Minute
	if n < 6 {
		d = time.Second << n
	}
	return d - time.Duration(chance*float64(d)/2)
}

func (l *line) shook(err error) {
	l.mu.Lock()
	l.trust = err
	l.mu.Unlock()
}

func (l *line) why() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.trust
}

// Close ends the calling.
func (l *line) Close() error {
	l.cancel()
	return nil
}

// Addr implements net.Listener.
func (l *line) Addr() net.Addr { return calledAddr(l.address) }

type calledAddr string

// Network implements net.Addr.
func (calledAddr) Network() string { return "tcp" }

// String implements net.Addr.
func (a calledAddr) String() string { return string(a) }

// calling is the credentials of connections this side made: it is the client of
// the TLS handshake and the server of everything after it.
type calling struct {
	credentials.TransportCredentials
	trust *certs.Store
	line  *line
}

// ServerHandshake shakes hands as the side that called.
func (h *calling) ServerHandshake(c net.Conn) (net.Conn, credentials.AuthInfo, error) {
	under := &cork{Conn: c, out: bufio.NewWriterSize(c, corkSize)}
	conn := tls.Client(under, h.trust.Client())
	err := conn.Handshake() // gRPC has set the deadline
	h.line.shook(err)
	if err != nil {
		h.line.server.cfg.Log.Warn("no trust between this agent and a console", "console", h.line.address, "reason", err.Error())
		_ = c.Close() // it is given up anyway
		return nil, nil, err
	}
	h.line.server.cfg.Log.Info("serving a console that was called", "console", h.line.address)
	info := credentials.TLSInfo{
		State: conn.ConnectionState(), CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity},
	}
	return &corked{conn, under}, info, nil
}
