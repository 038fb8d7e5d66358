package certs

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// set makes a CA with one agent and returns both directories.
func set(t *testing.T) (ca, agent string) {
	t.Helper()
	ca = filepath.Join(t.TempDir(), "ca")
	must(t, Init(ca, start))
	agent, err := Issue(ca, "web-1", []string{"127.0.0.1", "web-1.example"}, start)
	must(t, err)
	return ca, agent
}

// shake does one handshake and returns what each side says.
func shake(t *testing.T, server, client *tls.Config) (atServer, atClient error) {
	t.Helper()
	near, far := net.Pipe()
	defer func() { _, _ = near.Close(), far.Close() }()
	deadline := time.Now().Add(10 * time.Second)
	must(t, near.SetDeadline(deadline))
	must(t, far.SetDeadline(deadline))
	done := make(chan error, 1)
	go func() {
		s := tls.Server(far, server)
		err := s.Handshake()
		if err == nil {
			_, err = s.Write([]byte("!"))
		}
		done <- err
	}()
	c := tls.Client(near, client)
	atClient = c.Handshake()
	if atClient == nil { // the server's verdict on us comes with the first byte
		_, atClient = c.Read(make([]byte, 1))
	}
	_ = near.Close()
	return <-done, atClient
}

func TestWorkingSetInTwoCommands(t *testing.T) {
	ca, agent := set(t)
	server, err := ServerTLS(agent, at(start))
	must(t, err)
	client, err := ClientTLS(ca, at(start))
	must(t, err)
	var seen tls.ConnectionState
	verify := client.VerifyConnection
	client.VerifyConnection = func(cs tls.ConnectionState) error { seen = cs; return verify(cs) }
	if a, b := shake(t, server, client); a != nil || b != nil {
		t.Fatalf("the handshake failed: %v, %v", a, b)
	}
	leaf := seen.PeerCertificates[0]
	if seen.Version != tls.VersionTLS13 || leaf.VerifyHostname("127.0.0.1") != nil || leaf.VerifyHostname("web-1.example") != nil {
		t.Errorf("version %x, hosts %v %v", seen.Version, leaf.DNSNames, leaf.IPAddresses)
	}
	for path, want := range map[string]os.FileMode{
		filepath.Join(ca, "ca.key"): 0o600, filepath.Join(ca, "console.key"): 0o600, filepath.Join(agent, "agent.key"): 0o600,
	} {
		if st, err := os.Stat(path); err != nil || st.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, st, err)
		}
	}
}

func TestInspect(t *testing.T) {
	ca, agent := set(t)
	infos, err := Inspect(ca)
	must(t, err)
	if len(infos) != 4 {
		t.Fatalf("%d certificates: %+v", len(infos), infos)
	}
	got := infos[len(infos)-2] // …/web-1/agent.crt, then …/web-1/ca.crt
	if got.Path != filepath.Join(agent, "agent.crt") || got.Identity != "spiffe://bartizan/agent/web-1" ||
		strings.Join(got.Hosts, " ") != "web-1.example 127.0.0.1" || !got.NotAfter.Equal(start.Add(LeafLife)) {
		t.Errorf("%+v", got)
	}
	if infos[0].Role != roleCA || !infos[0].NotAfter.Equal(start.Add(CALife)) {
		t.Errorf("%+v", infos[0])
	}
	if _, err := Inspect(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no certificates") {
		t.Errorf("an empty directory: %v", err)
	}
}

// TestRefusedFiles: each mistake with files gets a sentence with file and mend.
func TestRefusedFiles(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, ca, agent string)
		now   time.Time
		want  []string
	}{
		{"missing certificate", func(t *testing.T, _, a string) { must(t, os.Remove(filepath.Join(a, "agent.crt"))) }, start, []string{"agent.crt is missing"}},
		{"missing key", func(t *testing.T, _, a string) { must(t, os.Remove(filepath.Join(a, "agent.key"))) }, start, []string{"agent.key is missing"}},
		{"missing CA", func(t *testing.T, _, a string) { must(t, os.Remove(filepath.Join(a, "ca.crt"))) }, start, []string{"ca.crt is missing"}},
		{"readable key", func(t *testing.T, _, a string) { must(t, os.Chmod(filepath.Join(a, "agent.key"), 0o644)) }, start, []string{"agent.key", "0644", "chmod 600"}},
		{"expired", func(*testing.T, string, string) {}, start.Add(LeafLife + time.Hour), []string{"agent.crt expired on 2027-03-04", "issue"}},
		{"not yet valid", func(*testing.T, string, string) {}, start.Add(-24 * time.Hour), []string{"not valid before", "clock"}},
		{"wrong key", func(t *testing.T, ca, a string) {
			copyFile(t, filepath.Join(ca, "console.key"), filepath.Join(a, "agent.key"))
		}, start, []string{"agent.key is not the key of", "agent.crt"}},
		{"other CA", func(t *testing.T, _, a string) {
			other := filepath.Join(t.TempDir(), "other")
			must(t, Init(other, start))
			copyFile(t, filepath.Join(other, "ca.crt"), filepath.Join(a, "ca.crt"))
		}, start, []string{"was not issued by the CA in", "ca.crt"}},
		{"console's certificate", func(t *testing.T, ca, a string) {
			copyFile(t, filepath.Join(ca, "console.crt"), filepath.Join(a, "agent.crt"))
			copyFile(t, filepath.Join(ca, "console.key"), filepath.Join(a, "agent.key"))
		}, start, []string{"spiffe://bartizan/console/console", "agent"}},
		{"no PEM", func(t *testing.T, _, a string) {
			must(t, os.WriteFile(filepath.Join(a, "agent.crt"), []byte("hello"), 0o600))
		}, start, []string{"agent.crt holds no PEM certificate"}},
		{"malformed list", func(t *testing.T, _, a string) {
			must(t, os.WriteFile(filepath.Join(a, "revoked.txt"), []byte("# fine\nweb-1\n"), 0o600))
		}, start, []string{"revoked.txt:2", `"web-1"`, "inspect"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ca, agent := set(t)
			c.spoil(t, ca, agent)
			_, err := ServerTLS(agent, at(c.now))
			if err == nil {
				t.Fatal("it was accepted")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q lacks %q", err, w)
				}
			}
		})
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	must(t, err)
	must(t, os.WriteFile(to, data, 0o600))
}

