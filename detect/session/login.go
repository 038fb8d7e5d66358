package session

import (
	"container/list"
	"net/netip"
	"strconv"
	"strings"
	"unsafe"

	"bartizan/event"
)

// How far apart the clocks of two records about one moment may be, and how long
// before its login and after its end a connection still writes.
const (
	slack  = 2 * second
	before = 120 * second
	after  = 30 * second
	opened = 10 * second // between a login and logind's word of it
)

// maxSame bounds how many logins or elevations share one number or name on a host,
// maxEach how many processes and terminals one login has.
const (
	maxSame = 32
	maxEach = 32
)

// login is one login session of a person or a service on a host.
type login struct {
	id         string
	host, kind string
	user, uid  string
	ip, port   string
	key        string
	method     string
	ses        string
	began      int64 // the first record of it
	learned    int64 // when audit gave the number out; 0 unknown
	ended      int64 // 0: not that we know
	pids, ttys []string
	place      *list.Element
}

const loginBytes = int(unsafe.Sizeof(login{})) + 6*128 // with its places in the maps

// open says that a record at t may belong to the session.
func (l *login) open(t int64) bool {
	return t >= l.began-before && (l.ended == 0 || t <= l.ended+after)
}

// running says that somebody was logged in at t.
func (l *login) running(t int64) bool {
	return t >= l.began-slack && (l.ended == 0 || t <= l.ended+slack)
}

// newest is the login of a list that a record at t belongs to: the last one begun,
// or where none has begun yet, the next (a client is heard before it is let in).
// What f names otherwise is not its login; f may be nil.
func newest(list []*login, t int64, f *facts) *login {
	var best *login
	for _, l := range list {
		if l.open(t) && (f == nil || !l.another(f)) && (best == nil || nearer(l, best, t)) {
			best = l
		}
	}
	return best
}

// another says that f names another client or another user than the login's: numbers
// are used again, and the end of a login is not always heard.
func (l *login) another(f *facts) bool {
	if f.e.FormatName == "sshd" {
		if l.ip == "" || f.v[sIP] == "" || l.ip == f.v[sIP] && l.port == f.v[sPort] {
			return false
		}
		ip, err := netip.ParseAddr(f.v[sIP])
		have, none := netip.ParseAddr(l.ip)
		return err == nil && none == nil && (ip.Unmap() != have.Unmap() || l.port != "" && f.v[sPort] != "" && l.port != f.v[sPort])
	}
	uid := numbered(f.v[aAUID])
	if uid == "" {
		uid = numbered(f.v[jUID])
	}
	return uid != "" && l.uid != "" && uid != l.uid
}

func nearer(a, b *login, t int64) bool {
	hasA, hasB := a.began <= t+slack, b.began <= t+slack
	switch {
	case hasA != hasB:
		return hasA
	case a.began == b.began:
		return a.id < b.id
	case hasA:
		return a.began > b.began
	}
	return a.began < b.began
}

func (l *login) forget(x *Index) {
	x.stats.Logins--
	delete(x.byID, l.id)
	for _, p := range l.pids {
		without(x.byPID, at{l.host, p}, l)
	}
	without(x.bySes, at{l.host, l.ses}, l)
	without(x.byUser, at{l.host, l.user}, l)
	if k := (peer{l.host, l.ip, l.port}); x.byPeer[k] == l {
		delete(x.byPeer, k)
	}
}

// begin makes a login known by a process or by audit's number.
func (x *Index) begin(f *facts, kind, pid, ses string) *login {
	host := own(x.host(f))
	what := own(pid)
	if pid == "" {
		what = "ses" + own(ses)
	}
	l := &login{host: host, kind: kind, began: f.t}
	l.id = host + "/" + what + "@" + strconv.FormatInt(f.t/second, 10)
	if x.begun++; x.byID[l.id] != nil {
		l.id += "." + strconv.FormatUint(x.begun, 10)
	}
	x.byID[l.id] = l
	x.stats.Logins++
	l.place = x.logins.hold(x, l, loginBytes+len(l.id)+len(host))
	x.addPID(l, pid)
	x.setSes(l, ses, f.t)
	return l
}

