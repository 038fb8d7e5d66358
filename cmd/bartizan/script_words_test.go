package main

import (
	"bytes"
	"compress/gzip"
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/ulikunitz/xz"

	"bartizan/store"
	"bartizan/triage"
)

// processes are those a script runs beside itself.
type processes struct {
	env     []string
	running map[string]*process
}

// processesKey finds a script's processes.
type processesKey struct{}

type process struct {
	cmd  *exec.Cmd
	done chan error
}

func processesOf(ts *testscript.TestScript) *processes {
	return ts.Value(processesKey{}).(*processes)
}

// wordStart runs bartizan beside the script, with its output in NAME.out and
// NAME.err: start NAME ARG….
func wordStart(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, len(args) > 1, "start NAME ARG…")
	self, err := exec.LookPath("bartizan")
	ts.Check(err)
	c := exec.Command(self, args[1:]...)
	c.Env, c.Dir = append(processesOf(ts).env, "PWD="+ts.MkAbs(".")), ts.MkAbs(".")
	out, err := os.Create(ts.MkAbs(args[0] + ".out"))
	ts.Check(err)
	errs, err := os.Create(ts.MkAbs(args[0] + ".err"))
	ts.Check(err)
	c.Stdout, c.Stderr = out, errs
	ts.Check(c.Start())
	_, _ = out.Close(), errs.Close()
	p := &process{cmd: c, done: make(chan error, 1)}
	go func() { p.done <- c.Wait() }()
	processesOf(ts).running[args[0]] = p
	ts.Defer(func() { _ = c.Process.Kill() })
}

// wordEnd ends a process with a signal and wants its exit code: end NAME TERM 0.
// With "running" for the code it is only told.
func wordEnd(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, len(args) == 3, "end NAME TERM|INT|KILL|HUP CODE|running")
	p := processesOf(ts).running[args[0]]
	if p == nil {
		ts.Fatalf("nothing was started as %s", args[0])
	}
	if s, ok := map[string]os.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "KILL": syscall.SIGKILL, "HUP": syscall.SIGHUP}[args[1]]; ok {
		ts.Check(p.cmd.Process.Signal(s))
	}
	if args[2] == "running" {
		return
	}
	select {
	case <-p.done:
	case <-time.After(patience):
		ts.Fatalf("%s did not end; it said %s", args[0], ts.ReadFile(args[0]+".err"))
	}
	if have := strconv.Itoa(p.cmd.ProcessState.ExitCode()); have != args[2] {
		ts.Fatalf("%s ended with %s, not %s: %s", args[0], have, args[2], ts.ReadFile(args[0]+".err"))
	}
}

// wordWaitFor waits until a file holds a text that often: waitfor FILE TEXT [TIMES].
func wordWaitFor(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, len(args) == 2 || len(args) == 3, "waitfor FILE TEXT [TIMES]")
	times := 1
	if len(args) == 3 {
		var err error
		times, err = strconv.Atoi(args[2])
		ts.Check(err)
	}
	limit, tick := time.After(patience), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for {
		have, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && bytes.Count(have, []byte(args[1])) >= times {
			return
		}
		select {
		case <-limit:
			ts.Fatalf("waited %s in vain for %q in %s, which holds\n%s", patience, args[1], args[0], have)
		case <-tick.C:
		}
	}
}

// wordLogs appends lines to a log, stamped now: logs FILE TEXT….
func wordLogs(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, len(args) > 1, "logs FILE TEXT…")
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	for _, text := range args[1:] {
		_, err := f.WriteString(time.Now().UTC().Format(time.RFC3339) + " bastion " + text + "\n")
		ts.Check(err)
	}
	ts.Check(f.Close())
}

// wordBytes writes a file from texts with Go's escapes: bytes FILE TEXT….
func wordBytes(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, len(args) > 1, "bytes FILE TEXT…")
	var all []byte
	for _, a := range args[1:] {
		s, err := strconv.Unquote(`"` + a + `"`)
		ts.Check(err)
		all = append(all, s...)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), all, 0o600))
}

// wordCompress packs a file by the second name's ending: compress FILE FILE.gz.
func wordCompress(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, len(args) == 2, "compress FILE FILE.gz|.xz|.zst")
	var packed bytes.Buffer
	var w io.WriteCloser
	var err error
	switch filepath.Ext(args[1]) {
	case ".gz":
		w = gzip.NewWriter(&packed)
	case ".xz":
		w, err = xz.NewWriter(&packed)
	case ".zst":
		w, err = zstd.NewWriter(&packed)
	default:
		ts.Fatalf("%s: only .gz, .xz and .zst", args[1])
	}
	ts.Check(err)
	_, err = io.WriteString(w, ts.ReadFile(args[0]))
	ts.Check(err)
	ts.Check(w.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), packed.Bytes(), 0o600))
}

