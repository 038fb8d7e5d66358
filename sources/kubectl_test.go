package sources

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bartizan/event"
)

// fakeKubectl puts a kubectl into PATH that writes down its arguments, prints two
// lines and ends. It returns where the arguments are.
func fakeKubectl(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	args := filepath.Join(dir, "args")
	script := "#!/bin/sh\nfor a in \"$@\"; do printf '%s\\n' \"$a\"; done > '" + args + "'\n" +
		"echo '[pod/mail-1/queue] 2026-11-03T09:14:02.5Z one'\necho '[pod/mail-0/queue] 2026-11-03T09:14:01Z two'\n"
	if err := os.WriteFile(filepath.Join(dir, "kubectl"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return args
}

func TestKubectl(t *testing.T) {
	args := fakeKubectl(t)
	out := make(chan Batch, 10)
	op := Kubectl("mail", KubectlOptions{Namespace: "shop", Selector: "app=mail,tier in (web, db)", Since: time.Hour})
	err := op.Source.Run(t.Context(), "", out)
	if err == nil || !strings.Contains(err.Error(), "ended by itself") {
		t.Errorf("when kubectl ends, Run says %v", err)
	}
	var lines []string
	var pos Position
	for len(out) > 0 {
		b := <-out
		for _, r := range b.Records {
			lines = append(lines, string(r.Raw))
		}
		pos = b.Pos
		b.Done(nil)
	}
	if d := cmp.Diff([]string{"[pod/mail-1/queue] 2026-11-03T09:14:02.5Z one", "[pod/mail-0/queue] 2026-11-03T09:14:01Z two"}, lines); d != "" {
		t.Error(d)
	}
	if pos != "2026-11-03T09:14:02.5Z" {
		t.Errorf("position %q is not the newest stamp", pos)
	}
	said, err := os.ReadFile(args)
	if err != nil {
		t.Fatal(err)
	}
	want := "logs\n--follow\n--timestamps\n--prefix\n--max-log-requests=50\n--namespace=shop\n--all-containers\n--since=3600s\n--tail=-1\n--selector=app=mail,tier in (web, db)\n"
	if d := cmp.Diff(want, string(said)); d != "" {
		t.Error(d)
	}
}

func TestKubectlCommandLine(t *testing.T) {
	fakeKubectl(t)
	argv, err := KubectlOptions{Target: "deploy/gateway", Container: "envoy", Context: "prod:eu"}.argv("2026-11-03T09:14:02.5Z")
	if err != nil {
		t.Fatal(err)
	}
	want := "logs --follow --timestamps --prefix --max-log-requests=50 --context=prod:eu --container=envoy --since-time=2026-11-03T09:14:02.5Z --tail=-1 -- deploy/gateway"
	if got := strings.Join(argv[1:], " "); got != want {
		t.Errorf("it runs\n%s\nnot\n%s", got, want)
	}
	for name, o := range map[string]KubectlOptions{
		"nothing": {}, "both": {Selector: "a=b", Target: "x"}, "a flag as target": {Target: "--kubeconfig=/x"}, "a flag as selector": {Selector: "-A"},
		"a namespace with a blank": {Namespace: "a b", Target: "x"}, "a container with a slash": {Container: "a/b", Target: "x"}, "a context with a line end": {Context: "a\nb", Target: "x"},
		"capitals": {Target: "Deploy/x"}, "quotes": {Selector: `a="b"`},
	} {
		if _, err := o.argv(""); err == nil {
			t.Errorf("%s: not refused", name)
		}
	}
	if _, err := (KubectlOptions{Target: "x"}).argv("--all"); err == nil {
		t.Error("a position that is no stamp was not refused")
	}
	if _, err := (KubectlOptions{Target: "x", Program: "no-such-kubectl"}).argv(""); err == nil || !strings.Contains(err.Error(), "install it") {
		t.Errorf("without kubectl: %v", err)
	}
}

// TestOutboxReleasesHeldLines: a trace at the end of what was read comes by itself
// when the clock passes the time it is held; a still source waits for the rest.
func TestOutboxReleasesHeldLines(t *testing.T) {
	for _, still := range []bool{false, true} {
		o, out, clock := outboxTest(t)
		o.still = still
		f := NewFramer(FrameState{Mode: ModeLines})
		f.Write([]byte("plain\nERROR x\n\tat a\n"))
		if err := o.frames(f, event.Ref{Source: "x"}, clock.Now()); err != nil {
			t.Fatal(err)
		}
		if err := o.offer(); err != nil || len(out) != 1 {
			t.Fatalf("%d batches, %v", len(out), err)
		}
		if b := <-out; len(b.Records) != 1 || string(b.Records[0].Raw) != "plain" {
			t.Errorf("first came %d records", len(b.Records))
		} else {
			b.Done(nil)
		}
		if due, _ := o.due(); (due == nil) != still {
			t.Errorf("still %v: there is a time to wait for: %v", still, due != nil)
		}
		if !still {
			clock.advance(t, linePatience)
		}
		if err := o.offer(); err != nil {
			t.Fatal(err)
		}
		if still {
			if len(out) != 0 {
				t.Error("a still source did not wait for the rest")
			}
			f.Close()
			continue
		}
		if b := <-out; len(b.Records) != 1 || string(b.Records[0].Raw) != "ERROR x\n\tat a" || b.Records[0].Line != 2 {
			t.Errorf("then came %q", b.Records[0].Raw)
		}
		f.Close()
	}
}
