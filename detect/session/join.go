package session

import (
	"strings"
	"time"

	"bartizan/event"
)

// Join is one answer to "what does this record belong to".
type Join struct {
	Session string // the id of a session that About knows; "" for roles and delegations
	Words   string // "login of deploy on web-2 from 203.0.113.66", "kubectl exec by jane, 40s before", "alice (IAM user, 1111) -> role Admin (2222)"
	How     string // what joins them
	Doubt   string // why it is only probable; "" is certain
	Behind  string // who is behind it, where that is somebody else than the record names
}

// About is a session as its page shows it. Times are zero where no record tells.
type About struct {
	ID, Kind, Words  string
	User, UID, Host  string
	IP, Port         string
	Key, Method, Ses string
	TTYs             []string
	Began, Ended     time.Time
	Command          string // of an exec
}

// Joins says what a record belongs to, most certain first. It allocates: it is
// for records somebody looks at.
func (x *Index) Joins(e *event.Event) []Join {
	if !Concerns(e) {
		return nil
	}
	var f facts
	f.read(e)
	x.mu.RLock()
	defer x.mu.RUnlock()
	switch familyOf(e.FormatName) {
	case loginLog:
		var m match
		x.findLogin(&f, &m)
		var out []Join
		for _, l := range m.logins[:m.n] {
			out = append(out, Join{Session: l.id, Words: l.words(), How: m.how, Doubt: m.doubt})
		}
		return out
	case cloudLog:
		if c := x.chainOf(callerOf(&f), f.t); c != nil {
			return []Join{{Words: c.words(), How: c.how, Doubt: c.doubt, Behind: c.behind}}
		}
	case auditLog:
		if s := x.execs[f.v[kID]]; s != nil {
			return []Join{{Session: s.session(), Words: "this is " + s.words(s.began), How: "the request itself"}}
		}
	case sensorLog:
		return x.execJoins(&f)
	case delegate:
		return delegated(&f)
	}
	return nil
}

// execJoins are the execs behind a sensor's record.
func (x *Index) execJoins(f *facts) []Join {
	list := x.findExecs(f)
	doubt := execDoubt(list)
	var out []Join
	for _, s := range list {
		out = append(out, Join{Session: s.session(), Words: s.words(f.t), How: "the same pod within minutes", Doubt: doubt, Behind: s.user})
	}
	return out
}

// execDoubt says why it cannot be told who it was: what runs in a pod need not come
// of who was let in.
func execDoubt(list []*exec) string {
	if len(list) == 0 {
		return ""
	}
	for _, s := range list {
		if s.user != list[0].user {
			return "several people were in the pod then"
		}
	}
	return "only the pod and the time are the same"
}

// delegated reads who is behind a service account from the record itself (Google
// Cloud, AuthenticationInfo.serviceAccountDelegationInfo: the first is the origin).
func delegated(f *facts) []Join {
	if id := f.v[zIdentity]; id != "" { // Entra's token claims: the resource that has the identity
		part := strings.Split(id, "/")
		return []Join{{Words: "managed identity of " + strings.Join(part[max(len(part)-2, 0):], " "), How: "a machine's token, no person's"}}
	}
	first := f.v[gFirst]
	if first == "" {
		first = f.v[gSubject]
	}
	if first == "" {
		return nil
	}
	var words strings.Builder
	for i := range f.e.Fields {
		if n := f.e.Fields[i].Name; n == gcpDelegated[0] || n == gcpDelegated[1] && f.v[gFirst] == "" {
			words.WriteString(f.e.Fields[i].Value.Str + " -> ")
		}
	}
	return []Join{{Words: words.String() + f.v[gUser], How: "the record names the delegation", Behind: first}}
}

var gcpDelegated = [...]string{
	"protoPayload.authenticationInfo.serviceAccountDelegationInfo.firstPartyPrincipal.principalEmail",
	"protoPayload.authenticationInfo.serviceAccountDelegationInfo.principalSubject",
}

// names of the fields that joins add, with their symbols.
var (
	fieldSession = added(event.FieldSession)
	fieldBehind  = added(event.FieldBehind)
	fieldDoubt   = added(event.FieldDoubt)
)

