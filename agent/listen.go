package agent

import (
	"bufio"
	"log/slog"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	"bartizan/agent/agentpb"
)

// The bounds on connections. A connection is ended after maxAge so that every
// console has to show its certificate again.
const (
	maxConns        = 256
	maxConnsPerHost = 64
	maxAge          = time.Hour
	maxAgeGrace     = 10 * time.Second
	handshakeWithin = 10 * time.Second
	maxRequest      = 64 << 10
)

func (s *Server) options(creds credentials.TransportCredentials) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.Creds(creds),
		grpc.ForceServerCodecV2(agentpb.Codec()),
		grpc.UnaryInterceptor(s.unary),
		grpc.StreamInterceptor(s.stream),
		grpc.ConnectionTimeout(handshakeWithin),
		grpc.MaxRecvMsgSize(maxRequest),
		grpc.WriteBufferSize(corkSize),
		grpc.MaxSendMsgSize(agentpb.MaxMessage),
		grpc.MaxHeaderListSize(agentpb.MaxHeaders),
		grpc.MaxConcurrentStreams(agentpb.MaxConcurrent),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionAge: maxAge, MaxConnectionAgeGrace: maxAgeGrace,
			Time: agentpb.PingEvery, Timeout: agentpb.PingTimeout,
		}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{
			MinTime: agentpb.PingLeast, PermitWithoutStream: true,
		}),
	}
}

// handshakes logs who was not let in and why: the other side only learns that it
// was not.
type handshakes struct {
	credentials.TransportCredentials
	log *slog.Logger
}

// ServerHandshake does what the wrapped credentials do.
func (h *handshakes) ServerHandshake(c net.Conn) (net.Conn, credentials.AuthInfo, error) {
	under := &cork{Conn: c, out: bufio.NewWriterSize(c, corkSize)}
	conn, info, err := h.TransportCredentials.ServerHandshake(under)
	if err != nil {
		h.log.Warn("a connection was refused", "address", c.RemoteAddr().String(), "reason", err.Error())
		return nil, nil, err
	}
	return &corked{conn, under}, info, nil
}

// gate is a listener that closes connections beyond the bounds at once.
type gate struct {
	net.Listener
	log *slog.Logger

	mu    sync.Mutex
	all   int
	hosts map[string]int
}

func newGate(l net.Listener, log *slog.Logger) *gate {
	return &gate{Listener: l, log: log, hosts: map[string]int{}}
}

// Accept returns the next connection within the bounds.
func (g *gate) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		host, _, err := net.SplitHostPort(c.RemoteAddr().String())
		if err != nil {
			host = c.RemoteAddr().String() // a unix socket has no port
		}
		if g.enter(host) {
			return &counted{Conn: c, leave: sync.OnceFunc(func() { g.left(host) })}, nil
		}
		g.log.Warn("a connection was closed: too many are open", "address", c.RemoteAddr().String())
		_ = c.Close() // it was never used
	}
}

func (g *gate) enter(host string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.all >= maxConns || g.hosts[host] >= maxConnsPerHost {
		return false
	}
	g.all++
	g.hosts[host]++
	return true
}

func (g *gate) left(host string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all--
	if g.hosts[host]--; g.hosts[host] == 0 {
		delete(g.hosts, host)
	}
}

// counted is a connection that leaves the gate's count when it is closed.
type counted struct {
	net.Conn
	leave func()
}

// Close closes the connection.
func (c *counted) Close() error {
	c.leave()
	return c.Conn.Close()
}

// quota bounds how many calls of a kind one console may have open.
type quota struct {
	most int
	mu   sync.Mutex
	open map[string]int
}

func (q *quota) enter(who string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.open[who] >= q.most {
		return false
	}
	q.open[who]++
	return true
}

func (q *quota) leave(who string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.open[who]--; q.open[who] == 0 {
		delete(q.open, who)
	}
}
