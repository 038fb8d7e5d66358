package remote_test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// proxy passes bytes between console and agent until it cuts every connection.
type proxy struct {
	addr   string
	target func() string
	mu     sync.Mutex
	open   map[net.Conn]bool
	closed bool
	all    sync.WaitGroup
}

func newProxy(t *testing.T, target func() string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	p := &proxy{addr: l.Addr().String(), target: target, open: map[net.Conn]bool{}}
	p.all.Add(1)
	go func() {
		defer p.all.Done()
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.all.Add(1)
			go func() { defer p.all.Done(); p.pass(c) }()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		p.mu.Lock()
		p.closed = true
		p.mu.Unlock()
		p.cut()
		p.all.Wait()
	})
	return p
}

func (p *proxy) pass(near net.Conn) {
	defer func() { _ = near.Close() }()
	far, err := net.Dial("tcp", p.target())
	if err != nil {
		return
	}
	defer func() { _ = far.Close() }()
	if !p.enter(near) || !p.enter(far) {
		return
	}
	back := make(chan struct{})
	go func() {
		_, _ = io.Copy(near, far)
		_ = near.Close()
		close(back)
	}()
	_, _ = io.Copy(far, near)
	_ = far.Close()
	<-back
	p.mu.Lock()
	delete(p.open, near)
	delete(p.open, far)
	p.mu.Unlock()
}

func (p *proxy) enter(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[c] = true
	return !p.closed
}

// cut ends every connection there is.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		_ = c.Close()
	}
}
