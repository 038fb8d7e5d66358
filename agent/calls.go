package agent

import (
	"context"
	"time"

	"google.golang.org/grpc/status"

	"bartizan/agent/agentpb"
)

// Hello says who and what this agent is.
func (s *Server) Hello(context.Context, *agentpb.HelloRequest) (*agentpb.HelloReply, error) {
	return &agentpb.HelloReply{
		Protocol: agentpb.Protocol, ProtocolMin: agentpb.ProtocolMin,
		Version: s.cfg.Version, Name: s.cfg.Name, Boot: s.boot, Clock: s.cfg.Now().UnixNano(),
	}, nil
}

// ListStreams lists the files the configuration allows, and those that match but
// are refused, with the reason.
func (s *Server) ListStreams(context.Context, *agentpb.ListStreamsRequest) (*agentpb.ListStreamsReply, error) {
	listed, _ := s.catalog.state() // an older digest than the list makes a console ask again
	reply := &agentpb.ListStreamsReply{Listed: listed}
	for _, e := range s.catalog.list() {
		reply.Streams = append(reply.Streams, e.describe())
	}
	for _, k := range s.kept {
		reply.Streams = append(reply.Streams, k.entry.describe())
	}
	if e := s.health(); e != nil {
		reply.Streams = append(reply.Streams, e.describe())
	}
	return reply, nil
}

// Status says how the agent is. It waits, if it is asked to, while the console
// knows the streams as they are, so that a quiet fleet costs next to nothing.
func (s *Server) Status(ctx context.Context, req *agentpb.StatusRequest) (*agentpb.StatusReply, error) {
	if wait := min(time.Duration(req.GetWait())*time.Millisecond, agentpb.MaxWait); wait > 0 && req.GetListed() != 0 {
		if err := s.catalog.await(ctx, req.GetListed(), wait); err != nil {
			return nil, status.FromContextError(err).Err()
		}
	}
	listed, _ := s.catalog.state()
	reply := &agentpb.StatusReply{
		Clock: s.cfg.Now().UnixNano(), Readers: uint32(s.readers.Load()), Listed: listed,
		Records: s.records.Load(), LeftOut: s.leftOut.Load(), Problem: sentence(s.catalog.problem()),
	}
	if p := s.keptProblem(); p != "" {
		reply.Problem = sentence(p)
	}
	if s.trust == nil { // a login has no certificates
		return reply, nil
	}
	if err := s.trust.Problem(); err != nil {
		reply.Problem = sentence(err.Error())
	}
	return reply, nil
}
