package engine

import (
	"slices"
	"time"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/sources"
	"bartizan/store"
)

// Our own findings about sources. Attackers truncate, delete and mute logs (ATT&CK
// T1070.002, T1562), and "not seen" must never look like "clean". What each means
// and from when on it is raised is in docs/evidence-tampering.md.
var (
	lossRule = &detect.Rule{
		ID: "self:records-lost", Kind: detect.KindSelf, Title: "Records of a log are missing", Severity: detect.Medium,
		Description: "Records could not be read or did not fit: a damaged file, a sender that was faster than what may wait.",
		Tags:        []string{"attack.defense-evasion", "attack.t1562.006"},
		Runbook:     "Read the sentence for what happened; compare with a copy or the host's other logs over that time.",
		GroupBy:     aboutSource,
	}
	cutRule = &detect.Rule{
		ID: "self:log-cut", Kind: detect.KindSelf, Title: "A log was truncated or overwritten", Severity: detect.High,
		Description: "A file lost bytes that had been read, and no copy of them lies beside it as log rotation leaves one.",
		Tags:        []string{"attack.defense-evasion", "attack.t1070", "attack.t1070.002"},
		Runbook:     "Find out who emptied the file (shell history, sudo and audit records of that minute); what was read before is still in the stream and in history elsewhere: export it now.",
		GroupBy:     aboutSource,
	}
	removedRule = &detect.Rule{
		ID: "self:log-removed", Kind: detect.KindSelf, Title: "A log was deleted or replaced", Severity: detect.High,
		Description: "A file was deleted or replaced before it was read, or while its writer still has it open, which log rotation does not do.",
		Tags:        []string{"attack.defense-evasion", "attack.t1070", "attack.t1070.002"},
		Runbook:     "While the writer runs its open file can be copied from /proc/PID/fd; do that before it is restarted, then find out who removed the name.",
		GroupBy:     aboutSource,
	}
	stoppedRule = &detect.Rule{
		ID: "self:log-stopped", Kind: detect.KindSelf, Title: "The audit log or the journal has stopped", Severity: detect.High,
		Description: "auditd or journald says nothing for longer than usual, or cannot be read any more, while its host is alive.",
		Tags:        []string{"attack.defense-evasion", "attack.t1562", "attack.t1562.012"},
		Runbook:     "On the host: systemctl status auditd systemd-journald, auditctl -s; who stopped it stands in the last records before.",
		GroupBy:     aboutSource,
	}
	silentRule = &detect.Rule{
		ID: "self:source-silent", Kind: detect.KindSelf, Title: "A source is silent for longer than usual", Severity: detect.Low,
		Description: "A log that is usually written to has no new records while other logs of its host have.",
		Tags:        []string{"attack.defense-evasion", "attack.t1562.006"},
		Runbook:     "Check that its writer runs and still logs there; a change of its configuration is as telling as a stop.",
		GroupBy:     aboutSource,
	}
	unreadRule = &detect.Rule{
		ID: "self:log-unreadable", Kind: detect.KindSelf, Title: "A log that was read may not be read any more", Severity: detect.Medium,
		Description: "Permission to read a log was taken away while it was being read.",
		Tags:        []string{"attack.defense-evasion", "attack.t1222.002", "attack.t1562.006"},
		Runbook:     "Compare owner and mode with those log rotation gives (ls -l, getfacl); who changed them stands in audit or sudo records.",
		GroupBy:     aboutSource,
	}
	gapRule = &detect.Rule{
		ID: "self:time-gap", Kind: detect.KindSelf, Title: "Time is missing in a log", Severity: detect.Medium,
		Description: "A log has no records over a time in which it usually has some, while other logs of its host go on: lines may have been taken out.",
		Tags:        []string{"attack.defense-evasion", "attack.t1070", "attack.t1070.002"},
		Runbook:     "Look at the other logs of the host over that time (gt); compare the file with a backup or a remote copy.",
		GroupBy:     aboutSource,
	}
	backRule = &detect.Rule{
		ID: "self:clock-back", Kind: detect.KindSelf, Title: "A clock was set back", Severity: detect.Medium,
		Description: "The records of a source go on at an earlier time than they had reached.",
		Tags:        []string{"attack.defense-evasion", "attack.t1070.006"},
		Runbook:     "Find out who set the clock (audit records of clock_settime, systemd-timesyncd, chronyd); times of this host before and after cannot be compared.",
		GroupBy:     []string{"host.name"}, // the clock is the host's, whatever log shows it
	}
	ownRules = []*detect.Rule{lossRule, cutRule, removedRule, stoppedRule, silentRule, unreadRule, gapRule, backRule, offRule}
)

