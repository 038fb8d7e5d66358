package agent

import (
	"context"
	"path"
	"runtime/debug"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"bartizan/agent/certs"
)

// console is the context key of who calls.
type console struct{}

// caller returns the identity authorise put into the context.
func caller(ctx context.Context) string {
	id, _ := ctx.Value(console{}).(string)
	return id
}

// authorise is the one place that decides who may call anything. It runs before
// every method; a test walks the service description to prove it.
func (s *Server) authorise(ctx context.Context, method string) (context.Context, error) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return nil, status.Error(codes.PermissionDenied, "the call comes from nowhere")
	}
	if l, ok := p.AuthInfo.(login); ok { // only the pipe of ServeConn has it
		return context.WithValue(ctx, console{}, "login "+l.name), nil
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok || len(info.State.PeerCertificates) == 0 {
		return nil, status.Error(codes.PermissionDenied, "the call has no certificate: agents speak mutual TLS only")
	}
	id, err := certs.IdentityOf(info.State.PeerCertificates[0])
	if err != nil || !s.allowed(id) {
		s.cfg.Log.Warn("a console was refused", "identity", id.URI(), "address", p.Addr.String(), "method", method)
		return nil, status.Errorf(codes.PermissionDenied, "%s is not among this agent's allow_consoles", id.URI())
	}
	return context.WithValue(ctx, console{}, id.URI()), nil
}

func (s *Server) allowed(id certs.Identity) bool {
	if id.Role != certs.RoleConsole {
		return false
	}
	if s.cfg.AllowConsoles == nil {
		return true
	}
	for _, p := range s.cfg.AllowConsoles {
		if ok, err := path.Match(p, id.URI()); ok && err == nil {
			return true
		}
	}
	return false
}

func (s *Server) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (reply any, err error) {
	defer s.survive(info.FullMethod, &err)
	if ctx, err = s.authorise(ctx, info.FullMethod); err != nil {
		return nil, err
	}
	return next(ctx, req)
}

func (s *Server) stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
	defer s.survive(info.FullMethod, &err)
	ctx, err := s.authorise(ss.Context(), info.FullMethod)
	if err != nil {
		return err
	}
	return next(srv, known{ss, ctx})
}

// known is a stream whose context knows the caller.
type known struct {
	grpc.ServerStream
	ctx context.Context
}

// Context returns the context with the caller in it.
func (k known) Context() context.Context { return k.ctx }

// survive turns a panic of one call into an error of that call: one console must
// not end the service of the others.
func (s *Server) survive(method string, err *error) {
	if r := recover(); r != nil {
		s.cfg.Log.Error("a call panicked", "method", method, "panic", r, "stack", string(debug.Stack()))
		*err = status.Error(codes.Internal, "the agent has a fault; its log has the details")
	}
}