// wordJSONLines wants a JSON object on every line, with at least these keys, and
// at least one line: jsonlines FILE KEY….
func wordJSONLines(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, len(args) > 0, "jsonlines FILE [KEY…]")
	lines := strings.Split(strings.TrimSuffix(ts.ReadFile(args[0]), "\n"), "\n")
	for i, line := range lines {
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			ts.Fatalf("%s:%d is no JSON object: %v\n%s", args[0], i+1, err, line)
		}
		for _, key := range args[1:] {
			if !hasKey(o, strings.Split(key, "/")) {
				ts.Fatalf("%s:%d has no %q: %s", args[0], i+1, key, line)
			}
		}
	}
}

// hasKey finds a key on a path of objects.
func hasKey(o any, path []string) bool {
	m, ok := o.(map[string]any)
	if !ok {
		return false
	}
	v, ok := m[path[0]]
	return ok && (len(path) == 1 || hasKey(v, path[1:]))
}

// wordHarmless wants no byte in the files that a terminal would obey or that
// would hide or turn text around.
func wordHarmless(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, len(args) > 0, "harmless FILE…")
	for _, name := range args {
		text := ts.ReadFile(name)
		if !utf8.ValidString(text) {
			ts.Fatalf("%s is not UTF-8: %q", name, text)
		}
		for _, r := range text {
			if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
				ts.Fatalf("%s holds %U raw: %q", name, r, text)
			}
		}
	}
}

// What differs from run to run in the program's output.
var varying = []struct {
	what *regexp.Regexp
	by   string
}{
	{regexp.MustCompile(`\b[0-9a-f]{64}\b`), "HEX64"},
	{regexp.MustCompile(`\b[0-9a-f]{32}\b`), "HEX32"},
	{regexp.MustCompile(`"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7,9}Z"`), `"NOW"`},
}

// wordSettle copies a file with what differs from run to run replaced: settle
// stdout OUT.
func wordSettle(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, len(args) == 2, "settle FILE OUT")
	text := strings.ReplaceAll(ts.ReadFile(args[0]), ts.Getenv("WORK"), "WORK")
	for _, v := range varying {
		text = v.what.ReplaceAllString(text, v.by)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

// wordTamper changes a board's database behind the program's back: tamper SQL….
func wordTamper(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, len(args) > 0, "tamper SQL…")
	db, err := sql.Open("sqlite", filepath.Join(ts.Getenv("BARTIZAN_STATE"), "board.db"))
	ts.Check(err)
	for _, q := range args {
		_, err := db.Exec(q)
		ts.Check(err)
	}
	ts.Check(db.Close())
}

// wordRewrite changes the first verdict in the journal and makes the whole chain
// of hashes fit again, as an intruder with the program's source would.
func wordRewrite(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, len(args) == 0, "rewrite")
	dir := ts.Getenv("BARTIZAN_STATE")
	look, err := store.OpenReadOnly(dir)
	ts.Check(err)
	rows, err := look.Journal("", 0)
	ts.Check(err)
	ts.Check(look.Close())
	db, err := sql.Open("sqlite", filepath.Join(dir, "board.db"))
	ts.Check(err)
	prev, changed := "", false
	for _, e := range rows {
		if e.Verdict != triage.VerdictNone && !changed {
			e.Verdict, changed = triage.VerdictTest, true
		}
		e, err = triage.Chain(e, prev)
		ts.Check(err)
		prev = e.Hash
		body, err := triage.Canonical(e)
		ts.Check(err)
		_, err = db.Exec("UPDATE journal SET body = ?, hash = ? WHERE seq = ?", body, e.Hash, int64(e.ID))
		ts.Check(err)
	}
	ts.Check(db.Close())
}

// wordHook listens for notifications, writes each body as a line of FILE and its
// signature to FILE.sig, and puts the address into HOOK: hook FILE.
func wordHook(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, len(args) == 1, "hook FILE")
	var mu sync.Mutex
	add := func(name, text string) {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err == nil {
			_, _ = f.WriteString(text + "\n") // the script waits for it
			_ = f.Close()
		}
	}
	name := ts.MkAbs(args[0])
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		add(name, string(body))
	}))
	ts.Defer(s.Close)
	ts.Setenv("HOOK", s.URL)
}
