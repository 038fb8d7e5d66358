package sources

import "bytes"

// lineKind says how a line may be gone on with by the lines that follow it.
type lineKind uint8

const (
	lineSingle lineKind = iota // not at all
	lineTrace                  // by a stack trace or indented lines
	lineAudit                  // by audit records with the same time and serial
	lineCRI                    // by the rest of a line a container runtime split
	lineDocker                 // the same, of Docker's json-file driver
	lineSudo                   // by the rest of a command sudo folded
	lineSlow                   // by the rest of an entry of MySQL's slow query log
	lineQuery                  // by the rest of a statement in MySQL's general query log
)

// kindOf tells the kinds that show in the line itself, all but lineTrace. It is
// asked of every line.
func kindOf(line []byte) lineKind {
	if len(line) < 8 {
		return lineSingle
	}
	switch c := line[0]; {
	case c == '{':
		if line[2] == 'l' && dockerPart(line) {
			return lineDocker
		}
	case c == 't' || c == 'n':
		if auditGroup(line) {
			return lineAudit
		}
	case c == '#':
		if bytes.HasPrefix(line, slowTime) || bytes.HasPrefix(line, slowUser) {
			return lineSlow
		}
	case c-'0' < 10 && len(line) > 24 && line[10] == 'T':
		if criPart(line) {
			return lineCRI
		}
		if generalQuery(line) {
			return lineQuery
		}
	}
	if len(line) >= minFolded && folded(line) {
		return lineSudo
	}
	return lineSingle
}

// couldFollow says by its first byte whether a line may go on record.
func couldFollow(k lineKind, record, next []byte) bool {
	if len(next) == 0 { // an empty line
		return k == lineTrace || k == lineSlow || k == lineQuery
	}
	switch k {
	case lineTrace:
		return mayContinue[next[0]]
	case lineAudit, lineDocker:
		return next[0] == record[0]
	case lineCRI:
		return next[0]-'0' < 10
	}
	return true
}

// goesOn says whether a whole line goes on record.
func goesOn(k lineKind, t *traceState, record, next []byte) bool {
	if k == lineTrace {
		return t.follows(next)
	}
	next = trimReturn(next)
	switch k {
	case lineAudit:
		return bytes.Equal(auditID(record), auditID(next))
	case lineCRI:
		return criFollows(record, next)
	case lineDocker:
		return dockerFollows(record, next)
	case lineSudo:
		return sudoFollows(record, next)
	case lineSlow:
		return slowFollows(record, next)
	case lineQuery:
		return queryFollows(next)
	}
	return false
}

// closes says whether nothing can come behind line in its record.
func closes(k lineKind, line []byte) bool {
	line = trimReturn(line)
	switch k {
	case lineAudit:
		return auditType(line, "PROCTITLE") || auditType(line, "EOE")
	case lineCRI:
		return !criPart(line)
	case lineDocker:
		return !dockerPart(line)
	case lineSlow:
		return slowEnds(line)
	}
	return false
}

var auditMark = []byte("audit(")

// auditBody returns what follows "type=", nil where line is no audit record.
func auditBody(line []byte) []byte {
	if bytes.HasPrefix(line, []byte("node=")) {
		i := bytes.IndexByte(line[:min(len(line), 300)], ' ')
		if i < 0 {
			return nil
		}
		line = line[i+1:]
	}
	body, ok := bytes.CutPrefix(line, []byte("type="))
	if !ok {
		return nil
	}
	return body
}

// auditID returns node, time and serial of an audit record as they stand in it,
// the type left out; nil where there are none.
func auditID(line []byte) []byte {
	head := line[:min(len(line), 400)]
	at := bytes.Index(head, auditMark)
	if auditBody(line) == nil || at < 0 {
		return nil
	}
	end := bytes.IndexByte(head[at:], ')')
	if end < 0 {
		return nil
	}
	if line[0] == 'n' { // the type stands between node and time: both must be the same
		node := head[:bytes.IndexByte(head, ' ')]
		return append(append(make([]byte, 0, len(node)+end), node...), head[at:at+end]...)
	}
	return head[at : at+end]
}

// auditAlone are the beginnings of types that user space writes: one record is
// the whole event (linux/audit.h, 1100 to 1299 and 2000 on), and of those that
// end an event of the kernel.
var auditAlone = [][]byte{
	[]byte("USER"), []byte("CRED_"), []byte("SERVICE_"), []byte("DAEMON_"), []byte("SYSTEM_"), []byte("ADD_"), []byte("DEL_"), []byte("GRP_"),
	[]byte("ACCT_"), []byte("ROLE_"), []byte("CRYPTO_"), []byte("VIRT_"), []byte("SOFTWARE_"), []byte("CHGRP_"), []byte("CHUSER_"), []byte("EOE"), []byte("PROCTITLE"),
}

// auditGroup says whether line is an audit record that others may belong to.
func auditGroup(line []byte) bool {
	body := auditBody(line)
	for _, t := range auditAlone {
		if bytes.HasPrefix(body, t) {
			return false
		}
	}
	return body != nil && auditID(line) != nil
}

