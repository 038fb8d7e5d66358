package http

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// limited accepts so many connections at once; the others wait in the kernel.
type limited struct {
	net.Listener
	slots  chan struct{}
	closed chan struct{}
	once   sync.Once
}

func newLimited(in net.Listener, most int) *limited {
	return &limited{Listener: in, slots: make(chan struct{}, most), closed: make(chan struct{})}
}

// Accept implements net.Listener.
func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
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

// tls is the configuration for TLS, nil without a certificate.
func (c *Config) tls() (*tls.Config, error) {
	if c.Cert == "" {
		return nil, nil
	}
	p := &pair{cert: c.Cert, key: c.Key}
	if err := p.load(); err != nil {
		return nil, fmt.Errorf("the certificate %s with the key %s cannot be used: %w", c.Cert, c.Key, err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: p.get}, nil
}

// pair is a certificate that is read again when its file changes, because the one
// in use would end while the engine goes on.
type pair struct {
	cert, key string

	mu   sync.Mutex
	made time.Time
	now  *tls.Certificate
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
	p.now, p.made = &c, st.ModTime()
	return nil
}

// get returns the certificate; one that changed and cannot be read, perhaps only
// half of it is there yet, is tried again with the next connection.
func (p *pair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if st, err := os.Stat(p.cert); err == nil && !st.ModTime().Equal(p.made) {
		_ = p.load() // the one before stays in use
	}
	return p.now, nil
}
