package ui

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/triage"
)

// state returns where an alert of the world stands.
func (d *driver) state(id string) triage.State {
	a, ok := d.w.Alert(triage.AlertID(id))
	if !ok {
		d.t.Fatalf("no alert %s", id)
	}
	return a.State
}

func TestTwoKeysCloseAnAlertAndGoOn(t *testing.T) {
	d := newDriver(t, story(), nil)
	d.press("a b")
	d.sees("benign", "closed as benign SSH success after failures; u undoes")
	if got := d.state("9f3ce1-1"); got != triage.StateClosed {
		t.Fatalf("state %s", got)
	}
	if a, _ := d.c.queue.current(); a.ID != "77aa01-1" {
		t.Fatalf("the cursor is on %s, want the next alert", a.ID)
	}
	if m := d.w.journal[0]; len(m.On) != 1 || m.On[0].Version != 1 || m.By.Name != "ana" || m.At.IsZero() {
		t.Fatalf("move %+v", m)
	}
	d.press("u")
	d.sees("undid close of 1 alert")
	if got := d.state("9f3ce1-1"); got != triage.StateNew {
		t.Fatalf("after undo: %s", got)
	}
}

func TestUndoGoesBackAsFarAsThereAreDecisions(t *testing.T) {
	d := newDriver(t, story(), nil)
	d.press("t a b z 4 u u u")
	for _, id := range []string{"9f3ce1-1", "77aa01-1", "0b5512-1"} {
		if got := d.state(id); got != triage.StateNew {
			t.Errorf("%s is %s", id, got)
		}
	}
	d.press("u")
	d.sees("not undone: none of the last 1000 decisions is yours and still stands")
}

func TestSavingUntilTheBoardAnswers(t *testing.T) {
	w := story()
	d := newDriver(t, w, nil)
	w.hold = make(chan struct{})
	d.handle(keyMsg("t"))
	d.sees("saving take")
	d.misses("taken ana")
	d.handle(keyMsg("a"))
	d.handle(keyMsg("b"))
	d.sees("the last decision about it is still being saved")
	w.hold <- struct{}{}
	d.settle()
	d.misses("saving")
	d.sees("taken ana")
}

func TestRefusedMoveSaysWhy(t *testing.T) {
	w := story()
	d := newDriver(t, w, nil)
	w.refuse = errors.New("the journal cannot be written: no space left on /var/lib/bartizan; free some")
	d.press("a t")
	d.sees("not saved: the journal cannot be written: no space left", "new  ")
	if len(w.journal) != 0 {
		t.Fatal("something was written")
	}
}

func TestStaleVersionIsRefused(t *testing.T) {
	w := story()
	d := newDriver(t, w, nil)
	w.set("9f3ce1-1", func(a *triage.Alert) { a.State, a.Owner = triage.StateTaken, "bo" }) // not drawn yet
	w.gen++
	d.press("a f")
	d.sees("not saved: somebody else changed the alert meanwhile")
	d.change()
	d.sees("taken bo")
}

func TestAnotherConsolesMovesAppear(t *testing.T) {
	w := story()
	d, other := newDriver(t, w, nil), newDriver(t, w, func(o *Options) { o.Actor = triage.Actor{Name: "bo", UID: 1001} })
	other.press("t")
	d.change()
	d.sees("taken bo")
}

func TestNothingMovesUnderTheCursor(t *testing.T) {
	w := story()
	d := newDriver(t, w, nil)
	d.press("j")
	before, _ := d.c.queue.current()
	w.add(auth, "worse", event.LevelAlert, "user.name=eve")
	w.raise("c0ffee", "Something worse", detect.High, 99, "user.name", "eve", event.Entity{Kind: event.EntityUser, Value: "eve"})
	d.change()
	after, _ := d.c.queue.current()
	if before.ID != after.ID {
		t.Fatalf("the cursor moved from %s to %s", before.ID, after.ID)
	}
	d.misses("Something worse")
	d.sees("+1 new (gn)", "1 new (gn)")
	d.press("g n")
	d.sees("took in 1 new alert", "Something worse")
	if a, _ := d.c.queue.current(); a.ID != before.ID {
		t.Fatalf("gn moved the cursor to %s", a.ID)
	}
}

