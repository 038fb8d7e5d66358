package parse

import (
	"strings"

	"bartizan/event"
)

// Windows events come as JSON in three shapes: as tools dump event log files
// (Event.System and Event.EventData, nested as in the XML), as Winlogbeat and
// Elastic Agent ship them (winlog.event_data beside ECS), and flat (NXLog, Azure's
// SecurityEvent table). All are given the flat names that Sigma's rules use.

func isWinEvent(p *pass) bool { return p.has(wxID) != nil && p.has(wxSystem) != nil }

func isWinlogbeat(p *pass) bool {
	return (p.has(wbID) != nil || p.has(wbData) != nil) && (p.has(wbChannel) != nil || p.has(wbProvider) != nil)
}

func isWinFlat(p *pass) bool {
	return p.has(winID) != nil && (p.has(winChannel) != nil || p.has(nxGUID) != nil && p.has(nxSource) != nil)
}

// readWinEvent reads an event as evtx_dump and its relatives write it. Attributes
// of the XML stand below #attributes, or begin with @.
func readWinEvent(p *pass) {
	p.endNative()
	p.winTime(wxTime, wxTimeAt, wxTimeBy)
	for _, prefix := range [...]string{"Event.EventData.", "Event.UserData."} {
		p.winData(prefix)
	}
	p.aliases(wxAliases)
	p.windows()
}

// readWinlogbeat reads an event as Winlogbeat and Elastic Agent ship it.
func readWinlogbeat(p *pass) {
	p.endNative()
	p.winTime(wbTime, wbStamp)
	p.winData("winlog.event_data.")
	p.winData("winlog.user_data.")
	p.aliases(wbAliases)
	p.e.Level = levelWord(p.value(wbLevel))
	p.windows()
}

// readWinFlat reads an event with everything on one level.
func readWinFlat(p *pass) {
	p.endNative()
	p.winTime(nxTime, nxCreated, nxGenerated, nxUtc)
	p.aliases(nxAliases)
	p.e.Level = levelWord(p.value(nxSeverity))
	p.windows()
}

// winTime takes the first of several times that is one.
func (p *pass) winTime(from ...name) {
	for _, k := range from {
		if f := p.has(k); f != nil && p.timeValue(f.Value) {
			return
		}
	}
}

// windows completes an event whose System part is known under Sigma's names.
func (p *pass) windows() {
	service, id := winService(p.value(winChannel), p.value(winProvider)), smallInt(p.value(winID))
	p.e.LogSource = event.LogSource{Product: "windows", Category: p.winCategory(service, id), Service: service}
	switch service {
	case "sysmon":
		if strings.HasPrefix(p.value(winChannel), "Linux-") {
			p.e.LogSource.Product = "linux"
		}
	case "security":
		p.winSecurity(id)
	case "application", "system", "powershell-classic", "msexchange-management":
		p.winNameless()
	}
	p.winLevel(service)
	p.winHashes()
	p.winUsers()
	p.aliases(winAliases)
	for _, k := range [...]pair{{ecsProcess, winImage}, {ecsProcess, winSourceImage}, {ecsParentName, winParentImage}} {
		p.baseName(k.to, k.from)
	}
	p.winMessage(id)
}

// winNameless gives the values of classic events, which have no names, their place
// in Data: what a shipper numbered, else the message they are part of.
func (p *pass) winNameless() {
	if p.has(winText) != nil {
		return
	}
	for _, k := range winParams {
		if f := p.has(k); f != nil && f.Value.Str != "" && f.Value.Kind != event.KindObject {
			p.put(winText, f.Value)
		}
	}
	p.alias(winText, nxMessage)
}

// winLevel reads the level of the event log: 1 critical to 5 verbose, 0 for what is
// always logged. What was refused by an audit is a warning.
func (p *pass) winLevel(service string) {
	if p.e.Level == event.LevelUnknown {
		v := p.value(winLevelName)
		if n := smallInt(v); n >= 0 && n < len(winLevels) {
			p.e.Level = winLevels[n]
		} else {
			p.e.Level = levelWord(v)
		}
	}
	if service != "security" {
		return
	}
	ok, known := p.winAudit()
	if !known {
		return
	}
	p.outcome(ok)
	if !ok {
		p.e.Level = max(p.e.Level, event.LevelWarning)
	}
}

var winLevels = [...]event.Level{
	event.LevelInfo, event.LevelCritical, event.LevelError, event.LevelWarning, event.LevelInfo, event.LevelDebug,
}

