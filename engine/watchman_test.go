package engine

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"bartizan/event"
	"bartizan/sources"
	"bartizan/sources/parse"
)

// TestClockwork feeds times, in seconds, and expects what is odd about them.
func TestClockwork(t *testing.T) {
	base := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	var usually []int // a record every minute for ten hours
	for i := range 600 {
		usually = append(usually, i*60)
	}
	end := 599 * 60
	for name, c := range map[string]struct {
		late  time.Duration
		times []int
		want  string
	}{
		"nothing odd":             {times: []int{end + 60, end + 120}},
		"shorter than an hour":    {times: []int{end + 3500}},
		"a gap":                   {times: []int{end + 7200, end + 7260}, want: "gap 7200"},
		"one late record":         {times: []int{end - 3600, end + 60}},
		"four late records":       {times: []int{10, 20, 30, 40, end + 60}},
		"five late records":       {times: []int{10, 20, 30, 40, 50, 60, 70}, want: fmt.Sprintf("back %d", end-50)},
		"a little back":           {times: []int{end - 170, end - 169, end - 168, end - 167, end - 166, end - 165}},
		"as late as it may be":    {late: 10 * time.Minute, times: []int{end - 1100, end - 1099, end - 1098, end - 1097, end - 1096, end - 1095}},
		"from all over the past":  {times: []int{9000, 8000, 7000, 6000, 5000, 4000, 3000, 2000}},
		"back, then ever further": {times: []int{10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 80, 140}, want: fmt.Sprintf("back %d", end-14)},
	} {
		t.Run(name, func(t *testing.T) {
			k := &clockwork{usual: &usual{}}
			var got []string
			for i, s := range append(append([]int(nil), usually...), c.times...) {
				o, odd := k.see(base.Add(time.Duration(s)*time.Second), event.Ref{Offset: int64(i)}, c.late)
				switch {
				case odd && o.back:
					got = append(got, fmt.Sprintf("back %.0f", o.from.Sub(o.to).Seconds()))
				case odd:
					got = append(got, fmt.Sprintf("gap %.0f", o.to.Sub(o.from).Seconds()))
				}
			}
			if strings.Join(got, ", ") != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// TestUsual learns from regular pauses, and a quiet night among them.
func TestUsual(t *testing.T) {
	base := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	learn := func(days int, every, night time.Duration) *usual {
		u := &usual{}
		at := base
		for at.Before(base.Add(time.Duration(days) * 24 * time.Hour)) {
			next := at.Add(every)
			if at.Hour() >= 22 && night > 0 {
				next = at.Add(night)
			}
			u.learn(at, next)
			at = next
		}
		return u
	}
	for name, c := range map[string]struct {
		u        *usual
		min, max time.Duration // 0, 0: not known
	}{
		"too short":        {u: learn(0, time.Second, 0)},
		"few pauses":       {u: learn(3, 4*time.Hour, 0)},
		"every second":     {u: learn(1, time.Second, 0), min: usualFloor, max: usualFloor},
		"every 20 minutes": {u: learn(2, 20*time.Minute, 0), min: time.Hour, max: 2 * time.Hour},
		"quiet nights":     {u: learn(4, time.Minute, 7*time.Hour), min: 21 * time.Hour, max: usualCap},
	} {
		d, ok := c.u.longest()
		if ok != (c.max > 0) || d < c.min || d > c.max {
			t.Errorf("%s: %v, %v", name, d, ok)
		}
	}
	odd := learn(2, time.Minute, 0) // one long pause, such as an intruder makes, is not usual at once
	odd.learn(base.Add(48*time.Hour), base.Add(48*time.Hour+20*time.Minute))
	if d, _ := odd.longest(); d > usualFloor {
		t.Errorf("after one pause of 20 minutes %v is usual", d)
	}
}

// watch is a watchman over sources that are only claimed.
type watch struct {
	*watchman
	now  time.Time
	list []event.SourceStatus
}

func newWatch(t *testing.T, infos ...sources.Info) *watch {
	t.Helper()
	e := &Engine{o: Options{Registry: parse.NewRegistry(parse.Options{Zone: time.UTC})}}
	e.feeds.init()
	w := &watch{watchman: newWatchman(e), now: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)}
	for _, info := range infos {
		info.Live = true
		fd, _ := e.feeds.add(e.newStream(info))
		for i := range 600 { // usually a record every minute
			at := w.now.Add(time.Duration(i-600) * time.Minute)
			fd.stream.clock.usual.learn(at, at.Add(time.Minute))
		}
		w.list = append(w.list, event.SourceStatus{ID: info.ID, Name: info.Name, State: event.SourceLive, LastSeen: w.now})
	}
	return w
}

// pass lets time pass, second by second; those spoken of have new records all the
// time. It returns what was said, as "source rule".
func (w *watch) pass(d time.Duration, speak ...int) (said []string) {
	for ; d > 0; d -= time.Second {
		w.now = w.now.Add(time.Second)
		for _, i := range speak {
			w.list[i].LastSeen = w.now
		}
		said = append(said, w.once()...)
	}
	return said
}

func (w *watch) once() (said []string) {
	list := append([]event.SourceStatus(nil), w.list...)
	for i := range list {
		list[i] = w.e.feeds.stream(list[i].ID).fill(list[i])
		list[i].LastSeen = w.list[i].LastSeen
	}
	for _, n := range w.look(w.now, list) {
		id := "row"
		if n.rule != nil {
			id = strings.TrimPrefix(n.rule.ID, "self:")
		}
		said = append(said, string(n.info.ID)+" "+id)
	}
	return said
}

func TestWatchman(t *testing.T) {
	a, b := sources.Info{ID: "a", Name: "a", Kind: "file", Path: "/a"}, sources.Info{ID: "b", Name: "b", Kind: "file", Path: "/b"}
	audit := sources.Info{ID: "audit", Name: "audit", Kind: "file", Path: "/var/log/audit/audit.log"}
	other := sources.Info{ID: "other", Name: "other", Kind: "agent", Host: "web-1"}
	otherAudit := sources.Info{ID: "web-1/audit", Name: "web-1/audit", Kind: "agent", Host: "web-1", Path: "/var/log/audit/audit.log"}
	state := func(i int, s event.SourceState, f event.Flags, reason string) func(*watch) []string {
		return func(w *watch) []string {
			w.list[i].State, w.list[i].Flags, w.list[i].Reason = s, f, reason
			return w.pass(5*time.Minute, 0)
		}
	}
	for name, c := range map[string]struct {
		infos []sources.Info
		do    func(*watch) []string
		want  string
	}{
		"usual pauses":        {[]sources.Info{a, b}, func(w *watch) []string { return w.pass(9*time.Minute, 0) }, ""},
		"silent":              {[]sources.Info{a, b}, func(w *watch) []string { return w.pass(2*time.Hour, 0) }, "b source-silent"},
		"the host is silent":  {[]sources.Info{a, b}, func(w *watch) []string { return w.pass(2 * time.Hour) }, "a row, b row"},
		"another host speaks": {[]sources.Info{a, other}, func(w *watch) []string { return w.pass(2*time.Hour, 0) }, "other row"},
		"auditd, only source": {[]sources.Info{audit}, func(w *watch) []string { return w.pass(2 * time.Hour) }, "audit log-stopped"},
		"auditd far away":     {[]sources.Info{a, otherAudit, other}, func(w *watch) []string { return w.pass(2*time.Hour, 0, 2) }, "web-1/audit log-stopped"},
		"auditd, host away":   {[]sources.Info{a, otherAudit}, func(w *watch) []string { return w.pass(2*time.Hour, 0) }, "web-1/audit row"},
		"slept": {[]sources.Info{a, b}, func(w *watch) []string {
			w.now = w.now.Add(8 * time.Hour)
			return w.pass(5 * time.Minute)
		}, ""},
		"silent, speaks, silent": {[]sources.Info{a, b}, func(w *watch) []string {
			said := w.pass(time.Hour, 0)
			said = append(said, w.pass(time.Minute, 0, 1)...)
			if s := w.e.feeds.stream("b").fill(w.list[1]); s.State != event.SourceLive {
				said = append(said, s.State.String())
			}
			return append(said, w.pass(time.Hour, 0)...)
		}, "b source-silent, b source-silent"},
		"vanished":           {[]sources.Info{a, b}, state(1, event.SourceGone, event.FlagVanished, "gone"), "b log-removed"},
		"gone":               {[]sources.Info{a, b}, state(1, event.SourceGone, 0, "gone"), "b row"},
		"unreadable":         {[]sources.Info{a, b}, state(1, event.SourceDenied, 0, "denied"), "b log-unreadable"},
		"the journal ends":   {[]sources.Info{a, {ID: "journald", Name: "journald", Kind: "journald"}}, state(1, event.SourceRetrying, 0, "exit status 1"), "journald row, journald log-stopped"},
		"a program ends":     {[]sources.Info{a, {ID: "command", Name: "command", Kind: "command"}}, state(1, event.SourceRetrying, 0, "exit status 1"), "command row"},
		"inotify overflowed": {[]sources.Info{a, b}, state(1, event.SourceLive, 0, "the kernel's queue of changes ran over"), "b row"},
		"fails and recovers all the time": {[]sources.Info{a, b}, func(w *watch) (said []string) {
			for i := range 600 {
				w.list[1].State, w.list[1].Reason = event.SourceRetrying, "connection refused"
				if i%2 == 0 {
					w.list[1].State, w.list[1].Reason = event.SourceLive, ""
				}
				said = append(said, w.pass(time.Second, 0, 1)...)
			}
			return said
		}, "b row"},
		"never readable": {[]sources.Info{a, b}, func(w *watch) []string {
			w.known = map[event.SourceID]*watched{}
			return state(1, event.SourceDenied, 0, "denied")(w)
		}, "b row"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWatch(t, c.infos...)
			if name != "never readable" {
				if said := w.once(); len(said) > 0 {
					t.Fatalf("at first it says %q", said)
				}
			}
			if got := strings.Join(c.do(w), ", "); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
