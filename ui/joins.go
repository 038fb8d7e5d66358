package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"bartizan/event"
	"bartizan/query"
	"bartizan/ui/style"
)

// Joiner is what a Live may offer besides: which records belong together, and who
// is behind them.
type Joiner interface {
	// Joins says what a record belongs to, most certain first.
	Joins(e *event.Event) []Join
	// Session tells about a session by the id that Joins gave.
	Session(id string) (Session, bool)
	// Forgotten is how many facts were given up at the bound: what is said about
	// sessions may be less than all.
	Forgotten() uint64
}

// Join is one answer to "what does this record belong to".
type Join struct {
	Session string // the id of a session, "" where it is none
	Words   string
	How     string // what joins them
	Doubt   string // why it is only probable; "" is certain
	Behind  string // who is behind it, where the record names somebody else
}

// Session is a session as its page shows it. Times are zero where no record tells.
type Session struct {
	ID, Kind, Words  string
	User, UID, Host  string
	IP, Port         string
	Key, Method, Ses string
	TTYs             []string
	Began, Ended     time.Time
	Command          string
}

// joinsOf asks what a record belongs to.
func joinsOf(live Live, e *event.Event) []Join {
	if j, ok := live.(Joiner); ok && e != nil {
		return j.Joins(e)
	}
	return nil
}

// sessionOf asks about a session.
func sessionOf(live Live, id string) (Session, bool) {
	if j, ok := live.(Joiner); ok && id != "" {
		return j.Session(id)
	}
	return Session{}, false
}

// joinLines are what a record was joined to, each with why; Enter opens the
// session, or everything of who is behind it.
func (c *Console) joinLines(list []Join) []line {
	sh := c.sheet
	var out []line
	for _, j := range list {
		name, sure, why := "joined", "", j.How
		if j.Session == "" {
			name = "behind it"
		}
		if j.Doubt != "" {
			sure, why = "probably ", j.Doubt
		}
		l := line{segs: []segment{
			{sh.Dim, " " + style.Pad(name, 9) + " "},
			{sh.Bad, sure},
			{sh.Accent, clean(j.Words)},
			{sh.Dim, "  (" + clean(why) + ")"},
		}, value: j.Session, tall: true}
		switch {
		case j.Session != "":
			l.field = event.FieldSession
			l.open = func() tea.Cmd { return c.pivot(event.Entity{Kind: event.EntitySession, Value: j.Session}) }
		case j.Behind != "":
			l.field, l.value = event.FieldBehind, j.Behind
			l.open = func() tea.Cmd { return c.pivot(event.Entity{Kind: event.EntityUser, Value: j.Behind}) }
		}
		out = append(out, l)
	}
	return out
}

// maxDeeds bounds how many different things a session's page lists of one kind.
const maxDeeds = 200

// deed is one thing somebody did in a session.
type deed struct {
	at   int64
	kind deedKind
	text string

	doubted bool // it is perhaps another session's
}

type deedKind uint8

const (
	noDeed deedKind = iota
	deedSudo
	deedRun
	deedFile
	deedNet
	deedAlert
	deedKinds
)

// deedOf says what a record of a session shows being done.
func deedOf(e *event.Event) deed {
	d := deed{at: e.Time.UnixNano(), doubted: e.Text(event.FieldDoubt) != ""}
	command := e.Text("process.command_line")
	switch {
	case e.FormatName == "falco":
		d.kind, d.text = deedAlert, e.Text("rule.name")
		if d.text == "" {
			d.text = e.Message
		}
	case (e.FormatName == "sudo" || e.FormatName == "su") && e.Text("pam_module") == "":
		d.kind, d.text = deedSudo, "to "+e.Text("user.target.name")
		if command != "" {
			d.text = e.Text("user.target.name") + ": " + command
		}
	case e.LogSource.Category == "process_creation" && command != "":
		d.kind, d.text = deedRun, command
	case e.LogSource.Category == "network_connection", e.FormatName == "auditd" && e.Text("destination.ip") != "":
		d.kind, d.text = deedNet, e.Text("destination.ip")
		if p := e.Text("destination.port"); p != "" {
			d.text += " port " + p
		}
	case e.FormatName == "auditd" && e.Text("file.path") != "":
		d.kind, d.text = deedFile, e.Text("file.path")
	}
	if d.text == "" {
		d.kind = noDeed
	}
	d.text = strings.Clone(head(d.text, 200))
	return d
}

// deeds are what a session's records show being done, by the records' own time.
type deeds struct {
	list  [deedKinds][]deed
	count [deedKinds]int

	doubted int // records that are perhaps another session's
}

