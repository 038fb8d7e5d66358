package parse

import (
	"bytes"
	"strings"

	"bartizan/event"
)

// The names of a Falco alert's parts.
var (
	flRule     = known("rule")
	flPriority = known("priority")
	flOutput   = known("output")
	flTime     = known("time")
	flSource   = known("source")
	flHost     = known("hostname")
	flFields   = known("output_fields")
)

// falcoAliases map Falco's field names to ECS. Every output field gets its bare
// Falco name besides.
var falcoAliases = []pair{
	{ecsRule, flRule},
	{ecsHost, flHost},
	{ecsProvider, flSource},
	{ecsUser, known("output_fields.user.name")},
	{ecsUser, known("output_fields.ka.user.name")},
	{ecsUser, known("output_fields.ct.user")},
	{ecsUserID, known("output_fields.user.uid")},
	{ecsProcess, known("output_fields.proc.name")},
	{ecsPID, known("output_fields.proc.pid")},
	{ecsCommand, known("output_fields.proc.cmdline")},
	{ecsExecutable, known("output_fields.proc.exepath")},
	{ecsParentName, known("output_fields.proc.pname")},
	{ecsCwd, known("output_fields.proc.cwd")},
	{ecsFile, known("output_fields.fs.path.name")},
	{ecsContainer, known("output_fields.container.id")},
	{ecsContName, known("output_fields.container.name")},
	{ecsImage, known("output_fields.container.image.repository")},
	{ecsNamespace, known("output_fields.k8s.ns.name")},
	{ecsNamespace, known("output_fields.ka.target.namespace")},
	{ecsResource, known("output_fields.k8s.pod.name")},
	{ecsResource, known("output_fields.ka.target.name")},
	{ecsResType, known("output_fields.ka.target.resource")},
	{ecsSrcIP, known("output_fields.fd.cip")},
	{ecsSrcPort, known("output_fields.fd.cport")},
	{ecsDstIP, known("output_fields.fd.sip")},
	{ecsDstPort, known("output_fields.fd.sport")},
	{ecsSrcIP, known("output_fields.ct.srcip")},
	{ecsRegion, known("output_fields.ct.region")},
	{ecsAction, known("output_fields.ka.verb")},
	{ecsAction, known("output_fields.ct.name")},
	{ecsAction, known("output_fields.evt.type")},
}

var (
	flFD      = known("output_fields.fd.name")
	flEvtTime = known("output_fields.evt.time")
)

func isFalco(p *pass) bool {
	return p.has(flRule) != nil && p.has(flPriority) != nil &&
		(p.has(flOutput) != nil || p.has(flFields) != nil || p.has(flSource) != nil) && p.has(flTime) != nil
}

// readFalcoJSON reads an alert as falco writes it with json_output.
func readFalcoJSON(p *pass) {
	p.endNative()
	for _, k := range [...]name{flTime, flEvtTime} {
		if f := p.has(k); f != nil {
			p.timeValue(f.Value)
		}
	}
	p.e.Level = levelWord(p.value(flPriority))
	p.e.Message = p.value(flOutput)
	if _, _, _, msg := falcoStart(bytesOf(p.e.Message)); msg > 0 {
		p.e.Message = p.e.Message[msg:]
	}
	if p.e.Message == "" {
		p.e.Message = p.value(flRule)
	}
	p.aliases(falcoAliases)
	if fd := p.value(flFD); strings.HasPrefix(fd, "/") {
		p.alias(ecsFile, flFD)
	}
	if p.has(ecsResource) != nil {
		p.aliasWord(ecsResType, "pods")
	}
	p.falcoCall()
	p.bareNames("output_fields.")
}

// bareNames gives every native field below prefix its name without it.
func (p *pass) bareNames(prefix string) {
	for i := 0; i < p.native; i++ {
		f := p.fields[i]
		if strings.HasPrefix(f.Name, prefix) && len(f.Name) > len(prefix) && f.Value.Str != "" {
			p.labelled(f.Name[len(prefix):], f.Value)
		}
	}
}

// falcoStart reads "HH:MM:SS.nnnnnnnnn: Priority ", or the same with an ISO 8601
// stamp, and returns the time (a year only in the second form), the priority's
// place and where the message begins.
func falcoStart(b []byte) (c civil, from, to, msg int) {
	i := clockTime(b, 0, &c)
	if i < 0 {
		var east int
		if c, east, _, i = isoStamp(b); i > 0 {
			s := c.utc(east)
			c = daysCivil(s.sec / 86400)
			c.hour, c.min, c.sec, c.nsec = int(s.sec/3600%24), int(s.sec/60%60), int(s.sec%60), s.nsec
		}
	}
	if i < 10 || !prefixAt(b, i, ": ") {
		return c, 0, 0, -1
	}
	i += 2
	end := word(b, i)
	if end >= len(b) || levelWord(str(b[i:end])) == event.LevelUnknown {
		return c, 0, 0, -1
	}
	return c, i, end, end + 1
}

func scoreFalco(b []byte) (int, string) {
	if len(b) < 12 || b[0]-'0' > 9 || b[2] != ':' && b[4] != '-' {
		return 0, "does not begin with a time of day"
	}
	if _, _, _, msg := falcoStart(b); msg > 0 {
		return 85, "a time with a fraction, then a priority"
	}
	return 0, "a time, but no priority after it"
}