func (x *Index) addPID(l *login, pid string) {
	if pid == "" || len(l.pids) >= maxEach || contains(l.pids, pid) {
		return
	}
	pid = own(pid)
	l.pids = append(l.pids, pid)
	with(x.byPID, at{l.host, pid}, l, maxSame)
	x.logins.grow(x, l.place, 96+2*len(pid))
}

func (x *Index) setSes(l *login, ses string, t int64) {
	if ses = ses[:min(len(ses), maxText)]; ses == "" || l.ses == ses {
		return
	}
	more := len(ses) - len(l.ses)
	without(x.bySes, at{l.host, l.ses}, l)
	l.ses, l.learned = own(ses), t
	with(x.bySes, at{l.host, l.ses}, l, maxSame)
	x.logins.grow(x, l.place, more)
}

func (x *Index) setUser(l *login, user string) {
	if user = user[:min(len(user), maxText)]; user == "" || l.user == user || user == "(unknown)" {
		return
	}
	more := len(user) - len(l.user)
	without(x.byUser, at{l.host, l.user}, l)
	l.user = own(user)
	with(x.byUser, at{l.host, l.user}, l, maxSame)
	x.logins.grow(x, l.place, more)
}

func (x *Index) setPeer(l *login, ip, port string) {
	if _, err := netip.ParseAddr(ip); err != nil {
		return
	}
	if l.ip == "" || port != "" && l.port == "" {
		l.ip, l.port = own(ip), own(port)
		if port != "" {
			x.byPeer[peer{l.host, l.ip, l.port}] = l
		}
		x.logins.grow(x, l.place, 2*(len(ip)+len(port)))
	}
}

func (x *Index) addTTY(l *login, tty string) {
	for _, have := range l.ttys {
		if have == tty || strings.HasPrefix(tty, "pts") && strings.HasPrefix(have, "pts/") && have[4:] == tty[3:] {
			return // pts/1 is audit's "pts1" too
		}
	}
	if tty = terminal(tty); tty == "" || len(l.ttys) >= maxEach || contains(l.ttys, tty) {
		return
	}
	l.ttys = append(l.ttys, own(tty))
	x.logins.grow(x, l.place, 16+len(tty))
}

func contains(list []string, s string) bool {
	for _, o := range list {
		if o == s {
			return true
		}
	}
	return false
}

// terminal is a terminal's name as sudo writes it; "" is none.
func terminal(s string) string {
	s = strings.TrimPrefix(s, "/dev/")
	if len(s) > 3 && strings.HasPrefix(s, "pts") && s[3] != '/' {
		return "pts/" + s[3:]
	}
	if !strings.HasPrefix(s, "pts/") && !strings.HasPrefix(s, "tty") {
		return ""
	}
	return s
}

// numbered is audit's number of a session, "" where it has none (4294967295).
func numbered(ses string) string {
	if ses == "4294967295" || ses == "-1" {
		return ""
	}
	return ses
}

// takeLogin learns from the logs of one host.
func (x *Index) takeLogin(e *event.Event) {
	switch e.FormatName {
	case "journald":
		return // joined by what systemd wrote beside it; says nothing of a login
	case "sshd":
		if !loginWord(e.Text("event")) {
			return
		}
	}
	var f facts
	f.read(e)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.meet(x.host(&f))
	switch e.FormatName {
	case "sshd":
		x.takeSSH(&f)
	case "systemd":
		x.takeLogind(&f)
	case "auditd":
		x.takeAudit(&f)
	case "sudo", "su":
		x.takeElevation(&f)
	}
}

