// Package http receives records that others send: a listener that takes POST
// requests with one JSON object, an array of objects, or one object per line.
// Falco's http_output, falcosidekick, webhooks and log shippers speak that.
//
// A request blocks until its records are committed downstream, and is answered
// with 200 only then; one that waits too long gets 503 and one that finds no
// memory free 429, both with Retry-After. Nothing that was answered with 200 is
// lost. What was not is the sender's to send again, as there is no position to go
// on from; records that come twice that way are told by their bytes and make the
// same hits.
package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	nethttp "net/http"
	"slices"
	"strings"
	"time"

	"bartizan/event"
	"bartizan/sources"
)

// The bounds of what a sender can make us keep or wait for.
const (
	DefaultBody = 4 << 20  // bytes of one request's body, unpacked
	MaxBody     = 64 << 20 // the most Config.MaxBody may be
	MaxPerPost  = 10_000   // records of one request
	maxHeader   = 16 << 10 // bytes of a request's header
	maxConns    = 256      // open connections; further ones wait in the kernel
	maxHeld     = 64 << 20 // bytes of all bodies together, one of MaxBody always fits, also packed
	gzipRatio   = 100      // unpacked bytes for each packed one …
	gzipFree    = 64 << 10 // … beyond these

	headerTime  = 5 * time.Second
	bodyTime    = 15 * time.Second // header and body
	idleTime    = 60 * time.Second
	defaultWait = 10 * time.Second // for the pipeline, for each request
	closeTime   = 2 * time.Second
)

// Config says where to listen and whom to believe.
type Config struct {
	Listen  string // HOST:PORT; port 0 lets the system choose
	Name    string // for people; "" is the address
	Format  string // of the records; "" is found automatically
	Cert    string // PEM files: with them it speaks TLS 1.2 or newer
	Key     string
	Token   string        // senders give it as Bearer token or as Basic password
	Secret  string        // senders sign the body with it: HMAC-SHA256
	MaxBody int64         // bytes; 0 is DefaultBody
	Wait    time.Duration // how long a request waits for the pipeline; 0 is 10 s
	Now     func() time.Time
	// Listening is told the address once the listener stands; nil tells nobody.
	Listening func(address string, tls bool)
}

// Open checks the configuration and returns the source. Run listens.
func Open(c Config) (sources.Opened, error) {
	if err := c.Check(); err != nil {
		return sources.Opened{}, err
	}
	if c.MaxBody == 0 {
		c.MaxBody = DefaultBody
	}
	if c.Wait == 0 {
		c.Wait = defaultWait
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Name == "" {
		c.Name = c.Listen
	}
	id := event.SourceID("http:" + c.Listen)
	return sources.Opened{
		Info:   sources.Info{ID: id, Kind: "http", Name: c.Name, Format: c.Format, Live: true},
		Source: &listener{cfg: c, id: id, most: limits{maxConns, headerTime, bodyTime, maxHeld}},
	}, nil
}

// Check says what is wrong with the configuration. Beyond this host a listener
// needs a way to know its senders: a secret, or a token over TLS.
func (c *Config) Check() error {
	host, port, err := net.SplitHostPort(c.Listen)
	switch {
	case err != nil || port == "":
		return fmt.Errorf("%q is no host:port to listen on", c.Listen)
	case (c.Cert == "") != (c.Key == ""):
		return errors.New("TLS needs both cert and key; give both or neither")
	case c.MaxBody < 0 || c.MaxBody > MaxBody:
		return fmt.Errorf("a body of %d bytes is not between 1 and %d", c.MaxBody, MaxBody)
	case c.Wait < 0:
		return errors.New("a duration cannot be negative")
	case loopback(host) || c.Secret != "":
		return nil
	case c.Token == "":
		return fmt.Errorf("%q is open to other hosts: give a token with cert and key, or a secret, or listen on 127.0.0.1", c.Listen)
	case c.Cert == "":
		return fmt.Errorf("%q is open to other hosts and the token would cross the network in the clear: give cert and key, or a secret instead", c.Listen)
	}
	return nil
}

// loopback reports whether only this host reaches the address.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// limits are the bounds on strangers.
type limits struct {
	conns        int
	header, body time.Duration
	held         int64
}

// listener is one configured listener.
type listener struct {
	cfg    Config
	id     event.SourceID
	most   limits
	report func(sources.Condition)
}

// Report implements sources.Reporting.
func (l *listener) Report(to func(sources.Condition)) { l.report = to }

// Run implements sources.Source: it listens until ctx ends. There is no position
// to begin at. An address that is taken, or a certificate that cannot be read, is
// an error.
func (l *listener) Run(ctx context.Context, _ sources.Position, out chan<- sources.Batch) error {
	tlsConf, cert, err := l.cfg.tls()
	if err != nil {
		return err
	}
	in, err := new(net.ListenConfig).Listen(ctx, "tcp", l.cfg.Listen)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w", l.cfg.Listen, err)
	}
	var refused refusals
	s := &nethttp.Server{
		Handler:           watched(newReceiver(ctx, l, out), &refused),
		TLSConfig:         tlsConf,
		ReadHeaderTimeout: l.most.header,
		ReadTimeout:       l.most.body,
		WriteTimeout:      l.most.body + l.cfg.Wait + l.most.header,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          log.New(io.Discard, "", 0), // what strangers send is no news
		Protocols:         new(nethttp.Protocols),
	}
	s.Protocols.SetHTTP1(true)
	ended := make(chan error, 1)
	conns := newLimited(in, l.most.conns)
	go func() { ended <- l.serve(s, conns) }()
	if l.report != nil {
		l.report(sources.Condition{State: event.SourceLive, Behind: -1})
	}
	if l.cfg.Listening != nil {
		l.cfg.Listening(in.Addr().String(), tlsConf != nil)
	}
	err = l.until(ctx, s, ended, func() string {
		return strings.Join(slices.DeleteFunc([]string{cert.trouble(), conns.full(), refused.text()}, func(s string) bool { return s == "" }), "; ")
	})
	if errors.Is(err, nethttp.ErrServerClosed) || ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("listening on %s ended: %w", l.cfg.Listen, err)
}

// until waits for the end of the server or of ctx, and tells meanwhile what people
// should know, when it changed.
func (l *listener) until(ctx context.Context, s *nethttp.Server, ended <-chan error, news func() string) error {
	told := ""
	tell := time.NewTicker(tellEvery)
	defer tell.Stop()
	for {
		select {
		case err := <-ended:
			_ = s.Close()
			return err
		case <-ctx.Done():
			stop(s)
			return <-ended
		case <-tell.C:
			if text := news(); text != told && l.report != nil {
				told = text
				l.report(sources.Condition{State: event.SourceLive, Reason: text, Behind: -1})
			}
		}
	}
}

func (l *listener) serve(s *nethttp.Server, in net.Listener) error {
	if s.TLSConfig != nil {
		return s.ServeTLS(in, "", "")
	}
	return s.Serve(in)
}

// stop lets requests under way end, for a moment.
func stop(s *nethttp.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	if s.Shutdown(ctx) != nil {
		_ = s.Close() // what still hangs is cut off
	}
}
