package certs

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"sync"
	"time"
)

// Store holds one side's certificate, CA and list of revoked certificates, and
// reads them again when a file changed. It is safe from any goroutine.
type Store struct {
	files Files
	now   func() time.Time

	mu      sync.Mutex
	seen    [4]os.FileInfo
	state   state
	problem error
}

// state is what one look at the files found.
type state struct {
	pair       *tls.Certificate
	roots      *x509.CertPool
	revoked    map[string]string // with the comments behind them
	revokedErr error
}

// Open loads the files. The error is one sentence with the file and the mend.
func Open(f Files, now func() time.Time) (*Store, error) {
	s := &Store{files: f, now: now}
	s.seen = s.look()
	st, err := s.load()
	if err != nil {
		return nil, err
	}
	if st.revokedErr != nil {
		return nil, st.revokedErr
	}
	s.state = st
	return s, nil
}

// ServerTLS is the configuration an agent listens with, from its directory.
func ServerTLS(dir string, now func() time.Time) (*tls.Config, error) {
	s, err := Open(AgentFiles(dir), now)
	if err != nil {
		return nil, err
	}
	return s.Server(), nil
}

// ClientTLS is the configuration a console dials with, from its directory.
func ClientTLS(dir string, now func() time.Time) (*tls.Config, error) {
	s, err := Open(ConsoleFiles(dir), now)
	if err != nil {
		return nil, err
	}
	return s.Client(), nil
}

// Problem says why the files as they are now are not in use; nil is fine.
func (s *Store) Problem() error {
	s.current()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.problem
}

// Certificate returns this side's own certificate as it is now.
func (s *Store) Certificate() *x509.Certificate { return s.current().pair.Leaf }

// current looks at the files and loads them when one changed.
func (s *Store) current() state {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.look()
	if sameFiles(now, s.seen) {
		return s.state
	}
	s.seen = now
	st, err := s.load()
	s.problem = err
	if err != nil { // half-replaced or broken: keep what works, take the list
		s.state.revoked, s.state.revokedErr = readRevoked(s.files.Revoked)
		return s.state
	}
	s.state, s.problem = st, st.revokedErr
	return st
}

func (s *Store) look() (at [4]os.FileInfo) {
	for i, path := range []string{s.files.CA, s.files.Cert, s.files.Key, s.files.Revoked} {
		if st, err := os.Stat(path); err == nil {
			at[i] = st
		}
	}
	return at
}

func sameFiles(a, b [4]os.FileInfo) bool {
	for i := range a {
		if (a[i] == nil) != (b[i] == nil) {
			return false
		}
		if a[i] == nil {
			continue
		}
		same := a[i].ModTime().Equal(b[i].ModTime()) && a[i].Size() == b[i].Size() && a[i].Mode() == b[i].Mode()
		if !same || !os.SameFile(a[i], b[i]) {
			return false
		}
	}
	return true
}

func (s *Store) load() (state, error) {
	ca, err := readCert(s.files.CA)
	if err != nil {
		return state{}, err
	}
	if err := checkDates(s.files.CA, ca, s.now()); err != nil {
		return state{}, err
	}
	pair, err := loadPair(s.files.Cert, s.files.Key)
	if err != nil {
		return state{}, err
	}
	if err := s.checkOwn(pair.Leaf, ca); err != nil {
		return state{}, err
	}
	st := state{pair: pair, roots: x509.NewCertPool()}
	st.roots.AddCert(ca)
	st.revoked, st.revokedErr = readRevoked(s.files.Revoked)
	return st, nil
}

// checkOwn finds the mistakes that would otherwise show up as a refused
// handshake on the other host.
func (s *Store) checkOwn(cert, ca *x509.Certificate) error {
	if err := checkDates(s.files.Cert, cert, s.now()); err != nil {
		return err
	}
	id, err := IdentityOf(cert)
	if err != nil {
		return fmt.Errorf("%s: %w", s.files.Cert, err)
	}
	if id.Role != s.files.Role {
		return fmt.Errorf("%s is %s: this side needs one of the kind %s", s.files.Cert, id.URI(), s.files.Role)
	}
	if err := cert.CheckSignatureFrom(ca); err != nil {
		return fmt.Errorf("%s was not issued by the CA in %s: copy the directory that bartizan certs issue made as a whole", s.files.Cert, s.files.CA)
	}
	return nil
}