// readFalco reads the text form of an alert. It has a time of day without a date:
// where records arrive as they are written, it is the day they arrived.
func readFalco(p *pass) bool {
	b := p.text
	c, from, to, msg := falcoStart(b)
	if msg < 0 {
		return false
	}
	if c.year > 0 {
		p.at(c.utc(0))
	} else {
		p.dayTime(c)
	}
	p.add(flPriority, from, to)
	end := max(trimEnd(b), msg) // nothing may follow the priority
	p.add(flOutput, msg, end)
	p.e.FormatName, p.e.LogSource = "falco", logFalco
	p.e.Level = levelWord(str(b[from:to]))
	p.e.Message = view(b, msg, end)
	p.parens(msg, end)
	p.endNative()
	p.aliases(falcoTextAliases)
	p.falcoCall()
	return true
}

// dayTime completes a time of day. Only a live source tells the day.
func (p *pass) dayTime(c civil) {
	if p.stream != nil {
		if p.stream.live && !p.hasT {
			p.spec.day = p.dayOf(c)
		}
	}
	if p.spec.day == 0 {
		return
	}
	d := daysCivil(int64(p.spec.day))
	c.year, c.mon, c.day = d.year, d.mon, d.day
	p.at(p.slab.zones.in(c, p.spec.zone))
}

// dayOf returns the latest day on which c is not in the future of the record's
// arrival.
func (p *pass) dayOf(c civil) int32 {
	local := p.ref.In(p.spec.zone)
	y, m, d := local.Date()
	day := daysTo(y, int(m), d)
	c.year, c.mon, c.day = y, int(m), d
	if p.slab.zones.in(c, p.spec.zone).sec > p.ref.Add(maxAhead).Unix() {
		day--
	}
	return int32(day)
}

// daysCivil returns the date that lies days after 1970-01-01.
func daysCivil(days int64) civil {
	z := days + 719468
	era := z / 146097
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	c := civil{year: int(yoe + era*400), mon: int(mp) + 3, day: int(doy-(153*mp+2)/5) + 1}
	if c.mon > 12 {
		c.mon -= 12
		c.year++
	}
	return c
}

// falcoKeys are the names that rules' outputs usually put before a value. In a
// command line only these end the value, because "a=b" may be part of it.
var falcoKeys = knownSet("user", "command", "process", "container_id", "container_name", "image", "k8s_ns", "k8s_pod_name",
	"k8s.ns", "k8s.pod", "pod", "ns", "file", "parent", "connection", "verb", "uri", "target", "evt_type", "user_uid", "user_loginuid",
	"proc_exepath", "terminal", "container_image", "container_image_repository", "container_image_tag", "exe_flags",
	"gparent", "ggparent", "gggparent", "lport", "rport", "fd_type", "fd_proto", "pcmdline", "cmdline", "resp", "resource", "container")

func knownSet(names ...string) map[string]bool {
	m := map[string]bool{}
	for _, n := range names {
		m[n] = true
	}
	return m
}

var falcoTextAliases = []pair{
	{ecsUser, fUser},
	{ecsUserID, known("user_uid")},
	{ecsCommand, fCommand},
	{ecsCommand, known("cmdline")},
	{ecsProcess, known("process")},
	{ecsExecutable, known("proc_exepath")},
	{ecsContainer, known("container_id")},
	{ecsContName, known("container_name")},
	{ecsImage, known("image")},
	{ecsImage, known("container_image")},
	{ecsImage, known("container_image_repository")},
	{ecsNamespace, known("k8s_ns")},
	{ecsNamespace, known("k8s.ns")},
	{ecsNamespace, known("ns")},
	{ecsResource, known("k8s_pod_name")},
	{ecsResource, known("k8s.pod")},
	{ecsResource, known("pod")},
	{ecsFile, known("file")},
	{ecsParentName, known("parent")},
	{ecsAction, known("verb")},
	{ecsAction, known("evt_type")},
}

// parens reads "(key=value with blanks key=value)" or "key=value | key=value" at
// the end of an output. A value reaches to the next key.
func (p *pass) parens(from, to int) {
	b := p.text[:to]
	i := from + max(bytes.LastIndex(b[from:], []byte(" (")), 0)
	key, at := []byte(nil), 0
	for i < to {
		end := word(b, i)
		start := i
		for start < end && (b[start] == '(' || b[start] == '|') {
			start++
		}
		eq := start
		for eq < end && (b[eq]-'a' < 26 || b[eq]-'0' <= 9 || b[eq] == '_' || b[eq] == '.') {
			eq++
		}
		if eq > start && eq < end && b[eq] == '=' && (!isCommand(key) || falcoKeys[string(b[start:eq])]) {
			p.falcoPair(key, at, i)
			key, at = b[start:eq], eq+1
		}
		i = end + 1
	}
	p.falcoPair(key, at, to)
}

func isCommand(key []byte) bool {
	return bytes.Contains(key, []byte("command")) || bytes.HasSuffix(key, []byte("cmdline"))
}

func (p *pass) falcoPair(key []byte, from, to int) {
	if len(key) == 0 || len(p.fields) >= maxJSONFields {
		return
	}
	b := p.text
	for to > from && (b[to-1] == ' ' || b[to-1] == ')' || b[to-1] == '|' || b[to-1] == ':') {
		to--
	}
	if to > from {
		p.addKey(key, from, to)
	}
}
