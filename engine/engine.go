// Package engine is the running pipeline of one board: it starts, supervises and
// stops sources, parsers, rules, ring and board.
//
// Everything inside blocks on bounded channels, so when the board's disk is slow
// or full, sources stop being read: nothing is dropped here, and Status says so.
// Hits are committed together with the position behind them, so a hit is exactly
// once on the board whatever is killed. Records that no rule hit may pass twice
// after a crash; they are never skipped.
package engine

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"bartizan/detect"
	"bartizan/detect/session"
	"bartizan/event"
	"bartizan/history"
	"bartizan/sources"
	"bartizan/sources/parse"
	"bartizan/store"
	"bartizan/triage"
)

// Peer is a host, or several, that brings streams of its own: an agent, a listener
// that agents call, a host read through ssh.
type Peer interface {
	// Run keeps it connected until ctx is cancelled; found gets every stream once.
	Run(ctx context.Context, found func(sources.Opened)) error
	// Status is its own row, then those of its streams.
	Status() []event.SourceStatus
	// SetFilter asks for what matches only.
	SetFilter(text string) error
}

// Options are what an engine runs with. Desk, Registry, Now and Log are required.
type Options struct {
	Desk     *store.Desk
	Registry *parse.Registry
	Rules    detect.Loaded   // as read; linked or not
	Falco    detect.Severity // Falco's own alerts are hits from this severity on
	Ring     int64           // bytes, 0 is store.DefaultRing
	// RulePlaces are the files and folders Rules came from: LoadRules reads the rules
	// again when one of them changes, or when somebody asks; nil: they stay.
	RulePlaces     []string
	RulesRead      time.Time // when the reading of Rules began
	LoadRules      func() (RuleFiles, error)
	Reloaded       func(Reload)  // told about reads that changed or refused something
	RuleLimit      *detect.Limit // how long one rule may take; nil is detect.DefaultLimit
	FiltersExclude bool          // how exceptions are written, see sigma.Options
	OwnRules       string        // folder exceptions are written to; "": they cannot be
	Peers          []Peer
	Files          []sources.Opened // files that are there now: merged by time at start
	Others         []sources.Opened // pipes, programs, journals
	// Discover reports files as they are found, until ctx ends; nil finds none.
	Discover  func(ctx context.Context, found func(sources.Opened)) error
	Positions map[event.SourceID]string // how far the board has each source
	Skipped   []event.SourceStatus      // found but not read, for the sources screen
	CatchUp   time.Duration             // how far back rules look at first start
	Budget    int64                     // and how many bytes they read for it
	Spool     history.SpoolOptions      // where what comes without a file is kept to be searched, each source in a folder; Dir "": nowhere
	ReadOnly  bool
	Warning   string        // a problem found before the start, shown for good
	Trouble   func() string // what is wrong elsewhere now, for the header; nil: nothing ever
	Now       func() time.Time
	Log       *slog.Logger
	// Alert is told about every alert raised or re-raised, after it is on disk, at
	// least once.
	Alert func(a *triage.Alert)
	// Records, when not nil, gets all records of a source in order before they count
	// as read, so at least once: after a crash some come again, with the same
	// references. What lies there at first start comes newest part first. It may
	// block; an error ends the engine. The events are valid during the call only.
	Records func(list []event.Event) error
}

// Engine is one running pipeline.
type Engine struct {
	o       Options
	ring    *store.Ring
	rules   atomic.Pointer[ruleSet]
	workers []chan sources.Batch
	works   chan *work
	feeds   feeds
	watch   watchers
	past    catchUp
	rate    rate
	problem atomic.Pointer[string]
	tallies tallies
	reloads reloads

	spools  spools
	own     chan *notice // what we say ourselves, that no source brought
	oddness oddities
	host    string // this one's name
	born    time.Time
	windows atomic.Pointer[sequencer] // for what its windows had to give up
	census  *Census                   // which logs arrive
	needed  needed
	joins   *session.Index // which records belong to one session
}

// New makes an engine that Run starts.
func New(o Options) (*Engine, error) {
	ring, err := store.NewRing(o.Ring)
	if err != nil {
		return nil, err
	}
	e := &Engine{o: o, ring: ring, works: make(chan *work, 2*runtime.GOMAXPROCS(0)), own: make(chan *notice, maxOwn), born: time.Now(), census: NewCensus()}
	e.host, _ = os.Hostname() // without a name, what is said of a source names only its file
	e.joins = session.New(session.Options{Host: e.host})
	e.feeds.init()
	e.past.init(e)
	o.Desk.Notify(e.watch.poke) // one console's move is news to the others
	e.rules.Store(e.newRuleSet(RuleFiles{o.Rules, o.RulePlaces}))
	for range runtime.GOMAXPROCS(0) {
		e.workers = append(e.workers, make(chan sources.Batch, 1))
	}
	return e, nil
}