func TestGraceAfterRowsMovedByThemselves(t *testing.T) {
	w := story()
	d := newDriver(t, w, nil) // no key yet: the queue is live
	w.add(auth, "worse", event.LevelAlert, "user.name=eve")
	w.raise("c0ffee", "Something worse", detect.High, 99, "user.name", "eve", event.Entity{Kind: event.EntityUser, Value: "eve"})
	d.change()
	d.press("a b")
	d.sees("the list changed just now")
	if len(w.journal) != 0 {
		t.Fatal("the key decided about an alert nobody had seen")
	}
	d.time.After(d.c.opt.GraceAfterPopup)
	d.press("a b")
	d.sees("closed as benign Something worse")
}

func TestPopupSwallowsKeysForAWhile(t *testing.T) {
	w := story()
	d := newDriver(t, w, nil)
	d.press("j")
	w.add(auth, "root shell", event.LevelAlert, "user.name=eve")
	w.raise("dead01", "Root shell from outside", detect.Critical, 100, "user.name", "eve", event.Entity{Kind: event.EntityUser, Value: "eve"})
	d.change()
	d.sees("Root shell from outside user eve", "Enter opens, Esc closes")
	d.press("enter")
	d.sees("Enter opens, Esc closes")
	d.time.After(d.c.opt.GraceAfterPopup)
	d.press("enter")
	d.sees("alerts › Root shell from outside")
}

func TestRepeatIsCareful(t *testing.T) {
	d := newDriver(t, story(), nil)
	d.press(".")
	d.sees("there is no verdict to repeat yet")
	d.press("j a b") // closes the medium one, goes on to the low one
	d.press(".")
	d.sees("never repeated on an alert that was not looked at")
	d.press("enter q .")
	if got := d.state("0b5512-1"); got != triage.StateClosed {
		t.Fatalf("state %s", got)
	}
	d.press("g g .")
	d.sees("never repeated on a high or critical alert")
}

func TestMarksAndBackground(t *testing.T) {
	d := newDriver(t, story(), nil)
	d.press("space space a d")
	if len(d.w.journal) != 1 || len(d.w.journal[0].On) != 2 {
		t.Fatalf("journal %+v", d.w.journal)
	}
	d.sees("closed as duplicate 2 alerts")
	d.press("G enter")
	d.sees("Scanner")
	d.press("g g v j j v")
	d.sees("marked")
	d.press("esc")
	d.misses("marked")
	d.press("C")
	d.sees("duplicate", "closed and snoozed shown")
}

func TestReadOnly(t *testing.T) {
	d := newDriver(t, story(), func(o *Options) { o.ReadOnly = true })
	d.press("a b")
	d.sees("read-only, so close-benign does nothing")
	d.press("u")
	d.sees("read-only, so undo does nothing")
	if len(d.w.journal) != 0 {
		t.Fatal("a read-only console decided")
	}
}

func TestPivotAndBackRestoresThePosition(t *testing.T) {
	w := story()
	d := newDriver(t, w, nil)
	d.press("2 k k k k k k k k l l")
	before := d.screen()
	d.press("enter")
	d.sees("hit by", "fields")
	d.press("p u")
	d.sees("record in memory")
	d.press("[ [")
	if got := d.screen(); got != before {
		t.Fatalf("before\n%s\nafter\n%s", before, got)
	}
	d.press("] ]")
	d.sees("record in memory")
	d.press("esc esc")
	if got := d.screen(); got != before {
		t.Fatalf("Esc did not come back:\n%s", got)
	}
}

func TestEnterOnAFieldPivotsAndBangExcludes(t *testing.T) {
	d := newDriver(t, story(), nil)
	d.press("2 enter G enter") // the last field of the newest record is an address
	d.sees("› ip 10.0.0.7")
	d.press("[ !")
	d.sees("no longer shows source.ip 10.0.0.7")
	d.press("[")
	d.sees("filter not source.ip:")
	d.misses("GET /health")
	d.press("esc")
	d.sees("GET /health")
}