// TestRefusedHandshakes: who is not trusted does not get through, and the side
// that refuses says why.
func TestRefusedHandshakes(t *testing.T) {
	later := start.Add(LeafLife - time.Hour)
	for _, c := range []struct {
		name             string
		make             func(t *testing.T, ca, agent string) (server, client *tls.Config)
		atServer, atPeer string // "" is: not this side
	}{
		{"console of another CA", func(t *testing.T, _, agent string) (*tls.Config, *tls.Config) {
			other := filepath.Join(t.TempDir(), "other")
			must(t, Init(other, start))
			server, err := ServerTLS(agent, at(start))
			must(t, err)
			c := config(t, other, RoleConsole, start)
			c.VerifyConnection = nil // it would refuse first
			return server, c
		}, "issued by another CA", ""},
		{"agent of another CA", func(t *testing.T, ca, _ string) (*tls.Config, *tls.Config) {
			other := filepath.Join(t.TempDir(), "other")
			must(t, Init(other, start))
			dir, err := Issue(other, "web-1", []string{"127.0.0.1"}, start)
			must(t, err)
			s, err := ServerTLS(dir, at(start))
			must(t, err)
			return s, config(t, ca, RoleConsole, start)
		}, "", "issued by another CA"},
		{"expired agent", func(t *testing.T, ca, agent string) (*tls.Config, *tls.Config) {
			s, err := ServerTLS(agent, at(start))
			must(t, err)
			dir, err := IssueConsole(ca, "late", later)
			must(t, err)
			return s, config(t, dir, RoleConsole, start.Add(LeafLife+time.Hour))
		}, "", "spiffe://bartizan/agent/web-1 expired on"},
		{"expired console", func(t *testing.T, ca, _ string) (*tls.Config, *tls.Config) {
			dir, err := Issue(ca, "fresh", []string{"127.0.0.1"}, later)
			must(t, err)
			s, err := ServerTLS(dir, at(start.Add(LeafLife+time.Hour)))
			must(t, err)
			c := config(t, ca, RoleConsole, start)
			c.VerifyConnection = nil // the agent's certificate is from its future
			return s, c
		}, "spiffe://bartizan/console/console expired on", ""},
		{"an agent posing as a console", func(t *testing.T, ca, agent string) (*tls.Config, *tls.Config) {
			s, err := ServerTLS(agent, at(start))
			must(t, err)
			c := config(t, ca, RoleConsole, start)
			st, err := Open(AgentFiles(agent), at(start))
			must(t, err)
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return st.current().pair, nil }
			return s, c
		}, "spiffe://bartizan/console/NAME is needed", ""},
		{"no certificate", func(t *testing.T, ca, agent string) (*tls.Config, *tls.Config) {
			s, err := ServerTLS(agent, at(start))
			must(t, err)
			c := config(t, ca, RoleConsole, start)
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return new(tls.Certificate), nil }
			return s, c
		}, "didn't provide a certificate", ""},
		{"TLS 1.2", func(t *testing.T, ca, agent string) (*tls.Config, *tls.Config) {
			s, err := ServerTLS(agent, at(start))
			must(t, err)
			c := config(t, ca, RoleConsole, start)
			c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
			return s, c
		}, "unsupported versions", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			ca, agent := set(t)
			server, client := c.make(t, ca, agent)
			a, b := shake(t, server, client)
			if a == nil || b == nil {
				t.Fatalf("the handshake went through: %v, %v", a, b)
			}
			if !strings.Contains(a.Error(), c.atServer) || !strings.Contains(b.Error(), c.atPeer) {
				t.Errorf("the server said %q, the client %q", a, b)
			}
		})
	}
}

