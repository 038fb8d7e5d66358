package http

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	nethttp "net/http"
	"strings"
	"sync/atomic"
	"time"

	"bartizan/event"
	"bartizan/sources"
)

// HealthPath answers GET with 200 while the listener stands, to anybody.
const HealthPath = "/healthz"

// The headers that carry a body's signature, "sha256=" and hex: our own, as our
// webhooks write it, and GitHub's.
var signatures = []string{"X-Bartizan-Signature", "X-Hub-Signature-256"}

// receiver answers requests of one Run.
type receiver struct {
	cfg  *Config
	id   event.SourceID
	ctx  context.Context // of the Run
	out  chan<- sources.Batch
	most int64        // bytes that may be held
	held atomic.Int64 // bytes of all bodies being read or waiting
	strangers
}

func newReceiver(ctx context.Context, l *listener, out chan<- sources.Batch) *receiver {
	most := max(l.most.held, 3*l.cfg.MaxBody) // packed, unpacked, and what a buffer that grows has twice
	return &receiver{cfg: &l.cfg, id: l.id, ctx: ctx, out: out, most: most, strangers: strangers{by: map[string]int64{}, all: most / 2, one: max(most/4, 2*l.cfg.MaxBody)}}
}

// refusal is an answer other than 200.
type refusal struct {
	code  int
	why   string
	retry bool // the sender may try the same again
}

func (r *refusal) Error() string { return r.why }

func refuse(code int, format string, args ...any) error {
	return &refusal{code: code, why: fmt.Sprintf(format, args...)}
}

var (
	errBusy     = &refusal{nethttp.StatusServiceUnavailable, "the pipeline is busy or stopping; send it again", true}
	errUnsigned = refuse(nethttp.StatusUnauthorized, "the body's signature is missing or wrong")

	errFull = &refusal{nethttp.StatusTooManyRequests, "too much is being received at once; send it again", true}
)

// ServeHTTP implements net/http's Handler.
func (r *receiver) ServeHTTP(w nethttp.ResponseWriter, req *nethttp.Request) {
	head := w.Header()
	head.Set("Content-Type", "text/plain; charset=utf-8")
	head.Set("X-Content-Type-Options", "nosniff")
	err := r.take(w, req)
	var no *refusal
	switch {
	case err == nil:
		_, _ = w.Write([]byte("ok\n")) // a sender that is gone sends again
		return
	case !errors.As(err, &no):
		no = &refusal{code: nethttp.StatusBadRequest, why: err.Error()}
	}
	switch {
	case no.retry:
		head.Set("Retry-After", "1")
	case no.code == nethttp.StatusUnauthorized:
		head.Set("WWW-Authenticate", `Bearer realm="bartizan"`)
	case no.code == nethttp.StatusMethodNotAllowed:
		head.Set("Allow", "POST")
	}
	head.Set("Connection", "close") // what is left of the body is not read
	w.WriteHeader(no.code)
	_, _ = w.Write([]byte(no.why + "\n"))
}

// take receives one request; nil means that its records are committed.
func (r *receiver) take(w nethttp.ResponseWriter, req *nethttp.Request) error {
	if req.URL.Path == HealthPath && (req.Method == nethttp.MethodGet || req.Method == nethttp.MethodHead) {
		return nil
	}
	if req.Method != nethttp.MethodPost {
		return refuse(nethttp.StatusMethodNotAllowed, "only POST is taken here, and GET of %s", HealthPath)
	}
	if !r.allowed(req) {
		return refuse(nethttp.StatusUnauthorized, "the token is missing or wrong")
	}
	if r.cfg.Secret != "" && len(signed(req)) == 0 {
		return errUnsigned // nothing of the body is read
	}
	h := r.hold(req)
	defer h.leave()
	body, err := r.body(w, req, h)
	if err != nil {
		return err
	}
	parts, err := split(body)
	if err != nil {
		return err
	}
	return r.deliver(req.Context(), h, body, parts)
}

