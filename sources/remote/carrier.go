package remote

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// Carrier makes the connections to an agent that is not dialled: one that dials
// in by itself, or one at the other end of a program's pipes.
type Carrier interface {
	// Connect returns the next connection; it blocks until there is one or ctx
	// ends. The peer closes it.
	Connect(ctx context.Context) (Carried, error)
}

// Carried is a connection whose carrier has established who is at its other end.
type Carried struct {
	net.Conn
	Name     string            // of the agent
	Identity string            // how that is known, for people: its URI name, or "ssh HOST"
	Leaf     *x509.Certificate // the certificate it showed; nil when trust is not by certificate
}

// AuthType implements credentials.AuthInfo.
func (Carried) AuthType() string { return "carried" }

// carriage is the credentials of a carried connection: nothing is left to shake
// hands about.
type carriage struct{ Carried }

// ClientHandshake returns the connection as it is.
func (c carriage) ClientHandshake(_ context.Context, _ string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return conn, c.Carried, nil
}

// ServerHandshake refuses: a console is no server here.
func (carriage) ServerHandshake(net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errors.New("a carried connection has no server side")
}

// Info implements credentials.TransportCredentials.
func (carriage) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "carried"}
}

// Clone implements credentials.TransportCredentials.
func (c carriage) Clone() credentials.TransportCredentials { return c }

// OverrideServerName implements credentials.TransportCredentials.
func (carriage) OverrideServerName(string) error { return nil }

// reach returns what one connection to the agent is made with; over ends it.
func (p *Peer) reach(ctx context.Context) (creds credentials.TransportCredentials, target string, dial []grpc.DialOption, over func(), err error) {
	if p.cfg.Carrier == nil {
		return credentials.NewTLS(p.tlsConfig()), "passthrough:///" + p.cfg.Address, nil, func() {}, nil
	}
	c, err := p.cfg.Carrier.Connect(ctx)
	if err != nil {
		return nil, "", nil, nil, err
	}
	var once sync.Once
	dialled := func(context.Context, string) (net.Conn, error) {
		var conn net.Conn
		once.Do(func() { conn = c.Conn })
		if conn == nil {
			return nil, errors.New("the connection was lost")
		}
		return conn, nil
	}
	over = func() { _ = c.Close() } // it is given up anyway
	return carriage{c}, "passthrough:///agent", []grpc.DialOption{grpc.WithContextDialer(dialled)}, over, nil
}

// who returns the agent's name and how it is known, as the connection showed them.
func who(info credentials.AuthInfo) (name, identity string, leaf *x509.Certificate, err error) {
	switch i := info.(type) {
	case Carried:
		return i.Name, i.Identity, i.Leaf, nil
	case credentials.TLSInfo:
		if len(i.State.PeerCertificates) > 0 {
			leaf = i.State.PeerCertificates[0]
			if name, err = agentName(leaf); err == nil {
				identity = leaf.URIs[0].String()
			}
			return name, identity, leaf, err
		}
	}
	return "", "", nil, errors.New("the agent showed no certificate")
}
