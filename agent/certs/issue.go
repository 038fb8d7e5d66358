package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// authority is a CA that can sign.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// Init makes a CA in dir (ca.crt, ca.key) and the console's own certificate
// beside it (console.crt, console.key). It never overwrites a CA.
func Init(dir string, now time.Time) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("cannot make the directory for certificates: %w", err)
	}
	keyPath := filepath.Join(dir, caKeyFile)
	if _, err := os.Lstat(keyPath); err == nil {
		return fmt.Errorf("%s is already there: a new CA would cut off every agent it issued for; choose another directory", keyPath)
	}
	ca, err := newAuthority(dir, now)
	if err != nil {
		return err
	}
	return ca.issue(dir, dir, Identity{RoleConsole, "console"}, nil, now)
}

// Issue makes a certificate for the agent called name in dir/name, together with
// the CA's certificate: that directory is all its host needs. hosts are the
// names and addresses consoles dial it by. It returns the directory.
func Issue(dir, name string, hosts []string, now time.Time) (string, error) {
	if len(hosts) == 0 {
		return "", errors.New("an agent's certificate needs at least one host name or address that consoles dial: bartizan certs issue DIR NAME HOST")
	}
	return issueInto(dir, Identity{RoleAgent, name}, hosts, now)
}

// IssueConsole makes a certificate for another console in dir/name.
func IssueConsole(dir, name string, now time.Time) (string, error) {
	return issueInto(dir, Identity{RoleConsole, name}, nil, now)
}

func issueInto(dir string, id Identity, hosts []string, now time.Time) (string, error) {
	if err := CheckName(id.Name); err != nil {
		return "", err
	}
	ca, err := loadAuthority(dir, now)
	if err != nil {
		return "", err
	}
	to := filepath.Join(dir, id.Name)
	if err := os.MkdirAll(to, 0o700); err != nil {
		return "", fmt.Errorf("cannot make the directory for the certificate: %w", err)
	}
	if err := writeFile(filepath.Join(to, caFile), pemOf("CERTIFICATE", ca.cert.Raw), 0o644); err != nil {
		return "", err
	}
	if err := copyRevoked(dir, to); err != nil {
		return "", err
	}
	return to, ca.issue(dir, to, id, hosts, now)
}

func newAuthority(dir string, now time.Time) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("cannot make the CA's key: %w", err)
	}
	tmpl, err := template("Bartizan CA", now, CALife)
	if err != nil {
		return nil, err
	}
	tmpl.IsCA, tmpl.BasicConstraintsValid, tmpl.MaxPathLenZero = true, true, true
	tmpl.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	ca := &authority{cert: tmpl, key: key}
	return ca, ca.sign(tmpl, key, filepath.Join(dir, caFile), filepath.Join(dir, caKeyFile))
}

// copyRevoked gives a folder that is issued the list as it is now.
func copyRevoked(from, to string) error {
	data, err := readFile(filepath.Join(from, revokedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(to, revokedFile), data, 0o644)
}

// issue writes ROLE.crt and ROLE.key for id into dir and notes it in home, the
// CA's directory. Both sides may listen or dial (an agent behind NAT dials out),
// so every certificate is good for both.
func (a *authority) issue(home, dir string, id Identity, hosts []string, now time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("cannot make a key: %w", err)
	}
	tmpl, err := template(id.Name, now, LeafLife)
	if err != nil {
		return err
	}
	if end := a.cert.NotAfter; tmpl.NotAfter.After(end) {
		tmpl.NotAfter = end
	}
	tmpl.KeyUsage = x509.KeyUsageDigitalSignature
	tmpl.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	tmpl.URIs = []*url.URL{{Scheme: "spiffe", Host: trustDomain, Path: "/" + string(id.Role) + "/" + id.Name}}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			tmpl.IPAddresses = append(tmpl.IPAddresses, ip)
		} else {
			tmpl.DNSNames = append(tmpl.DNSNames, h)
		}
	}
	f := filesOf(dir, id.Role)
	if err := record(home, id, fmt.Sprintf("%x", tmpl.SerialNumber), tmpl.NotAfter); err != nil {
		return err
	}
	return a.sign(tmpl, key, f.Cert, f.Key)
}

// sign writes key, then the certificate, so that a reader that sees the new
// certificate finds its key.
func (a *authority) sign(tmpl *x509.Certificate, key *ecdsa.PrivateKey, certPath, keyPath string) error {
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return fmt.Errorf("cannot sign %s: %w", certPath, err)
	}
	if tmpl == a.cert {
		if a.cert, err = x509.ParseCertificate(der); err != nil {
			return fmt.Errorf("cannot read back %s: %w", certPath, err)
		}
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", keyPath, err)
	}
	if err := writeFile(keyPath, pemOf("PRIVATE KEY", pkcs8), 0o600); err != nil {
		return err
	}
	return writeFile(certPath, pemOf("CERTIFICATE", der), 0o644)
}

func template(name string, now time.Time, life time.Duration) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("cannot draw a serial number: %w", err)
	}
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-backdate), NotAfter: now.Add(life),
	}, nil
}

func loadAuthority(dir string, now time.Time) (*authority, error) {
	certPath, keyPath := filepath.Join(dir, caFile), filepath.Join(dir, caKeyFile)
	pair, err := loadPair(certPath, keyPath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; make a CA with bartizan certs init %s", err, dir)
	}
	if err != nil {
		return nil, err
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || !pair.Leaf.IsCA {
		return nil, fmt.Errorf("%s is not a CA made by bartizan certs init", certPath)
	}
	return &authority{pair.Leaf, key}, checkDates(certPath, pair.Leaf, now)
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// writeFile replaces path in one step, so no reader sees half a file.
func writeFile(path string, data []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // best effort: the write has failed already
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	return nil
}
