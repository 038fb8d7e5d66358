package sources

import (
	"bytes"
	"strings"
)

// maxHead is how many bytes may pass before the framing is decided anyway.
const maxHead = 64 << 10

// Mode is how a stream is cut into records; it is one letter in positions.
type Mode byte

// The framings.
const (
	ModeHead     Mode = 'h' // not decided yet
	ModeLines    Mode = 'l' // one record per line
	ModeObjects  Mode = 'o' // JSON objects one after the other, each on any number of lines
	ModeArray    Mode = 'a' // elements of a top-level JSON array
	ModeEnvelope Mode = 'e' // elements of an array in a JSON object, such as {"Records":[…]}
	modeTail     Mode = 't' // what follows that array in its object
	modeAfter    Mode = 'n' // between two JSON documents
)

// envelopeKeys are the members that carry records: CloudTrail and S3 notices,
// Azure, CloudWatch subscriptions.
var envelopeKeys = map[string]bool{"Records": true, "records": true, "logEvents": true}

// listKeys carry records only where nothing but metaKeys came before them
// (Kubernetes lists, OData), because records have members of these names too.
var listKeys = map[string]bool{"Items": true, "items": true, "value": true}

// metaKeys describe a list.
var metaKeys = map[string]bool{
	"kind": true, "apiVersion": true, "metadata": true, "count": true, "Count": true,
	"nextToken": true, "NextToken": true, "nextLink": true, "$schema": true,
}

// recordKeys are members that only a record has, so that an application's line
// with a list in it is not taken apart.
var recordKeys = map[string]bool{
	"time": true, "timestamp": true, "ts": true, "@timestamp": true, "eventTime": true,
	"level": true, "severity": true, "msg": true, "message": true, "log": true,
}

// decideHead looks at the first bytes of a stream and says how it is framed and
// at which index the first record may begin. Mode is ModeHead while head is too
// short to tell; with last set the answer is always another one. An answer
// never changes when more bytes follow.
func decideHead(head []byte, last bool) (Mode, int) {
	if len(head) > maxHead {
		head = head[:maxHead]
	}
	full := len(head) == maxHead
	mode, start := framingOf(head)
	switch {
	case mode != ModeHead:
		return mode, start
	case full && bytes.Contains(head, []byte("\n")) && bytes.HasPrefix(bytes.TrimSpace(head), []byte("{")):
		return ModeObjects, 0
	case full || last:
		return ModeLines, 0
	}
	return ModeHead, 0
}

// Framing says how a file is cut into records that begins with head (64 KiB of
// it, or all): ModeLines, ModeObjects, ModeArray or ModeEnvelope. Records of the
// first two can be told apart from the middle of the file on.
func Framing(head []byte) Mode {
	head = bytes.TrimPrefix(bytes.TrimLeft(head, "\x00"), byteOrderMark)
	mode, _ := decideHead(head, true)
	return mode
}

// framingOf is decideHead without the limits.
func framingOf(head []byte) (Mode, int) {
	i := skipSpace(head, 0)
	if i == len(head) {
		return ModeHead, 0
	}
	switch head[i] {
	case '[':
		j := skipSpace(head, i+1)
		if j == len(head) {
			return ModeHead, 0
		}
		if head[j] == '{' {
			return ModeArray, i + 1
		}
	case '{':
		return framingOfObject(head, i)
	}
	return ModeLines, 0
}

// framingOfObject walks the members of the object that begins at i.
func framingOfObject(head []byte, i int) (Mode, int) {
	w := walker{b: head, i: i + 1, envelope: true, onlyMeta: true}
	for w.member() {
		if w.found > 0 {
			return ModeEnvelope, w.found
		}
	}
	switch w.verdict {
	case lexMore:
		return ModeHead, 0
	case lexBroken:
		return ModeLines, 0
	}
	if bytes.IndexByte(head[i:w.i], '\n') >= 0 {
		return ModeObjects, 0
	}
	for j := w.i; j < len(head); j++ {
		switch head[j] {
		case ' ', '\t', '\r':
		case '{':
			return ModeObjects, 0
		default:
			return ModeLines, 0
		}
	}
	return ModeHead, 0
}

// walker steps through the members of one object.
type walker struct {
	b        []byte
	i        int
	lex      lexer
	first    bool
	envelope bool // may still be an envelope
	onlyMeta bool // every member so far only describes a list
	found    int  // index behind the '[' of the array of records
	verdict  lexVerdict
}

// member takes one member; false when there is none, and verdict says why.
func (w *walker) member() bool {
	i := skipSpace(w.b, w.i)
	if i < len(w.b) && w.first && w.b[i] == ',' {
		i = skipSpace(w.b, i+1)
	}
	if i == len(w.b) {
		w.verdict = lexMore
		return false
	}
	if w.b[i] == '}' {
		w.i, w.verdict = i+1, lexDone
		return false
	}
	w.first = true
	key, ok := w.value(i)
	if !ok {
		return false
	}
	i = skipSpace(w.b, w.i)
	if len(key) < 2 || key[0] != '"' || i < len(w.b) && w.b[i] != ':' {
		w.verdict = lexBroken
		return false
	}
	i = skipSpace(w.b, min(i+1, len(w.b)))
	return w.lookInto(string(key[1:len(key)-1]), i) || w.skipValue(i)
}

// lookInto sets found when the value at i is the array of records.
func (w *walker) lookInto(key string, i int) bool {
	if recordKeys[key] {
		w.envelope = false
	}
	defer func() { w.onlyMeta = w.onlyMeta && (metaKeys[key] || strings.HasPrefix(key, "@odata.")) }()
	if !w.envelope || i == len(w.b) || w.b[i] != '[' {
		return false
	}
	j := skipSpace(w.b, i+1)
	if j == len(w.b) {
		return false
	}
	if w.b[j] != '{' {
		return false // an array of plain values, or an empty one, is a member like any other
	}
	if envelopeKeys[key] || listKeys[key] && w.onlyMeta {
		w.found = i + 1
		return true
	}
	w.envelope = false
	return false
}

func (w *walker) skipValue(i int) bool {
	_, ok := w.value(i)
	return ok
}

// value takes the JSON value at i and returns its text.
func (w *walker) value(i int) ([]byte, bool) {
	w.lex.reset()
	n, v := w.lex.run(w.b[i:])
	w.i, w.verdict = i+n, v
	return w.b[i : i+n], v == lexDone
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	return i
}