func (s *deeds) add(d deed) {
	if d.doubted {
		s.doubted++
	}
	if d.kind == noDeed {
		return
	}
	s.count[d.kind]++
	have := s.list[d.kind]
	i, found := slices.BinarySearchFunc(have, d, func(a, b deed) int {
		if a.at != b.at {
			return int(min(max(a.at-b.at, -1), 1))
		}
		return strings.Compare(a.text, b.text)
	})
	if !found && len(have) < maxDeeds {
		s.list[d.kind] = slices.Insert(have, i, d)
	}
}

// words lists the different ones in the order in which they were first done.
func (s *deeds) words(k deedKind) string {
	var out []string
	for _, d := range s.list[k] {
		if !slices.Contains(out, d.text) {
			out = append(out, d.text)
		}
	}
	return strings.Join(out, "; ")
}

// sessionLines are what is known of the session itself and what was done in it.
func (c *Console) sessionLines(s Session, done *deeds) []line {
	sh := c.sheet
	const n = 8
	who := clean(s.Words)
	if s.Kind == "login" {
		who += sessionWho(s)
	}
	when := c.full(s.Began) + " to "
	switch {
	case !s.Ended.IsZero():
		when += c.full(s.Ended) + ", " + s.Ended.Sub(s.Began).Round(time.Second).String()
	case s.Kind == "exec":
		when += "an end that no record tells"
	default:
		when += "now, as far as records tell"
	}
	out := []line{c.pair("who", n, sh.Accent, who), c.pair("when", n, sh.Text, when)}
	if s.Key != "" {
		key := c.pair("key", n, sh.Text, clean(s.Key))
		key.open = func() tea.Cmd { return c.pivot(event.Entity{Kind: event.EntityKey, Value: s.Key}) }
		out = append(out, key)
	}
	for k, name := range [deedKinds]string{deedSudo: "became", deedRun: "ran", deedFile: "files", deedNet: "reached", deedAlert: "alerts"} {
		if done != nil && done.count[k] > 0 {
			out = append(out, line{segs: []segment{
				{sh.Dim, fmt.Sprintf(" %-*s ", n, name)},
				{sh.Text, fmt.Sprintf("%d  ", done.count[k])},
				{sh.Accent, c.safe(done.words(deedKind(k)))},
			}})
		}
	}
	if done != nil && done.doubted > 0 {
		out = append(out, line{segs: []segment{{sh.Bad, " perhaps  "}, {sh.Text, plural(done.doubted, "record") + " of these may be of another session; Enter on one shows why"}}})
	}
	if j, ok := c.opt.Live.(Joiner); ok && j.Forgotten() > 0 {
		out = append(out, line{segs: []segment{{sh.Dim, fmt.Sprintf(" %s of older sessions are forgotten: something may be missing here", plural(int(j.Forgotten()), "fact"))}}})
	}
	return out
}

// sessionRows are the lines about the session that fit above the records.
func (e *entity) sessionRows(w, h int) []string {
	s, ok := sessionOf(e.c.opt.Live, e.login)
	if !ok || h < 8 {
		return nil
	}
	var out []string
	for _, l := range e.c.sessionLines(s, e.stream.order.done) {
		if len(out) < max(h/3, 2) {
			out = append(out, e.pager.row(l, w, false)...)
		}
	}
	return out
}

// safe is text of records with its secrets masked, fit for the terminal.
func (c *Console) safe(s string) string {
	text, _ := c.masked([]byte(head(s, 2048)))
	return clean(string(text))
}

// sessionWho are the numbers by which hosts know a login.
func sessionWho(s Session) string {
	var out string
	if s.Method != "" {
		out += " by " + clean(s.Method)
	}
	if s.UID != "" {
		out += ", uid " + clean(s.UID)
	}
	if s.Ses != "" {
		out += ", session " + clean(s.Ses)
	}
	if len(s.TTYs) > 0 {
		out += ", on " + clean(strings.Join(s.TTYs, " "))
	}
	return out
}

// valueNode is true for the events that name an entity's value in one of its
// fields, where the value is more than the field's text.
func valueNode(e event.Entity) (query.Node, bool) {
	equal := func(field, value string) query.Node {
		return &query.Pred{Field: field, Op: query.OpEqual, Value: value}
	}
	const name, kind, space = "orchestrator.resource.name", "orchestrator.resource.type", "orchestrator.namespace"
	switch e.Kind {
	case event.EntityContainer:
		id := event.ContainerID(e.Value)
		return query.Or{&query.Pred{Field: "container.id", Op: query.OpContains, Value: id}, equal(name, e.Value)}, true
	case event.EntityPod:
		ns, pod, found := strings.Cut(e.Value, "/")
		if !found {
			return equal(name, e.Value), true
		}
		return query.And{equal(name, pod), equal(space, ns)}, true
	case event.EntityResource:
		part := strings.Split(e.Value, "/")
		switch len(part) {
		case 2:
			return query.And{equal(name, part[1]), equal(kind, part[0])}, true
		case 3:
			return query.And{equal(name, part[2]), equal(kind, part[1]), equal(space, part[0])}, true
		}
	}
	return nil, false
}
