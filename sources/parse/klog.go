package parse

import (
	"bytes"
	"strings"

	"bartizan/event"
)

// klog, the log of Kubernetes' components, and glog before it: "Lmmdd
// hh:mm:ss.uuuuuu threadid file:line] message" ("System Logs" in Kubernetes'
// documentation), with key="value" pairs after a quoted message.

var (
	kgThread = known("threadid")
	kgFile   = known("file")
	kgLine   = known("line")
	kgPod    = known("pod")
)

var klogAliases = []pair{
	{ecsErrorText, known("err")},
	{ecsUser, fUser},
	{ecsContainer, known("containerID")},
	{ecsContName, known("containerName")},
	{ecsURLPath, known("URI")},
	{ecsMethod, known("verb")},
	{ecsUserAgent, known("userAgent")},
	{ecsSrcIP, known("srcIP")},
}

var logKlog = event.LogSource{Product: "kubernetes", Service: "klog"}

// klogHead returns the stamp, where it ends, where the thread, the file and the
// line stand and where the message begins; text is -1 where it is none.
func klogHead(b []byte) (c civil, stop, file, colon, text int) {
	if len(b) < 30 || b[5] != ' ' || !klogLetter(b[0]) {
		return c, 0, 0, 0, -1
	}
	c.mon, c.day = two(b, 1), two(b, 3)
	stop = clockTime(b, 6, &c)
	if stop < 0 || !c.valid() || stop >= len(b) || b[stop] != ' ' {
		return c, 0, 0, 0, -1
	}
	near := b[:min(len(b), stop+200)]
	end := bytes.Index(near[stop:], []byte("] "))
	if end < 0 {
		if len(b) == 0 || b[len(b)-1] != ']' {
			return c, 0, 0, 0, -1
		}
		end = len(b) - 1 - stop
	}
	end += stop
	if colon = bytes.LastIndexByte(b[:end], ':'); colon < stop || digits(b[:end], colon+1) != end || colon+1 == end {
		return c, 0, 0, 0, -1
	}
	for file = colon; file > stop && b[file-1] != ' '; file-- {
	}
	return c, stop, file, colon, min(end+2, len(b))
}

func klogLetter(c byte) bool { return c == 'I' || c == 'W' || c == 'E' || c == 'F' || c == 'D' }

func scoreKlog(b []byte) (int, string) {
	if _, _, _, _, text := klogHead(b[:trimEnd(b)]); text > 0 {
		return 92, "a level's letter with mmdd, a time, a thread and file:line]"
	}
	return 0, "no Lmmdd hh:mm:ss.uuuuuu with file:line] after it"
}

func readKlog(p *pass) bool {
	b := p.text[:trimEnd(p.text)]
	c, stop, file, colon, i := klogHead(b)
	if i < 0 {
		return false
	}
	c.year = p.yearOf(c.mon, c.day)
	p.at(p.slab.zones.in(c, p.spec.zone))
	p.add(fLevel, 0, 1)
	if from := skipBlanks(b, stop); digits(b, from) > from {
		p.addNum(kgThread, from, digits(b, from))
	}
	p.add(kgFile, file, colon)
	p.addNum(kgLine, colon+1, digits(b, colon+1))
	p.e.FormatName, p.e.LogSource, p.e.Level = "klog", logKlog, mongoLevel(view(b, 0, 1))
	p.add(fMessage, i, len(b))
	p.e.Message = view(b, i, len(b))
	if prefixAt(b, i, `"`) {
		if end := quoted(b, i+1); end > 0 {
			p.fields[len(p.fields)-1].Value = event.Value{}
			p.write(&p.fields[len(p.fields)-1], i+1, end)
			p.klogPairs(b, end+1)
		}
	}
	p.endNative()
	p.klogPod()
	p.aliases(klogAliases)
	return true
}

// klogPairs reads key="value" pairs behind a structured message.
func (p *pass) klogPairs(b []byte, i int) {
	for n := 0; i < len(b) && n < maxJSONFields; n++ {
		i = skipBlanks(b, i)
		k, from, to, end, quotes := logfmtPair(b, i)
		if end <= k || k == i {
			return
		}
		p.logfmtValue(b[i:k], from, to, quotes)
		i = end
	}
}

// klogPod splits pod="namespace/name".
func (p *pass) klogPod() {
	f := p.has(kgPod)
	if f == nil {
		return
	}
	v := f.Value
	slash := strings.IndexByte(v.Str, '/')
	p.aliasPart(ecsNamespace, v, 0, max(slash, 0))
	p.aliasPart(ecsResource, v, slash+1, len(v.Str))
	p.aliasWord(ecsResType, "pods")
}
