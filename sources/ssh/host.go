package ssh

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"bartizan/agent/agentpb"
	"bartizan/event"
	"bartizan/sources"
	"bartizan/sources/remote"
)

// Config is one host and how it is reached.
type Config struct {
	Target  Target
	Program string // the ssh program; "" is ssh
	Gate    Gate   // shared by hosts that are started together
	// Info is what is known of the records beforehand: Format, Zone, Lateness, Silence.
	Info    sources.Info
	Version string // of this console
	Filter  string // what an agent shall send only; without one everything comes
	Now     func() time.Time
	Backoff func(n int) time.Duration // see remote.Config
	Every   time.Duration             // between looks at an agent's streams; 0 is remote's
	// Tail is how many bytes before the end of a file it begins that has no position
	// yet; 0 is remote.DefaultTail, less than 0 the file's beginning.
	Tail int64

	once bool   // files end where they ended when they were opened
	look string // seconds between looks at files by the scripts; "" is 1
	list string // seconds between lists of files; "" is 5
}

// mode is what a host turned out to be. It stays so for as long as the Host lives:
// an agent's streams and plain files are different sources.
type mode int

const (
	unknown mode = iota
	withAgent
	withTail
)

var errTail = errors.New("there is no agent over there")

// Host is one host that is read through ssh. It is safe from any goroutine.
type Host struct {
	cfg  Config
	peer *remote.Peer

	mu      sync.Mutex
	mode    mode
	toTail  context.CancelFunc
	why     string // there is no agent, in words
	state   event.SourceState
	reason  string
	next    time.Time
	seen    time.Time
	found   map[string]bool // files that were opened
	order   []string
	missing map[string]string // what cannot be read, and why
	tooMany bool              // more files match than are read
	odd     string            // a file whose name cannot be given to ssh
	older   leftOut           // files that only an agent would read
}

