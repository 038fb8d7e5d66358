package engine

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"bartizan/event"
	"bartizan/sources"
	"bartizan/sources/parse"
	"bartizan/store"
)

// TestAdvance lets a window that waits for its end stand, and time pass.
func TestAdvance(t *testing.T) {
	for name, c := range map[string]struct {
		after   time.Duration
		one     event.SourceState   // of the source with the record
		silent  []event.SourceState // of others, which never said anything
		removed bool                // its rules were, meanwhile
		want    int
	}{
		"a quiet source":                       {5 * time.Minute, event.SourceLive, nil, false, 1},
		"not over yet":                         {time.Minute, event.SourceLive, nil, false, 0},
		"another that never said anything":     {time.Hour, event.SourceDone, []event.SourceState{event.SourceLive}, false, 1},
		"another whose past is still read":     {time.Hour, event.SourceDone, []event.SourceState{event.SourceCatchingUp}, false, 0},
		"its rules were removed by a reload":   {5 * time.Minute, event.SourceLive, nil, true, 0},
		"another that is not there to be read": {time.Hour, event.SourceDone, []event.SourceState{event.SourceGone}, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := store.Open(filepath.Join(t.TempDir(), "state"), time.Now)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			board, _, err := db.Load()
			if err != nil {
				t.Fatal(err)
			}
			now := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
			e := &Engine{o: Options{
				Registry: parse.NewRegistry(parse.Options{Zone: time.UTC}), Desk: store.NewDesk(db, board, time.Now),
				Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
			}}
			e.feeds.init()
			for i, s := range append([]event.SourceState{c.one}, c.silent...) {
				fd, _ := e.feeds.add(e.newStream(sources.Info{ID: event.SourceID(rune('a' + i)), Live: true}))
				fd.status.State = s
				if format := "syslog"; i == 0 {
					fd.stream.format.Store(&format)
					fd.stream.seen.Store(now.UnixNano())
				}
			}
			d := newRuleDir(t)
			d.write("a.yml", absent)
			f, _ := d.load() // fails only when told to
			s := e.newRuleSet(f)
			e.rules.Store(s)
			q := newSequencer(e)
			host := event.Field{Name: "host.name", Sym: event.Intern("host.name"), Value: event.Value{Str: "web-1", Pos: -1, End: -1}}
			w := &work{rules: s.set, events: []event.Event{{
				Ref: event.Ref{Source: "a"}, Time: now, Seen: now, FormatName: "syslog", Raw: []byte("alpha"), Message: "alpha", Fields: []event.Field{host}, Native: 1,
			}}, past: false}
			q.hit(w, &found{rule: s.set.Rule("one")}, &w.events[0])
			if q.counter.States() != 1 {
				t.Fatal("no window was begun")
			}
			if c.removed {
				none := e.newRuleSet(RuleFiles{})
				none.nth = 1
				e.rules.Store(none)
			}
			now = now.Add(c.after)
			q.advance()
			alerts, _ := e.o.Desk.Alerts()
			n := 0
			for _, a := range alerts {
				if a.RuleID == "lonely" {
					n++
				}
			}
			if n != c.want {
				t.Errorf("%d hits, not %d", n, c.want)
			}
		})
	}
}
