package sources

import "bytes"

// maxShape is how much of a line is looked at to tell whether it goes on a trace.
const maxShape = 160

// mayContinue are the bytes a line of a trace can begin with.
var mayContinue = func() (t [256]bool) {
	for c := range 256 {
		t[c] = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == ' ' || c == '\t' || c == '\r' || c == '\n' ||
			c == '#' || c == '-' || c == '.' || c == '_' || c == '['
	}
	return t
}()

// shape is what a line looks like inside a trace.
type shape uint8

const (
	shapeOther     shape = iota
	shapeIndented        // "\tat …", "  File …", a folded message
	shapeBlank           // between the parts of a Go panic, and of chained Python exceptions
	shapePart            // "Caused by: …", "goroutine 1 [running]:", "Traceback …"
	shapeException       // "java.lang.IllegalStateException: …"
	shapeName            // "socket.timeout: …", "KeyboardInterrupt": the last line of a Python traceback
	shapeCall            // "main.main()": a frame of a Go trace
)

// traceParts begin lines that go on a trace.
var traceParts = [...]string{
	"Caused by: ", "Suppressed: ", "Traceback (most recent call last)", "During handling of the above exception", "The above exception was ",
	"goroutine ", "created by ", "panic: ", "[signal ", "exit status ", "--- End of ", "... ", "Stack trace:", "stack backtrace:", "Exception Group Traceback",
}

// partFirst are the bytes traceParts begin with, so that few lines are compared with them.
var partFirst = func() (t [256]bool) {
	for _, p := range traceParts {
		t[p[0]] = true
	}
	return t
}()

// exceptionEnds are what the names of exceptions end with.
var exceptionEnds = [...]string{"Exception", "Error", "Throwable", "Failure"}

// shapeOf looks at a line without its end.
func shapeOf(line []byte) shape {
	line = trimReturn(line[:min(len(line), maxShape)])
	text := bytes.TrimLeft(line, " \t")
	switch {
	case len(text) == 0:
		return shapeBlank
	case len(text) < len(line):
		return shapeIndented
	case line[0] == '[' && !bytes.HasPrefix(line, []byte("[signal ")):
		return shapeOther
	case line[0] == '#' && len(line) > 2 && line[1]-'0' < 10:
		return shapePart // PHP's frames
	}
	if tracePart(line) {
		return shapePart
	}
	return namedShape(line)
}

// tracePart says whether line, which is not empty, begins as a part of a trace does.
func tracePart(line []byte) bool {
	if !partFirst[line[0]] {
		return false
	}
	for _, p := range traceParts {
		if len(line) >= len(p) && string(line[:len(p)]) == p {
			return true
		}
	}
	return false
}

// namedShape tells lines that begin with a dotted name.
func namedShape(line []byte) shape {
	n := 0
	for n < len(line) && nameByte[line[n]] {
		n++
	}
	switch {
	case n == 0 || line[0] == '-' || line[0] == '[':
		return shapeOther
	case n < len(line) && line[n] == '(':
		return shapeCall
	case n < len(line) && line[n] != ':':
		return shapeOther
	}
	if exceptional(line[:n]) {
		return shapeException
	}
	return shapeName
}

// exceptional says whether a name ends as those of exceptions do.
func exceptional(name []byte) bool {
	if n := len(name); n == 0 || name[n-1] != 'n' && name[n-1] != 'r' && name[n-1] != 'e' {
		return false // few names come further
	}
	for _, end := range exceptionEnds {
		if bytes.HasSuffix(name, []byte(end)) {
			return true
		}
	}
	return false
}

// nameByte are the bytes of names of classes and of Go functions with receivers.
var nameByte = func() (t [256]bool) {
	for c := range 256 {
		t[c] = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '$' || c == '/' || c == '*'
	}
	return t
}()

// secondLine says whether line may follow some first line: by its shape, but it is
// asked of every line, so names are walked through only where their end fits.
func secondLine(line []byte) bool {
	if len(line) > 0 && 'A' <= line[0]&^0x20 && line[0]&^0x20 <= 'Z' && !partFirst[line[0]] {
		line = trimReturn(line[:min(len(line), maxShape)])
		n := bytes.IndexByte(line, ':')
		if n < 0 {
			n = len(line)
		}
		if !exceptional(line[:n]) {
			return false
		}
	}
	s := shapeOf(line)
	return s == shapeIndented || s == shapeBlank || s == shapePart || s == shapeException
}

