package http

import (
	"fmt"
	"net"
	nethttp "net/http"
	"sync"
	"time"
)

// tellEvery is how often at most refusals are told at the source.
const tellEvery = time.Second

// refusals counts the requests that were not taken, so that a shipper with a
// wrong token is seen where its records are missed.
type refusals struct {
	mu   sync.Mutex
	n    uint64
	last string
}

// note counts one answer that is a refusal.
func (r *refusals) note(status int, from string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n++
	if host, _, err := net.SplitHostPort(from); err == nil {
		from = host
	}
	r.last = fmt.Sprintf("%d %s to %s", status, nethttp.StatusText(status), from)
}

// text is the sentence about refusals, "" when there were none.
func (r *refusals) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.n == 0 {
		return ""
	}
	return fmt.Sprintf("%d requests were refused since it began to listen, the newest with %s: what they held was not taken, the sender was told why", r.n, r.last)
}

// watched tells r of every refusal that h answers.
func watched(h nethttp.Handler, r *refusals) nethttp.Handler {
	return nethttp.HandlerFunc(func(w nethttp.ResponseWriter, q *nethttp.Request) {
		a := &witness{ResponseWriter: w}
		h.ServeHTTP(a, q)
		if a.status >= 400 {
			r.note(a.status, q.RemoteAddr)
		}
	})
}

// witness remembers the status that was sent.
type witness struct {
	nethttp.ResponseWriter
	status int
}

func (a *witness) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap lets a controller reach the connection.
func (a *witness) Unwrap() nethttp.ResponseWriter { return a.ResponseWriter }
