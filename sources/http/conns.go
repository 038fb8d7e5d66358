package http

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// limited accepts so many connections at once; the others wait in the kernel.
type limited struct {
	net.Listener
	slots  chan struct{}
	closed chan struct{}
	once   sync.Once
	waits  atomic.Uint64 // connections that found all slots taken
}

func newLimited(in net.Listener, most int) *limited {
	return &limited{Listener: in, slots: make(chan struct{}, most), closed: make(chan struct{})}
}

// Accept implements net.Listener.
func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	default:
		l.waits.Add(1)
		select {
		case l.slots <- struct{}{}:
		case <-l.closed:
			return nil, net.ErrClosed
		}
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &counted{Conn: c, gone: sync.OnceFunc(func() { <-l.slots })}, nil
}

// Close implements net.Listener.
func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// counted gives its slot back when it closes.
type counted struct {
	net.Conn
	gone func()
}

// Close implements net.Conn.
func (c *counted) Close() error {
	defer c.gone()
	return c.Conn.Close()
}

// full says that senders had to wait for a connection, "" when none had.
func (l *limited) full() string {
	n := l.waits.Load()
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("all %d connections were taken %d times, so that further senders had to wait, and may have given up", cap(l.slots), n)
}

// tls is the configuration for TLS with its certificate, nil without one.
func (c *Config) tls() (*tls.Config, *pair, error) {
	if c.Cert == "" {
		return nil, nil, nil
	}
	p := &pair{cert: c.Cert, key: c.Key}
	if err := p.load(); err != nil {
		return nil, nil, fmt.Errorf("the certificate %s with the key %s cannot be used: %w", c.Cert, c.Key, err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: p.get}, p, nil
}

// pair is a certificate that is read again when its file changes, because the one
// in use would end while the engine goes on.
type pair struct {
	cert, key string

	mu   sync.Mutex
	made time.Time
	now  *tls.Certificate
	bad  error // why a newer one is not used
}

func (p *pair) load() error {
	st, err := os.Stat(p.cert)
	if err != nil {
		return err
	}
	c, err := tls.LoadX509KeyPair(p.cert, p.key)
	if err != nil {
		return err
	}
	p.now, p.made, p.bad = &c, st.ModTime(), nil
	return nil
}

// get returns the certificate; one that changed and cannot be read, perhaps only
// half of it is there yet, is tried again with the next connection.
func (p *pair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.renew()
	return p.now, nil
}

// renew takes a newer certificate; when it cannot be used the one before stays.
func (p *pair) renew() {
	st, err := os.Stat(p.cert)
	if err != nil {
		p.bad = err
	} else if p.bad = nil; !st.ModTime().Equal(p.made) {
		p.bad = p.load()
	}
}

// trouble says why the certificate on disk is not the one in use, "" when it is.
func (p *pair) trouble() string {
	if p == nil {
		return ""
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.renew()
	if p.bad == nil {
		return ""
	}
	ends := ""
	if p.now.Leaf != nil {
		ends = ", which ends " + p.now.Leaf.NotAfter.UTC().Format("2006-01-02 15:04 MST")
	}
	return fmt.Sprintf("the renewed certificate %s with the key %s cannot be used (%v); the one before it stays in use%s", p.cert, p.key, p.bad, ends)
}
