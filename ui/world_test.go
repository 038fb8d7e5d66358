package ui

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/query"
	"bartizan/triage"
)

// world is a small engine in memory: a ring, a board and a journal, with the
// promises of Live, Past and Desk and nothing behind them.
type world struct {
	mu       sync.Mutex
	events   []*event.Event // events[i].Seq == i+1
	first    uint64
	hits     map[uint64][]HitMark
	status   Status
	sources  []event.SourceStatus
	alerts   []*triage.Alert
	gen      uint64
	journal  []triage.Entry
	before   map[triage.MoveID]map[triage.AlertID]triage.Alert
	rules    map[string]*detect.Rule
	pokes    map[chan struct{}]bool
	refuse   error         // what Apply answers
	hold     chan struct{} // Apply waits for it when not nil
	pushed   string
	files    []*event.Event // what Search finds
	answers  []Answer       // of agents, to a search
	around   func(event.Ref, int) (before, after []*event.Event, err error)
	filesErr error
	reads    int
	book     book
}

var (
	start = time.Date(2026, 11, 21, 2, 10, 0, 0, time.UTC)
	clock = time.Date(2026, 11, 21, 2, 16, 0, 0, time.UTC)
)

func newWorld() *world {
	return &world{
		first: 1, hits: map[uint64][]HitMark{}, rules: map[string]*detect.Rule{}, pokes: map[chan struct{}]bool{},
		before: map[triage.MoveID]map[triage.AlertID]triage.Alert{},
		status: Status{Version: "test", DetectedSince: start.Add(-4 * time.Hour), Progress: 1, RingFrom: start, Rate: 12, Rules: 25, Sources: 2, Consoles: 1},
		sources: []event.SourceStatus{
			{ID: "file:/var/log/auth.log", Kind: "file", Name: "/var/log/auth.log", State: event.SourceLive, Format: "syslog", Records: 1204, LastTime: clock},
			{
				ID: "agent:web-1/envoy", Kind: "agent", Name: "web-1/envoy", State: event.SourceRetrying, Reason: "connection refused by 127.0.0.1:7443", Format: "envoy",
				Records: 77, Lost: 3, LastLoss: clock.Add(-20 * time.Minute), LossWhy: "the agent's spool was full", Late: 4, Lag: 4 * time.Second, LastTime: start, NextTry: clock.Add(5 * time.Second),
				Peer: &event.PeerStatus{Address: "127.0.0.1:7443", Version: "0.1", Protocol: 1, Skew: 1500 * time.Millisecond, Identity: "spiffe://bartizan/agent/web-1"},
			},
		},
	}
}

func (w *world) Changed() (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	w.mu.Lock()
	w.pokes[ch] = true
	w.mu.Unlock()
	return ch, func() { w.mu.Lock(); delete(w.pokes, ch); w.mu.Unlock() }
}

func (w *world) poke() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ch := range w.pokes {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

func (w *world) Bounds() (uint64, uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.events) == 0 {
		return 0, 1
	}
	return w.first, uint64(len(w.events)) + 1
}

var errOverwritten = errors.New("this record is no longer in memory")

func (w *world) Read(seq uint64, e *event.Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reads++
	if seq < w.first || seq < 1 || seq > uint64(len(w.events)) {
		return errOverwritten
	}
	*e = *w.events[seq-1]
	return nil
}

func (w *world) Hits(seq uint64) []HitMark {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hits[seq]
}

func (w *world) Scan(ctx context.Context, from, to uint64, m *query.Matcher, found func(uint64) bool) error {
	return pickFrom(ctx, from, to, func(seq uint64) bool {
		var e event.Event
		return w.Read(seq, &e) == nil && m.Match(&e)
	}, found)
}

func (w *world) Sources() []event.SourceStatus { return w.sources }

func (w *world) Status() Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.status
}

func (w *world) RuleOf(id string) *detect.Rule { return w.rules[id] }

func (w *world) PushFilter(q string) error { w.pushed = q; return nil }

func (w *world) Search(_ context.Context, q string, from, to time.Time, found func(*event.Event) bool, progress func(Searched)) error {
	n, err := query.Parse(q)
	if err != nil {
		return err
	}
	if w.answers != nil {
		progress(Searched{Agents: w.answers})
	}
	for i, e := range w.files {
		progress(Searched{Done: float64(i) / float64(len(w.files)), Agents: w.answers})
		if query.Holds(n, e) && !e.Time.Before(from) && e.Time.Before(to) && !found(e) {
			break
		}
	}
	return w.filesErr
}

