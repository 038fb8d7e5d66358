package http

import (
	"errors"
	"io"
	"net"
	nethttp "net/http"
	"sync"
	"sync/atomic"
)

// firstRead is how much is held for a body before more of it has arrived, bytes.
const firstRead = 16 << 10

// hold counts a body's bytes until nobody uses them any more: the request, and
// each batch that was sent on, also when the request has stopped waiting. It grows
// as bytes arrive: who only says that much will come holds nothing.
type hold struct {
	of     *atomic.Int64
	most   int64
	weight int64 // belongs to the request until it has left
	users  atomic.Int64
	from   *strangers // nil once the sender is known
	host   string
	mine   int64 // of weight, counted by from
}

// hold begins to count the bytes of a request.
func (r *receiver) hold(req *nethttp.Request) *hold {
	h := &hold{of: &r.held, most: r.most}
	if r.cfg.Secret != "" { // the body itself must prove who sends it
		host, _, err := net.SplitHostPort(req.RemoteAddr)
		if err != nil {
			host = req.RemoteAddr
		}
		h.from, h.host = &r.strangers, host
	}
	h.users.Store(1)
	return h
}

// more takes n further bytes, or says that there is no room for them.
func (h *hold) more(n int64) error {
	if h.of.Add(n) > h.most || h.from != nil && !h.from.add(h.host, n) {
		h.of.Add(-n)
		return errFull
	}
	h.weight += n
	if h.from != nil {
		h.mine += n
	}
	return nil
}

// less gives n bytes back.
func (h *hold) less(n int64) {
	h.of.Add(-n)
	h.weight -= n
	if h.from != nil {
		h.mine -= n
		h.from.take(h.host, n)
	}
}

// trust says that the sender is known from here on.
func (h *hold) trust() {
	if h.from != nil {
		h.from.take(h.host, h.mine)
		h.from, h.mine = nil, 0
	}
}

// leave is called by each user once; the last one gives all back.
func (h *hold) leave() {
	if h.users.Add(-1) == 0 {
		h.trust()
		h.of.Add(-h.weight)
	}
}

// read reads r to its end, but at most limit bytes and one more, which says that
// there are more. size is how many there may be, -1 unknown: it is believed of
// senders that are known.
func (h *hold) read(r io.Reader, size, limit int64) ([]byte, error) {
	ceiling := limit + 1
	next := min(int64(firstRead), ceiling)
	if h.from == nil && size > next {
		next = min(size+1, ceiling)
	}
	var buf []byte
	for {
		if len(buf) == cap(buf) {
			if int64(cap(buf)) >= ceiling {
				return buf, nil
			}
			if err := h.more(next); err != nil {
				return nil, err
			}
			grown := make([]byte, len(buf), next)
			copy(grown, buf)
			h.less(int64(cap(buf)))
			buf, next = grown, min(2*next, ceiling)
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case errors.Is(err, io.EOF):
			return buf, nil
		case err != nil:
			return nil, err
		}
	}
}

// strangers counts the bytes of bodies whose senders have not proven yet who they
// are, so that they cannot take the room of those that have, nor one of them the
// room of the others.
type strangers struct {
	mu  sync.Mutex
	by  map[string]int64
	sum int64
	all int64 // bytes they may hold together
	one int64 // and one host
}

func (s *strangers) add(host string, n int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sum+n > s.all || s.by[host]+n > s.one {
		return false
	}
	s.by[host] += n
	s.sum += n
	return true
}

func (s *strangers) take(host string, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sum -= n
	if s.by[host] -= n; s.by[host] <= 0 {
		delete(s.by, host)
	}
}
