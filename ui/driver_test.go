package ui

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"bartizan/triage"
)

// driver is a person at a console: it presses keys, waits until nothing is under
// way and looks at the screen. It runs commands as a program would.
type driver struct {
	t    testing.TB
	c    *Console
	w    *world
	msgs chan tea.Msg
	time fakeTime
	quit bool
	clip string
}

func newDriver(t testing.TB, w *world, change func(*Options)) *driver {
	t.Helper()
	d := &driver{t: t, w: w, time: fakeTime{now: clock}}
	o := Options{
		Live: w, Past: w, Desk: w, Actor: triage.Actor{Name: "ana", UID: 1000}, Zone: time.UTC, Title: "bastion",
		Now: d.time.Now, After: d.time.After,
	}
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	d.c = c
	d.attach(80, 24)
	return d
}

// attach begins a new program over the same console, as after a lost connection.
func (d *driver) attach(w, h int) {
	d.t.Helper()
	d.msgs, d.quit = make(chan tea.Msg, 64), false
	d.c.Attach(colorprofile.TrueColor, w, h)
	d.run(d.c.Init())
	d.settle()
}

// fakeTime stands still but for those who wait: they move it on.
type fakeTime struct {
	mu  sync.Mutex
	now time.Time
}

func (f *fakeTime) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *fakeTime) After(d time.Duration) <-chan time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
	ch := make(chan time.Time, 1)
	ch <- f.now
	return ch
}

func (d *driver) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	msgs := d.msgs
	go func() { msgs <- cmd() }()
}

func (d *driver) handle(msg tea.Msg) {
	switch msg := msg.(type) {
	case nil:
	case tea.BatchMsg:
		for _, cmd := range msg {
			d.run(cmd)
		}
	case tea.QuitMsg:
		d.quit = true
	default:
		if v := reflect.ValueOf(msg); v.Kind() == reflect.String && strings.Contains(fmt.Sprintf("%T", msg), "Clipboard") {
			d.clip = v.String()
			return
		}
		_, cmd := d.c.Update(msg)
		d.c.View() // as a program does after every message
		d.run(cmd)
	}
}

// settle handles messages until no task is under way.
func (d *driver) settle() {
	d.t.Helper()
	for !d.c.Idle() {
		d.one()
	}
}

func (d *driver) one() tea.Msg {
	d.t.Helper()
	select {
	case msg := <-d.msgs:
		d.handle(msg)
		return msg
	case <-time.After(10 * time.Second):
		d.t.Fatalf("nothing happened for 10 s; the screen is\n%s", d.screen())
		return nil
	}
}

// change tells the console that the world changed, and waits for the frame.
func (d *driver) change() {
	d.t.Helper()
	d.w.poke()
	for {
		if _, ok := d.one().(frameMsg); ok {
			break
		}
	}
	d.settle()
}

// press types keys separated by spaces; text in quotes is typed as it stands.
func (d *driver) press(keys string) {
	d.t.Helper()
	for _, k := range strings.Fields(keys) {
		d.handle(keyMsg(k))
		d.settle()
	}
	// A key's own command (clipboard, quit) comes back at once.
	for len(d.msgs) > 0 {
		d.handle(<-d.msgs)
	}
}

func (d *driver) typed(text string) {
	d.t.Helper()
	for _, r := range text {
		d.handle(tea.KeyPressMsg{Code: r, Text: string(r)})
		d.settle()
	}
}

// await handles messages until ok.
func (d *driver) await(what string, ok func() bool) {
	d.t.Helper()
	for !ok() {
		d.t.Logf("waiting for %s", what)
		d.one()
	}
}

func keyMsg(k string) tea.KeyPressMsg {
	codes := map[string]rune{
		"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "space": tea.KeySpace, "up": tea.KeyUp, "down": tea.KeyDown,
		"pgdown": tea.KeyPgDown, "pgup": tea.KeyPgUp, "home": tea.KeyHome, "end": tea.KeyEnd, "f1": tea.KeyF1, "backspace": tea.KeyBackspace, "left": tea.KeyLeft, "right": tea.KeyRight,
	}
	if c, ok := codes[k]; ok {
		return tea.KeyPressMsg{Code: c}
	}
	if rest, ok := strings.CutPrefix(k, "ctrl+"); ok {
		return tea.KeyPressMsg{Code: rune(rest[0]), Mod: tea.ModCtrl}
	}
	if rest, ok := strings.CutPrefix(k, "shift+"); ok {
		return tea.KeyPressMsg{Code: codes[rest], Mod: tea.ModShift}
	}
	r := []rune(k)[0]
	return tea.KeyPressMsg{Code: r, Text: string(r)}
}

// screen is what a person sees, without styles and trailing blanks.
func (d *driver) screen() string {
	lines := strings.Split(ansi.Strip(d.c.View().Content), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

func (d *driver) sees(want ...string) {
	d.t.Helper()
	s := d.screen()
	for _, w := range want {
		if !strings.Contains(s, w) {
			d.t.Fatalf("the screen does not show %q:\n%s", w, s)
		}
	}
}

func (d *driver) misses(not ...string) {
	d.t.Helper()
	s := d.screen()
	for _, w := range not {
		if strings.Contains(s, w) {
			d.t.Fatalf("the screen shows %q:\n%s", w, s)
		}
	}
}
