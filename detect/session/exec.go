package session

import (
	"container/list"
	"net/url"
	"strings"
	"time"
	"unsafe"

	"bartizan/event"
)

// maxExec is how long before a sensor's record an exec may have begun, unless it
// is known to go on.
const maxExec = 5 * int64(time.Minute)

// exec is somebody's exec into a pod, an attach or a debugging container, as the
// API server's audit log has it.
type exec struct {
	id                 string // audit id
	cluster, ns, pod   string
	user, as, ip, verb string // as: who was impersonated
	container, command string
	began, ended       int64 // ended 0: it goes on, or nobody said
	place              *list.Element
}

const execBytes = int(unsafe.Sizeof(exec{})) + 2*128

func (s *exec) forget(x *Index) {
	x.stats.Execs--
	delete(x.execs, s.id)
	without(x.byPod, at{s.ns, s.pod}, s)
}

// session is what the exec is called as a session.
func (s *exec) session() string { return s.ns + "/" + s.pod + "/" + s.verb + "@" + s.id }

// opens says whether a subresource of pods lets somebody in.
func opens(sub string) bool { return sub == "exec" || sub == "attach" || sub == "ephemeralcontainers" }

// takeExec learns of an exec that was let through. Its stages are one exec.
func (x *Index) takeExec(e *event.Event) {
	var f facts
	f.read(e)
	if f.v[kResource] != "pods" || f.v[kID] == "" || f.v[rName] == "" || !letIn(f.v[kCode]) {
		return
	}
	if v := f.v[kVerb]; f.v[kSub] == "ephemeralcontainers" && v != "patch" && v != "update" {
		return // somebody only looked
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	s := x.execs[f.v[kID]]
	if s == nil {
		s = &exec{
			id: own(f.v[kID]), cluster: own(f.v[rCluster]), ns: own(f.v[rNamespace]), pod: own(f.v[rName]),
			user: own(f.v[sUser]), as: own(f.v[kEffective]), ip: own(f.v[sIP]), verb: own(f.v[kSub]), began: f.t,
		}
		s.container, s.command = wanted(f.v[kURI])
		x.execs[s.id] = s
		with(x.byPod, at{s.ns, s.pod}, s, maxSame)
		x.stats.Execs++
		s.place = x.shells.hold(x, s, execBytes+2*len(s.id)+2*len(s.ns)+2*len(s.pod)+len(s.user)+len(s.as)+len(s.ip)+len(s.container)+len(s.command))
	}
	s.began = min(s.began, f.t, stamp(f.v[kReceived], f.t))
	if f.v[kStage] == "ResponseComplete" && s.verb != "ephemeralcontainers" {
		s.ended = max(s.ended, stamp(f.v[kStaged], f.t))
	}
}

// stamp is a time as the API server writes it.
func stamp(s string, otherwise int64) int64 {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return otherwise
	}
	return t.UnixNano()
}

// letIn says that a request was let through: 101 switches protocols; a stage
// before the answer has no code.
func letIn(code string) bool { return code == "" || code == "0" || code[0] == '1' || code[0] == '2' }

// wanted is what an exec was asked for: "?command=sh&container=web&tty=true".
func wanted(uri string) (container, command string) {
	_, q, ok := strings.Cut(uri, "?")
	if !ok || len(q) > 4*maxText {
		return "", ""
	}
	v, err := url.ParseQuery(q)
	if err != nil {
		return "", ""
	}
	return own(v.Get("container")), own(strings.Join(v["command"], " "))
}

// findExecs are the execs a sensor's record in a pod may come from, the last first.
func (x *Index) findExecs(f *facts) []*exec {
	if k := strings.ToLower(f.v[rType]); k != "" && k != "pod" && k != "pods" {
		return nil
	}
	var out []*exec
	for _, s := range x.byPod[at{f.v[rNamespace], f.v[rName]}] {
		if s.covers(f.t) && (s.cluster == "" || f.v[rCluster] == "" || s.cluster == f.v[rCluster]) && s.in(f.v[rContainer]) {
			out = append(out, s)
		}
	}
	for i := 1; i < len(out); i++ {
		for j := i; j > 0 && out[j].later(out[j-1]); j-- {
			out[j], out[j-1] = out[j-1], out[j]
		}
	}
	return out
}

// in says whether the exec may have been into a container of that name: the cluster's,
// or Docker's (k8s_app_web-1_shop_…).
func (s *exec) in(name string) bool {
	return name == "" || s.container == "" || name == s.container || strings.Contains(name, "_"+s.container+"_")
}

func (s *exec) later(o *exec) bool {
	return s.began > o.began || s.began == o.began && s.id < o.id
}

// covers says that something seen at t may have come of the exec: while it lasted,
// and a few minutes after it began.
func (s *exec) covers(t int64) bool {
	if t < s.began-slack {
		return false
	}
	return t-s.began <= maxExec || s.ended != 0 && t <= s.ended+slack
}

// who is the person the API server knew, and as whom they acted.
func (s *exec) who() string {
	if s.as != "" {
		return s.user + " as " + s.as
	}
	return s.user
}

// words are what the alert's page says: who, how long before, what and from where.
func (s *exec) words(t int64) string {
	out := "kubectl " + s.verb + " by " + s.who()
	if s.verb == "ephemeralcontainers" {
		out = "debugging container by " + s.who()
	}
	if d := time.Duration(t - s.began).Round(time.Second); d > 0 {
		out += ", " + d.String() + " before"
	} else {
		out += ", at the same moment"
	}
	var more []string
	if s.command != "" {
		more = append(more, s.command)
	}
	if s.container != "" {
		more = append(more, "in container "+s.container)
	}
	if s.ip != "" {
		more = append(more, "from "+s.ip)
	}
	if len(more) > 0 {
		out += " (" + strings.Join(more, " ") + ")"
	}
	return out
}
