package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"bartizan/attach"
	"bartizan/engine"
	"bartizan/enrich"
	"bartizan/event"
	"bartizan/triage"
	"bartizan/ui"
)

// host runs the consoles of one engine: each is a screen that outlives the
// terminals it is shown on.
type host struct {
	engine *engine.Engine
	make   func(triage.Actor, attach.Hello, *seat) (*ui.Console, error)
	stop   context.CancelFunc // ends the engine, when a person quits it
	now    func() time.Time
	log    *slog.Logger
	state  string
	mask   *event.Masker // one for all consoles: equal secrets look equal
	more   *enrich.Enricher

	mu    sync.Mutex
	seats []*seat
	left  time.Time // when the last console went; zero while one is attached
}

// seat is a console and whether a terminal shows it.
type seat struct {
	uid     int
	console *ui.Console
	taken   bool

	mu        sync.Mutex
	program   *tea.Program // while a terminal shows the console
	suspended bool         // the person suspended it: the program ends, the shell takes over
}

// run makes p the seat's program, or none.
func (s *seat) run(p *tea.Program) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.program, s.suspended = p, false
}

// suspend gives the terminal back to the shell.
func (s *seat) suspend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.suspended = true
	if s.program != nil {
		go s.program.Quit() // asked for from inside the program: do not wait for it
	}
}

func (s *seat) wasSuspended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.suspended
}

// sit gives the peer its detached console back, or a new one; a terminal that is
// to show one alert always gets a new one.
func (h *host) sit(p attach.Peer, hello attach.Hello) (*seat, error) {
	if s := h.find(p, hello); s != nil {
		return s, nil
	}
	s := &seat{uid: p.UID, taken: true}
	var err error
	if s.console, err = h.make(actorOf(p, hello.Env), hello, s); err != nil { // asks the host: not under its lock
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.left = time.Time{}
	h.seats = append(h.seats, s)
	return s, nil
}

// find takes the peer's detached console, nil when there is none.
func (h *host) find(p attach.Peer, hello attach.Hello) *seat {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.seats {
		if s.uid == p.UID && !s.taken && hello.Open == "" {
			s.taken, h.left = true, time.Time{}
			return s
		}
	}
	return nil
}

// rise keeps the seat for the person's return, or gives it up.
func (h *host) rise(s *seat, keep bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.taken = false
	if !keep {
		h.seats = slices.DeleteFunc(h.seats, func(o *seat) bool { return o == s })
	}
	if h.attachedLocked() == 0 {
		h.left = h.now()
	}
}

func (h *host) attachedLocked() (n int) {
	for _, s := range h.seats {
		if s.taken {
			n++
		}
	}
	return n
}

// attached counts the terminals that show a console.
func (h *host) attached() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.attachedLocked()
}

// idleFor says how long nobody has been looking.
func (h *host) idleFor() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.left.IsZero() {
		return 0
	}
	return h.now().Sub(h.left)
}

// Console runs one terminal's program until it detaches, quits or is gone.
func (h *host) Console(ctx context.Context, t *attach.Terminal) attach.Exit {
	s, err := h.sit(t.Peer, t.Hello)
	if err != nil {
		return attach.Exit{Reason: "failed", Code: exitUsage, Text: err.Error()}
	}
	keep := true
	defer func() { h.rise(s, keep) }()
	profile := colorprofile.Env(t.Hello.Env)
	s.console.Attach(profile, t.Hello.Size.Width, t.Hello.Size.Height)
	p := tea.NewProgram(s.console,
		tea.WithContext(ctx), tea.WithInput(t.In), tea.WithOutput(s.console.Writer(t.Out)),
		tea.WithEnvironment(t.Hello.Env), tea.WithColorProfile(profile), tea.WithFPS(120),
		tea.WithWindowSize(t.Hello.Size.Width, t.Hello.Size.Height), tea.WithoutSignalHandler())
	ended := make(chan struct{})
	defer close(ended)
	go watchTerminal(p, t, ended)
	s.run(p)
	_, err = p.Run()
	switch outcome := s.console.Outcome(); {
	case errors.Is(err, tea.ErrProgramPanic):
		keep = false
		return attach.Exit{Reason: "failed", Code: exitFailed, Text: "the screen failed and was closed; the engine goes on. What happened is in " + h.state + "/engine.err"}
	case ctx.Err() != nil:
		return attach.Exit{Reason: "stopped", Text: "the engine was stopped"}
	case outcome == ui.Quit:
		keep = false
		h.stop()
		return attach.Exit{Reason: "quit"}
	case s.wasSuspended():
		return attach.Exit{Reason: "suspended"}
	default:
		return attach.Exit{Reason: "detached"}
	}
}

// watchTerminal passes window sizes on and ends the program when the terminal is
// gone.
func watchTerminal(p *tea.Program, t *attach.Terminal, ended <-chan struct{}) {
	for {
		select {
		case <-ended:
			return
		case <-t.Gone:
			p.Kill()
			return
		case s := <-t.Sizes:
			p.Send(tea.WindowSizeMsg{Width: s.Width, Height: s.Height})
		}
	}
}

// Call answers a script's question about the board.
func (h *host) Call(ctx context.Context, p attach.Peer, raw json.RawMessage, reply func(any) error) error {
	var q ask
	if err := json.Unmarshal(raw, &q); err != nil {
		return fmt.Errorf("the engine does not understand this question: %w; use the same version of bartizan", err)
	}
	if q.Verb == "stop" {
		h.stop()
		return nil
	}
	return answer(ctx, h.engine.Desk(), actorOf(p, q.Env), q, reply)
}

// actorOf says who a peer is: the kernel's word, and what its environment claims.
func actorOf(p attach.Peer, env []string) triage.Actor {
	a := triage.Actor{Name: strconv.Itoa(p.UID), UID: p.UID, LoginUID: p.LoginUID, Session: p.Session}
	id := p.UID
	if p.LoginUID >= 0 { // who logged in, before any sudo
		id = p.LoginUID
	}
	if u, err := user.LookupId(strconv.Itoa(id)); err == nil {
		a.Name = u.Username
	}
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, "SSH_CONNECTION="); ok && len(v) < 200 {
			a.Claimed = v
		}
	}
	return a
}
