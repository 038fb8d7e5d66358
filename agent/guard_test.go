package agent

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"bartizan/agent/agentpb"
)

// ways are all the things a name below a root can be, and what becomes of it.
var ways = []struct {
	name string
	make func(t *testing.T, root, outside, path string)
	want string // "" is served
}{
	{"plain", func(t *testing.T, _, _, p string) { must(t, os.WriteFile(p, []byte("x\n"), 0o600)) }, ""},
	{"link inside", func(t *testing.T, root, _, p string) {
		must(t, os.WriteFile(filepath.Join(root, "target"), nil, 0o600))
		must(t, os.Symlink("target", p))
	}, ""},
	{"link outside", func(t *testing.T, _, outside, p string) { must(t, os.Symlink(filepath.Join(outside, "secret"), p)) }, "none of the allowed roots"},
	{"relative link outside", func(t *testing.T, _, _, p string) { must(t, os.Symlink("../outside/secret", p)) }, "none of the allowed roots"},
	{"link to a link outside", func(t *testing.T, root, outside, p string) {
		must(t, os.Symlink(filepath.Join(outside, "secret"), filepath.Join(root, "hop")))
		must(t, os.Symlink("hop", p))
	}, "none of the allowed roots"},
	{"link to the agent's environment", func(t *testing.T, _, _, p string) { must(t, os.Symlink("/proc/self/environ", p)) }, "none of the allowed roots"},
	{"fifo", func(t *testing.T, _, _, p string) { must(t, syscall.Mkfifo(p, 0o600)) }, "no regular file"},
	{"device", func(t *testing.T, _, _, p string) { must(t, os.Symlink("/dev/zero", p)) }, "none of the allowed roots"},
	{"socket", func(t *testing.T, _, _, p string) {
		l, err := net.Listen("unix", p)
		must(t, err)
		t.Cleanup(func() { _ = l.Close() })
	}, "no regular file"},
	{"hard link others could make", func(t *testing.T, root, outside, p string) {
		must(t, os.Link(filepath.Join(outside, "secret"), p))
		must(t, os.Chmod(root, 0o777))
	}, "any file of this host"},
	{"directory", func(t *testing.T, _, _, p string) { must(t, os.Mkdir(p, 0o700)) }, "no regular file"},
}

func TestGuard(t *testing.T) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			tmp := t.TempDir()
			root, outside := filepath.Join(tmp, "root"), filepath.Join(tmp, "outside")
			must(t, os.Mkdir(root, 0o700))
			must(t, os.Mkdir(outside, 0o700))
			must(t, os.WriteFile(filepath.Join(outside, "secret"), []byte("password\n"), 0o600))
			path := filepath.Join(root, "a.log")
			w.make(t, root, outside, path)
			g := &guard{roots: []string{root}}
			f, err := g.open(path)
			if w.want == "" {
				must(t, err)
				must(t, f.Close())
				return
			}
			if err == nil || !strings.Contains(err.Error(), w.want) {
				t.Errorf("it said %v", err)
			}
		})
	}
}

// TestRefusedStreams: what must not be read is listed with its reason and cannot
// be opened by its id.
func TestRefusedStreams(t *testing.T) {
	s := newSite(t, nil)
	must(t, os.Symlink(filepath.Join(s.ca, "ca.key"), filepath.Join(s.logs, "key.log")))
	must(t, syscall.Mkfifo(filepath.Join(s.logs, "pipe.log"), 0o600))
	s.write("good.log", "fine\n")
	s.write("\x1b]0;x\x07%.log", "fine\n")
	s.server.catalog.scan()
	conn := s.dial("")
	list, err := agentpb.NewAgentClient(conn).ListStreams(soon(t), &agentpb.ListStreamsRequest{})
	must(t, err)
	got := map[string]string{}
	for _, d := range list.GetStreams() {
		got[d.GetId()] = d.GetRefused()
	}
	if len(got) != 4 || got["logs/good.log"] != "" || !strings.Contains(got["logs/key.log"], "roots") || !strings.Contains(got["logs/pipe.log"], "regular") {
		t.Errorf("the list is %q", got)
	}
	if r, ok := got["logs/%1B]0;x%07%25.log"]; !ok || r != "" {
		t.Errorf("a name with escapes is listed as %q", got)
	}
	for _, id := range []string{"logs/key.log", "logs/pipe.log"} {
		if _, err := s.open(conn, &agentpb.Open{Stream: id}).Recv(); status.Code(err) != codes.PermissionDenied {
			t.Errorf("%s was opened: %v", id, err)
		}
	}
}

