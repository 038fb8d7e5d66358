package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
)

// Server returns the configuration for the listening side: only consoles (for
// an agent's store) or agents (for a console's) with a certificate of our CA get
// through. Sessions are never resumed, so every connection is checked in full.
func (s *Store) Server() *tls.Config {
	c := s.base(x509.ExtKeyUsageClientAuth)
	// The chain is verified in VerifyConnection, against the CA as it is on disk now.
	c.ClientAuth = tls.RequireAnyClientCert
	c.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return s.current().pair, nil }
	c.SessionTicketsDisabled = true
	return c
}

// Client returns the configuration for the dialling side. It checks who the
// other is, not where: compare the address with the certificate's hosts, which
// the configuration cannot know, with (*x509.Certificate).VerifyHostname.
func (s *Store) Client() *tls.Config {
	c := s.base(x509.ExtKeyUsageServerAuth)
	// The built-in check would use the CA of start-up for ever; VerifyConnection
	// does the whole of it with the CA as it is on disk now.
	c.InsecureSkipVerify = true //nolint:gosec // see above
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return s.current().pair, nil }
	return c
}

func (s *Store) base(usage x509.ExtKeyUsage) *tls.Config {
	other := RoleConsole
	if s.files.Role == RoleConsole {
		other = RoleAgent
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		MaxVersion: tls.VersionTLS13,
		NextProtos: []string{"h2"},
		Time:       s.now,
		VerifyConnection: func(cs tls.ConnectionState) error {
			return s.verify(cs.PeerCertificates, other, usage)
		},
	}
}

// verify decides about the other side: chain, dates, name, role, revocation.
func (s *Store) verify(chain []*x509.Certificate, want Role, usage x509.ExtKeyUsage) error {
	if len(chain) == 0 {
		return fmt.Errorf("the other side showed no certificate: it needs one from bartizan certs issue")
	}
	st, leaf := s.current(), chain[0]
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: st.roots, CurrentTime: s.now(), KeyUsages: []x509.ExtKeyUsage{usage},
	})
	if err != nil {
		return s.sentence(leaf, err)
	}
	id, err := IdentityOf(leaf)
	if err != nil {
		return err
	}
	if id.Role != want {
		return fmt.Errorf("the other side is %s where an identity spiffe://%s/%s/NAME is needed", id.URI(), trustDomain, want)
	}
	if st.revokedErr != nil {
		return fmt.Errorf("nobody is let in while the list of revoked certificates cannot be read: %w", st.revokedErr)
	}
	if _, revoked := st.revoked[Serial(leaf)]; revoked {
		return fmt.Errorf("the certificate of %s (serial %s) is revoked in %s: issue a new one", id.URI(), Serial(leaf), s.files.Revoked)
	}
	return nil
}

// sentence turns what x509 found into what a person can do.
func (s *Store) sentence(leaf *x509.Certificate, err error) error {
	who := "the other side"
	if id, idErr := IdentityOf(leaf); idErr == nil {
		who = id.URI()
	}
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("the certificate of %s was issued by another CA than %s: issue it with this CA", who, s.files.CA)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && s.now().Before(leaf.NotBefore):
		return fmt.Errorf("the certificate of %s is not valid before %s: check both clocks", who, day(leaf.NotBefore))
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Errorf("the certificate of %s expired on %s: issue a new one", who, day(leaf.NotAfter))
	}
	return fmt.Errorf("the certificate of %s cannot be used: %.200q", who, err.Error())
}
