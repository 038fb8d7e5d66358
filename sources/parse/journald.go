package parse

import (
	"bartizan/event"
)

// The journal fields that we look at (systemd.journal-fields(7)).
var (
	jMessage  = known("MESSAGE")
	jIdent    = known("SYSLOG_IDENTIFIER")
	jComm     = known("_COMM")
	jPriority = known("PRIORITY")
	jReal     = known("__REALTIME_TIMESTAMP")
	jSource   = known("_SOURCE_REALTIME_TIMESTAMP")
	jUnit     = known("_SYSTEMD_UNIT")
	jHost     = known("_HOSTNAME")
	jTrans    = known("_TRANSPORT")
)

var journalAliases = []pair{
	{ecsHost, jHost},
	{ecsProcess, jIdent},
	{ecsProcess, jComm},
	{ecsPID, known("_PID")},
	{ecsPID, known("SYSLOG_PID")},
	{ecsExecutable, known("_EXE")},
	{ecsCommand, known("_CMDLINE")},
	{ecsService, jUnit},
	{ecsSession, known("_AUDIT_SESSION")},
	{ecsContainer, known("CONTAINER_ID_FULL")},
	{ecsContName, known("CONTAINER_NAME")},
}

func isJournal(p *pass) bool {
	return p.has(jMessage) != nil && (p.has(jReal) != nil || p.has(jTrans) != nil || p.has(jUnit) != nil || p.has(jIdent) != nil)
}

// readJournal reads an entry as journalctl -o json writes it, and in it what the
// program said. A message with bytes that are not printable text is a list of
// numbers there.
func readJournal(p *pass) {
	for _, k := range [...]name{jReal, jSource} {
		if f := p.has(k); f != nil {
			p.timeValue(f.Value)
		}
	}
	whole, off := p.text, p.off
	v := p.has(jMessage).Value
	if v.Kind == event.KindObject {
		p.text, p.off = p.byteList(v.Str), -1
		p.put(fMessage, event.Value{Str: str(p.text), Pos: -1, End: -1})
	} else {
		p.text, p.off = literal(v)
	}
	p.e.Message = str(p.text)
	p.e.FormatName, p.e.LogSource = "journald", logSyslog
	who := p.value(jIdent)
	if who == "" {
		who = p.value(jComm)
	}
	p.program(who)
	p.text, p.off = whole, off
	if p.native < 0 {
		p.endNative()
	}
	if l := p.value(jPriority); len(l) == 1 && l[0]-'0' < 8 {
		p.e.Level = max(p.e.Level, syslogLevels[l[0]-'0'])
	}
	p.aliases(journalAliases)
}

// byteList decodes "[72,105]" to bytes; what is no byte is left out.
func (p *pass) byteList(s string) []byte {
	buf := p.slab.bytes.take(len(s)/2 + 1)
	n, v, have := 0, 0, false
	for i := 0; i < len(s); i++ {
		if c := s[i]; c-'0' <= 9 {
			v, have = min(v*10+int(c-'0'), 1000), true
			continue
		}
		if have && v < 256 {
			buf[n] = byte(v)
			n++
		}
		v, have = 0, false
	}
	p.slab.bytes.trim(len(buf) - n)
	return buf[:n]
}