// TestSwappedForALink: a file that becomes a link out of the root while it is read
// gives nothing of what the link leads to.
func TestSwappedForALink(t *testing.T) {
	s := newSite(t, func(c *Config) { c.Rescan = time.Hour }) // the list stays as it was
	s.write("a.log", "one\n")
	s.server.catalog.scan()
	call := s.open(s.dial(""), &agentpb.Open{Stream: "logs/a.log"})
	if got := received(t, call, 1); got[0] != "one" {
		t.Fatalf("the first line is %q", got)
	}
	secret := filepath.Join(s.ca, "ca.key")
	must(t, os.Symlink(secret, filepath.Join(s.logs, "new")))
	must(t, os.Rename(filepath.Join(s.logs, "new"), filepath.Join(s.logs, "a.log")))
	for {
		b, err := call.Recv()
		if err != nil {
			if status.Code(err) != codes.PermissionDenied {
				t.Errorf("the read ended with %v", err)
			}
			return
		}
		if strings.Contains(string(b.GetBlob()), "PRIVATE") {
			t.Fatal("the key of the CA was sent")
		}
	}
}

// TestDoor: the follower opens rotated names below the root; a path that leads
// elsewhere is refused and told once, a name beside it that does is only refused.
func TestDoor(t *testing.T) {
	tmp := t.TempDir()
	root, path := filepath.Join(tmp, "root"), filepath.Join(tmp, "root", "a.log")
	must(t, os.Mkdir(root, 0o700))
	must(t, os.WriteFile(path+".1", []byte("older\n"), 0o600))
	secret := filepath.Join(tmp, "secret")
	must(t, os.WriteFile(secret, []byte("password\n"), 0o600))
	must(t, os.Symlink(secret, path+".2"))
	d := newDoor(&guard{roots: []string{root}}, path)
	f, err := d.open(path + ".1")
	must(t, err)
	must(t, f.Close())
	for _, p := range []string{path, path + ".2"} { // not there; leads out
		if _, err := d.open(p); err == nil || len(d.refused) != 0 {
			t.Errorf("%s: %v, told %d times", p, err, len(d.refused))
		}
	}
	if pos, err := d.tail(5); pos != "" || err != nil {
		t.Errorf("a file that is not there has the tail %q, %v", pos, err)
	}
	must(t, os.Symlink(secret, path))
	for range 2 {
		if _, err := d.open(path); err == nil || len(d.refused) != 1 {
			t.Errorf("the link was opened (%v), told %d times", err, len(d.refused))
		}
	}
	if _, err := d.tail(5); err == nil {
		t.Error("the tail of what the link leads to was read")
	}
}

// TestTheFirstCursorComesAtOnce: a Read that begins at a tail says where before
// it has a record that is wanted.
func TestTheFirstCursorComesAtOnce(t *testing.T) {
	s := newSite(t, nil)
	s.write("a.log", strings.Repeat("a line of the past\n", 100))
	s.server.catalog.scan()
	call := s.open(s.dial(""), &agentpb.Open{Stream: "logs/a.log", TailBytes: 40, Filter: "nowhere"})
	b, err := call.Recv()
	must(t, err)
	if b.GetCursor() == "" || b.GetLeftOut() != 0 || len(b.GetLengths()) != 0 {
		t.Errorf("the first batch is %v", b)
	}
	if b, err = call.Recv(); err != nil || b.GetLeftOut() != 2 {
		t.Errorf("then comes %v, %v", b, err)
	}
}
