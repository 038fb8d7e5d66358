package ssh

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bartizan/agent/agentpb"
	"bartizan/event"
	"bartizan/sources"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"web-1", "web-1"},
		{"ops@db.example.org:/var/log/auth.log", "ops@db.example.org /var/log/auth.log"},
		{"h:/a b/c's.log:/d*", "h /a b/c's.log /d*"},
		{"web-[08:11]:/x", "web-08 /x;web-09 /x;web-10 /x;web-11 /x"},
		{"[fe80::1%eth0]:/x", "[fe80::1%eth0] /x"},
		{"-oProxyCommand=x", "the host"},
		{"a b", "the host"},
		{"h;id", "the host"},
		{"a@-b", "the host"},
		{"h:/a\nb", "characters that do not print"},
		{`h:/a\b`, "backslash"},
		{"h:/a!b", "exclamation"},
		{"h:/a[", "well-formed"},
		{"web-[5:1]", "has to count up"},
		{"web-[1:99999]", "has to count up"},
		{"a[1:50]b[1:50]", "more than 1000 hosts"},
	} {
		ts, err := Parse(c.in)
		var got []string
		for _, x := range ts {
			got = append(got, strings.Join(append([]string{x.Host}, x.Paths...), " "))
		}
		text := strings.Join(got, ";")
		if err != nil {
			text = err.Error()
		}
		if text != c.want && (err == nil || !strings.Contains(text, c.want)) {
			t.Errorf("%q is %q, want %q", c.in, text, c.want)
		}
	}
}

// TestQuotedForEveryShell: the command reaches /bin/sh as it was meant, through
// whatever shell is here, and the scripts hold nothing that one of them would take.
func TestQuotedForEveryShell(t *testing.T) {
	for name, script := range map[string]string{"connect": connect, "read": read} {
		if strings.ContainsAny(script, "'!\n") {
			t.Errorf("the script %s holds what csh or fish would not hand on", name)
		}
	}
	arg := `it's "$(id)" ${HOME} * ? ~ #  & ; | < > é`
	for _, shell := range []string{"sh", "bash", "dash", "zsh", "fish", "tcsh", "ksh", "mksh"} {
		path, err := exec.LookPath(shell)
		if err != nil {
			t.Logf("there is no %s here", shell)
			continue
		}
		out, err := exec.Command(path, "-c", command(`printf "%s|" "$@"`, arg, "", "x y")).Output()
		if err != nil || string(out) != arg+"||x y|" {
			t.Errorf("%s made %q, %v", shell, out, err)
		}
	}
}

func TestCksumIsThatOfPOSIX(t *testing.T) {
	for _, s := range []string{"", "a", "line 0 of the story\n", strings.Repeat("x", 300)} {
		c := exec.Command("cksum")
		c.Stdin = strings.NewReader(s)
		out, err := c.Output()
		check(t, err)
		if want := strings.Fields(string(out))[0]; want != formatted(cksum([]byte(s))) {
			t.Errorf("cksum of %.10q is %d, cksum(1) says %s", s, cksum([]byte(s)), want)
		}
	}
}

func formatted(n uint32) string {
	p := place{inode: 1, headLen: 1, head: n, state: sources.FrameState{Mode: sources.ModeLines}}
	return strings.Split(string(p.position()), ":")[4]
}

// TestFewLoginsAtOnce: forty hosts log in, never more at once than the gate lets.
func TestFewLoginsAtOnce(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "ssh")
	// A login takes a lock of which there are three; without one it says so.
	text := `#!/bin/sh
for last; do :; done
for n in 1 2 3; do if mkdir ` + dir + `/slot$n 2>/dev/null; then got=$n; break; fi; done
if [ -z "$got" ]; then echo many >> ` + dir + `/many; fi
echo in >> ` + dir + `/ins
rmdir ` + dir + `/slot$got
exec /bin/sh -c "$last"
`
	check(t, os.WriteFile(program, []byte(text), 0o755))
	hosts, err := Parse("web-[01:40]:/nowhere/x.log")
	check(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	gate := NewGate(3)
	var live []*Host
	for _, target := range hosts {
		h, err := Open(Config{Target: target, Program: program, Gate: gate, list: "30"})
		check(t, err)
		live = append(live, h)
		all.Go(func() { _ = h.Run(ctx, func(sources.Opened) {}) })
	}
	defer all.Wait()
	defer cancel()
	deadline, tick := time.After(patience), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for n := 0; n < len(live); {
		if live[n].Status()[0].State == event.SourceLive {
			n++
			continue
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%d of %d hosts are live; the next says %+v", n, len(live), live[n].Status())
		}
	}
	if many, err := os.ReadFile(filepath.Join(dir, "many")); err == nil {
		t.Errorf("more than 3 logins were under way at once, %d times", strings.Count(string(many), "\n"))
	}
}