func TestPauseCountsAndFollowResumes(t *testing.T) {
	w := story()
	d := newDriver(t, w, nil)
	d.press("2 k")
	before := strings.Split(d.screen(), "\n")[2:20]
	for range 1234 {
		w.add(envoy, "GET /more", event.LevelInfo)
	}
	d.change()
	d.sees("paused", "▼ 1,234 new (G)")
	after := strings.Split(d.screen(), "\n")[2:20]
	if strings.Join(before, "\n") != strings.Join(after, "\n") {
		t.Fatal("rows moved while paused")
	}
	d.press("G")
	d.sees("following", "GET /more")
	d.misses("new (G)")
}

func TestSearch(t *testing.T) {
	d := newDriver(t, story(), nil)
	d.press("2 /")
	d.typed("shop/3")
	d.press("enter")
	line := func() string { e := d.c.home.stream.event(); return string(e.Raw) }
	if !strings.Contains(line(), "/shop/39 ") {
		t.Fatalf("search from the end found %q", line())
	}
	d.press("N")
	if !strings.Contains(line(), "/shop/38 ") {
		t.Fatalf("N found %q", line())
	}
	d.press("n n")
	d.sees("no later match")
	d.press("/")
	d.typed("/shop.[12] /")
	d.press("enter")
	d.press("N")
	if !strings.Contains(line(), "/shop/2 ") {
		t.Fatalf("a regular expression found %q", line())
	}
	d.press("esc")
	d.misses("· search")
}

func TestNextHit(t *testing.T) {
	d := newDriver(t, story(), nil)
	d.press("2 E")
	if e := d.c.home.stream.event(); !strings.Contains(string(e.Raw), "oracle") {
		t.Fatalf("E found %q", e.Raw)
	}
	d.press("E E")
	if e := d.c.home.stream.event(); !strings.Contains(string(e.Raw), "Accepted") {
		t.Fatalf("E found %q", e.Raw)
	}
	d.press("E")
	d.sees("no earlier hit")
	d.press("e p r")
	d.sees("rule Shadow file read with sudo")
}

func TestFilterBar(t *testing.T) {
	w := story()
	d := newDriver(t, w, nil)
	d.press("2 f")
	d.typed("user.name: (root")
	if !d.c.prompt.bad {
		t.Fatalf("no complaint: %s", d.screen())
	}
	d.typed(")")
	d.sees("11 of 60 in memory match; Enter shows them")
	d.press("enter")
	d.sees("filter user.name: (root)", "11 of 60")
	w.add(auth, "sshd: root again", event.LevelInfo, "user.name=root")
	w.add(auth, "sshd: somebody else", event.LevelInfo, "user.name=eve")
	d.change()
	d.sees("12 of 62", "root again")
	d.misses("somebody else")
	d.press("esc")
	d.sees("somebody else")
	d.misses("· filter")
}

func TestRingOverwritesWhatIsShown(t *testing.T) {
	w := story()
	d := newDriver(t, w, nil)
	d.press("2 f")
	d.typed("root")
	d.press("enter g g")
	w.mu.Lock()
	w.first = 40
	w.mu.Unlock()
	d.change()
	d.sees("of 21")
	d.press("esc g g")
	if e := d.c.home.stream.event(); e.Seq != 40 {
		t.Fatalf("the top is record %d", e.Seq)
	}
	w.mu.Lock()
	w.first = 50
	w.mu.Unlock()
	d.press("k") // drawn before the next frame: the row says so
	d.change()
	if e := d.c.home.stream.event(); e.Seq != 50 {
		t.Fatalf("the top is record %d", e.Seq)
	}
}

func TestChords(t *testing.T) {
	d := newDriver(t, story(), nil)
	d.press("a")
	d.sees("a then t true positive  b benign")
	d.press("esc")
	d.misses("a then")
	d.press("a q")
	d.sees("a q means nothing here")
	d.press("z")
	d.sees("z then 1 1 hour")
	d.press("d")
	if got := d.state("9f3ce1-1"); got != triage.StateSnoozed {
		t.Fatalf("state %s", got)
	}
	if a, _ := d.w.Alert("9f3ce1-1"); a.Until.Sub(clock).Hours() < 23.9 {
		t.Fatalf("until %s", a.Until)
	}
}

func TestKeysOfLaterWorkSayWhy(t *testing.T) {
	d := newDriver(t, story(), nil)
	for keys, want := range map[string]string{"4": "no cases screen", "5": "no timeline screen", "8": "no mutes screen", "m": "no mutes", "c": "no cases", "H": "no histogram", "ctrl+z": "cannot be suspended"} {
		d.press(keys)
		d.sees(want)
	}
}

