package remote

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
)

// handshake remembers why the last handshake failed, which gRPC only passes on
// inside longer text.
type handshake struct {
	credentials.TransportCredentials
	mu  sync.Mutex
	err error
}

// ClientHandshake does what the wrapped credentials do.
func (h *handshake) ClientHandshake(ctx context.Context, authority string, c net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := h.TransportCredentials.ClientHandshake(ctx, authority, c)
	h.mu.Lock()
	h.err = err
	h.mu.Unlock()
	return conn, info, err
}

func (h *handshake) failure() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err
}

// agentPath is the path of an agent's identity, as certificates are issued.
var agentPath = regexp.MustCompile(`^/agent/([A-Za-z0-9][A-Za-z0-9._-]{0,62})$`)

// agentName returns the agent's name from the one URI name of its certificate.
func agentName(leaf *x509.Certificate) (string, error) {
	if len(leaf.URIs) == 1 && leaf.URIs[0].Scheme == "spiffe" && leaf.URIs[0].Host == "bartizan" {
		if m := agentPath.FindStringSubmatch(leaf.URIs[0].Path); m != nil {
			return m[1], nil
		}
	}
	return "", fmt.Errorf("the other side's certificate names no agent (spiffe://bartizan/agent/NAME): issue it with bartizan certs issue")
}

// sentence says why a connection failed, for a person.
func (p *Peer) sentence(h *handshake, err error) error {
	if err == nil {
		return fmt.Errorf("the connection to %s ended", p.cfg.Address)
	}
	st, ok := status.FromError(err)
	if !ok {
		return err
	}
	text := st.Message()
	switch {
	case h.failure() != nil && strings.Contains(h.failure().Error(), "first record does not look like a TLS handshake"):
		return fmt.Errorf("%s does not speak TLS: is an agent listening there?", p.cfg.Address)
	case h.failure() != nil:
		return fmt.Errorf("no trust between this console and %s: %w", p.cfg.Address, h.failure())
	case strings.Contains(text, "remote error: tls:"):
		return fmt.Errorf("agent %s refused this console's certificate (%s): its log says why; issue a new one or copy the agent the CA it was issued by", p.cfg.Address, alertOf(text))
	case strings.Contains(text, "connect: "):
		return fmt.Errorf("cannot reach the agent at %s (%s): start it or mend the address", p.cfg.Address, after(text, "connect: "))
	}
	switch st.Code() {
	case codes.PermissionDenied:
		return fmt.Errorf("agent %s does not let this console in: %.300q", p.cfg.Address, text)
	case codes.DeadlineExceeded:
		return fmt.Errorf("agent %s did not answer within %s", p.cfg.Address, callTimeout)
	}
	return fmt.Errorf("the connection to agent %s broke: %.300q", p.cfg.Address, text)
}

// alertOf cuts the TLS alert out of a longer text.
func alertOf(text string) string {
	return strings.TrimPrefix(after(text, "remote error: "), "tls: ")
}

// after returns the plain words that follow mark.
func after(text, mark string) string {
	_, rest, _ := strings.Cut(text, mark)
	end := strings.IndexFunc(rest, func(r rune) bool { return r == '"' || r == '\\' || r == ',' || r < ' ' })
	if end >= 0 {
		rest = rest[:end]
	}
	return rest[:min(len(rest), 80)]
}
