package parse

import (
	"bytes"

	"bartizan/event"
)

// istiod's log, and what other programs write with zap's console encoder: stamp,
// level, scope and message between tabs ("istiod" command reference, --log_*).

var (
	isScope = known("scope")
	isError = known("error")
)

var istiodAliases = []pair{{ecsErrorText, isError}, {ecsUser, known("principal")}, {ecsResource, known("pod")}, {ecsNamespace, known("namespace")}}

var logIstiod = event.LogSource{Product: "istio", Service: "istiod"}

// istiodLevel finds the level's word between two tabs behind the stamp.
func istiodLevel(b []byte) (tab, end int) {
	if len(b) < 24 || b[4] != '-' || b[10] != 'T' {
		return -1, 0
	}
	if tab = find(b[:min(len(b), 40)], 0, '\t'); tab < 0 {
		return -1, 0
	}
	if end = find(b[:min(len(b), tab+12)], tab+1, '\t'); end < 0 || levelWord(str(b[tab+1:end])) == event.LevelUnknown {
		return -1, 0
	}
	return tab, end
}

func scoreIstiod(b []byte) (int, string) {
	if tab, _ := istiodLevel(b); tab > 0 {
		return 86, "a stamp, a tab, a level and a tab"
	}
	return 0, "no level between tabs after a stamp"
}

func readIstiod(p *pass) bool {
	b := p.text[:trimEnd(p.text)]
	tab, end := istiodLevel(b)
	if tab < 0 {
		return false
	}
	c, east, zoned, n := isoStamp(b[:tab])
	if n < 0 {
		return false
	}
	if zoned {
		p.at(c.utc(east))
	} else {
		p.at(p.slab.zones.in(c, p.spec.zone))
	}
	p.add(fTimestamp, 0, tab)
	p.add(fLevel, tab+1, end)
	i := end + 1
	if next := find(b, i, '\t'); next > i && next-i <= 64 && bytes.IndexByte(b[i:next], ' ') < 0 {
		p.add(isScope, i, next)
		i = next + 1
	}
	p.add(fMessage, i, len(b))
	p.e.FormatName, p.e.LogSource = "istiod", logIstiod
	p.e.Level, p.e.Message = levelWord(p.value(fLevel)), view(b, i, len(b))
	for at := i; at < len(b); {
		next := find(b, at, '\t')
		if next < 0 {
			next = len(b)
		}
		p.klogPairs(b[:next], at)
		at = next + 1
	}
	p.endNative()
	p.aliases(istiodAliases)
	return true
}
