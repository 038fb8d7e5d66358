package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/sources"
)

// When the watchman speaks, see docs/evidence-tampering.md.
const (
	aliveWithin = 5 * time.Minute  // another source of the host spoke this lately: the host is alive
	downFor     = time.Minute      // an audit log or journal is not read for this long: it has stopped
	rowEvery    = 10 * time.Minute // of one source and state, at most one row
	sleptFor    = 30 * time.Second // between two looks a second apart: this machine slept
)

// silence says that a source is quiet for longer than it usually is.
type silence struct{ why string }

// watchman looks at how sources are doing once a second and says what changed. It
// belongs to the goroutine of tick.
type watchman struct {
	e      *Engine
	known  map[event.SourceID]*watched
	looked time.Time
	awake  time.Time // since when this machine runs without sleeping
}

// watched is what the watchman remembers of one source.
type watched struct {
	state  event.SourceState
	flags  event.Flags
	reason string
	read   bool      // it was live once
	since  time.Time // of the state
	told   bool      // that it stopped
	rows   map[event.SourceState]time.Time
}

func newWatchman(e *Engine) *watchman {
	return &watchman{e: e, known: map[event.SourceID]*watched{}}
}

// turn looks once and hands what there is to say to the sequencer.
func (w *watchman) turn(ctx context.Context) {
	for _, n := range append(w.look(w.e.o.Now(), w.e.Sources()), w.e.judgeOddities(false)...) {
		w.e.o.Log.Warn("about a source", "source", n.info.ID, "text", n.text)
		select {
		case w.e.own <- n:
		case <-ctx.Done():
			return
		}
	}
}

// look compares what sources say of themselves with what they said before.
func (w *watchman) look(now time.Time, list []event.SourceStatus) (out []*notice) {
	if w.looked.IsZero() || now.Sub(w.looked).Abs() > sleptFor {
		w.awake = now
	}
	w.looked = now
	for i := range list {
		s := &list[i]
		st := w.e.feeds.stream(s.ID)
		if st == nil || !st.info.Live {
			continue
		}
		k := w.known[s.ID]
		if k == nil {
			k = &watched{since: now, state: event.SourceStarting, rows: map[event.SourceState]time.Time{}}
			w.known[s.ID] = k
		}
		w.listen(now, st, s)
		if n := w.compare(now, k, st, s, list); n != nil {
			out = append(out, n)
		}
		k.read = k.read || s.State == event.SourceLive
		if k.state != s.State {
			k.state, k.since, k.told = s.State, now, false
		}
		k.flags, k.reason = s.Flags, s.Reason
	}
	return out
}

// listen decides whether a live source is silent for longer than usual.
func (w *watchman) listen(now time.Time, st *stream, s *event.SourceStatus) {
	longest, ok := st.longest()
	live := s.State == event.SourceLive || s.State == event.SourceSilent && st.silent.Load() != nil
	heard := s.LastSeen
	if heard.IsZero() && ok {
		heard = st.clock.usual.through() // it has not been heard since this engine began
	}
	last := heard
	if w.awake.After(heard) {
		heard = w.awake // nobody could be heard while this machine slept
	}
	quiet := now.Sub(heard)
	switch {
	case !ok || !live || heard.IsZero() || quiet < longest:
		if st.silent.Swap(nil) != nil && s.State == event.SourceSilent {
			s.State, s.Reason = event.SourceLive, ""
		}
	case st.silent.Load() == nil:
		why := fmt.Sprintf("%s has been silent since %s, and %v is the most that is usual for it: check that its writer still runs and writes there",
			s.Name, stampOf(last), longest.Round(time.Minute))
		st.silent.Store(&silence{why})
		s.State, s.Reason = event.SourceSilent, why
	}
}

// longest is how long the source may be quiet; where the config says so itself the
// supervisor watches that.
func (st *stream) longest() (time.Duration, bool) {
	if st.clock == nil || st.info.Silence > 0 {
		return 0, false
	}
	return st.clock.usual.longest()
}

// compare says what is new about one source, nil when nothing is worth a row.
func (w *watchman) compare(now time.Time, k *watched, st *stream, s *event.SourceStatus, list []event.SourceStatus) *notice {
	rule, flags := (*detect.Rule)(nil), event.Flags(0)
	vital, changed := isVital(st.info, s.Format), s.State != k.state
	switch {
	case s.Flags&event.FlagVanished != 0:
		changed = k.flags&event.FlagVanished == 0
		rule, flags = removedRule, event.FlagVanished
	case s.State == event.SourceSilent && vital && (st.info.Host == "" || w.alive(now, st.info, list)):
		rule = stoppedRule
	case s.State == event.SourceSilent && w.alive(now, st.info, list):
		rule = silentRule
	case s.State == event.SourceDenied && k.read:
		rule = unreadRule
	case down(s.State) && vital && k.read && !k.told && now.Sub(k.since) >= downFor && s.State == k.state:
		k.told, changed, rule = true, true, stoppedRule
	case s.State == event.SourceLive && s.Reason != "":
		changed = k.reason != s.Reason && k.reason == ""
	case !down(s.State) && s.State != event.SourceDenied && s.State != event.SourceSilent:
		return nil
	}
	if !changed || s.Reason == "" || rule == nil && now.Sub(k.rows[s.State]) < rowEvery {
		return nil
	}
	k.rows[s.State] = now
	return &notice{info: st.info, rule: rule, flags: flags, text: s.Reason, time: now}
}

// down says that a source is not read though it should be.
func down(s event.SourceState) bool {
	return s == event.SourceRetrying || s == event.SourceGone || s == event.SourceDone || s == event.SourceDenied
}

// isVital says whether a source is the audit log or the journal: what attackers
// stop first, and what is never quiet for long.
func isVital(info sources.Info, format string) bool {
	return info.Kind == "journald" || format == "auditd" || format == "journald" || strings.HasSuffix(info.Path, "/audit/audit.log")
}

// alive says whether another source of the same host spoke lately.
func (w *watchman) alive(now time.Time, info sources.Info, list []event.SourceStatus) bool {
	for i := range list {
		s := &list[i]
		if s.ID == info.ID || now.Sub(s.LastSeen) >= aliveWithin {
			continue
		}
		if st := w.e.feeds.stream(s.ID); st != nil && st.info.Host == info.Host {
			return true
		}
	}
	return false
}