// Run runs until ctx ends, then drains what was read, writes it and closes the
// ring. The error is why it could not go on.
func (e *Engine) Run(ctx context.Context) error {
	defer e.ring.Close()
	reading, stopReading := context.WithCancel(ctx)
	defer stopReading()
	var readers, parsers sync.WaitGroup
	for _, in := range e.workers {
		parsers.Go(func() { e.parse(in) })
	}
	begin := e.prepare()
	begun := make(chan struct{})
	sequenced := make(chan error, 1)
	go func() {
		sequenced <- e.sequence(reading, begin, func() { close(begun) }, stopReading)
	}()
	e.startReaders(reading, &readers)
	<-begun
	for i, op := range e.o.Files {
		e.goOn(reading, &readers, op, begin[i].pos)
	}
	if e.o.Discover != nil {
		readers.Go(func() { e.discover(reading, &readers) })
	}
	<-reading.Done()
	readers.Wait()
	e.spools.close(func(id event.SourceID, err error) { e.o.Log.Error("closing a spool", "source", id, "err", err) })
	for _, in := range e.workers {
		close(in)
	}
	parsers.Wait()
	close(e.works)
	return <-sequenced
}

// prepare decides where every file that is there now begins.
func (e *Engine) prepare() []start {
	share := e.share(len(e.o.Files))
	out := make([]start, len(e.o.Files))
	for i, op := range e.o.Files {
		fd, _ := e.feeds.add(e.newStream(op.Info))
		out[i] = e.startOf(op, fd.stream, share)
	}
	return out
}

func (e *Engine) newStream(info sources.Info) *stream {
	return &stream{
		info: info, parser: e.o.Registry.Stream(info), clock: newClockwork(e.o.Positions[usualKey(info.ID)]),
		odd: func(o oddity) { e.oddness.add(info, o) },
	}
}

// startReaders starts what has no file: pipes, programs, agents.
func (e *Engine) startReaders(ctx context.Context, wg *sync.WaitGroup) {
	for _, op := range e.o.Others {
		e.open(ctx, wg, e.keeping(op))
	}
	for _, p := range e.o.Peers {
		wg.Go(func() {
			if err := p.Run(ctx, func(op sources.Opened) { e.open(ctx, wg, op) }); err != nil && ctx.Err() == nil {
				e.say(fmt.Sprintf("an agent's connection ended: %v; restart the engine", err))
			}
		})
	}
	wg.Go(func() { e.tick(ctx) })
	wg.Go(func() { e.past.run(ctx) })
	wg.Go(func() { e.watchRules(ctx) })
}

// discover opens files that appear later.
func (e *Engine) discover(ctx context.Context, wg *sync.WaitGroup) {
	err := e.o.Discover(ctx, func(op sources.Opened) { e.open(ctx, wg, op) })
	if err != nil && ctx.Err() == nil {
		e.say(fmt.Sprintf("looking for new files ended: %v; restart the engine", err))
	}
}

// tick wakes snoozed alerts and refreshes what ages.
func (e *Engine) tick(ctx context.Context) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	w := newWatchman(e)
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			woken, err := e.o.Desk.Wake(ctx)
			if err != nil && ctx.Err() == nil {
				e.o.Log.Error("waking snoozed alerts", "err", err)
			}
			w.turn(ctx)
			if e.rate.turn(e.o.Now()) || woken > 0 {
				e.watch.poke()
			}
		}
	}
}

func (e *Engine) newWorker() *worker {
	k := &worker{falco: e.o.Falco, host: e.host, census: e.census}
	e.newest(k)
	return k
}

// newest makes a worker use the rules in use now, between two batches.
func (e *Engine) newest(k *worker) {
	s := e.rules.Load()
	k.use(s.set)
	k.join, k.nth = s.join, s.nth
}

// parse is one worker: it parses and matches the batches of its sources.
func (e *Engine) parse(in <-chan sources.Batch) {
	k := e.newWorker()
	for b := range in {
		st := e.feeds.stream(b.Source)
		if st == nil {
			if b.Done != nil {
				b.Done(errors.New("nobody knows this source"))
			}
			continue
		}
		e.newest(k)
		w := takeWork(b, st)
		k.do(w)
		e.works <- w
	}
}

// lane returns the worker of a source: always the same, so it stays in order.
func (e *Engine) lane(id event.SourceID) chan sources.Batch {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	return e.workers[int(h.Sum32())%len(e.workers)]
}

// say puts a problem in the header and the log; "" takes it back.
func (e *Engine) say(text string) {
	if old := e.problem.Swap(&text); old == nil || *old != text {
		if text != "" {
			e.o.Log.Error(text)
		}
		e.watch.poke()
	}
}