// TestFailuresAreSaid: what ssh says about a host stands in its status.
func TestFailuresAreSaid(t *testing.T) {
	for _, c := range []struct{ script, want string }{
		{"echo 'ops@web-1: Permission denied (publickey).' >&2; exit 255", "ssh to web-1 failed: ops@web-1: Permission denied (publickey)."},
		{"printf 'evil \\033[2J' >&2; exit 255", "ssh to web-1 failed: evil ␛[2J"},
		{"exit 127", "without an answer"},
		{"yes | head -c 100000", "make its profile quiet"},
		{"echo bartizan1 what", "cannot be understood"},
	} {
		program := filepath.Join(t.TempDir(), "ssh")
		check(t, os.WriteFile(program, []byte("#!/bin/sh\n"+c.script+"\n"), 0o755))
		h, err := Open(Config{Target: Target{Host: "web-1"}, Program: program, Backoff: func(int) time.Duration { return time.Hour }})
		check(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- h.Run(ctx, func(sources.Opened) {}) }()
		deadline, tick := time.After(patience), time.NewTicker(5*time.Millisecond)
		for st := h.Status()[0]; st.State != event.SourceRetrying || !strings.Contains(st.Reason, c.want); st = h.Status()[0] {
			select {
			case <-tick.C:
				continue
			case <-deadline:
				t.Errorf("%s: the status is %+v, want %q", c.script, st, c.want)
			}
			break
		}
		tick.Stop()
		cancel()
		check(t, <-done)
	}
}

// TestLeftOutIsSaid: files beyond the bound, and those with names that are not
// given to a shell, are not read, and the status goes on saying so.
func TestLeftOutIsSaid(t *testing.T) {
	h, err := Open(Config{Target: Target{Host: "web-1", Paths: []string{"/logs/*.log"}}})
	check(t, err)
	h.mode = withTail
	opened := 0
	say := func(line string) { h.listen(line, func(sources.Opened) { opened++ }) }
	for i := range agentpb.MaxStreams {
		say(fmt.Sprintf("r /logs/%d.log", i))
	}
	say("r /elsewhere/a!b.log") // nobody asked for that
	say(".")
	if r := h.Status()[0].Reason; opened != agentpb.MaxStreams || strings.Contains(r, "not read") {
		t.Errorf("%d files are read, and the status is %q", opened, r)
	}
	say("r /logs/one-more.log")
	say("r /logs/a!\x1b[2Jb.log")
	say(".")
	r := h.Status()[0].Reason
	if !strings.Contains(r, "more than 4096 files match") || !strings.Contains(r, `not read: "/logs/a!\x1b[2Jb.log"`) {
		t.Errorf("the status is %q", r)
	}
	if opened != agentpb.MaxStreams {
		t.Errorf("%d files are read", opened)
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add("ssh1 7:1:open:10:99:l:5:1:0", "file 7 100 5 10 99 same")
	f.Add("", "file 0 1 2 3 4 first")
	f.Add("ssh1 :::::::", "agent")
	f.Fuzz(func(t *testing.T, from, words string) {
		if p, err := parsePosition(sources.Position(from)); err == nil && from != "" {
			again, err := parsePosition(p.position())
			if err != nil || again != p {
				t.Errorf("%q became %q: %v", from, p.position(), err)
			}
		}
		h, err := parseHeader(strings.Fields(words))
		if err != nil {
			return
		}
		next, _ := begin(place{}, h)
		if next.inode == 0 || next.state.Offset > h.size {
			t.Errorf("%q begins at %+v", words, next)
		}
	})
}