// allowed checks the token, where one is needed.
func (r *receiver) allowed(req *nethttp.Request) bool {
	if r.cfg.Token == "" {
		return true
	}
	given, ok := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
	if !ok {
		_, given, ok = req.BasicAuth()
	}
	have, want := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(r.cfg.Token)) // of equal length
	return ok && subtle.ConstantTimeCompare(have[:], want[:]) == 1
}

// signed lists the signatures that a request brings.
func signed(req *nethttp.Request) (out [][]byte) {
	for _, h := range signatures {
		given, err := hex.DecodeString(strings.TrimPrefix(req.Header.Get(h), "sha256="))
		if err == nil && len(given) == sha256.Size {
			out = append(out, given)
		}
	}
	return out
}

// proven checks the body's signature, where one is needed: of the bytes on the
// wire, before anything reads them.
func (r *receiver) proven(req *nethttp.Request, wire []byte) error {
	if r.cfg.Secret == "" {
		return nil
	}
	mac := hmac.New(sha256.New, []byte(r.cfg.Secret))
	mac.Write(wire)
	want := mac.Sum(nil)
	for _, given := range signed(req) {
		if hmac.Equal(given, want) {
			return nil
		}
	}
	return errUnsigned
}

// deliver sends the records on and waits until they are committed.
func (r *receiver) deliver(ctx context.Context, h *hold, body []byte, parts []part) error {
	limit := time.NewTimer(r.cfg.Wait)
	defer limit.Stop()
	records := r.records(body, parts)
	waiting := 0
	done := make(chan error, len(records)) // never blocks who commits
	for len(records) > 0 {
		n := fill(records)
		b := sources.Batch{Source: r.id, Records: records[:n:n], Done: h.once(done)}
		select {
		case r.out <- b:
		case <-ctx.Done():
			h.leave()
			return errBusy
		case <-r.ctx.Done():
			h.leave()
			return errBusy
		case <-limit.C:
			h.leave()
			return errBusy
		}
		waiting++
		records = records[n:]
	}
	for ; waiting > 0; waiting-- {
		select {
		case err := <-done:
			if err != nil {
				return errBusy
			}
		case <-ctx.Done():
			return errBusy
		case <-r.ctx.Done():
			return errBusy
		case <-limit.C:
			return errBusy
		}
	}
	return nil
}

// once is a user of the body until its first call, which it tells of.
func (h *hold) once(to chan<- error) func(error) {
	h.users.Add(1)
	var called atomic.Bool
	return func(err error) {
		if !called.Swap(true) {
			h.leave()
			to <- err
		}
	}
}

// fill returns how many records make a batch.
func fill(records []sources.Record) int {
	n, bytes := 0, 0
	for n < len(records) && n < sources.MaxRecords && (n == 0 || bytes+len(records[n].Raw) <= sources.MaxBytes) {
		bytes += len(records[n].Raw)
		n++
	}
	return n
}

// records gives each part its reference. There is no file: the body's hash and the
// hour stand for one, so that a request that is sent again after an answer was lost
// has the same references, while the same words tomorrow are new ones.
func (r *receiver) records(body []byte, parts []part) []sources.Record {
	now := r.cfg.Now()
	h := sha256.New()
	hour := uint64(now.Unix() / 3600)
	_, _ = fmt.Fprintf(h, "%d\n", hour)
	h.Write(body)
	var sum [32]byte
	h.Sum(sum[:0])
	var ino uint64
	for _, b := range sum[:8] {
		ino = ino<<8 | uint64(b)
	}
	out := make([]sources.Record, len(parts))
	for i, p := range parts {
		out[i] = sources.Record{
			Raw: body[p.from:p.to], Line: int64(i + 1), Seen: now,
			Ref: event.Ref{Source: r.id, Epoch: hour, File: event.FileID{Ino: ino}, Offset: int64(p.from), Len: int32(p.to - p.from)},
		}
	}
	return out
}