// Open checks the configuration and returns a host that Run connects.
func Open(c Config) (*Host, error) {
	if err := c.Target.Check(); err != nil {
		return nil, err
	}
	if c.Program == "" {
		c.Program = "ssh"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Tail == 0 {
		c.Tail = remote.DefaultTail
	}
	c.look, c.list = or(c.look, "1"), or(c.list, "5")
	if c.Backoff == nil {
		c.Backoff = remote.Backoff(rand.Float64)
	}
	h := &Host{cfg: c, state: event.SourceStarting, found: map[string]bool{}, missing: map[string]string{}}
	var err error
	h.peer, err = remote.Dial(remote.Config{
		Address: "ssh " + c.Target.Host, Name: c.Target.Host, Carrier: h, Scheme: "ssh", Version: c.Version, Filter: c.Filter,
		Now: c.Now, Backoff: c.Backoff, Every: c.Every, Tail: c.Tail,
	})
	return h, err
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// Run keeps the host connected until ctx is cancelled, then returns nil. found
// gets every stream or file, once; it must not block for long.
func (h *Host) Run(ctx context.Context, found func(sources.Opened)) error {
	asAgent, toTail := context.WithCancel(ctx)
	defer toTail()
	h.mu.Lock()
	h.toTail = toTail
	h.mu.Unlock()
	if err := h.peer.Run(asAgent, func(op sources.Opened) { found(h.about(op)) }); err != nil || ctx.Err() != nil {
		return err
	}
	h.mu.Lock()
	why := h.why
	h.mu.Unlock()
	h.peer.Retire(fmt.Errorf("%s cannot search its files: %s", h.cfg.Target.Host, why))
	return h.follow(ctx, found)
}

// about adds what was said of the records beforehand.
func (h *Host) about(op sources.Opened) sources.Opened {
	i := h.cfg.Info
	op.Info.Host, op.Info.Zone, op.Info.Lateness, op.Info.Silence = h.cfg.Target.name(), i.Zone, i.Lateness, i.Silence
	if i.Format != "" {
		op.Info.Format = i.Format
	}
	return op
}

// Connect implements remote.Carrier: it makes the far side an agent.
func (h *Host) Connect(ctx context.Context) (remote.Carried, error) {
	l, err := h.ask(ctx)
	if err != nil {
		return remote.Carried{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if l.words[0] == "agent" {
		h.mode = withAgent
		return remote.Carried{Conn: agentpb.Pipe(l.in, l.out, l.wait), Name: h.cfg.Target.Host, Identity: "ssh " + h.cfg.Target.Host}, nil
	}
	l.end()
	why := reasonOf(l.words)
	if h.mode == withAgent {
		return remote.Carried{}, fmt.Errorf("%s served before, and now %s", h.cfg.Target.Host, why)
	}
	h.mode, h.why = withTail, why
	h.toTail()
	return remote.Carried{}, errTail
}

// reasonOf says in words why there is no agent.
func reasonOf(words []string) string {
	if len(words) < 2 {
		return "there is no bartizan on it"
	}
	text := strings.TrimPrefix(strings.Join(words[1:], " "), "bartizan: ")
	return "its bartizan cannot serve: " + event.EscapeString(text[:min(len(text), 200)])
}

// ask logs in with the connect script.
func (h *Host) ask(ctx context.Context) (*login, error) {
	given, paths := "1", h.cfg.Target.Paths
	if len(paths) == 0 {
		given, paths = "0", sources.LocalPatterns()
		paths = slices.DeleteFunc(paths, func(p string) bool { return !sameInShell(p) })
	}
	l, err := h.logIn(ctx, connect, append([]string{h.cfg.list, given}, paths...)...)
	if err != nil {
		return nil, err
	}
	if len(l.words) == 0 || l.words[0] != "agent" && l.words[0] != "none" {
		l.wait()
		return nil, fmt.Errorf("the answer of %s cannot be understood", h.cfg.Target.Host)
	}
	return l, nil
}

// follow lists the host's files until ctx ends: each is a source of its own.
func (h *Host) follow(ctx context.Context, found func(sources.Opened)) error {
	for attempt := 0; ctx.Err() == nil; attempt++ {
		since := h.cfg.Now()
		err := h.listed(ctx, found)
		if h.cfg.Now().Sub(since) > time.Minute {
			attempt = 0
		}
		if ctx.Err() != nil {
			break
		}
		pause := h.cfg.Backoff(attempt)
		h.mu.Lock()
		h.state, h.reason, h.next = event.SourceRetrying, err.Error(), h.cfg.Now().Add(pause)
		h.mu.Unlock()
		wait := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-wait.C:
		}
		wait.Stop()
	}
	return nil
}

// listed reads lists from one connection until it ends, and says why it did.
func (h *Host) listed(ctx context.Context, found func(sources.Opened)) error {
	l, err := h.ask(ctx)
	if err != nil {
		return err
	}
	defer l.wait()
	if l.words[0] == "agent" {
		return fmt.Errorf("%s has a bartizan by now: restart the engine to read it as an agent", h.cfg.Target.Host)
	}
	lines := bufio.NewScanner(l.in)
	lines.Buffer(make([]byte, 0, 4096), 8<<10)
	for lines.Scan() {
		h.listen(lines.Text(), found)
	}
	if err := lines.Err(); err != nil && errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("%s lists a name that is too long", h.cfg.Target.Host)
	}
	return l.why(io.EOF)
}

// listen takes in one line of a list.
func (h *Host) listen(line string, found func(sources.Opened)) {
	h.mu.Lock()
	h.state, h.reason, h.next, h.seen = event.SourceLive, "", time.Time{}, h.cfg.Now()
	kind, file, _ := strings.Cut(line, " ")
	ok := (kind == "r" || kind == "d") && !h.found[file] && h.wanted(file)
	switch {
	case kind == "r" && h.needsAgent(file):
		ok = false
	case !ok:
		if h.odd == "" && (kind == "r" || kind == "d") && (checkPath(file) != nil || isGlob(file)) && h.meant(file) {
			h.odd = file
		}
	case kind == "d":
		if len(h.missing) < agentpb.MaxStreams {
			h.missing[file] = "this login may not read it: let it, or take it out of the paths"
		}
	case len(h.order) >= agentpb.MaxStreams:
		ok = false
		h.tooMany = true // stays: every list says it again
	default:
		delete(h.missing, file)
		h.found[file] = true
		h.order = append(h.order, file)
	}
	h.mu.Unlock()
	if ok && kind == "r" {
		t := &tail{host: h, path: file, id: h.idOf(file)}
		found(h.about(sources.Opened{Source: t, Info: sources.Info{
			ID: t.id, Kind: "ssh", Name: h.cfg.Target.Host + file, Live: true,
		}}))
	}
}

func (h *Host) idOf(file string) event.SourceID {
	return event.SourceID("tail:" + h.cfg.Target.Host + file)
}

// wanted says whether the far side may name that file: it has to be one that the
// paths mean.
func (h *Host) wanted(file string) bool {
	return checkPath(file) == nil && !isGlob(file) && h.meant(file)
}

// meant says whether the paths mean that file, whatever its name.
func (h *Host) meant(file string) bool {
	return slices.Contains(h.cfg.Target.Paths, file) || h.matched(file) && !sources.OlderName(path.Base(file))
}

// SetFilter asks an agent over there to send only what matches; plain files come
// whole.
func (h *Host) SetFilter(text string) error { return h.peer.SetFilter(text) }

// Status returns the host and, where there is an agent, its streams.
func (h *Host) Status() []event.SourceStatus {
	h.mu.Lock()
	if h.mode != withTail {
		h.mu.Unlock()
		return h.peer.Status()
	}
	defer h.mu.Unlock()
	own := event.SourceStatus{
		ID: event.SourceID("tail:" + h.cfg.Target.Host), Kind: "ssh", Name: h.cfg.Target.Host, Behind: -1,
		State: h.state, Reason: h.reason, NextTry: h.next, LastSeen: h.seen,
	}
	if own.Reason == "" {
		own.Reason = fmt.Sprintf("its files are read with tail: %s", h.why)
		if bad := h.notForTail(); bad != "" {
			own.Reason += "; not read: " + bad + ", because patterns with ** or {} need bartizan there"
		}
		if h.tooMany {
			own.Reason += fmt.Sprintf("; more than %d files match and the others are not read: narrow the paths", agentpb.MaxStreams)
		}
		if h.older.n > 0 {
			own.Reason += fmt.Sprintf("; not read: %d rotated or compressed files, such as %.120q, because that needs bartizan there", h.older.n, h.older.first)
		}
		if h.odd != "" {
			own.Reason += fmt.Sprintf("; not read: %.120q, because its name cannot be given to ssh", h.odd)
		}
	}
	out := []event.SourceStatus{own}
	for file, why := range h.missing {
		out = append(out, event.SourceStatus{ID: h.idOf(file), Kind: "ssh", Name: h.cfg.Target.Host + file, State: event.SourceSkipped, Reason: why, Behind: -1})
	}
	slices.SortFunc(out[1:], func(a, b event.SourceStatus) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// notForTail are the paths that only an agent understands.
func (h *Host) notForTail() string {
	var bad []string
	for _, p := range h.cfg.Target.Paths {
		if !sameInShell(p) {
			bad = append(bad, p)
		}
	}
	return strings.Join(bad, " ")
}
