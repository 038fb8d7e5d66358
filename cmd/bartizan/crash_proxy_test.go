package main

import (
	"errors"
	"net"
	"sync"
	"testing"
	"time"
)

// cable lies between an engine and an agent: it can hold back what is sent, delay
// it, refuse connections, and cut them in the middle of what they carry.
type cable struct {
	addr string

	mu      sync.Mutex
	target  string
	open    map[net.Conn]bool
	held    chan struct{} // closed when nothing is held back
	delay   time.Duration
	refuses bool
	over    bool
	all     sync.WaitGroup
}

func newCable(t *testing.T) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &cable{addr: l.Addr().String(), open: map[net.Conn]bool{}, held: make(chan struct{})}
	close(p.held)
	p.all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.all.Go(func() { p.carry(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		p.mu.Lock()
		p.over = true
		p.mu.Unlock()
		p.release()
		p.cut()
		p.all.Wait()
	})
	return p
}

// to connects what comes from now on with that address.
func (p *cable) to(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = address
}

// hold keeps back everything until release.
func (p *cable) hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.held:
		p.held = make(chan struct{})
	default:
	}
}

// release undoes hold, slow and refuse.
func (p *cable) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay, p.refuses = 0, false
	select {
	case <-p.held:
	default:
		close(p.held)
	}
}

// slow delays every piece that is carried.
func (p *cable) slow(by time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = by
}

// refuse ends connections as soon as they are made.
func (p *cable) refuse() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuses = true
}

// cut ends every connection there is.
func (p *cable) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		_ = c.Close()
	}
}

func (p *cable) carry(near net.Conn) {
	defer func() { _ = near.Close() }()
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	far, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer func() { _ = far.Close() }()
	if !p.enter(near, far) {
		return
	}
	defer p.leave(near, far)
	var both sync.WaitGroup
	both.Go(func() { p.pass(near, far) })
	p.pass(far, near)
	both.Wait()
}

func (p *cable) enter(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.open[c] = true
	}
	return !p.over && !p.refuses
}

func (p *cable) leave(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.open, c)
	}
}

// pass carries one direction in pieces until an end is gone, and ends the other.
func (p *cable) pass(to, from net.Conn) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buf := make([]byte, 1500)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		held, delay := p.held, p.delay
		p.mu.Unlock()
		<-held
		if delay > 0 {
			late := time.NewTimer(delay)
			<-late.C
		}
		_, failed := to.Write(buf[:n])
		if errors.Join(err, failed) != nil {
			return
		}
	}
}
