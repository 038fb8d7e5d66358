package agentpb

import (
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// Pipe makes one connection of the two ends of pipes, such as a program's standard
// input and output. Closing it closes both and then calls ended, which may be nil.
func Pipe(in, out *os.File, ended func()) net.Conn {
	return &pipe{in: in, out: out, ended: ended}
}

// StdPipe makes the connection of this process's own standard input and output.
func StdPipe() net.Conn { return Pipe(pollable(os.Stdin), pollable(os.Stdout), nil) }

// pollable reopens f so that a Read or Write of it ends when it is closed. Where
// the kernel cannot (a regular file) f stays as it is.
func pollable(f *os.File) *os.File {
	fd := f.Fd() // blocking, from here on
	if err := syscall.SetNonblock(int(fd), true); err != nil {
		return f
	}
	return os.NewFile(fd, f.Name())
}

// pipe is a connection of two descriptors.
type pipe struct {
	in, out *os.File
	ended   func()
	closing sync.Once
	closed  error
}

// Read reads what the other end sent.
func (p *pipe) Read(b []byte) (int, error) { return p.in.Read(b) }

// Write sends b to the other end.
func (p *pipe) Write(b []byte) (int, error) { return p.out.Write(b) }

// Close closes both descriptors, once.
func (p *pipe) Close() error {
	p.closing.Do(func() {
		p.closed = errors.Join(p.in.Close(), p.out.Close())
		if p.ended != nil {
			p.ended()
		}
	})
	return p.closed
}

// LocalAddr implements net.Conn.
func (p *pipe) LocalAddr() net.Addr { return PipeAddr{} }

// RemoteAddr implements net.Conn.
func (p *pipe) RemoteAddr() net.Addr { return PipeAddr{} }

// SetDeadline sets both deadlines, where the descriptors have any.
func (p *pipe) SetDeadline(t time.Time) error {
	return errors.Join(p.SetReadDeadline(t), p.SetWriteDeadline(t))
}

// SetReadDeadline implements net.Conn.
func (p *pipe) SetReadDeadline(t time.Time) error { return orNone(p.in.SetReadDeadline(t)) }

// SetWriteDeadline implements net.Conn.
func (p *pipe) SetWriteDeadline(t time.Time) error { return orNone(p.out.SetWriteDeadline(t)) }

// orNone passes over that a descriptor has no deadlines: the other end's closing
// ends what waits.
func orNone(err error) error {
	if errors.Is(err, os.ErrNoDeadline) {
		return nil
	}
	return err
}

// PipeAddr is the address of what has none.
type PipeAddr struct{}

// Network implements net.Addr.
func (PipeAddr) Network() string { return "pipe" }

// String implements net.Addr.
func (PipeAddr) String() string { return "pipe" }