func config(t *testing.T, dir string, r Role, now time.Time) *tls.Config {
	t.Helper()
	s, err := Open(filesOf(dir, r), at(now))
	must(t, err)
	return s.Client()
}

// TestReload: a certificate and a revocation count from the next handshake on.
func TestReload(t *testing.T) {
	ca, agent := set(t)
	store, err := Open(AgentFiles(agent), at(start))
	must(t, err)
	server, client := store.Server(), config(t, ca, RoleConsole, start)
	before := store.Certificate()
	if _, err = Issue(ca, "web-1", []string{"10.0.0.1"}, start); err != nil {
		t.Fatal(err)
	}
	var serial string
	verify := client.VerifyConnection
	client.VerifyConnection = func(cs tls.ConnectionState) error {
		serial = Serial(cs.PeerCertificates[0])
		return verify(cs)
	}
	if a, b := shake(t, server, client); a != nil || b != nil || serial == Serial(before) {
		t.Fatalf("the new certificate is not in use: %v, %v", a, b)
	}

	good := serial
	must(t, os.WriteFile(filepath.Join(agent, "agent.crt"), []byte("half"), 0o600))
	if a, b := shake(t, server, client); a != nil || b != nil || serial != good {
		t.Fatalf("the good certificate is no longer in use: %v, %v", a, b)
	}
	if p := store.Problem(); p == nil || !strings.Contains(p.Error(), "agent.crt") {
		t.Errorf("the problem is %v", p)
	}

	info, err := Inspect(filepath.Join(ca, "console.crt"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(agent, "revoked.txt"), []byte("# left the team\n"+info[0].Serial+" # console\n"), 0o600))
	if a, b := shake(t, server, client); a == nil || b == nil || !strings.Contains(a.Error(), "is revoked in") {
		t.Fatalf("a revoked console came in: %v, %v", a, b)
	}
	must(t, os.WriteFile(filepath.Join(agent, "revoked.txt"), []byte("what?"), 0o600))
	if a, _ := shake(t, server, client); a == nil || !strings.Contains(a.Error(), "revoked.txt:1") {
		t.Fatalf("with a list that cannot be read: %v", a)
	}
	must(t, os.Remove(filepath.Join(agent, "revoked.txt")))
	if a, b := shake(t, server, client); a != nil || b != nil {
		t.Fatalf("it did not recover: %v, %v", a, b)
	}
}

func TestInitNeverOverwrites(t *testing.T) {
	ca, _ := set(t)
	before, err := os.ReadFile(filepath.Join(ca, "ca.key"))
	must(t, err)
	if err := Init(ca, start); err == nil || !strings.Contains(err.Error(), "already there") {
		t.Errorf("a second init said %v", err)
	}
	after, err := os.ReadFile(filepath.Join(ca, "ca.key"))
	must(t, err)
	if !bytes.Equal(before, after) {
		t.Error("the key of the CA was overwritten")
	}
}

func TestNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"web-1": true, "db.example.org": true, "A_1": true, "": false, "..": false, "a/b": false, "-x": false, "a..b": false,
		"a b": false, "ä": false, "a\x1b[31m": false, strings.Repeat("a", 63): true, strings.Repeat("a", 64): false,
	} {
		if err := CheckName(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
		if _, err := Issue(filepath.Join(t.TempDir(), "none"), name, []string{"h"}, start); err == nil {
			t.Errorf("%q was issued without a CA", name)
		}
	}
}

// TestIdentity: only one well-formed URI name counts, never the common name.
func TestIdentity(t *testing.T) {
	ca, agent := set(t)
	for path, want := range map[string]string{
		filepath.Join(ca, "ca.crt"):       "",
		filepath.Join(ca, "console.crt"):  "spiffe://bartizan/console/console",
		filepath.Join(agent, "agent.crt"): "spiffe://bartizan/agent/web-1",
	} {
		cert, err := readCert(path)
		must(t, err)
		id, err := IdentityOf(cert)
		if (err == nil) != (want != "") || err == nil && id.URI() != want {
			t.Errorf("%s: %v, %v", path, id, err)
		}
	}
	for _, uri := range []string{
		"spiffe://other/agent/a", "https://bartizan/agent/a", "spiffe://bartizan/root/a", "spiffe://bartizan/agent/",
		"spiffe://bartizan/agent/a/b", "spiffe://bartizan/agent/a?x=1", "spiffe://u@bartizan/agent/a", "spiffe://bartizan/agent/%61",
	} {
		u, err := url.Parse(uri)
		must(t, err)
		if _, err := IdentityOf(&x509.Certificate{URIs: []*url.URL{u}}); err == nil {
			t.Errorf("%s was accepted", uri)
		}
	}
}
