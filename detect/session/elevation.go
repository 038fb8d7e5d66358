package session

import "unsafe"

// elevation is one use of sudo or su.
type elevation struct {
	host, pid, user, tty, runas string
	ses                         string // of audit's record of it; then nothing of the others but pid
	t                           int64
}

const elevationBytes = int(unsafe.Sizeof(elevation{})) + 3*96

func (v *elevation) forget(x *Index) {
	without(x.byTTY, at{v.host, v.tty}, v)
	without(x.bySudo, at{v.host, v.pid}, v)
}

// takeElevation remembers who became whom on which terminal; which login that was
// is asked when a record is joined.
func (x *Index) takeElevation(f *facts) {
	if f.v[sModule] == "" && f.v[sUser] != "" {
		x.elevate(elevation{host: x.host(f), pid: f.v[sPID], user: f.v[sUser], tty: terminal(f.v[sTTY]), runas: f.v[sTarget], t: f.t})
	}
}

func (x *Index) elevate(v elevation) {
	if v.tty == "" && v.pid == "" {
		return
	}
	for _, o := range x.bySudo[at{v.host, v.pid}] {
		if v.pid != "" && o.ses == v.ses && o.user == v.user && o.tty == v.tty && o.runas == v.runas && apart(o.t, v.t) < before {
			return
		}
	}
	p := &elevation{own(v.host), own(v.pid), own(v.user), own(v.tty), own(v.runas), own(v.ses), v.t}
	if p.tty != "" {
		with(x.byTTY, at{p.host, p.tty}, p, maxSame)
	}
	if p.pid != "" {
		with(x.bySudo, at{p.host, p.pid}, p, maxSame)
	}
	x.elevations.hold(x, p, elevationBytes+len(p.host)+len(p.pid)+len(p.user)+len(p.tty)+len(p.runas))
}

func apart(a, b int64) int64 { return max(a-b, b-a) }