// loginWord says whether sshd says this of a connection that was let in.
func loginWord(said string) bool {
	switch said {
	case "session_opened", "session_closed", "session_started", "session_child",
		"disconnected", "received_disconnect", "connection_closed", "connection_reset", "timeout",
		"accepted_password", "accepted_publickey", "accepted_none", "accepted_keyboard_interactive",
		"accepted_hostbased", "accepted_gssapi", "accepted_pam", "accepted_other":
		return true
	}
	return false
}

func (x *Index) takeSSH(f *facts) {
	pid, said := f.v[sPID], f.v[sEvent]
	l := x.sshOf(f)
	switch {
	case strings.HasPrefix(said, "accepted_"), said == "session_opened":
		if pid == "" {
			return
		}
		if l == nil || f.t > l.began+before || l.ended != 0 && f.t > l.ended {
			l = x.begin(f, "ssh", pid, numbered(f.v[jSes]))
		}
		l.began, l.kind = min(l.began, f.t), "ssh"
		x.setUser(l, f.v[sUser])
		x.setPeer(l, f.v[sIP], f.v[sPort])
		x.setSes(l, numbered(f.v[jSes]), f.t)
		if l.key == "" {
			l.key = own(f.v[sKey])
		}
		if l.method == "" {
			l.method = own(f.v[sMethod])
		}
		if l.uid == "" && said == "session_opened" {
			l.uid = own(f.v[sUID])
		}
	case l == nil:
	case said == "session_started":
		x.addPID(l, pid)
		x.addTTY(l, f.v[sTTY])
	case said == "session_child":
		x.addPID(l, lastNumber(f.e.Message))
	case said == "session_closed" && f.v[sModule] == "": // one channel of several
	default:
		l.ended = max(l.ended, f.t)
		x.logins.grow(x, l.place, 0)
	}
}

// sshOf is the login a record of sshd belongs to: by process, else by the client's
// address and port.
func (x *Index) sshOf(f *facts) *login {
	host := x.host(f)
	if l := newest(listed(x, x.byPID, host, f.v[sPID]), f.t, f); l != nil {
		return l
	}
	if f.v[sPort] == "" {
		return nil
	}
	for _, name := range [...]string{host, x.also(host)} {
		if l := x.byPeer[peer{name, f.v[sIP], f.v[sPort]}]; l != nil && l.open(f.t) {
			return l
		}
	}
	return nil
}

// lastNumber is the digits at the end of a sentence.
func lastNumber(s string) string {
	s = strings.TrimRight(s, ". ")
	i := len(s)
	for i > 0 && s[i-1] >= '0' && s[i-1] <= '9' {
		i--
	}
	return s[i:]
}

// logindEnd is the number in "Removed session 7." and "Session 7 logged out. …".
func logindEnd(s string) string {
	rest, ok := strings.CutPrefix(s, "Removed session ")
	if ok {
		return strings.TrimSuffix(rest, ".")
	}
	if rest, ok = strings.CutPrefix(s, "Session "); ok {
		if n, _, found := strings.Cut(rest, " logged out"); found {
			return n
		}
	}
	return ""
}

// takeLogind learns the number of a session: logind's is audit's where there is one.
func (x *Index) takeLogind(f *facts) {
	host := x.host(f)
	if n := logindEnd(f.e.Message); n != "" {
		if l := newest(listed(x, x.bySes, host, n), f.t, nil); l != nil {
			l.ended = max(l.ended, f.t)
		}
		return
	}
	n := f.v[sLogind]
	if n == "" || f.v[sEvent] != "session_opened" {
		return
	}
	if l := newest(listed(x, x.bySes, host, n), f.t, nil); l != nil && f.t-l.began < before {
		return // audit said so
	}
	var only *login
	for _, l := range listed(x, x.byUser, host, f.v[sUser]) {
		if l.ses != "" || l.ended != 0 || f.t-l.began > opened || l.began-f.t > opened {
			continue
		}
		if only != nil {
			return // two at once: the number could be either's
		}
		only = l
	}
	if only != nil {
		x.setSes(only, n, f.t)
	}
}
