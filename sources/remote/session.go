package remote

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/peer"

	"bartizan/agent/agentpb"
	"bartizan/sources"
)

// The flow-control windows: what the agent may send ahead of a stream that is
// not taken, and of all streams of one connection.
const (
	streamWindow = 256 << 10
	connWindow   = 4 << 20
)

// readBuffer is for the headers of frames. What is longer is decrypted to where it
// is needed: a larger buffer would be one copy more, for every connection.
const readBuffer = 4 << 10

// session is one connection to the agent, from its Hello to its end.
type session struct {
	conn   *grpc.ClientConn
	client agentpb.AgentClient
	ended  context.Context // its cause says why the connection is over
	drop   context.CancelCauseFunc

	round time.Duration             // of the newest call that was answered at once, there and back
	list  *agentpb.ListStreamsReply // the newest; only attend touches it
}

// once connects, attends to the connection until it breaks, and says why.
func (p *Peer) once(ctx context.Context, found func(sources.Opened)) error {
	creds, target, dial, over, err := p.reach(ctx)
	if err != nil {
		return err
	}
	defer over()
	watch := &handshake{TransportCredentials: creds}
	conn, err := grpc.NewClient(target, append(dialOptions(watch), dial...)...)
	if err != nil {
		return fmt.Errorf("cannot dial the agent %s: %w", p.cfg.Address, err)
	}
	s := &session{conn: conn, client: agentpb.NewAgentClient(conn)}
	s.ended, s.drop = context.WithCancelCause(ctx)
	lost := make(chan struct{})
	if err = p.hello(s); err == nil {
		go func() { s.watch(p.cfg.Address); close(lost) }()
		err = p.attend(s, found)
	} else {
		close(lost)
	}
	if cause := context.Cause(s.ended); cause != nil && ctx.Err() == nil {
		err = cause // a stream found out before
	}
	p.setSession(nil)
	err = p.sentence(watch, err)
	s.drop(err)
	<-lost
	_ = conn.Close() // it is given up anyway
	return err
}

func dialOptions(creds credentials.TransportCredentials) []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithTransportCredentials(creds),
		grpc.WithDisableServiceConfig(),
		grpc.WithDisableRetry(),
		grpc.WithNoProxy(),
		grpc.WithIdleTimeout(0),
		grpc.WithMaxHeaderListSize(agentpb.MaxHeaders),
		grpc.WithReadBufferSize(readBuffer),
		grpc.WithInitialWindowSize(streamWindow),
		grpc.WithInitialConnWindowSize(connWindow),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(agentpb.MaxMessage), grpc.ForceCodecV2(agentpb.Codec())),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: agentpb.PingEvery, Timeout: agentpb.PingTimeout, PermitWithoutStream: true,
		}),
	}
}

// tlsConfig adds to the configured checks that the certificate belongs to the
// address dialled and to the agent expected there.
func (p *Peer) tlsConfig() *tls.Config {
	c := p.cfg.TLS.Clone()
	chain := c.VerifyConnection
	host, _, _ := net.SplitHostPort(p.cfg.Address) // Dial has checked it
	c.VerifyConnection = func(cs tls.ConnectionState) error {
		if chain != nil {
			if err := chain(cs); err != nil {
				return err
			}
		}
		leaf := cs.PeerCertificates[0]
		name, err := agentName(leaf)
		if err != nil {
			return err
		}
		if want := p.expected(); want != "" && name != want {
			return fmt.Errorf("%s answers as agent %q where %q is expected: mend the configuration or its certificate", p.cfg.Address, name, want)
		}
		if err := leaf.VerifyHostname(host); err != nil {
			return fmt.Errorf("the certificate of agent %q is not for the address %s: issue it again with that host", name, host)
		}
		return nil
	}
	return c
}

// quietFor is how many times Config.Every an agent may keep quiet about itself
// while nothing changes there.
const quietFor = 3

// attend makes the session the current one and looks at the agent's streams when
// they change, at most every few seconds, until something fails.
func (p *Peer) attend(s *session, found func(sources.Opened)) error {
	tick := time.NewTicker(p.cfg.Every)
	defer tick.Stop()
	for first := true; ; first = false {
		if err := p.look(s, found); err != nil {
			return err
		}
		if first {
			p.setSession(s)
		}
		select {
		case <-s.ended.Done():
			return context.Cause(s.ended)
		case <-tick.C:
		}
	}
}

// watch ends the session with its connection. Left to itself gRPC would dial
// again, and nobody would look at the new certificate's dates or the new Hello.
func (s *session) watch(address string) {
	if s.conn.WaitForStateChange(s.ended, connectivity.Ready) {
		s.drop(fmt.Errorf("the connection to agent %s was lost", address))
	}
}

// over says whether the connection is, after a call on it ended with code. The
// call learns of a cut earlier than the session does, so it waits a moment.
func (s *session) over(ctx context.Context, code codes.Code) bool {
	if code == codes.Unavailable || code == codes.Canceled {
		moment := time.NewTimer(time.Second)
		defer moment.Stop()
		select {
		case <-s.ended.Done():
		case <-ctx.Done():
		case <-moment.C:
		}
	}
	return s.ended.Err() != nil
}

func (p *Peer) hello(s *session) error {
	ctx, cancel := context.WithTimeout(s.ended, callTimeout)
	defer cancel()
	var at peer.Peer
	before := p.cfg.Now()
	h, err := s.client.Hello(ctx, &agentpb.HelloRequest{
		Protocol: agentpb.Protocol, Version: p.cfg.Version,
	}, grpc.Peer(&at))
	if err != nil {
		return err
	}
	if h.GetProtocol() < agentpb.ProtocolMin || h.GetProtocolMin() > agentpb.Protocol {
		return fmt.Errorf("agent %s speaks protocol %d to %d and this console %d to %d: update the older one",
			p.cfg.Address, h.GetProtocolMin(), h.GetProtocol(), agentpb.ProtocolMin, agentpb.Protocol)
	}
	name, identity, leaf, err := who(at.AuthInfo)
	if err != nil {
		return err
	}
	p.greeted(name, identity, leaf, h)
	p.clock(before, p.cfg.Now(), h.GetClock())
	return nil
}

// look asks for the agent's state, which is answered when its streams change or
// after a while, and for the list of them if it is another one, and reports
// streams that are new.
func (p *Peer) look(s *session, found func(sources.Opened)) error {
	req := &agentpb.StatusRequest{Listed: s.list.GetListed()}
	if req.GetListed() != 0 {
		req.Wait = uint32(min(quietFor*p.cfg.Every, agentpb.MaxWait).Milliseconds())
	}
	ctx, cancel := context.WithTimeout(s.ended, callTimeout+time.Duration(req.GetWait())*time.Millisecond)
	defer cancel()
	before := p.cfg.Now()
	st, err := s.client.Status(ctx, req)
	if err != nil {
		return err
	}
	now := p.cfg.Now()
	if req.GetWait() == 0 { // else it is not known how long the answer waited over there
		s.round = now.Sub(before)
	}
	p.clock(now.Add(-s.round), now, st.GetClock())
	if s.list == nil || st.GetListed() == 0 || st.GetListed() != s.list.GetListed() {
		if s.list, err = s.client.ListStreams(ctx, &agentpb.ListStreamsRequest{}); err != nil {
			return err
		}
	}
	fresh, err := p.listed(s.list, st)
	if err != nil {
		return err
	}
	for _, o := range fresh {
		found(o)
	}
	return nil
}