func (w *world) Around(_ context.Context, ref event.Ref, _ time.Time, n int) (before, after []*event.Event, err error) {
	if w.around == nil {
		return nil, nil, nil
	}
	return w.around(ref, n)
}

func (w *world) Alerts() ([]*triage.Alert, uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.alerts), w.gen
}

func (w *world) Alert(id triage.AlertID) (*triage.Alert, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := w.index(id)
	if i < 0 {
		return nil, false
	}
	return w.alerts[i], true
}

func (w *world) index(id triage.AlertID) int {
	return slices.IndexFunc(w.alerts, func(a *triage.Alert) bool { return a.ID == id })
}

func (w *world) Evidence(id triage.AlertID) ([]triage.Evidence, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []triage.Evidence
	for _, e := range w.events {
		for _, h := range w.hits[e.Seq] {
			if h.Alert != id {
				continue
			}
			for n := int(e.Seq) - 3; n <= int(e.Seq)+1; n++ {
				if n < 0 || n >= len(w.events) {
					continue
				}
				ev := triage.Evidence{Ref: w.events[n].Ref, Time: w.events[n].Time, Raw: w.events[n].Raw, Hit: n == int(e.Seq)-1}
				if ev.Hit {
					ev.Why = h.Why
				}
				out = append(out, ev)
			}
		}
	}
	return out, nil
}

func (w *world) Reparse(ev triage.Evidence) (*event.Event, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if string(e.Raw) == string(ev.Raw) {
			return e.Clone(), nil
		}
	}
	return nil, errOverwritten
}

func (w *world) Journal(id triage.AlertID, limit int) ([]triage.Entry, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []triage.Entry
	for _, e := range w.journal {
		if id == "" || slices.ContainsFunc(e.On, func(v triage.AlertVersion) bool { return v.ID == id }) {
			out = append(out, e)
		}
	}
	return out[max(len(out)-limit, 0):], nil
}

func (w *world) Apply(m triage.Move) (triage.MoveID, error) {
	if w.hold != nil {
		<-w.hold
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuse != nil {
		return 0, w.refuse
	}
	for _, v := range m.On {
		if i := w.index(v.ID); i < 0 || w.alerts[i].Version != v.Version {
			return 0, fmt.Errorf("somebody else changed the alert meanwhile; look again")
		}
	}
	e := triage.Entry{ID: triage.MoveID(len(w.journal) + 1), At: m.At, By: m.By, Do: m.Do, On: m.On, Verdict: m.Verdict, Until: m.Until, Undoes: m.Undoes, Note: m.Note, Host: m.Host}
	if m.Do == triage.DoUndo {
		for id, was := range w.before[m.Undoes] {
			w.set(id, func(a *triage.Alert) {
				a.State, a.Verdict, a.Owner, a.Until = was.State, was.Verdict, was.Owner, was.Until
			})
			e.On = append(e.On, triage.AlertVersion{ID: id})
		}
	}
	w.before[e.ID] = map[triage.AlertID]triage.Alert{}
	for _, v := range m.On {
		w.before[e.ID][v.ID] = *w.alerts[w.index(v.ID)]
		w.set(v.ID, func(a *triage.Alert) { change(a, m) })
	}
	w.journal = append(w.journal, e)
	w.gen++
	return e.ID, nil
}

func change(a *triage.Alert, m triage.Move) {
	switch m.Do {
	case triage.DoTake:
		a.State, a.Owner = triage.StateTaken, m.By.Name
	case triage.DoClose:
		a.State, a.Verdict, a.Owner = triage.StateClosed, m.Verdict, m.By.Name
	case triage.DoSnooze:
		a.State, a.Until = triage.StateSnoozed, m.Until
	case triage.DoReopen:
		a.State, a.Verdict = triage.StateNew, triage.VerdictNone
	case triage.DoNote:
		a.Notes++
	}
}

func (w *world) set(id triage.AlertID, f func(*triage.Alert)) {
	i := w.index(id)
	a := *w.alerts[i]
	f(&a)
	a.Version++
	w.alerts[i] = &a
}

// add appends a record; fields are "name=value" pairs.
func (w *world) add(source, raw string, level event.Level, fields ...string) *event.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := &event.Event{
		Seq: uint64(len(w.events)) + 1, Ref: event.Ref{Source: event.SourceID(source)}, Raw: []byte(raw), Level: level, FormatName: "syslog",
		Time: start.Add(time.Duration(len(w.events)) * time.Second), Line: int64(len(w.events)) + 1,
	}
	e.Seen = e.Time
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		pos := strings.Index(raw, value)
		e.Fields = append(e.Fields, event.Field{Name: name, Value: event.Value{Str: value, Pos: int32(pos), End: int32(pos + len(value))}})
	}
	e.Native = len(e.Fields)
	w.events = append(w.events, e)
	return e
}