// aboutSource is what our findings about sources are grouped by.
var aboutSource = []string{"host.name", "file.path", "source.name"}

// ownRule returns the rule of our own with that id, nil when there is none.
func ownRule(id string) *detect.Rule {
	if i := slices.IndexFunc(ownRules, func(r *detect.Rule) bool { return r.ID == id }); i >= 0 {
		return ownRules[i]
	}
	return nil
}

// lossRuleOf says what a loss with these flags is a sign of.
func lossRuleOf(f event.Flags) *detect.Rule {
	switch {
	case f&event.FlagShrank != 0:
		return cutRule
	case f&event.FlagVanished != 0:
		return removedRule
	}
	return lossRule
}

// about gives an event that we wrote ourselves fields that say which source it is
// about: its host and file, or its name where there is no file.
func about(info sources.Info, host string, e *event.Event) {
	put := func(name, value string) {
		if value != "" {
			e.Fields = append(e.Fields, event.Field{Name: name, Sym: event.Intern(name), Value: event.Value{Str: value, Pos: -1, End: -1}})
		}
	}
	if info.Host != "" {
		host = info.Host
	}
	put("host.name", host)
	put("file.path", info.Path)
	if info.Path == "" {
		put("source.name", info.Name)
	}
	e.Native = len(e.Fields)
}

// notice is a sentence of ours about a source: a row in the stream and, with a
// rule, a finding.
type notice struct {
	info  sources.Info
	rule  *detect.Rule // nil: only a row
	flags event.Flags
	text  string
	time  time.Time // what it is about
	ref   event.Ref // of the record that shows it; zero: none does
	found store.Found
}

// event makes the row of the notice.
func (n *notice) event(host string, now time.Time) *event.Event {
	e := &event.Event{
		Ref: n.ref, Time: n.time.UTC(), Seen: now.UTC(), Level: event.LevelWarning, Flags: n.flags | event.FlagNotice,
		FormatName: noticeFormat, Raw: []byte(n.text), Message: n.text,
	}
	if e.Ref.Source == "" {
		e.Ref = event.Ref{Source: n.info.ID, Offset: now.UnixNano()}
	}
	e.Ref.Len = 0 // no bytes of the source
	about(n.info, host, e)
	return e
}

// noticeFormat is the format name of rows that Bartizan wrote itself.
const noticeFormat = "bartizan"

// note shows a notice in the stream and raises what it found.
func (q *sequencer) note(n *notice) {
	if n.found.Hit.Rule != nil {
		q.found(n.found)
		return
	}
	e := n.event(q.e.host, q.e.o.Now())
	seq, err := q.e.ring.Append(e)
	if err != nil {
		q.e.say(err.Error())
	}
	e.Seq = seq
	if n.rule == nil {
		q.e.watch.poke()
		return
	}
	h := detect.NewHit(n.rule, e, nil, []event.Ref{e.Ref.Sealed(e.Raw)}, 1)
	for _, c := range q.found(store.Found{Hit: h}) {
		q.e.ring.Mark(seq, store.Mark{Rule: n.rule.ID, Alert: c.Alert})
	}
}
