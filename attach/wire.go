// Package attach pipes a console's terminal to the process that runs the
// engine, as tmux does, and carries small questions from scripts the same way.
//
// A console is raw mode, bytes, window size and signals; every screen is drawn
// in the engine's process. Writing to a console that does not read blocks only
// that console's program. Nothing is kept here: what was on the wire when a
// connection broke is lost, and the next attach draws the whole screen anew.
package attach

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// Version is the protocol's: a client and an engine of different versions part
// with a sentence.
const Version = 1

// maxFrame bounds one frame on the wire, in bytes.
const maxFrame = 4 << 20

// The frame types. Upper case goes to the engine, lower case to the console.
const (
	frameHello  = 'H' // Hello as JSON; first
	frameCall   = 'C' // a question as JSON; first instead of Hello
	frameInput  = 'I' // bytes typed
	frameSize   = 'W' // Size as JSON
	frameOutput = 'o' // bytes to the terminal
	frameExit   = 'x' // Exit as JSON; last
	frameReply  = 'r' // the answer to a question as JSON; there may be several
	frameError  = 'e' // one sentence; last
	frameEnd    = 'z' // the answer is complete; last
)

// Hello opens a console.
type Hello struct {
	Version int      `json:"version"`
	Env     []string `json:"env"` // of the person's terminal: TERM, COLORTERM, NO_COLOR, LANG, SSH_CONNECTION …
	Size    Size     `json:"size"`
	Open    string   `json:"open,omitempty"`    // an alert to show at once
	Options []string `json:"options,omitempty"` // console options: theme=…, plain, read-only
}

// Size is a terminal's, in cells.
type Size struct {
	Width  int `json:"w"`
	Height int `json:"h"`
}

// Exit says how a console ended.
type Exit struct {
	Reason string `json:"reason"` // detached, quit, suspended, stopped, failed
	Text   string `json:"text,omitempty"`
	Code   int    `json:"code"`
}

// wire is a connection with framing; writes are serialised.
type wire struct {
	net.Conn
	mu  sync.Mutex
	buf []byte
}

// errTooLarge is returned for a frame over maxFrame.
var errTooLarge = errors.New("the peer sent a frame over 4 MiB; one side is damaged or not Bartizan")

func (w *wire) send(kind byte, payload []byte) error {
	for kind == frameOutput && len(payload) > 1<<20 {
		if err := w.send(kind, payload[:1<<20]); err != nil {
			return err
		}
		payload = payload[1<<20:]
	}
	if len(payload) > maxFrame {
		return errTooLarge
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf = append(w.buf[:0], kind)
	w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(len(payload)))
	w.buf = append(w.buf, payload...)
	_, err := w.Write(w.buf)
	return err
}

func (w *wire) sendJSON(kind byte, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.send(kind, b)
}

func (w *wire) receive() (byte, []byte, error) {
	var head [5]byte
	if _, err := io.ReadFull(w.Conn, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n > maxFrame {
		return 0, nil, errTooLarge
	}
	b := make([]byte, n)
	_, err := io.ReadFull(w.Conn, b)
	return head[0], b, err
}

func decode(b []byte, v any, what string) error {
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("cannot understand the peer's %s: %w", what, err)
	}
	return nil
}
