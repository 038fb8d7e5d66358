package remote_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bartizan/agent"
	"bartizan/agent/certs"
	"bartizan/event"
	"bartizan/sources/remote"
)

// refused waits until the peer says in one sentence why it does not get through.
func refused(t *testing.T, c remote.Config, want string) {
	t.Helper()
	con := newConsole(t, c)
	con.run()
	con.status("a sentence with "+want, func(st []event.SourceStatus) bool {
		return st[0].State == event.SourceRetrying && strings.Contains(st[0].Reason, want) && !st[0].NextTry.IsZero()
	})
	if len(con.peer.Status()) != 1 {
		t.Error("a peer that is not trusted has streams")
	}
	con.stop()
}

func TestNoTrust(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(t *testing.T, w *world) // before the agent starts
		conf func(t *testing.T, w *world, c *remote.Config)
		want string
	}{
		{"agent of another CA", func(t *testing.T, w *world) {
			other := filepath.Join(t.TempDir(), "ca")
			check(t, certs.Init(other, time.Now()))
			dir, err := certs.Issue(other, "web-1", []string{"127.0.0.1"}, time.Now())
			check(t, err)
			w.host = dir
		}, nil, "issued by another CA"},
		{"console of another CA", nil, func(t *testing.T, w *world, c *remote.Config) {
			other := filepath.Join(t.TempDir(), "ca")
			check(t, certs.Init(other, time.Now()))
			tls, err := certs.ClientTLS(other, time.Now)
			check(t, err)
			tls.VerifyConnection = nil // it would refuse the agent first
			c.TLS = tls
		}, "refused this console's certificate"},
		{"expired agent", func(t *testing.T, w *world) {
			dir, err := certs.Issue(w.certs, "old", []string{"127.0.0.1"}, time.Now())
			check(t, err)
			w.host = dir
		}, func(t *testing.T, w *world, c *remote.Config) {
			late := time.Now().Add(certs.LeafLife + time.Hour)
			dir, err := certs.IssueConsole(w.certs, "late", late)
			check(t, err)
			st, err := certs.Open(certs.ConsoleFiles(dir), func() time.Time { return late })
			check(t, err)
			c.TLS = st.Client()
		}, "spiffe://bartizan/agent/old expired on"},
		{"another address", func(t *testing.T, w *world) {
			dir, err := certs.Issue(w.certs, "web-1", []string{"10.9.9.9"}, time.Now())
			check(t, err)
			w.host = dir
		}, nil, "is not for the address 127.0.0.1"},
		{"another agent", nil, func(_ *testing.T, _ *world, c *remote.Config) { c.Name = "db-1" }, `answers as agent "web-1" where "db-1" is expected`},
		{"revoked agent", func(t *testing.T, w *world) { revoke(t, w.certs, filepath.Join(w.host, "agent.crt")) }, nil, "is revoked in"},
		{"revoked console", func(t *testing.T, w *world) { revoke(t, w.host, filepath.Join(w.certs, "console.crt")) }, nil, "refused this console's certificate"},
		{"console not on the list", func(_ *testing.T, w *world) {
			w.conf = func(c *agent.Config) { c.AllowConsoles = []string{"spiffe://bartizan/console/ops-*"} }
		}, nil, "does not let this console in"},
		{"nobody there", func(t *testing.T, w *world) { w.addr = closedPort(t) }, nil, "cannot reach the agent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			if c.set != nil {
				c.set(t, w)
			}
			if w.addr == "" {
				w.start()
			}
			conf := w.config(w.addr)
			if c.conf != nil {
				c.conf(t, w, &conf)
			}
			refused(t, conf, c.want)
		})
	}
}

func revoke(t *testing.T, dir, cert string) {
	t.Helper()
	info, err := certs.Inspect(cert)
	check(t, err)
	check(t, os.WriteFile(filepath.Join(dir, "revoked.txt"), []byte(info[0].Serial+"\n"), 0o600))
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	check(t, l.Close())
	return l.Addr().String()
}

// TestPlaintextServer: what does not speak TLS is told apart from what is not trusted.
func TestPlaintextServer(t *testing.T) {
	w := newWorld(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	var all sync.WaitGroup
	all.Add(1)
	go func() {
		defer all.Done()
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
			_ = c.Close()
		}
	}()
	refused(t, w.config(l.Addr().String()), "does not speak TLS")
	check(t, l.Close())
	all.Wait()
}

// TestNewCertificatesCountAtOnce: the next connection uses the files as they are.
func TestNewCertificatesCountAtOnce(t *testing.T) {
	w := newWorld(t)
	w.write("auth.log", numbered(0, 1)...)
	w.start()
	p := newProxy(t, func() string { return w.addr })
	c := newConsole(t, w.config(p.addr))
	c.run()
	c.wait(authLog, "the first line", atLeast(1))
	before := c.peer.Status()[0].Peer.CertEnds
	_, err := certs.Issue(w.certs, "web-1", []string{"127.0.0.1"}, time.Now().Add(-30*time.Minute))
	check(t, err)
	p.cut()
	c.status("the new certificate", func(st []event.SourceStatus) bool {
		return st[0].State == event.SourceLive && st[0].Peer.CertEnds.Before(before.Add(-10*time.Minute))
	})
	revoke(t, w.host, filepath.Join(w.certs, "console.crt"))
	p.cut()
	c.status("the revocation", func(st []event.SourceStatus) bool {
		return st[0].State == event.SourceRetrying && strings.Contains(st[0].Reason, "refused this console's certificate")
	})
	check(t, os.Remove(filepath.Join(w.host, "revoked.txt")))
	w.write("auth.log", numbered(1, 2)...)
	exactly(t, c.wait(authLog, "the line after it was let in again", atLeast(2)), numbered(0, 2))
}

func TestWrongDial(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		conf func(*remote.Config)
		want string
	}{
		{func(c *remote.Config) { c.Address = "web-1" }, "not HOST:PORT"},
		{func(c *remote.Config) { c.TLS = nil }, "mutual TLS"},
		{func(c *remote.Config) { c.Filter = strings.Repeat("x", 1<<20) }, "make it shorter"},
	} {
		conf := w.config("127.0.0.1:1")
		c.conf(&conf)
		if _, err := remote.Dial(conf); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

func TestBackoff(t *testing.T) {
	for _, random := range []float64{0, 0.5, 0.999} {
		pause := remote.Backoff(func() float64 { return random })
		for n, full := range []time.Duration{500, 1000, 2000, 4000, 8000, 16000, 30000, 30000} {
			full *= time.Millisecond
			if got := pause(n); got > full || got < full/2 {
				t.Errorf("pause %d is %s, want %s to %s", n, got, full/2, full)
			}
		}
	}
}
