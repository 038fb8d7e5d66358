package ui

import (
	"context"
	"io"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
)

// The budget of frames that the stream causes. A whole second may carry
// byteBurst + byteRate + one full frame, which stays under 64 KB at 200x60.
const (
	frameGap   = 50 * time.Millisecond // at most 20 frames a second …
	frameBurst = 2                     // … with one to spare after quiet, so that a line need not wait behind a status
	byteRate   = 36 << 10              // bytes a second to the terminal
	byteBurst  = 8 << 10
)

// frameMsg asks for one frame, because something changed.
type frameMsg struct {
	run *pumpRun
}

// pumpRun is the life of the pump under one program.
type pumpRun struct {
	ctx     context.Context
	cancel  context.CancelFunc
	changed <-chan struct{}
	end     func()
}

// pump turns "something changed" into frames: at once after quiet, then at most
// 20 a second, and fewer when more bytes go out than a slow link carries. Any
// number of changes between two frames is one change; none is lost.
type pump struct {
	now   func() time.Time
	after func(time.Duration) <-chan time.Time

	mu     sync.Mutex
	run    *pumpRun
	frames float64 // that may be drawn now
	tokens float64 // bytes that may go out; negative is a debt
	filled time.Time
}

func newPump(now func() time.Time, after func(time.Duration) <-chan time.Time) *pump {
	return &pump{now: now, after: after, tokens: byteBurst, frames: frameBurst, filled: now()}
}

// start ends an earlier run and waits for the first change.
func (p *pump) start(l Live) tea.Cmd {
	p.stop()
	r := &pumpRun{}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.changed, r.end = l.Changed()
	p.mu.Lock()
	p.run = r
	p.mu.Unlock()
	return p.next(frameMsg{r})
}

func (p *pump) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run != nil {
		p.run.cancel()
		p.run.end()
		p.run = nil
	}
}

// current says whether the frame belongs to the program that runs now.
func (p *pump) current(m frameMsg) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.run == m.run
}

// next waits for a change and for the moment a frame may be drawn.
func (p *pump) next(m frameMsg) tea.Cmd {
	return func() tea.Msg {
		select {
		case <-m.run.changed:
		case <-m.run.ctx.Done():
			return nil
		}
		for wait := p.delay(); wait > 0; wait = p.delay() {
			select {
			case <-p.after(wait):
			case <-m.run.ctx.Done():
				return nil
			}
		}
		p.mu.Lock()
		p.frames--
		p.mu.Unlock()
		return m
	}
}

// delay returns how long the next frame must still wait.
func (p *pump) delay() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fill(p.now())
	wait := time.Duration((1 - p.frames) * float64(frameGap))
	if p.tokens < 0 {
		wait = max(wait, time.Duration(-p.tokens/byteRate*float64(time.Second))+time.Millisecond)
	}
	return wait
}

func (p *pump) fill(now time.Time) {
	if dt := now.Sub(p.filled); dt > 0 {
		p.tokens = min(p.tokens+dt.Seconds()*byteRate, byteBurst)
		p.frames = min(p.frames+float64(dt)/float64(frameGap), frameBurst)
	}
	p.filled = now
}

func (p *pump) wrote(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fill(p.now())
	p.tokens -= float64(n)
}

// Wrote tells the console that n bytes went to its terminal, so that it draws
// less often when much goes out. It may be called from any goroutine.
func (c *Console) Wrote(n int) { c.pump.wrote(n) }

// Writer returns w with every byte that passes reported to Wrote.
func (c *Console) Writer(w io.Writer) io.Writer { return counted{w, c} }

type counted struct {
	io.Writer
	c *Console
}

func (w counted) Write(b []byte) (int, error) {
	n, err := w.Writer.Write(b)
	w.c.Wrote(n)
	return n, err
}
