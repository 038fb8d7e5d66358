package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"google.golang.org/grpc/credentials"

	"bartizan/agent/agentpb"
)

// ServeConn serves the one console at the other end of conn, which has logged in
// to this host as Config.Login: the login is its authority. It returns nil when
// the console goes away or ctx is cancelled.
func (s *Server) ServeConn(ctx context.Context, conn net.Conn) error {
	if s.cfg.Login == "" {
		return errors.New("this agent serves consoles by their certificates: give it a listener")
	}
	l := &only{conn: make(chan net.Conn, 1), over: make(chan struct{})}
	l.conn <- &counted{Conn: conn, leave: l.end}
	err := s.serve(ctx, l, login{name: s.cfg.Login})
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the agent cannot serve its pipe: %w", err)
	}
	return nil
}

// only is a listener that has one connection and ends (io.EOF) with it.
type only struct {
	conn chan net.Conn
	over chan struct{}
	once sync.Once
}

// Accept returns the connection, then waits for its end.
func (o *only) Accept() (net.Conn, error) {
	select {
	case c := <-o.conn:
		return c, nil
	case <-o.over:
		return nil, io.EOF
	}
}

func (o *only) end() { o.once.Do(func() { close(o.over) }) }

// Close ends the waiting; a connection that was never accepted is closed.
func (o *only) Close() error {
	o.end()
	select {
	case c := <-o.conn:
		return c.Close()
	default:
		return nil
	}
}

// Addr implements net.Listener.
func (o *only) Addr() net.Addr { return agentpb.PipeAddr{} }

// login is the credentials of a pipe: whoever holds its other end has logged in
// to this host, so nothing is left to shake hands about. Only ServeConn uses it;
// no connection from the network can come by it.
type login struct{ name string }

// AuthType implements credentials.AuthInfo.
func (login) AuthType() string { return "login" }

// ServerHandshake returns the connection as it is.
func (l login) ServerHandshake(c net.Conn) (net.Conn, credentials.AuthInfo, error) { return c, l, nil }

// ClientHandshake refuses: an agent is no client.
func (login) ClientHandshake(context.Context, string, net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errors.New("a login has no client side")
}

// Info implements credentials.TransportCredentials.
func (login) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "login"}
}

// Clone implements credentials.TransportCredentials.
func (l login) Clone() credentials.TransportCredentials { return l }

// OverrideServerName implements credentials.TransportCredentials.
func (login) OverrideServerName(string) error { return nil }
