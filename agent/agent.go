// Package agent is the remote side: a gRPC server over mutual TLS that serves the
// files its configuration names, and nothing else, to consoles.
//
// Every Read has its own reader from its own cursor, so a slow console blocks
// only itself. Nothing is kept for a console that is away: what it has not
// acknowledged lives in the files and is read again when it comes back. What a
// writer removed in the meantime is lost and is sent as a record that says so.
package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"bartizan/agent/agentpb"
	"bartizan/agent/certs"
	"bartizan/sources/parse"
)

// Config is what an agent serves, to whom.
type Config struct {
	Name    string // for people; "" is the name in the certificate
	Version string
	Listen  string // HOST:PORT for ListenAndServe
	Streams []StreamConfig
	// Roots are the directories all served files must lie in after every link is
	// followed; nil: the fixed part of each pattern.
	Roots []string
	Certs string // directory that bartizan certs issue made
	// Login, when not "", is who has logged in to this host: then there are no
	// certificates, only ServeConn can be used, and AllowConsoles does not count.
	Login string
	// AllowConsoles are path.Match patterns of identities let in, such as
	// "spiffe://bartizan/console/ops-*"; nil: every console of this CA.
	AllowConsoles []string
	Edge          *Edge         // rules run here, for consoles that ask; nil: none
	Health        time.Duration // between records of the host's own state, at least 10 s; 0 is none
	Spool         SpoolConfig   // for streams without a file
	Parse         parse.Options // formats and aliases of its own; Now is set from here
	Now           func() time.Time
	Log           *slog.Logger
	Rescan        time.Duration // between looks for new files; 0 is 1 s
}

// StreamConfig is one pattern of files to serve. A pattern without wildcards is
// one stream, called ID; with them each file is a stream called ID/REST, REST
// being the path behind the pattern's fixed part. Without an ID the path is used.
type StreamConfig struct {
	ID     string
	Path   string // absolute, with doublestar wildcards; "" is one of the following
	Format string // forced format, "" is automatic

	FIFO     string   // a named pipe
	Command  []string // a program and its arguments; started again when it ends
	Journald bool     // the systemd journal, through journalctl
}

const defaultRescan = time.Second

// Server serves one configuration. Make it with New.
type Server struct {
	agentpb.UnimplementedAgentServer
	cfg      Config
	host     string       // the certificate's name, which consoles call this host by
	trust    *certs.Store // nil for a login
	boot     uint64
	registry *parse.Registry
	catalog  *catalog
	scanner  chan struct{} // whose turn it is to look for new files
	kept     []*kept       // streams without a file
	keeper   chan struct{} // whose turn it is to fill their spools
	quota    quota         // of Reads
	searches quota
	turns    chan struct{} // of searches, see search.go
	edge     atomic.Pointer[Edge]

	epochs  atomic.Uint64 // Reads so far
	readers atomic.Int64  // open Reads
	records atomic.Uint64 // sent since start
	leftOut atomic.Uint64 // not sent because of filters
}

// New checks the configuration and loads the certificates. Nothing is opened yet.
func New(c Config) (*Server, error) {
	for _, p := range c.AllowConsoles {
		if _, err := path.Match(p, ""); err != nil {
			return nil, fmt.Errorf("allow_consoles: the pattern %q is malformed: %w", p, err)
		}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Rescan <= 0 {
		c.Rescan = defaultRescan
	}
	c.Parse.Now = c.Now
	registry := parse.NewRegistry(c.Parse)
	for _, s := range c.Streams {
		if s.Format != "" && !registry.Known(s.Format) {
			return nil, fmt.Errorf("stream %q: there is no format called %q: bartizan parse --help lists them", s.Path, s.Format)
		}
	}
	cat, err := newCatalog(withFiles(c.Streams), c.Roots)
	if err != nil {
		return nil, err
	}
	host, trust, err := c.identify()
	if err != nil {
		return nil, err
	}
	if c.Name == "" {
		c.Name = host
	}
	s := &Server{
		cfg: c, host: host, trust: trust, boot: rand.Uint64(), registry: registry,
		catalog: cat, scanner: make(chan struct{}, 1), keeper: make(chan struct{}, 1), quota: quota{most: 2 * agentpb.MaxStreams, open: map[string]int{}},
		searches: quota{most: searchesPer, open: map[string]int{}}, turns: make(chan struct{}, searchTurns),
	}
	s.edge.Store(c.Edge)
	return s, s.keepAll(c.Streams)
}

// identify loads the certificates, if any, and returns what this host is called.
func (c *Config) identify() (host string, trust *certs.Store, err error) {
	if c.Login != "" {
		host, err = os.Hostname()
		if err != nil {
			host = "localhost" // only a word: consoles call this host as they dialled it
		}
		return host, nil, nil
	}
	if trust, err = certs.Open(certs.AgentFiles(c.Certs), c.Now); err != nil {
		return "", nil, err
	}
	id, err := certs.IdentityOf(trust.Certificate())
	return id.Name, trust, err
}

// ListenAndServe listens on Config.Listen and serves until ctx is cancelled.
func (s *Server) ListenAndServe(ctx context.Context) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("the agent cannot listen: %w", err)
	}
	return s.Serve(ctx, l)
}

// Serve serves consoles that connect to l until ctx is cancelled (nil) or l
// breaks. It closes l, and returns when every Read has ended.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	if s.trust == nil {
		return errors.Join(errors.New("an agent without certificates serves no network: name their folder with certs"), l.Close())
	}
	creds := &handshakes{credentials.NewTLS(s.trust.Server()), s.cfg.Log}
	if err := s.serve(ctx, newGate(l, s.cfg.Log), creds); err != nil {
		return fmt.Errorf("the agent can no longer listen on %s: %w", l.Addr(), err)
	}
	return nil
}

// serve serves what l accepts until ctx is cancelled (nil) or l breaks.
func (s *Server) serve(ctx context.Context, l net.Listener, creds credentials.TransportCredentials) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.catalog.scan()
	scanned := make(chan struct{})
	go func() {
		defer close(scanned)
		s.rescan(ctx)
	}()
	filled := make(chan struct{})
	go func() {
		defer close(filled)
		s.keep(ctx)
	}()
	g := s.rpc(creds)
	stop := context.AfterFunc(ctx, g.Stop) // Reads never end by themselves: nothing to wait for
	err := g.Serve(l)
	stop()
	g.Stop()
	cancelled := ctx.Err() != nil
	cancel()
	<-scanned
	<-filled
	if errors.Is(err, grpc.ErrServerStopped) || cancelled {
		return nil
	}
	return err
}

// rpc is the gRPC server with everything that may be called on it.
func (s *Server) rpc(creds credentials.TransportCredentials) *grpc.Server {
	g := grpc.NewServer(s.options(creds)...)
	agentpb.RegisterAgentServer(g, s)
	return g
}

// rescan looks for new files until ctx ends. Of several that serve at once one
// looks at a time, and the others wait for their turn.
func (s *Server) rescan(ctx context.Context) {
	select {
	case s.scanner <- struct{}{}:
		defer func() { <-s.scanner }()
	case <-ctx.Done():
		return
	}
	tick := time.NewTicker(s.cfg.Rescan)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.catalog.scan()
		}
	}
}