func auditType(line []byte, name string) bool {
	rest, ok := bytes.CutPrefix(auditBody(line), []byte(name))
	return ok && len(rest) > 0 && rest[0] == ' '
}

// criHead splits "stamp stdout P text" (Kubernetes CRI logging) behind the flag.
func criHead(line []byte) (stream, flag []byte) {
	head := line[:min(len(line), 64)]
	i := bytes.IndexByte(head, ' ')
	if i < 20 || len(head) < i+9 || head[i+7] != ' ' || len(head) > i+9 && head[i+9] != ' ' && head[i+9] != ':' {
		return nil, nil
	}
	stream, flag = head[i+1:i+7], head[i+8:i+9]
	if s := string(stream); s != "stdout" && s != "stderr" {
		return nil, nil
	}
	return stream, flag
}

func criPart(line []byte) bool {
	_, flag := criHead(line)
	return len(flag) == 1 && flag[0] == 'P'
}

func criFollows(record, next []byte) bool {
	was, _ := criHead(record)
	is, flag := criHead(next)
	return is != nil && bytes.Equal(was, is) && (flag[0] == 'P' || flag[0] == 'F')
}

var (
	dockerHead   = []byte(`{"log":"`)
	dockerStream = []byte(`","stream":"`)
)

// dockerTail returns where the text of "log" ends and the name of the stream.
func dockerTail(line []byte) (end int, stream []byte) {
	if !bytes.HasPrefix(line, dockerHead) {
		return -1, nil
	}
	from := max(len(dockerHead), len(line)-1024) // attrs may stand behind the stream
	i := bytes.LastIndex(line[from-1:], dockerStream)
	if i < 0 {
		return -1, nil
	}
	end = from - 1 + i
	rest := line[end+len(dockerStream):]
	return end, rest[:max(0, bytes.IndexByte(rest, '"'))]
}

// dockerPart says whether line is a json-file record whose text has no line end.
func dockerPart(line []byte) bool {
	end, _ := dockerTail(line)
	if end < 0 || !bytes.HasSuffix(line[:end], []byte(`\n`)) {
		return end > 0
	}
	n := end - 1 // of the backslashes before the n an odd number escapes it
	for n > 0 && line[n-1] == '\\' {
		n--
	}
	return (end-1-n)%2 == 0
}

func dockerFollows(record, next []byte) bool {
	if i := bytes.LastIndexByte(record, '\n'); i >= 0 {
		record = trimReturn(record[i+1:])
	}
	_, was := dockerTail(trimReturn(record))
	end, is := dockerTail(next)
	return end >= 0 && len(is) > 0 && bytes.Equal(was, is)
}

// minFolded is the length below which no line of sudo is looked at as folded: it
// folds at 980 bytes unless told otherwise (sudoers(5), syslog_maxlen).
const minFolded = 160

var (
	sudoTag  = []byte("sudo")
	sudoMore = []byte(" : (command continued) ")
)

// folded says whether line may be the first part of a long command.
func folded(line []byte) bool {
	head := line[:min(len(line), 120)]
	return bytes.Contains(head, sudoTag) && (bytes.Contains(line, []byte(" COMMAND=")) || bytes.Contains(line, sudoMore))
}

func sudoFollows(_, next []byte) bool {
	head := next[:min(len(next), 400)]
	at := bytes.Index(head, sudoMore)
	return at > 0 && bytes.Contains(head[:at], sudoTag)
}

var (
	slowTime = []byte("# Time: ")
	slowUser = []byte("# User@Host: ")
)

// slowFollows goes on until the next entry begins.
func slowFollows(record, next []byte) bool {
	switch {
	case bytes.HasPrefix(next, slowTime):
		return false
	case bytes.HasPrefix(next, slowUser):
		return bytes.HasPrefix(record, slowTime) && !bytes.Contains(record, slowUser)
	}
	return true
}

// slowEnds says whether line ends the statement of an entry.
func slowEnds(line []byte) bool {
	if len(line) == 0 || line[len(line)-1] != ';' || line[0] == '#' {
		return false
	}
	for _, p := range [...]string{"SET timestamp=", "use "} {
		if bytes.HasPrefix(line, []byte(p)) {
			return false
		}
	}
	return true
}

// generalQuery says whether line is a statement in MySQL's general query log:
// "2026-11-03T09:14:02.118203Z\t    8 Query\tSELECT 1".
func generalQuery(line []byte) bool {
	if len(line) < 36 || line[26] != 'Z' || line[27] != '\t' {
		return false
	}
	i := 28
	for i < len(line) && line[i] == ' ' {
		i++
	}
	n := i
	for i < len(line) && line[i]-'0' < 10 {
		i++
	}
	rest := line[min(i, len(line)):]
	return i > n && (bytes.HasPrefix(rest, []byte(" Query\t")) || bytes.HasPrefix(rest, []byte(" Prepare\t")) || bytes.HasPrefix(rest, []byte(" Execute\t")))
}

// queryFollows goes on until a line begins with a stamp.
func queryFollows(next []byte) bool {
	return len(next) < 20 || next[0]-'0' > 9 || next[4] != '-' || next[10] != 'T'
}
