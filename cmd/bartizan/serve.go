package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"bartizan/agent/certs"
	"bartizan/attach"
	"bartizan/config"
	"bartizan/engine"
	"bartizan/event"
	"bartizan/history"
	"bartizan/sources"
	"bartizan/sources/remote"
	"bartizan/store"
	"bartizan/triage"
	"bartizan/ui"
)

// serveOptions are what differs between the ways to run an engine.
type serveOptions struct {
	linger   time.Duration                         // 0: until told to stop
	ready    func()                                // consoles may attach now
	alert    func(*triage.Alert)                   // told about every alert raised
	records  func([]event.Event) error             // gets every record
	reloaded func(engine.Reload)                   // told about rules that were read again
	begun    func(context.Context, *engine.Engine) // runs beside the engine
}

// anchorEvery is how often the journal's signed head is written elsewhere.
const anchorEvery = time.Minute

// serve runs one engine with its socket until ctx ends or nobody needs it.
func (a *app) serve(ctx context.Context, s *spec, o serveOptions) error {
	tightHeap()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer keepCrash(s.state)
	log, closeLog, err := openLog(a.log, s.state)
	if err != nil {
		return err
	}
	defer func() { _ = closeLog.Close() }()
	db, err := store.Open(s.state, time.Now)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	h, err := a.build(ctx, s, db, log, cancel, o)
	if err != nil {
		return err
	}
	l, err := attach.Listen(s.socket, socketMode(s.state))
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	consoles, stopConsoles := context.WithCancel(ctx)
	wg.Go(func() {
		if err := attach.Serve(consoles, l, h); err != nil {
			log.Error("consoles", "err", err)
		}
	})
	wg.Go(func() { h.housekeeping(ctx, o.linger, func() { h.engine.Reload("SIGHUP") }, db, s.config.Board.Anchor) })
	wg.Go(func() { h.more.Watch(ctx, enrichEvery, h.enriched) })
	if o.begun != nil {
		wg.Go(func() { o.begun(ctx, h.engine) })
	}
	if o.ready != nil {
		o.ready()
	}
	err = runWithDeadline(ctx, h.engine)
	stopConsoles()
	cancel()
	wg.Wait()
	h.anchor(db, s.config.Board.Anchor)
	return err
}

// enrichEvery is how often files of assets, addresses and ranges are looked at.
const enrichEvery = 5 * time.Second

// enriched says what came of reading them again; the header says it too.
func (h *host) enriched(err error) {
	if err != nil {
		h.log.Error("assets and addresses", "err", err)
		return
	}
	h.log.Info("assets and addresses were read again")
}

// drainTime is how long a stopped engine may take to write what it has.
const drainTime = 15 * time.Second

// runWithDeadline runs the engine; told to stop, it gives up after drainTime:
// what was not written then is read again by the next engine.
func runWithDeadline(ctx context.Context, e *engine.Engine) error {
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return err
	case <-time.After(drainTime):
		return fmt.Errorf("the engine was stopped before everything was written (%v passed); the next one reads it again", drainTime)
	}
}

// build puts an engine and its host together.
func (a *app) build(ctx context.Context, s *spec, db *store.DB, log *slog.Logger, stop context.CancelFunc, o serveOptions) (*host, error) {
	board, mended, err := db.Load()
	if err != nil {
		return nil, err
	}
	for _, m := range mended {
		log.Warn(m)
	}
	warning := ""
	if len(mended) > 0 {
		warning = mended[0] + "; run bartizan audit verify"
	}
	positions, err := db.Positions()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	rules, err := a.readRules(s.config, true)
	if err != nil {
		return nil, err
	}
	for _, r := range rules.Loaded.Refused {
		log.Warn("rule refused", "reason", r.Error())
	}
	reg, more, err := registryOf(s.config)
	if err != nil {
		return nil, err
	}
	board.Criticality = more.Criticality
	h := &host{more: more, state: s.state, stop: stop, now: time.Now, log: log, mask: newMasker()}
	h.left = time.Now()
	opt := engine.Options{
		Desk: store.NewDesk(db, board, time.Now), Registry: reg, Rules: rules.Loaded, RulePlaces: rules.Places, RulesRead: began, LoadRules: a.readAgain, OwnRules: s.config.OwnRules(), FiltersExclude: s.config.Detection.FiltersExclude, Reloaded: o.reloaded,
		Falco: s.config.FalcoFrom(),
		Ring:  int64(s.config.Board.Ring), Positions: positions, ReadOnly: s.config.Board.ReadOnly,
		CatchUp: time.Duration(s.config.Board.CatchUp), Budget: int64(s.config.Board.CatchUpBytes),
		Now: time.Now, Log: log, Alert: o.alert, Records: o.records, Warning: warning, Trouble: more.Trouble,
	}
	if n := s.config.Board.Spool; n > 0 {
		opt.Spool = history.SpoolOptions{Dir: filepath.Join(s.state, "spool"), MaxBytes: int64(n), MaxAge: time.Duration(s.config.Board.SpoolAge), Now: time.Now}
	}
	if err := a.feed(ctx, s, &opt); err != nil {
		return nil, err
	}
	if h.engine, err = engine.New(opt); err != nil {
		return nil, err
	}
	h.make = func(by triage.Actor, hello attach.Hello, host *seat) (*ui.Console, error) {
		return a.newConsole(h, s, by, hello, host)
	}
	return h, nil
}