func added(name string) event.Field {
	return event.Field{Name: name, Sym: event.Intern(name), Value: event.Value{Pos: -1, End: -1}}
}

// adder appends fields to an event, the first time into room of the caller's.
type adder struct {
	e    *event.Event
	room *[]event.Field
	own  bool
}

func (a *adder) add(f event.Field, text string) {
	if text == "" {
		return
	}
	if !a.own && a.room != nil {
		a.e.Fields = append((*a.room)[:0], a.e.Fields...)
	}
	a.own = true
	f.Value.Str = text
	a.e.Fields = append(a.e.Fields, f)
	if a.room != nil {
		*a.room = a.e.Fields[:0]
	}
}

// Annotate adds what is known of e as fields behind its own: event.FieldSession,
// event.FieldBehind and event.FieldDoubt. e.Fields lies in *room afterwards, if
// anything was added and room is not nil. Records of other formats cost a few
// nanoseconds.
func (x *Index) Annotate(e *event.Event, room *[]event.Field) {
	if !Concerns(e) {
		return
	}
	var f facts
	f.read(e)
	to := adder{e: e, room: room}
	x.mu.RLock()
	defer x.mu.RUnlock()
	switch familyOf(e.FormatName) {
	case loginLog:
		var m match
		x.findLogin(&f, &m)
		for _, l := range m.logins[:m.n] {
			to.add(fieldSession, l.id)
		}
		to.add(fieldDoubt, m.doubt)
	case cloudLog:
		x.annotateRole(&to, &f)
	case auditLog:
		if s := x.execs[f.v[kID]]; s != nil {
			to.add(fieldSession, s.session())
		}
	case sensorLog:
		x.annotateRuntime(&to, &f)
	case delegate:
		if j := delegated(&f); j != nil {
			to.add(fieldBehind, j[0].Behind)
		}
	}
}

func (x *Index) annotateRole(to *adder, f *facts) {
	if f.v[cType] != "AssumedRole" && f.v[cType] != "FederatedUser" {
		return // a user's own call: there is nobody behind them
	}
	if c := x.chainOf(callerOf(f), f.t); c != nil {
		to.add(fieldBehind, c.behind)
		if c.behind != "" {
			to.add(fieldDoubt, c.doubt)
		}
	}
}

func (x *Index) annotateRuntime(to *adder, f *facts) {
	list := x.findExecs(f)
	for i, s := range list {
		to.add(fieldSession, s.session())
		if i == 0 || s.user != list[0].user {
			to.add(fieldBehind, s.user)
		}
	}
	to.add(fieldDoubt, execDoubt(list))
}

// words are one line about a login.
func (l *login) words() string {
	who := l.user
	if who == "" {
		who = "uid " + l.uid
	}
	out := "login of " + who + " on " + l.host
	switch l.kind {
	case "cron":
		out = "cron job of " + who + " on " + l.host
	case "service":
		out = "service session of " + who + " on " + l.host
	}
	if l.ip != "" {
		out += " from " + l.ip
	}
	return out
}

// Session tells about a session by its id.
func (x *Index) Session(id string) (About, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if l := x.byID[id]; l != nil {
		return About{
			ID: id, Kind: "login", Words: l.words(), User: l.user, UID: l.uid, Host: l.host, IP: l.ip, Port: l.port, Key: l.key, Method: l.method,
			Ses: l.ses, TTYs: append([]string(nil), l.ttys...), Began: stampOf(l.began), Ended: stampOf(l.ended),
		}, true
	}
	if i := strings.LastIndexByte(id, '@'); i > 0 {
		if s := x.execs[id[i+1:]]; s != nil && s.session() == id {
			return About{
				ID: id, Kind: "exec", Words: s.words(s.began), User: s.who(), Host: s.ns + "/" + s.pod, IP: s.ip, Method: s.verb, Command: s.command,
				Began: stampOf(s.began), Ended: stampOf(s.ended),
			}, true
		}
	}
	return About{}, false
}

func stampOf(t int64) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.Unix(0, t).UTC()
}
