// Package notify tells people about alerts: one webhook and the terminal bell.
//
// Telling never holds up detection: each target has a queue of 256; what does not
// fit is dropped, counted and said in the next message that gets through ("12
// more"). A webhook is tried five times with growing pauses; what fails then is
// counted too and returned to the caller's log.
package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"bartizan/detect"
	"bartizan/triage"
)

const (
	queue    = 256
	attempts = 5
	bellGap  = 10 * time.Second
)

// Message is what a webhook receives, as JSON. No log text is in it but the
// entities the alert is about.
type Message struct {
	Version  string    `json:"version"` // "1"
	Event    string    `json:"event"`   // "raised" or "reraised"
	ID       string    `json:"id"`
	Title    string    `json:"title"`
	Severity string    `json:"severity"`
	Rule     string    `json:"rule"`
	Tags     []string  `json:"tags"`
	Entities []string  `json:"entities"` // "user root", "ip 203.0.113.9"
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Count    uint64    `json:"count"`
	Risk     int       `json:"risk"`
	Text     string    `json:"text"` // one line for chat, with the command to open it
	// Compromised are hosts among its sources that people do not trust.
	Compromised []string `json:"compromised,omitempty"`
	More        uint64   `json:"more,omitempty"` // alerts that could not be told since the last message
}

// NewMessage describes the alert; mask hides secrets in what it is about.
func NewMessage(a *triage.Alert, mask func(string) string) Message {
	m := Message{
		Version: "1", Event: "raised", ID: string(a.ID), Title: mask(a.Title), Severity: a.Severity.String(), Rule: a.RuleID,
		Tags: a.Tags, First: a.First, Last: a.Last, Count: a.Count, Risk: a.Risk,
	}
	if a.Reraised != "" {
		m.Event = "reraised"
	}
	for _, e := range a.Group {
		m.Entities = append(m.Entities, e.Kind.String()+" "+mask(e.Value))
	}
	m.Text = fmt.Sprintf("[%s] %s %v: bartizan open %s", m.Severity, m.Title, m.Entities, a.ID)
	for _, d := range a.Compromised {
		m.Compromised = append(m.Compromised, d.Host)
		m.Text += " (host " + mask(d.Host) + " is marked compromised)"
	}
	return m
}

// Webhook posts messages to one address.
type Webhook struct {
	url, secret string
	from        detect.Severity
	client      *http.Client
	log         func(error)
	pause       func(ctx context.Context, d time.Duration) error
	in          chan Message
	dropped     atomic.Uint64
}

// NewWebhook checks the address. log is told about every message given up.
func NewWebhook(address, secret string, from detect.Severity, log func(error)) (*Webhook, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("notify.webhook = %q is no http or https address", address)
	}
	return &Webhook{
		url: address, secret: secret, from: from, log: log, pause: pause, in: make(chan Message, queue),
		client: &http.Client{Timeout: 10 * time.Second},
	}, nil
}

// Tell queues the message; it never blocks.
func (w *Webhook) Tell(a *triage.Alert, mask func(string) string) {
	if a.Severity < w.from {
		return
	}
	select {
	case w.in <- NewMessage(a, mask):
	default:
		w.dropped.Add(1)
	}
}

// Dropped returns how many alerts could not be told and wait to be mentioned.
func (w *Webhook) Dropped() uint64 { return w.dropped.Load() }

// Run sends what is queued until ctx ends.
func (w *Webhook) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-w.in:
			w.deliver(ctx, m)
		}
	}
}

func (w *Webhook) deliver(ctx context.Context, m Message) {
	m.More = w.dropped.Swap(0)
	body, err := json.Marshal(m)
	for try := 0; err == nil; try++ {
		if w.post(ctx, m.ID, body) == nil {
			return
		}
		if try == attempts-1 {
			break
		}
		err = w.pause(ctx, time.Second<<(2*try))
	}
	w.dropped.Add(m.More + 1)
	w.log(fmt.Errorf("the webhook was not told about alert %s after %d tries", m.ID, attempts))
}

func (w *Webhook) post(ctx context.Context, id string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", id)
	if w.secret != "" {
		mac := hmac.New(sha256.New, []byte(w.secret))
		mac.Write(body)
		req.Header.Set("X-Bartizan-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
	res, err := w.client.Do(req)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10))
	_ = res.Body.Close()
	if res.StatusCode >= 300 {
		return fmt.Errorf("the webhook answered %s", res.Status)
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Bell rings a terminal at most once in ten seconds.
type Bell struct {
	out  io.Writer
	from detect.Severity
	now  func() time.Time
	last time.Time
}

// NewBell rings out for alerts from that severity on.
func NewBell(out io.Writer, from detect.Severity, now func() time.Time) *Bell {
	return &Bell{out: out, from: from, now: now}
}

// Tell rings; it is for one goroutine.
func (b *Bell) Tell(a *triage.Alert) {
	if now := b.now(); a.Severity >= b.from && now.Sub(b.last) >= bellGap {
		b.last = now
		_, _ = b.out.Write([]byte{7})
	}
}
