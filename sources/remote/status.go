package remote

import (
	"crypto/x509"
	"fmt"
	"time"

	"bartizan/agent/agentpb"
	"bartizan/event"
	"bartizan/sources"
)

// farBehind is how much unread makes a stream "catching up".
const farBehind = 256 << 10

// peerState is what the sources screen shows of the connection.
type peerState struct {
	state    event.SourceState
	reason   string
	nextTry  time.Time
	name     string // from the certificate, for good
	identity string
	version  string
	protocol int
	certEnds time.Time
	skew     time.Duration
	problem  string
	lastSeen time.Time
}

// counters is what the sources screen shows of one stream.
type counters struct {
	state    event.SourceState
	reason   string
	refused  string
	records  uint64
	bytes    uint64
	lost     uint64
	leftOut  uint64
	edge     bool // the agent runs the rules of this console
	lastSeen time.Time
	lag      time.Duration
	file     event.FileID // of the newest record
	end      int64        // of the newest record, in its file
	behind   int64
}

// Status returns the peer and then its streams, in the order they appeared.
// A stream's Lag here is the delay between agent and console, clock skew taken
// out; the pipeline, which knows event times, knows more.
func (p *Peer) Status() []event.SourceStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	ps := p.peerStatus()
	out := make([]event.SourceStatus, 1, 1+len(p.order))
	out[0] = p.own(ps)
	for _, s := range p.order {
		out = append(out, s.status(p, ps))
	}
	return out
}

func (p *Peer) peerStatus() *event.PeerStatus {
	return &event.PeerStatus{
		Address: p.cfg.Address, Version: p.state.version, Protocol: p.state.protocol,
		Skew: p.state.skew, CertEnds: p.state.certEnds, Identity: p.state.identity,
	}
}

func (p *Peer) own(ps *event.PeerStatus) event.SourceStatus {
	name := p.nameNow()
	if name == "" {
		name = p.cfg.Address
	}
	st := event.SourceStatus{
		ID: event.SourceID(p.cfg.Scheme + ":" + name), Kind: "agent", Name: name, Behind: -1, Peer: ps,
		State: p.state.state, Reason: p.state.reason, NextTry: p.state.nextTry, LastSeen: p.state.lastSeen,
	}
	if st.Reason == "" {
		st.Reason = p.state.problem
	}
	for _, s := range p.order {
		st.Records += s.records
		st.Bytes += s.bytes
		st.Lost += s.lost
	}
	return st
}

func (s *stream) status(p *Peer, ps *event.PeerStatus) event.SourceStatus {
	st := event.SourceStatus{
		ID: s.info.ID, Kind: s.info.Kind, Name: s.info.Name, Format: s.info.Format, Peer: ps,
		State: s.state, Reason: s.reason, Records: s.records, Bytes: s.bytes, Lost: s.lost,
		LastSeen: s.lastSeen, Lag: s.lag, Behind: s.behind,
	}
	switch {
	case s.refused != "":
		st.State, st.Reason = event.SourceSkipped, s.refused
	case p.state.state != event.SourceLive:
		st.State, st.Reason, st.NextTry = p.state.state, p.state.reason, p.state.nextTry
	}
	if st.Reason == "" {
		st.Reason = s.leaves(p.filter)
	}
	return st
}

// leaves says what the agent does not send of the stream; "" is nothing.
func (s *stream) leaves(f *filter) string {
	switch {
	case len(f.edge) > 0 && s.edge:
		return fmt.Sprintf("the agent runs the rules; %d lines stayed at the host", s.leftOut)
	case f.text != "":
		return fmt.Sprintf("the agent sends only what matches the filter; %d left out", s.leftOut)
	case len(f.edge) > 0 && s.records > 0:
		return "the agent does not run the rules of this console, so every line is sent"
	}
	return ""
}

func (p *Peer) nameNow() string {
	if p.state.name != "" {
		return p.state.name
	}
	return p.cfg.Name
}

// expected is the name the agent has to have; "" is any, once.
func (p *Peer) expected() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.nameNow()
}

func (p *Peer) greeted(name, identity string, leaf *x509.Certificate, h *agentpb.HelloReply) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.name, p.state.identity = name, identity
	if p.state.certEnds = (time.Time{}); leaf != nil {
		p.state.certEnds = leaf.NotAfter
	}
	p.state.version, p.state.protocol = text(h.GetVersion()), int(min(h.GetProtocol(), agentpb.Protocol))
}

// clock takes the agent's clock to be read half-way between question and answer.
func (p *Peer) clock(asked, answered time.Time, agent int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.skew = time.Unix(0, agent).Sub(asked.Add(answered.Sub(asked) / 2))
}

func (p *Peer) failed(err error, pause time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.state, p.state.nextTry = event.SourceRetrying, p.cfg.Now().Add(pause)
	p.state.reason = err.Error()
	close(p.changed) // who waits for the connection may want to know
	p.changed = make(chan struct{})
}

func (st *peerState) attended(now time.Time, reply *agentpb.StatusReply) {
	st.state, st.reason, st.nextTry = event.SourceLive, "", time.Time{}
	st.lastSeen, st.problem = now, text(reply.GetProblem())
}

// listed takes in what the agent says of the stream; nil: it is gone.
func (s *stream) listed(d *agentpb.Stream) {
	switch {
	case d == nil:
		s.state, s.reason, s.refused, s.behind = event.SourceGone, "the agent no longer finds it", "", -1
		return
	case d.GetRefused() != "":
		s.refused = text(d.GetRefused())
		return
	}
	s.refused, s.behind = "", -1
	// What was left out behind the newest record is not known to be read.
	if (s.file == event.FileID{Dev: d.GetDevice(), Ino: d.GetInode()}) && d.GetSize() >= 0 && s.leftOut == 0 {
		s.behind = max(d.GetSize()-s.end, 0)
	}
	if s.state == event.SourceRetrying {
		return // until it is open again
	}
	s.state, s.reason = event.SourceLive, ""
	if s.behind > farBehind {
		s.state = event.SourceCatchingUp
	}
}

// note keeps how the stream is doing and tells who asked for it.
func (s *stream) note(state event.SourceState, reason string) {
	s.peer.mu.Lock()
	s.state, s.reason = state, reason
	behind := s.behind
	s.peer.mu.Unlock()
	if s.report != nil {
		s.report(sources.Condition{State: state, Reason: reason, Behind: behind})
	}
}

// tally is what a batch adds to the counters.
type tally struct {
	records, bytes, lost, leftOut uint64
	edge                          bool
	sent, seen                    time.Time
	last                          event.Ref
}

func tallyOf(b *agentpb.Batch, records []sources.Record, now time.Time) tally {
	t := tally{
		records: uint64(len(records)), bytes: uint64(len(b.GetBlob())), leftOut: b.GetLeftOut(), edge: b.GetEdge(),
		sent: time.Unix(0, b.GetClock()), seen: now,
	}
	for _, l := range b.GetLosses() {
		t.lost += l.GetCount()
	}
	if len(records) > 0 {
		t.last = records[len(records)-1].Ref
	}
	return t
}

// received counts a batch that was handed on.
func (s *stream) received(t tally) {
	s.peer.mu.Lock()
	defer s.peer.mu.Unlock()
	s.records += t.records
	s.bytes += t.bytes
	s.leftOut += t.leftOut
	s.edge = t.edge
	s.lost += t.lost
	s.lastSeen = t.seen
	s.lag = max(t.seen.Sub(t.sent)+s.peer.state.skew, 0)
	if t.records > 0 {
		s.file, s.end = t.last.File, t.last.Offset+int64(t.last.Len)+1
	}
}