// winAudit tells from the keywords whether what was audited succeeded.
func (p *pass) winAudit() (ok, known bool) {
	words := p.value(winKeywords)
	for _, w := range [...]string{words, p.value(nxEventType), p.value(wbOutcome)} {
		switch w {
		case "0x8020000000000000", "AUDIT_SUCCESS", "Audit Success", "success", "-9214364837600034816":
			return true, true
		case "0x8010000000000000", "AUDIT_FAILURE", "Audit Failure", "failure", "-9218868437227405312":
			return false, true
		}
	}
	return false, false
}

// winSecurity gives the Security channel's events the names that Sigma's
// categories use, which are Sysmon's.
func (p *pass) winSecurity(id int) {
	switch id {
	case 4688:
		p.aliases(winCreated)
	case 4657:
		p.registryPath()
	case 4663:
		p.aliases(winAccessed)
	case 5156, 5157:
		p.aliases(winConnected)
	case 4624, 4625, 4634, 4647, 4648, 4672, 4768, 4769, 4776:
		p.accountName(ecsUser, winTargetUser)
		p.aliases(winLogon)
	}
}

// registryPath writes the key and the value of event 4657 as Sysmon does.
func (p *pass) registryPath() {
	key, value := p.value(winObject), p.value(winValueName)
	for _, root := range [...][2]string{{`\REGISTRY\MACHINE`, "HKLM"}, {`\REGISTRY\USER`, "HKU"}} {
		if rest, ok := strings.CutPrefix(key, root[0]); ok {
			p.aliasWord(winTarget, p.joined(root[1], rest, `\`, value))
			break
		}
	}
	p.aliases(winRegistry)
}

// joined writes several texts one behind the other in the slab.
func (p *pass) joined(parts ...string) string {
	n := 0
	for _, s := range parts {
		n += len(s)
	}
	buf := p.slab.bytes.take(n)[:0]
	for _, s := range parts {
		buf = append(buf, s...)
	}
	return str(buf)
}

// winHashes takes the hashes out of Sysmon's "SHA256=…,IMPHASH=…".
func (p *pass) winHashes() {
	f := p.has(winHashField)
	if f == nil {
		return
	}
	v := f.Value
	for from := 0; from < len(v.Str); {
		end := len(v.Str)
		if i := strings.IndexByte(v.Str[from:], ','); i >= 0 {
			end = from + i
		}
		for i := range winHashNames {
			h := &winHashNames[i]
			if strings.HasPrefix(v.Str[from:end], h.prefix) {
				p.aliasPart(h.to, v, from+len(h.prefix), end)
				if h.ecs.text != "" {
					p.aliasPart(h.ecs, v, from+len(h.prefix), end)
				}
			}
		}
		from = end + 1
	}
}

// winUsers gives the name behind "DOMAIN\" of who did it, and of whom it was done
// to.
func (p *pass) winUsers() {
	for _, k := range [...]name{winUser, winSourceUser, winSubject, winTargetUser} {
		p.accountName(ecsUser, k)
	}
	if who := p.value(winTargetUser); who[strings.LastIndexByte(who, '\\')+1:] != p.value(ecsUser) {
		p.accountName(ecsTarget, winTargetUser)
	}
}

func (p *pass) accountName(to, from name) {
	f := p.has(from)
	if f == nil || nothing(f.Value.Str) || f.Value.Kind == event.KindObject {
		return
	}
	v := f.Value
	p.aliasPart(to, v, strings.LastIndexByte(v.Str, '\\')+1, len(v.Str))
}

// baseName gives what stands behind the last backslash or slash of a path.
func (p *pass) baseName(to, from name) {
	if f := p.has(from); f != nil && f.Value.Kind == event.KindString {
		v := f.Value
		p.aliasPart(to, v, strings.LastIndexAny(v.Str, `\/`)+1, len(v.Str))
	}
}

// winMessage is the event's own first line, or what it is about.
func (p *pass) winMessage(id int) {
	for _, k := range [...]name{nxMessage, fMessage} {
		if s := p.value(k); s != "" {
			if i := strings.IndexAny(s, "\r\n"); i > 0 {
				s = s[:i]
			}
			p.e.Message = s
			return
		}
	}
	about := ""
	for i := range winAbout {
		if about = p.value(winAbout[i]); !nothing(about) {
			break
		}
	}
	what := p.e.LogSource.Category
	if what == "" {
		what = winEventNames[id]
	}
	p.e.Message = p.compose(p.value(winProvider), p.value(winID), what, about)
}

// smallInt reads a number of at most six digits, -1 where there is none.
func smallInt(s string) int {
	if len(s) == 0 || len(s) > 6 {
		return -1
	}
	n := 0
	for i := 0; i < len(s); i++ {
		if s[i]-'0' > 9 {
			return -1
		}
		n = n*10 + int(s[i]-'0')
	}
	return n
}