// raise makes an alert of the newest record; what matched is value.
func (w *world) raise(id, title string, sev detect.Severity, risk int, field, value string, group ...event.Entity) *triage.Alert {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := w.events[len(w.events)-1]
	pos := strings.Index(string(e.Raw), value)
	rule := &detect.Rule{ID: "rule-" + id, Title: title, Severity: sev, Kind: detect.KindSigma, Runbook: "ask the owner of the account", Tags: []string{"attack.credential-access", "attack.t1110.001"}, Cond: condition(field, value)}
	w.rules[rule.ID] = rule
	why := []query.Match{{Field: field, Predicate: field + ": " + value, Value: value, Pos: int32(pos), End: int32(pos + len(value))}}
	a := &triage.Alert{
		ID: triage.AlertID(id + "-1"), RuleID: rule.ID, Title: title, Severity: sev, Tags: rule.Tags, Group: group, Entities: group,
		Sources: []event.SourceID{e.Ref.Source}, First: start, Last: e.Time, Raised: e.Time, Count: 3, Why: why, Sample: string(e.Raw),
		State: triage.StateNew, Version: 1, Risk: risk,
	}
	w.hits[e.Seq] = append(w.hits[e.Seq], HitMark{Rule: rule, Alert: a.ID, Why: why})
	w.alerts = append(w.alerts, a)
	slices.SortStableFunc(w.alerts, func(a, b *triage.Alert) int { return b.Risk - a.Risk })
	w.gen++
	return a
}

const auth, envoy = "file:/var/log/auth.log", "agent:web-1/envoy"

// story fills the world with a night: guesses, a success, sudo, and web traffic.
func story() *world {
	w := newWorld()
	for i := range 40 {
		w.add(envoy, fmt.Sprintf(`[2026-11-21T02:10:%02dZ] "GET /shop/%d HTTP/1.1" 200 - 0 512 12 "198.51.100.%d" "curl/8"`, i, i, i), event.LevelInfo, fmt.Sprintf("source.ip=198.51.100.%d", i), "http.response.status_code=200")
		if i%4 == 0 {
			w.add(auth, fmt.Sprintf("Nov 21 02:10:%02d bastion sshd[41%02d]: Failed password for root from 203.0.113.9 port 5%03d ssh2", i, i, i), event.LevelNotice, "user.name=root", "source.ip=203.0.113.9", "host.name=bastion")
		}
	}
	w.add(auth, "Nov 21 02:11:02 bastion sshd[4190]: Accepted password for root from 203.0.113.9 port 50990 ssh2", event.LevelWarning, "user.name=root", "source.ip=203.0.113.9", "host.name=bastion")
	w.raise("9f3ce1", "SSH success after failures", detect.High, 92, "source.ip", "203.0.113.9", event.Entity{Kind: event.EntityUser, Value: "root"}, event.Entity{Kind: event.EntityIP, Value: "203.0.113.9"})
	w.add(auth, "Nov 21 02:11:30 bastion sudo:   deploy : TTY=pts/0 ; PWD=/home/deploy ; USER=root ; COMMAND=/bin/cat /etc/shadow", event.LevelNotice, "user.name=deploy", "host.name=bastion")
	w.raise("77aa01", "Shadow file read with sudo", detect.Medium, 61, "message", "/etc/shadow", event.Entity{Kind: event.EntityUser, Value: "deploy"})
	w.add(auth, "Nov 21 02:11:31 bastion sshd[4191]: Invalid user oracle from 203.0.113.77 port 1022", event.LevelInfo, "user.name=oracle", "source.ip=203.0.113.77")
	w.raise("0b5512", "Login of an unknown user", detect.Low, 20, "user.name", "oracle", event.Entity{Kind: event.EntityIP, Value: "203.0.113.77"})
	bg := w.raise("bb0001", "Scanner", detect.Low, 5, "user.name", "oracle", event.Entity{Kind: event.EntityIP, Value: "203.0.113.78"})
	bg.Background = true
	lost := w.add(envoy, "the agent's spool was full", event.LevelUnknown)
	lost.Lost = 1500
	for i := range 6 {
		w.add(envoy, fmt.Sprintf(`[2026-11-21T02:12:%02dZ] "GET /health HTTP/1.1" 200 - 0 2 1 "10.0.0.7" "kube-probe"`, i), event.LevelInfo, "source.ip=10.0.0.7")
	}
	w.status.SourcesBad = 1
	return w
}