// feed opens what the command line and the config name, else what this host has.
func (a *app) feed(ctx context.Context, s *spec, opt *engine.Options) error {
	if a.format != "" && !opt.Registry.Known(a.format) {
		return usage("there is no format %q; bartizan parse --help lists them", a.format)
	}
	looks := s.config.Files(s.paths, a.format)
	if s.stdin {
		op := sources.Stdin(os.Stdin)
		op.Info.Format = a.format
		opt.Others = append(opt.Others, op)
	}
	s.config.Listening = func(source, address string) { opt.Log.Info("listening", "source", source, "address", address) }
	if len(s.paths) == 0 {
		opt.Others = append(opt.Others, s.config.Others(a.format)...)
	}
	for _, ag := range s.config.Agent {
		p, err := dialAgent(ag)
		if err != nil {
			return err
		}
		if ag.Edge {
			a.runAtEdge(s.config, p, opt)
		}
		opt.Peers = append(opt.Peers, p)
	}
	stagger(opt.Peers)
	if err := a.reachHosts(s.config, opt); err != nil {
		return err
	}
	if len(looks)+len(opt.Others)+len(opt.Peers) == 0 {
		look, others, skipped := s.config.Local(sources.Local("/"))
		opt.Others, opt.Skipped = others, skipped
		if len(look.Patterns) > 0 {
			looks = append(looks, look)
		}
	}
	opt.Files, opt.Discover = watchFiles(ctx, looks)
	return nil
}

func dialAgent(c config.Agent) (*remote.Peer, error) {
	tls, err := certs.ClientTLS(c.Certs, time.Now)
	if err != nil {
		return nil, fmt.Errorf("the agent at %s: %w", c.Address, err)
	}
	return remote.Dial(remote.Config{Address: c.Address, TLS: tls, Version: version, Filter: c.Filter, Now: time.Now})
}

// watchFiles looks for files: those there now come back at once, later ones
// through the function returned.
func watchFiles(ctx context.Context, looks []config.Look) ([]sources.Opened, func(context.Context, func(sources.Opened)) error) {
	if len(looks) == 0 {
		return nil, nil
	}
	var now []sources.Opened
	later := make(chan sources.Opened, 16)
	first := make(chan []sources.Opened, len(looks))
	failed := make(chan error, len(looks))
	for _, look := range looks {
		go lookFor(ctx, look, first, later, failed)
	}
	for range looks {
		now = append(now, <-first...)
	}
	return now, func(ctx context.Context, found func(sources.Opened)) error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case err := <-failed:
				return err
			case op := <-later:
				found(op)
			}
		}
	}
}

// lookFor runs one discovery: its first look goes to first, the rest to later.
func lookFor(ctx context.Context, look config.Look, first chan<- []sources.Opened, later chan<- sources.Opened, failed chan<- error) {
	var batch []sources.Opened
	looked := false
	o := look.Options
	o.Follow = true
	o.Scanned = func(int, error) {
		if !looked {
			looked = true
			first <- batch
		}
	}
	err := sources.Discover(ctx, look.Patterns, o, func(op sources.Opened) {
		if !looked {
			batch = append(batch, op)
			return
		}
		select {
		case later <- op:
		case <-ctx.Done():
		}
	})
	if !looked {
		first <- batch
	}
	if err != nil {
		failed <- err
	}
}

// newConsole makes a console for that person, with what the terminal asks for.
func (a *app) newConsole(h *host, s *spec, by triage.Actor, hello attach.Hello, at *seat) (*ui.Console, error) {
	zone, err := config.Zone(s.config.UI.Zone)
	if err != nil {
		return nil, err
	}
	o := ui.Options{
		Live: live{h.engine, h.attached}, Past: past{h.engine}, Desk: h.engine.Desk(), Actor: by, Theme: s.config.UI.Theme, Zone: zone,
		Plain: s.config.UI.Plain, ReadOnly: s.config.Board.ReadOnly, Keys: s.config.Keys, Title: s.title(), OnSuspend: at.suspend,
		Open: hello.Open, Mask: h.mask,
	}
	for _, opt := range hello.Options {
		switch name, value, _ := strings.Cut(opt, "="); name {
		case "theme":
			o.Theme = value
		case "plain":
			o.Plain = true
		case "read-only":
			o.ReadOnly = true
		}
	}
	return ui.New(o)
}

// title says in the header what is watched.
func (s *spec) title() string {
	switch {
	case s.name != "":
		return s.name
	case s.stdin:
		return "standard input"
	case len(s.paths) > 0:
		return strings.Join(s.paths, " ")
	}
	name, err := os.Hostname()
	if err != nil {
		return "this host"
	}
	return name
}

// readAgain reads the config and the rules it names again, for a running engine.
func (a *app) readAgain() (engine.RuleFiles, error) {
	c, err := a.config()
	if err != nil {
		return engine.RuleFiles{}, err
	}
	return a.readRules(c, true)
}

// housekeeping reloads on SIGHUP, writes anchors and ends an engine nobody uses.
func (h *host) housekeeping(ctx context.Context, linger time.Duration, reload func(), db *store.DB, anchor string) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	anchors := time.NewTicker(anchorEvery)
	defer anchors.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			reload()
		case <-anchors.C:
			h.anchor(db, anchor)
		case <-tick.C:
			if linger > 0 && h.idleFor() > linger {
				h.log.Info("nobody is attached any more", "for", linger)
				h.stop()
			}
		}
	}
}

// anchor writes the journal's signed head to the file outside the board.
func (h *host) anchor(db *store.DB, place string) {
	if place == "" {
		return
	}
	if _, err := db.Anchor(place, h.now()); err != nil {
		h.log.Error("the journal's head could not be anchored", "err", err)
	}
}

// serveProfiles offers pprof on a loopback address.
func serveProfiles(ctx context.Context, address string) error {
	host, _, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return usage("--pprof %s: only a loopback address such as 127.0.0.1:6060 is allowed", address)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("cannot serve profiles: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	go func() { _ = srv.Serve(l) }()
	return nil
}
