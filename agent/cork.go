package agent

import (
	"bufio"
	"net"
	"sync"
)

// corkSize is how much is gathered for one write to the network.
const corkSize = 128 << 10

// cork lies under TLS, which writes each record of 16 KiB by itself, and gathers
// the records of one write from above. Before the handshake is over, and for what
// TLS sends on its own account, it lets everything through at once.
type cork struct {
	net.Conn
	mu   sync.Mutex
	out  *bufio.Writer
	held bool // somebody above will flush
}

// Write gathers p, or writes it when nobody above will flush.
func (c *cork) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.held {
		return c.Conn.Write(p)
	}
	return c.out.Write(p)
}

func (c *cork) hold() {
	c.mu.Lock()
	c.held = true
	c.mu.Unlock()
}

func (c *cork) flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = false
	return c.out.Flush()
}

// corked is a TLS connection over a cork. gRPC writes from one goroutine.
type corked struct {
	net.Conn
	under *cork
}

// Write writes p to the network in as few pieces as fit.
func (c *corked) Write(p []byte) (int, error) {
	c.under.hold()
	n, err := c.Conn.Write(p)
	if flushed := c.under.flush(); err == nil {
		err = flushed
	}
	return n, err
}
