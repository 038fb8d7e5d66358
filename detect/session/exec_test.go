package session_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"bartizan/detect/session"
	"bartizan/event"
)

func stamp(at int) string {
	return begin.Add(time.Duration(at) * time.Second).Format("2006-01-02T15:04:05.000000Z")
}

// kubeExec is an audit record of an exec into shop/web-1.
func kubeExec(id, stage, sub, user string, from, to, code int) string {
	return fmt.Sprintf(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"%s","stage":"%s","requestURI":"/api/v1/namespaces/shop/pods/web-1/%s?command=sh&command=-c&container=app&stdin=true&tty=true","verb":"create","user":{"username":"%s","groups":["system:authenticated","ops"]},"sourceIPs":["198.51.100.7"],"objectRef":{"resource":"pods","namespace":"shop","name":"web-1","apiVersion":"v1","subresource":"%s"},"responseStatus":{"code":%d},"requestReceivedTimestamp":"%s","stageTimestamp":"%s"}`,
		id, stage, sub, user, sub, code, stamp(from), stamp(to))
}

func falcoAlert(at int, ns, pod string) string {
	return fmt.Sprintf(`{"hostname":"node-3","output":"A shell was spawned in a container","output_fields":{"proc.name":"bash","container.id":"0123456789ab","k8s.ns.name":"%s","k8s.pod.name":"%s","user.name":"root"},"priority":"Notice","rule":"Terminal shell in container","source":"syscall","tags":["container"],"time":"%sZ"}`,
		ns, pod, strings.TrimSuffix(stamp(at), "Z")+"000")
}

func TestAlertJoinsTheExec(t *testing.T) {
	jane := kubeExec("a1", "ResponseStarted", "exec", "jane@shop.example", 0, 1, 101)
	for _, c := range []struct {
		name    string
		audit   []string
		alert   string
		words   []string
		doubted bool
	}{
		{"forty seconds later", []string{jane}, falcoAlert(40, "shop", "web-1"), []string{"kubectl exec by jane@shop.example, 40s before (sh -c in container app from 198.51.100.7)"}, true},
		{"two stages are one exec", []string{jane, kubeExec("a1", "ResponseComplete", "exec", "jane@shop.example", 0, 30, 101)}, falcoAlert(40, "shop", "web-1"), []string{"jane@"}, true},
		{"another namespace", []string{jane}, falcoAlert(40, "bank", "web-1"), nil, false},
		{"another pod", []string{jane}, falcoAlert(40, "shop", "web-2"), nil, false},
		{"long after", []string{jane}, falcoAlert(301, "shop", "web-1"), nil, false},
		{"long after, but it lasted", []string{kubeExec("a1", "ResponseComplete", "exec", "jane@shop.example", 0, 900, 101)}, falcoAlert(600, "shop", "web-1"), []string{"jane@"}, true},
		{"before it", []string{jane}, falcoAlert(-10, "shop", "web-1"), nil, false},
		{"refused", []string{kubeExec("a1", "ResponseComplete", "exec", "jane@shop.example", 0, 0, 403)}, falcoAlert(40, "shop", "web-1"), nil, false},
		{"something else was asked of the pod", []string{kubeExec("a1", "ResponseComplete", "log", "jane@shop.example", 0, 0, 200)}, falcoAlert(40, "shop", "web-1"), nil, false},
		{"an attach", []string{kubeExec("a1", "ResponseStarted", "attach", "jane@shop.example", 0, 0, 101)}, falcoAlert(40, "shop", "web-1"), []string{"kubectl attach by jane@"}, true},
		{"twice the same person", []string{jane, kubeExec("a2", "ResponseStarted", "exec", "jane@shop.example", 20, 20, 101)}, falcoAlert(40, "shop", "web-1"), []string{"20s before", "40s before"}, true},
		{"two people", []string{jane, kubeExec("a2", "ResponseStarted", "exec", "omar@shop.example", 20, 20, 101)}, falcoAlert(40, "shop", "web-1"), []string{"omar@", "jane@"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := session.New(session.Options{})
			for _, e := range parsed(t, c.audit...) {
				x.Take(e)
			}
			e := parsed(t, c.alert)[0]
			if e.FormatName != "falco" {
				t.Fatalf("the alert is read as %s", e.FormatName)
			}
			list := x.Joins(e)
			if len(list) != len(c.words) {
				t.Fatalf("it is joined to %+v", list)
			}
			for i, j := range list {
				if !strings.Contains(j.Words, c.words[i]) || (j.Doubt != "") != c.doubted {
					t.Errorf("%d: %+v, want %q", i, j, c.words[i])
				}
				if about, ok := x.Session(j.Session); !ok || about.Kind != "exec" || about.Host != "shop/web-1" {
					t.Errorf("its session is %+v", about)
				}
			}
			x.Annotate(e, nil)
			if want := len(c.words) > 0; want != (e.Text(event.FieldSession) != "") || want != (e.Text(event.FieldBehind) != "") || c.doubted != (e.Text(event.FieldDoubt) != "") {
				t.Errorf("it has the fields %q %q %q", e.Text(event.FieldSession), e.Text(event.FieldBehind), e.Text(event.FieldDoubt))
			}
		})
	}
}

// TestTetragonJoinsTheExec has the other sensor.
func TestTetragonJoinsTheExec(t *testing.T) {
	x := session.New(session.Options{})
	for _, e := range parsed(t, kubeExec("a1", "ResponseStarted", "exec", "jane@shop.example", 0, 1, 101)) {
		x.Take(e)
	}
	e := parsed(t, fmt.Sprintf(`{"process_exec":{"process":{"exec_id":"bm9kZTox","pid":4711,"uid":0,"cwd":"/","binary":"/usr/bin/curl","arguments":"http://203.0.113.9/x","pod":{"namespace":"shop","name":"web-1","container":{"id":"containerd://0123456789abcdef0123456789abcdef","name":"app"}}}},"node_name":"node-3","time":"%s"}`, stamp(70)))[0]
	if list := x.Joins(e); e.FormatName != "tetragon" || len(list) != 1 || !strings.Contains(list[0].Words, "1m10s before") {
		t.Errorf("a %s record is joined to %+v", e.FormatName, list)
	}
}

// FuzzIndex feeds anything a source may deliver: nothing panics, nothing grows
// beyond the bound, and what is joined can be asked about.
func FuzzIndex(f *testing.F) {
	syslog, audit := night()
	for _, l := range append(syslog, audit...) {
		f.Add(l)
	}
	f.Add(kubeExec("a1", "ResponseStarted", "exec", "jane", 0, 1, 101))
	f.Add(falcoAlert(40, "shop", "web-1"))
	f.Add(call(f, 0, "SwitchRole", roleSession("Audit", "alice", "1", ""), map[string]any{"additionalEventData": map[string]any{"SwitchFrom": "arn:aws:iam::1:user/alice"}}))
	f.Add(call(f, 0, "AssumeRole", iamUser("alice", "1", "AKIA"), given("Admin", "work", "2", "ASIA")))
	x := session.New(session.Options{MaxBytes: 32 << 10})
	f.Fuzz(func(t *testing.T, line string) {
		for _, e := range parsed(t, line, line) {
			x.Take(e)
			for _, j := range x.Joins(e) {
				if _, ok := x.Session(j.Session); j.Session != "" && !ok {
					t.Errorf("%q is joined to %q, which nobody knows", line, j.Session)
				}
			}
			x.Annotate(e, nil)
			_ = e.Entities(nil)
		}
		if s := x.Stats(); s.Bytes > 40<<10 {
			t.Errorf("%d bytes are held", s.Bytes)
		}
	})
}
