package engine

import (
	"time"

	"bartizan/event"
	"bartizan/sources"
)

// How much older than the newest record of its source a record may be when it
// comes, where the config says nothing: most logs are written as things happen;
// cloud services deliver in files, minutes later (AWS: CloudTrail "about 5 minutes,
// not guaranteed", flow logs within 10).
const (
	lateWritten = 30 * time.Second
	lateAgent   = time.Minute
	quietFor    = 2 * time.Second // a live source that said nothing for this long has said everything
	idleFor     = 15 * time.Minute
)

// lateFormats are the formats whose records come late.
var lateFormats = map[string]time.Duration{
	"cloudtrail": 15 * time.Minute,
	"vpcflow":    10 * time.Minute,
}

// lateness is how late records of a source may be: as its config says, else as is
// usual for its format and the way it comes.
func (e *Engine) lateness(source event.SourceID, format string) time.Duration {
	if st := e.feeds.stream(source); st != nil {
		return latenessOf(st.info, format)
	}
	return latenessOf(sources.Info{}, format)
}

func latenessOf(info sources.Info, format string) time.Duration {
	if info.Lateness > 0 {
		return info.Lateness
	}
	if d, ok := lateFormats[format]; ok {
		return d
	}
	if info.Kind == "agent" {
		return lateAgent
	}
	return lateWritten
}

// advance judges windows that wait for their end, where no record comes any more:
// a live source that is quiet has said everything up to its lateness, and one that
// is gone is not waited for.
func (q *sequencer) advance() {
	if s := q.e.rules.Load(); q.explain != nil { // else no window was begun
		q.swap(s.set, s.nth)
	}
	now := q.e.o.Now()
	waiting, judged := false, false
	for _, s := range q.e.feeds.statuses() {
		quiet := now.Sub(s.LastSeen)
		switch {
		case s.State == event.SourceDone, quiet > idleFor && !runs(s.State):
			judged = q.judge(q.counter.Idle(s.ID)) || judged
		case runs(s.State) && s.State != event.SourceCatchingUp && quiet >= quietFor && s.Format != "":
			through := now.Add(-q.e.lateness(s.ID, s.Format))
			judged = q.judge(q.counter.AdvanceSource(s.ID, s.Format, through)) || judged
			waiting = true
		case runs(s.State) && s.State != event.SourceCatchingUp && s.LastSeen.IsZero(): // it never said anything
		default:
			waiting = true
		}
	}
	if !waiting {
		judged = q.judge(q.counter.Advance(now.Add(-idleFor))) || judged
	}
	if judged {
		q.commit.note(q.told)
		q.told = nil
	}
}

// runs says that a source is read.
func runs(s event.SourceState) bool {
	return s == event.SourceLive || s == event.SourceSilent || s == event.SourceCatchingUp
}

// statuses are the sources with a stream, as they are now.
func (f *feeds) statuses() []event.SourceStatus {
	f.mu.RLock()
	defer f.mu.RUnlock()
	out := make([]event.SourceStatus, 0, len(f.order))
	for _, fd := range f.order {
		out = append(out, fd.stream.fill(fd.status))
	}
	return out
}
