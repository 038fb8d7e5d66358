package sources

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// joinCases are streams and the records they hold, as line and text.
var joinCases = []struct {
	name string
	in   []string // lines
	want []int    // how many lines each record has
}{
	{"java", []string{
		"2026-11-03 09:14:02,118 ERROR [worker-3] payment failed", "java.lang.IllegalStateException: no key", "\tat shop.Pay.run(Pay.java:12)",
		"\t... 3 more", "Caused by: java.io.IOException: closed", "\tat shop.Net.read(Net.java:7)", "2026-11-03 09:14:03,001 INFO next",
	}, []int{6, 1}},
	{"python", []string{
		"2026-11-03 09:14:02,118 ERROR app request failed", "Traceback (most recent call last):", `  File "/srv/app.py", line 12, in f`, "    g()",
		"socket.timeout: timed out", "", "During handling of the above exception, another exception occurred:", "", "Traceback (most recent call last):",
		`  File "/srv/app.py", line 20, in h`, "ValueError: no", "2026-11-03 09:14:03,001 INFO next",
	}, []int{11, 1}},
	{"go", []string{
		"panic: runtime error: index out of range [3] with length 2", "", "goroutine 1 [running]:", "main.f(...)", "\t/srv/main.go:12", "main.main()",
		"\t/srv/main.go:20 +0x1d", "exit status 2", "started again",
	}, []int{8, 1}},
	{"go's http server", []string{
		"2026/11/03 09:14:02 http: panic serving 203.0.113.9:40022: nil map", "goroutine 12 [running]:", "net/http.(*conn).serve.func1(0xc0)",
		"\t/go/server.go:1801 +0xb9", "created by net/http.(*Server).Serve in goroutine 1", "\t/go/server.go:3086 +0x5cb", "2026/11/03 09:14:03 fine",
	}, []int{6, 1}},
	{"dotnet", []string{
		"fail: Shop.Orders[0]", "      An unhandled exception has occurred.", "      System.InvalidOperationException: no", "         at Shop.Orders.Get(Int32 id)",
		"info: Shop.Orders[0]", "      Request finished", "info: Shop.Orders[1]",
	}, []int{4, 2, 1}},
	{"audit", []string{
		`type=SYSCALL msg=audit(1793697242.331:9107): arch=c000003e syscall=59 success=yes`, `type=EXECVE msg=audit(1793697242.331:9107): argc=1 a0="id"`,
		`type=PATH msg=audit(1793697242.331:9107): item=0 name="/usr/bin/id"`, `type=SYSCALL msg=audit(1793697242.332:9108): arch=c000003e syscall=2`,
		`type=PATH msg=audit(1793697242.331:9107): item=1 name="/lib/ld.so"`, `type=PROCTITLE msg=audit(1793697242.331:9107): proctitle="id"`,
		`type=USER_LOGIN msg=audit(1793697242.331:9107): pid=1`, `type=USER_START msg=audit(1793697242.331:9107): pid=1`,
	}, []int{3, 1, 2, 1, 1}},
	{"audit of two nodes", []string{
		`node=a type=SYSCALL msg=audit(1793697242.331:9107): x=1`, `node=b type=SYSCALL msg=audit(1793697242.331:9107): x=1`, `node=b type=CWD msg=audit(1793697242.331:9107): cwd="/"`,
	}, []int{1, 2}},
	{"cri", []string{
		"2026-11-03T09:14:02.117Z stdout P one ", "2026-11-03T09:14:02.118Z stdout P two ", "2026-11-03T09:14:02.119Z stdout F three", "2026-11-03T09:14:02.120Z stdout F four",
		"2026-11-03T09:14:02.121Z stdout P five", "2026-11-03T09:14:02.122Z stderr F six",
	}, []int{3, 1, 1, 1}},
	{"docker", []string{
		`{"log":"one ","stream":"stdout","time":"2026-11-03T09:14:02.117Z"}`, `{"log":"two\n","stream":"stdout","time":"2026-11-03T09:14:02.118Z"}`,
		`{"log":"three\\n","stream":"stdout","time":"2026-11-03T09:14:02.117Z"}`, `{"log":"four\n","stream":"stderr","time":"2026-11-03T09:14:02.118Z"}`,
	}, []int{2, 1, 1}},
	{"sudo", []string{
		"Nov  3 09:14:05 web-1 sudo[811]:    amira : TTY=pts/1 ; PWD=/home/amira ; USER=root ; COMMAND=/usr/bin/find " + strings.Repeat("/srv/a ", 120),
		"Nov  3 09:14:05 web-1 sudo[811]:    amira : (command continued) -name " + strings.Repeat("x", 200), "Nov  3 09:14:05 web-1 sudo[811]:    amira : (command continued) -print",
		"Nov  3 09:14:06 web-1 sudo[811]: pam_unix(sudo:session): session opened for user root",
	}, []int{3, 1}},
	{"postgres", []string{
		"2026-11-03 09:14:02.118 UTC [811] shop@orders LOG:  statement: SELECT 1", "\tFROM t", "\tWHERE x", "2026-11-03 09:14:02.119 UTC [811] shop@orders DETAIL:  parameters", "no tab",
	}, []int{3, 1, 1}},
	{"mysql slow", []string{
		"# Time: 2026-11-03T09:14:02.118203Z", "# User@Host: shop[shop] @  [203.0.113.9]  Id:     8", "# Query_time: 2.1  Lock_time: 0.0 Rows_sent: 1  Rows_examined: 9",
		"use orders;", "SET timestamp=1793697242;", "SELECT *", "FROM t;", "# User@Host: shop[shop] @  [203.0.113.9]  Id:     8", "SELECT 1;", "next",
	}, []int{7, 2, 1}},
	{"mysql queries", []string{
		"2026-11-03T09:14:02.118203Z\t    8 Query\tSELECT *", "FROM t", "", "WHERE 1", "2026-11-03T09:14:02.118203Z\t    8 Quit\t", "x",
	}, []int{4, 1, 1}},
	{"plain lines", []string{
		"203.0.113.9 - - [03/Nov/2026:09:14:02 +0000] \"GET / HTTP/1.1\" 500 1 \"-\" \"error\"", "Nov  3 09:14:02 web-1 app[1]: error: x", "  indented behind syslog",
		"one", "  two", "Error: a", "Error: b", "CEF:0|error|x|1|2|3|4|", "CEF:0|error|x|1|2|3|4|", "error", "level=error msg=x", "time=1 level=error", "",
	}, []int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
	{"the rest of a trace", []string{"\tat a.b(C.java:1)", "\tat a.c(C.java:2)", "next"}, []int{2, 1}},
	{"carriage returns", []string{"ERROR a\r", "\tat b\r", "next\r"}, []int{2, 1}},
}

// recordsOf puts lines together as counts say, in the form of texts.
func recordsOf(lines []string, counts []int) []string {
	var out []string
	line, off := 1, 0
	for _, n := range counts {
		text := strings.Join(lines[line-1:line-1+n], "\n")
		out = append(out, fmt.Sprintf("%d@%d:%s", line, off, strings.TrimSuffix(text, "\r")))
		line, off = line+n, off+len(text)+1
	}
	return out
}

func TestFramerJoinsLines(t *testing.T) {
	for _, c := range joinCases {
		in := strings.Join(c.in, "\n") + "\n"
		for _, size := range []int{1, 7, 160, 1 << 20} {
			if d := cmp.Diff(recordsOf(c.in, c.want), texts(frameAll([]byte(in), FrameState{Mode: ModeLines}, MaxRecord, size))); d != "" {
				t.Errorf("%s in pieces of %d:\n%s", c.name, size, d)
			}
		}
	}
}

// TestFramerJoinsWithinBounds shows that neither lines nor bytes of a record grow
// without end.
func TestFramerJoinsWithinBounds(t *testing.T) {
	for name, c := range map[string]struct {
		line string
		n    int
	}{"lines": {"\tat a.b(C.java:1)", 3 * maxJoinLines}, "bytes": {"\tat " + strings.Repeat("x", 1000), 2000}} {
		in := "ERROR x\n" + strings.Repeat(c.line+"\n", c.n)
		got := frameAll([]byte(in), FrameState{Mode: ModeLines}, MaxRecord, 5000)
		lines := 0
		for _, f := range got {
			n := strings.Count(f.Text, "\n") + 1
			if n > maxJoinLines || len(f.Text) > maxJoinBytes {
				t.Errorf("%s: a record of %d lines, %d bytes", name, n, len(f.Text))
			}
			if f.Line != int64(lines)+1 {
				t.Errorf("%s: line %d where %d lines came before", name, f.Line, lines)
			}
			lines += n
		}
		if lines != c.n+1 || len(got) < 3 {
			t.Errorf("%s: %d lines in %d records, want %d", name, lines, len(got), c.n+1)
		}
	}
}

// TestFramerHeldLines: a trace waits, a plain line does not, and what was not
// waited for is found again by Bound.
func TestFramerHeldLines(t *testing.T) {
	f := NewFramer(FrameState{Mode: ModeLines})
	defer f.Close()
	f.Write([]byte("plain\nERROR x\n\tat a\n"))
	if fr, ok := f.Next(); !ok || string(fr.Raw) != "plain" {
		t.Fatalf("got %q", fr.Raw)
	}
	if fr, ok := f.Next(); ok {
		t.Fatalf("%q was not held", fr.Raw)
	}
	if at, wait, ok := f.Held(); !ok || at != 6 || wait != linePatience {
		t.Fatalf("held at %d for %v, %v", at, wait, ok)
	}
	f.Flush()
	if fr, ok := f.Next(); !ok || string(fr.Raw) != "ERROR x\n\tat a" {
		t.Fatalf("flushed %q", fr.Raw)
	}
	f.Write([]byte("\tat b\n\tat c\nnext\n"))
	if fr, ok := f.Next(); !ok || string(fr.Raw) != "\tat b\n\tat c" || fr.Offset != 20 || fr.Line != 4 {
		t.Fatalf("then %q at %d, line %d", fr.Raw, fr.Offset, fr.Line)
	}
	g := NewFramer(FrameState{Mode: ModeLines})
	defer g.Close()
	g.Bound(20, 32)
	g.Write([]byte("plain\nERROR x\n\tat a\n\tat b\n\tat c\n\tat d\nnext\n"))
	var got []string
	for fr, ok := g.Next(); ok; fr, ok = g.Next() {
		got = append(got, string(fr.Raw))
	}
	if d := cmp.Diff([]string{"plain", "ERROR x\n\tat a", "\tat b\n\tat c", "\tat d", "next"}, got); d != "" {
		t.Error(d)
	}
}

// BenchmarkFramerLines frames what ordinary logs look like.
func BenchmarkFramerLines(b *testing.B) {
	for name, line := range map[string]string{
		"sshd":  "Nov  3 09:14:02 web-1 sshd[2211]: Failed password for invalid user oracle from 203.0.113.9 port 40022 ssh2\n",
		"nginx": `203.0.113.9 - - [03/Nov/2026:09:14:02 +0000] "GET /index.html HTTP/1.1" 200 4410 "-" "Mozilla/5.0 (X11; Linux x86_64)"` + "\n",
	} {
		b.Run(name, func(b *testing.B) {
			data := []byte(strings.Repeat(line, 50000))
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				f := NewFramer(FrameState{Mode: ModeLines})
				n := 0
				for rest := data; len(rest) > 0; {
					k := copy(f.Space(), rest)
					f.Commit(k)
					rest = rest[k:]
					for _, ok := f.Next(); ok; _, ok = f.Next() {
						n++
					}
				}
				f.Close()
				if n != 50000 {
					b.Fatal(n)
				}
			}
		})
	}
}