func TestNoteSurvivesALostTerminal(t *testing.T) {
	d := newDriver(t, story(), nil)
	d.press("j ;")
	d.typed("seen before on tues")
	before := d.screen()
	d.c.pump.stop()
	d.attach(80, 24)
	if got := d.screen(); got != before {
		t.Fatalf("before\n%s\nafter\n%s", before, got)
	}
	d.typed("day")
	d.press("enter")
	if n := d.w.journal[0]; n.Note != "seen before on tuesday" || n.On[0].ID != "77aa01-1" {
		t.Fatalf("entry %+v", n)
	}
}

func TestMoveUnderWayWhenTheTerminalDies(t *testing.T) {
	w := story()
	d := newDriver(t, w, nil)
	w.hold = make(chan struct{})
	d.handle(keyMsg("t")) // its command runs, then the program is gone
	d.msgs = make(chan tea.Msg, 64)
	d.run(d.c.Init())
	d.sees("saving take")
	close(w.hold)
	d.settle()
	d.sees("taken ana")
	if len(w.journal) != 1 {
		t.Fatalf("%d moves", len(w.journal))
	}
}

func TestDetachAndQuit(t *testing.T) {
	var detached, stopped int
	d := newDriver(t, story(), func(o *Options) {
		o.OnDetach = func() { detached++ }
		o.OnQuit = func() { stopped++ }
	})
	d.press("6 q")
	if d.quit || d.c.Outcome() != Running {
		t.Fatal("q on a later screen left the console")
	}
	d.handle(keyMsg("q"))
	d.await("the end", func() bool { return d.quit })
	if !d.quit || d.c.Outcome() != Detached || detached != 1 {
		t.Fatalf("quit %v, outcome %v", d.quit, d.c.Outcome())
	}
	d.attach(80, 24)
	if d.c.Outcome() != Running {
		t.Fatal("still detached after a new program")
	}
	d.press(":")
	d.typed("quit")
	d.press("enter")
	d.sees("stop the engine for everybody? yes/no:")
	d.typed("n")
	d.press("enter")
	d.sees("not stopped")
	d.press(":")
	d.typed("quit")
	d.press("enter")
	d.typed("yes")
	d.handle(keyMsg("enter"))
	d.await("the end", func() bool { return d.quit })
	if d.c.Outcome() != Quit || stopped != 1 {
		t.Fatalf("outcome %v", d.c.Outcome())
	}
}

func TestCopy(t *testing.T) {
	d := newDriver(t, story(), nil)
	copyKey := func(keys string) string {
		d.clip = ""
		d.press(keys)
		d.await("the clipboard", func() bool { return d.clip != "" })
		return d.clip
	}
	if got := copyKey("y r"); !strings.HasPrefix(got, "Nov 21 02:11:02 bastion sshd[4190]: Accepted") {
		t.Errorf("raw: %q", got)
	}
	if got := copyKey("y m"); !strings.Contains(got, "**SSH success after failures** (high, new)") {
		t.Errorf("Markdown: %q", got)
	}
	if got := copyKey("2 y j"); !strings.Contains(got, `"source.ip":"10.0.0.7"`) {
		t.Errorf("JSON: %q", got)
	}
	d.w.add(auth, strings.Repeat("x", maxCopy+1), event.LevelInfo)
	d.change()
	d.press("y r")
	d.sees("too much for a terminal's clipboard")
}

func TestPalette(t *testing.T) {
	d := newDriver(t, story(), nil)
	d.press(":")
	d.typed("theme hi")
	d.press("tab enter")
	d.sees("theme high-contrast")
	d.press(":")
	d.typed("filter user.name: deploy")
	d.press("enter")
	d.sees("filter user.name: deploy", "1 of 60")
	d.press(":")
	d.typed("push-filter")
	d.press("enter")
	if d.w.pushed != "user.name: deploy" {
		t.Fatalf("pushed %q", d.w.pushed)
	}
	d.press(":")
	d.typed("goto 02:10:20")
	d.press("enter")
	d.press(":")
	d.typed("open 77aa")
	d.press("enter")
	d.sees("alerts › Shadow file read with sudo")
	d.press(":")
	d.typed("nonsense")
	d.press("enter")
	d.sees("there is no command nonsense")
}

