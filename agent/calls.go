package agent

import (
	"context"

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
	reply := &agentpb.ListStreamsReply{}
	for _, e := range s.catalog.list() {
		reply.Streams = append(reply.Streams, e.describe())
	}
	if e := s.health(); e != nil {
		reply.Streams = append(reply.Streams, e.describe())
	}
	return reply, nil
}

// Status says how the agent is.
func (s *Server) Status(context.Context, *agentpb.StatusRequest) (*agentpb.StatusReply, error) {
	reply := &agentpb.StatusReply{
		Clock: s.cfg.Now().UnixNano(), Readers: uint32(s.readers.Load()),
		Records: s.records.Load(), LeftOut: s.leftOut.Load(), Problem: sentence(s.catalog.problem()),
	}
	if s.trust == nil { // a login has no certificates
		return reply, nil
	}
	if err := s.trust.Problem(); err != nil {
		reply.Problem = sentence(err.Error())
	}
	return reply, nil
}