// announcing are words of lines that traces follow: severities and what
// runtimes say when they print one.
var announcing = [...]string{
	"rror", "RROR", "xception", "raceback", "panic", "atal", "FATAL", "ritical", "CRIT", "SEVERE", "arn", "WARN", "aused by", "Unhandled",
	"goroutine ", "crit:", "fail", "FAIL", "Stack trace", "stack backtrace",
}

// consoleWords begin the lines of .NET's console logger, whose message stands
// indented on the next line.
var consoleWords = [...]string{"info: ", "dbug: ", "trce: "}

// announces says whether a trace or indented lines may follow line, by what it
// says: a live source waits for them only then.
func announces(line []byte) bool {
	if len(line) == 0 || line[0] == '{' || line[0] == '<' {
		return false
	}
	head := line[:min(len(line), 1024)]
	for _, w := range announcing {
		if bytes.Contains(head, []byte(w)) {
			return true
		}
	}
	for _, w := range consoleWords {
		if bytes.HasPrefix(line, []byte(w)) {
			return true
		}
	}
	text := bytes.TrimLeft(head, " \t")
	if len(text) < len(head) && bytes.HasPrefix(text, []byte("at ")) {
		return true // the rest of a trace whose beginning was not waited for
	}
	return postgresLine(head)
}

// postgresLine says whether line has "SEVERITY:  " as PostgreSQL writes it; the
// message goes on in lines that begin with a tab.
func postgresLine(head []byte) bool {
	i := bytes.Index(head[:min(len(head), 300)], []byte(":  "))
	return i > 24 && head[0]-'0' < 10 && (head[i-1]-'A' < 26 || head[i-1]-'0' < 10)
}

// syslogStamped says whether line begins with "Mmm dd hh:mm:ss": syslog daemons
// write one line for each message.
func syslogStamped(line []byte) bool {
	return len(line) > 15 && line[3] == ' ' && line[6] == ' ' && line[9] == ':' && line[12] == ':' && line[0]-'A' < 26
}

// traceState is what the lines of an open trace were.
type traceState struct {
	stamped bool // the first line begins with a digit or a bracket
	golang  bool // of a Go panic
	python  bool // of a Python traceback
	first   bool // there is only one line yet
	last    shape
}

// begin takes the first line.
func (t *traceState) begin(line []byte) {
	head := line[:min(len(line), 1024)]
	c := byte(0)
	if len(head) > 0 {
		c = head[0]
	}
	*t = traceState{
		stamped: c-'0' < 10 || c == '[', first: true,
		golang: bytes.Contains(head, []byte("panic")) || bytes.HasPrefix(head, []byte("goroutine ")) || bytes.HasPrefix(head, []byte("fatal error: ")),
		python: bytes.Contains(head, []byte("Traceback (most recent call last)")),
	}
}

// follows says whether line belongs to the trace.
func (t *traceState) follows(line []byte) bool {
	switch s := shapeOf(line); s {
	case shapeIndented:
		return t.last != shapeBlank || t.golang
	case shapePart:
		return true
	case shapeBlank:
		return (t.golang || t.python) && t.last != shapeBlank && t.last != shapeIndented || t.golang && t.last == shapeIndented
	case shapeException, shapeName:
		return t.python && t.last == shapeIndented || s == shapeException && t.stamped && t.first
	case shapeCall:
		return t.golang && t.last != shapeBlank && !t.first
	}
	return false
}

// add takes a line that belongs to it.
func (t *traceState) add(line []byte) {
	t.first, t.last = false, shapeOf(line)
	if t.last == shapePart {
		t.golang = t.golang || bytes.HasPrefix(line, []byte("goroutine ")) || bytes.HasPrefix(line, []byte("panic: "))
		t.python = t.python || bytes.HasPrefix(line, []byte("Traceback "))
	}
}