func TestGotoTime(t *testing.T) {
	d := newDriver(t, story(), nil)
	d.press("2 g t")
	d.typed("02:10:20")
	d.press("enter")
	if e := d.c.home.stream.event(); e.Time.Format("15:04:05") != "02:10:20" {
		t.Fatalf("went to %s", e.Time)
	}
	d.press("g t")
	d.typed("soon")
	d.press("enter")
	d.sees(`"soon" is no time`)
}

func TestEntityWindow(t *testing.T) {
	d := newDriver(t, story(), nil)
	d.press("p i")
	d.sees("11 records in memory")
	for range 6 {
		d.press("-")
	}
	d.sees("1 minute around")
	d.press("+ +")
	d.sees("15 minutes around")
	d.press("esc")
	d.misses("around")
}

func TestDetailFollowsTheBoard(t *testing.T) {
	w := story()
	d := newDriver(t, w, nil)
	d.attach(80, 40)
	d.press("enter")
	d.sees("nobody has decided anything yet")
	d.press("t")
	d.sees("taken ana")
	d.press("G")
	d.sees("ana              take")
	d.press("o")
	d.sees("ask the owner of the account")
}

func TestPasteOnlyIntoPrompts(t *testing.T) {
	d := newDriver(t, story(), nil)
	d.handle(tea.PasteMsg{Content: "a b"})
	d.sees("pasted text is not taken as keys")
	d.press(";")
	d.handle(tea.PasteMsg{Content: "from \x1b]52;c;eA==\x07\u202ethe wiki"})
	d.press("enter")
	if len(d.w.journal) != 1 || !strings.Contains(d.w.journal[0].Note, "the wiki") {
		t.Fatalf("journal %+v", d.w.journal)
	}
}

func TestSecretsAreMasked(t *testing.T) {
	w := story()
	d := newDriver(t, w, nil)
	w.add(auth, "app: login with password=hunter2secret for bob", event.LevelInfo, "password=hunter2secret")
	d.change()
	d.misses("hunter2secret")
	d.sees("masked:")
	d.press("2 enter")
	d.misses("hunter2secret")
}

func TestMatchingBytesAreMarked(t *testing.T) {
	d := newDriver(t, story(), nil)
	want := d.c.sheet.Match.Text("203.0.113.9")
	d.attach(120, 40)
	if !strings.Contains(d.c.View().Content, want) {
		t.Fatalf("the matching bytes are not marked in\n%q", d.c.View().Content)
	}
}

func TestEntityLooksBackIntoFiles(t *testing.T) {
	w := story()
	for _, age := range []time.Duration{2 * time.Hour, 3 * 24 * time.Hour, 90 * 24 * time.Hour} {
		e := &event.Event{
			Time: start.Add(-age), Ref: event.Ref{Source: auth}, Raw: []byte(fmt.Sprintf("root from 203.0.113.9, %s ago", age)), Native: 1,
			Fields: []event.Field{{Name: "source.ip", Value: event.Value{Str: "203.0.113.9", Pos: 10, End: 21}}},
		}
		w.files = append(w.files, e)
	}
	d := newDriver(t, w, nil)
	d.attach(120, 40)
	d.press("p i")
	d.sees("11 records in memory; + looks further back")
	d.press("+")
	d.sees("12 records; 1 day further back searched", "2h0m0s ago")
	d.misses("72h0m0s ago")
	d.press("+ +")
	d.sees("14 records; all files searched", "2160h0m0s ago")
	d.press("+")
	d.sees("this is all there is")
	d.press("g g enter")
	d.sees("203.0.113.9, 2160h0m0s ago", "source.ip")
	d.press("[ /")
	d.typed("72h")
	d.press("enter")
	if e := d.c.stream().event(); !strings.Contains(string(e.Raw), "72h") {
		t.Fatalf("the search found %q", e.Raw)
	}
	d.press("esc f") // the search is undone, then a filter begins everything anew
	d.typed("sshd")
	d.press("enter")
	d.sees("11 records in memory; + looks further back")
	w.filesErr = errors.New("auth.log.3.gz is damaged at byte 77; the rest was searched")
	d.press("q p i +")
	d.sees("the search in the files stopped: auth.log.3.gz is damaged")
}
