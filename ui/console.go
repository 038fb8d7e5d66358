// Package ui is the console: the only Bubble Tea model of the program. One
// engine runs many of them and there are no globals. A Console outlives its
// tea.Program: when the terminal goes away the program ends, and a new program
// over the same Console finds every screen, filter, mark and half-typed note.
//
// Nothing blocks the key handler: what reads disks, scans the ring or waits for
// the board runs in a task (see task.go) whose result arrives as a message.
// Nothing is lost when a program dies in between: tasks belong to the Console.
// Everything that came from outside goes through event.Escape before it is
// styled or measured.
package ui

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"bartizan/event"
	"bartizan/triage"
	"bartizan/ui/style"
)

// Options say what a console shows and how. Live, Past and Desk are required.
type Options struct {
	Live  Live
	Past  Past
	Desk  Desk
	Actor triage.Actor // whose decisions these are

	Theme    string         // "" is dark, or mono on a terminal without colours
	Zone     *time.Location // of shown times; nil is the local zone
	ReadOnly bool           // decisions are refused with the reason
	Plain    bool           // ASCII glyphs, one pane at a time
	Keys     map[string][]string
	Mask     *event.Masker // hides secrets in what is shown; nil makes one with a random key
	Title    string        // what is watched, in the header
	Open     string        // an alert (its id or a beginning of it) to start at

	GraceAfterPopup time.Duration                        // keys swallowed when something opened by itself; 0 is 400 ms
	Now             func() time.Time                     // nil is time.Now
	After           func(time.Duration) <-chan time.Time // nil is time.After
	OnDetach        func()                               // called once per detach by key or command
	OnQuit          func()                               // called when a person confirmed to stop the engine
	OnSuspend       func()                               // suspends the terminal at the other end; nil: Ctrl-z says it cannot
}

// Outcome says why the latest program of a console ended.
type Outcome int

// The outcomes. Running is also what a killed program leaves behind.
const (
	Running  Outcome = iota
	Detached         // the person left; the engine goes on
	Quit             // the person asked to stop the engine, and confirmed
)

// Console is one person's view of an engine. Its methods belong to the
// goroutine of its tea.Program, except Wrote, Writer and Close.
type Console struct {
	opt     Options
	sheet   *style.Sheet
	theme   string
	profile colorprofile.Profile
	w, h    int
	times   timeMode

	snap    snapshot
	queue   queue
	home    *home
	places  places
	prompt  *prompt
	popup   *popup
	chord   []string
	message message

	table   []entry           // the key table
	entries map[string]*entry // the same by name
	tasks   map[*task]struct{}
	life    context.Context
	end     context.CancelFunc
	pump    *pump
	recall  map[string]string // last text of each prompt
	seen    map[triage.AlertID]uint64
	verdict triage.Verdict // what "." repeats

	outcome  Outcome
	problems []string
	dirty    bool
	frame    tea.View
	grace    time.Time
	shows    *secrets // whose lines are being made, nil where nothing can be revealed
	clear    *secrets // of the page that shows secrets in clear
	touched  bool     // a key was pressed since the console was opened
}

// New builds a console. The engine keeps it while terminals come and go.
func New(o Options) (*Console, error) {
	if o.Live == nil || o.Past == nil || o.Desk == nil {
		return nil, fmt.Errorf("a console needs Live, Past and Desk; give all three in ui.Options")
	}
	o = o.withDefaults()
	c := &Console{
		opt: o, w: 80, h: 24, profile: colorprofile.TrueColor,
		tasks: map[*task]struct{}{}, recall: map[string]string{},
		seen: map[triage.AlertID]uint64{}, dirty: true,
	}
	c.life, c.end = context.WithCancel(context.Background())
	c.pump = newPump(o.Now, o.After)
	if err := c.setTheme(o.Theme); err != nil {
		return nil, err
	}
	c.keyTable()
	c.queue = newQueue(c)
	c.home = newHome(c)
	c.places.open(c.home)
	c.problems = c.conflicts()
	c.refresh()
	if o.Open != "" {
		c.openID(o.Open)
	}
	if len(c.problems) > 0 {
		c.complain("%s (all of them: press ?)", c.problems[0])
	}
	return c, nil
}

