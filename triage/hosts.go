package triage

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"bartizan/event"
)

// MaxHost is how many bytes a host's name may have in a move.
const MaxHost = 256

// Distrust says that people hold a host for compromised: since when, who said so,
// and why. Everything that comes from the host carries it.
type Distrust struct {
	Host   string    `json:"host"`
	Since  time.Time `json:"since"`
	By     string    `json:"by"`
	Reason string    `json:"reason"`
}

// HostOf is the host that a source's records come from over an agent or ssh, as
// moves name it: "web-1" of "agent:web-1/auth" and of "ssh:root@web-1". It is ""
// for a source on this host.
func HostOf(id event.SourceID) string {
	kind, rest, ok := strings.Cut(string(id), ":")
	if !ok || kind != "agent" && kind != "ssh" && kind != "tail" {
		return ""
	}
	if strings.HasPrefix(rest, "[") || strings.Contains(rest, "@[") { // an IPv6 address, as ssh takes it
		rest, _, _ = strings.Cut(rest, "]")
	}
	rest, _, _ = strings.Cut(rest, "/")
	if _, host, ok := strings.Cut(rest, "@"); ok {
		rest = host
	}
	return strings.Trim(rest, "[]")
}

// aboutHost says that a move is about a host, and so about no alert.
func aboutHost(d Do) bool { return d == DoDistrust || d == DoTrust }

// wellFormedHost checks what moves about hosts need, and that no others name one.
func wellFormedHost(m Move) error {
	switch {
	case !aboutHost(m.Do) && m.Host != "":
		return illegal("only distrust and trust are about a host")
	case !aboutHost(m.Do):
		return nil
	case m.Host == "" || len(m.Host) > MaxHost || !utf8.ValidString(m.Host):
		return illegal("a host's name has 1 to %d bytes of UTF-8", MaxHost)
	case len(m.On) > 0:
		return illegal("a host is trusted or not, whatever its alerts: name none")
	case m.Do == DoDistrust && strings.TrimSpace(m.Note) == "":
		return illegal("calling a host compromised needs a reason")
	}
	return nil
}

// hosts are the moves about each host, oldest first.
type hosts map[string][]hostMove

type hostMove struct {
	done *done
	mark Distrust // Host "": it is trusted from then on
}

// standing is the newest move about the host that is not undone.
func (h hosts) standing(host string) *hostMove {
	list := h[host]
	for i := range slices.Backward(list) {
		if list[i].done.undoneBy == 0 {
			return &list[i]
		}
	}
	return nil
}

func (h hosts) distrust(host string) (Distrust, bool) {
	m := h.standing(host)
	if m == nil || m.mark.Host == "" {
		return Distrust{}, false
	}
	return m.mark, true
}

// checkHost says whether a move about a host changes anything.
func (b *Board) checkHost(m Move) (Entry, error) {
	have, marked := b.hosts.distrust(m.Host)
	switch {
	case m.Do == DoDistrust && marked:
		return Entry{}, illegal("host %s is called compromised already, since %s by %s", m.Host, stamp(have.Since), have.By)
	case m.Do == DoTrust && !marked:
		return Entry{}, illegal("nobody calls host %s compromised", m.Host)
	}
	return b.entry(m, nil), nil
}

// hostStands refuses to undo a move about a host under a later one.
func (b *Board) hostStands(d *done) error {
	if !aboutHost(d.do) {
		return nil
	}
	if l := b.hosts.standing(d.host); l != nil && l.done != d {
		return illegal("move %d cannot be undone while move %d (%s by %s) on host %s stands: undo that one first", d.id, l.done.id, l.done.do, l.done.by, d.host)
	}
	return nil
}

// trusted takes a row about a host in, and marks the alerts it has a part in.
func (b *Board) trusted(e Entry, d *done) {
	switch e.Do {
	case DoDistrust:
		b.hosts[e.Host] = append(b.hosts[e.Host], hostMove{d, Distrust{e.Host, e.At, e.By.Name, e.Note}})
	case DoTrust:
		b.hosts[e.Host] = append(b.hosts[e.Host], hostMove{done: d})
	}
	b.view.gen++ // the list is the same, what is to be said of it is not
	for _, n := range b.nodes {
		if slices.ContainsFunc(n.alert.Sources, func(s event.SourceID) bool { return HostOf(s) == e.Host }) {
			b.suspect(n)
		}
	}
}

// suspect gives the alert the marks of its hosts as they stand now.
func (b *Board) suspect(n *node) {
	if len(b.hosts) == 0 {
		return
	}
	var marks []Distrust
	for _, s := range n.alert.Sources {
		if m, ok := b.hosts.distrust(HostOf(s)); ok && !slices.Contains(marks, m) {
			marks = append(marks, m)
		}
	}
	if !slices.Equal(marks, n.alert.Compromised) {
		b.edit(n).Compromised = marks
	}
}

// Distrusted lists the hosts that are called compromised now, by name.
func (b *Board) Distrusted() []Distrust {
	var out []Distrust
	for host := range b.hosts {
		if m, ok := b.hosts.distrust(host); ok {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(x, y Distrust) int { return strings.Compare(x.Host, y.Host) })
	return out
}