func (o Options) withDefaults() Options {
	if o.Zone == nil {
		o.Zone = time.Local
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.After == nil {
		o.After = time.After
	}
	if o.GraceAfterPopup == 0 {
		o.GraceAfterPopup = 400 * time.Millisecond
	}
	if o.Mask == nil {
		key := make([]byte, 32)
		_, _ = rand.Read(key) // never fails (crypto/rand)
		o.Mask = event.NewMasker(key)
	}
	return o
}

// Attach tells the console about the terminal the next program runs on; a
// profile without colours (NO_COLOR) shows the mono theme unless one was chosen.
func (c *Console) Attach(profile colorprofile.Profile, w, h int) {
	c.profile, c.w, c.h, c.dirty = profile, max(w, 1), max(h, 1), true
	if err := c.setTheme(c.theme); err != nil {
		c.complain("%s", err)
	}
}

// Outcome says why the latest program ended.
func (c *Console) Outcome() Outcome { return c.outcome }

// Problems lists conflicts in the key overrides, one sentence each.
func (c *Console) Problems() []string { return c.problems }

// Close ends the console for good: tasks are cancelled, moves already on their
// way to the board are not. It may be called from any goroutine.
func (c *Console) Close() {
	c.end()
	c.pump.stop()
}

// Init starts or restarts the work of the console for a new program: the frame
// pump and every task whose program died before its result arrived.
func (c *Console) Init() tea.Cmd {
	c.outcome, c.dirty = Running, true
	c.conceal() // whoever comes back may be somebody who looks over a shoulder
	c.refresh()
	cmds := []tea.Cmd{c.pump.start(c.opt.Live), c.changed()}
	for t := range c.tasks {
		cmds = append(cmds, t.wait)
	}
	return tea.Batch(cmds...)
}

// Update routes a message: keys to prompt, pop-up and bindings, results to the
// tasks that asked for them.
func (c *Console) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		c.w, c.h, c.dirty = max(msg.Width, 1), max(msg.Height, 1), true
	case tea.ColorProfileMsg:
		c.Attach(msg.Profile, c.w, c.h)
	case tea.KeyPressMsg:
		c.dirty = true
		return c, c.press(msg)
	case tea.PasteMsg:
		c.dirty = true
		return c, c.paste(msg)
	case taskMsg:
		c.dirty = true
		return c, c.finish(msg.task)
	case frameMsg:
		return c, c.onFrame(msg)
	}
	return c, nil
}

func (c *Console) onFrame(msg frameMsg) tea.Cmd {
	if !c.pump.current(msg) {
		return nil
	}
	c.dirty = true
	c.refresh()
	return tea.Batch(c.pump.next(msg), c.changed())
}

// changed tells the open screen that there may be more to show.
func (c *Console) changed() tea.Cmd { return c.places.now().Take(changedMsg{}) }

// changedMsg tells a screen that the snapshot is a new one.
type changedMsg struct{}

// View draws the frame, or hands out the last one when nothing happened since.
func (c *Console) View() tea.View {
	if c.dirty {
		c.frame, c.dirty = c.compose(), false
	}
	return c.frame
}

func (c *Console) compose() tea.View {
	c.concealLeft()
	head := c.header()
	foot, cursor := c.footer()
	body := c.h - len(head) - len(foot)
	lines := head
	if body > 0 {
		lines = append(lines, fixed(c.places.now().Draw(c.w, body), body)...)
	}
	lines = c.overlay(append(lines, foot...), len(foot))
	if extra := len(lines) - c.h; extra > 0 {
		lines = lines[extra:]
	}
	v := tea.NewView(strings.Join(lines, "\n"))
	v.AltScreen = true
	if cursor >= 0 {
		v.Cursor = tea.NewCursor(min(cursor, c.w-1), c.h-1)
		v.Cursor.Blink = false
	}
	return v
}

// fixed returns exactly n lines of s.
func fixed(s string, n int) []string {
	lines := strings.Split(s, "\n")
	for len(lines) < n {
		lines = append(lines, "")
	}
	return lines[:n]
}

func (c *Console) now() time.Time { return c.opt.Now() }

func (c *Console) leave(o Outcome) tea.Cmd {
	c.outcome = o
	c.conceal()
	c.pump.stop()
	if o == Detached && c.opt.OnDetach != nil {
		c.opt.OnDetach()
	}
	if o == Quit && c.opt.OnQuit != nil {
		c.opt.OnQuit()
	}
	return tea.Quit
}
