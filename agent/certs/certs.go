// Package certs is the small certificate authority that agents and consoles
// trust each other by: it makes a CA, issues certificates whose identity is a
// URI name (spiffe://bartizan/agent/NAME, spiffe://bartizan/console/NAME), and
// gives TLS 1.3 configurations that read their files again when these change.
//
// Handshakes read a few small files from the disk; nothing else blocks. When a
// changed certificate cannot be loaded the one before stays in use and Problem
// says why; a list of revoked certificates that cannot be read refuses everybody.
package certs

import (
	"crypto/x509"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Role is which side of a connection a certificate speaks for.
type Role string

// The roles, as they stand in the URI name.
const (
	RoleAgent   Role = "agent"
	RoleConsole Role = "console"
	roleCA      Role = "ca"
)

// How long certificates live, and how far back they are dated so that a host
// whose clock is a little behind accepts them at once.
const (
	CALife   = 10 * 365 * 24 * time.Hour
	LeafLife = 365 * 24 * time.Hour
	backdate = time.Hour
)

// trustDomain is the authority part of every identity.
const trustDomain = "bartizan"

// The file names inside a directory of certificates.
const (
	caFile      = "ca.crt"
	caKeyFile   = "ca.key"
	revokedFile = "revoked.txt"
)

// Files are the four files one side needs. Revoked may be missing: then nobody
// is revoked. It holds one serial number in hex per line; # starts a comment.
type Files struct {
	Role                   Role
	CA, Cert, Key, Revoked string
}

// AgentFiles returns the files of an agent's directory, as Issue lays it out.
func AgentFiles(dir string) Files { return filesOf(dir, RoleAgent) }

// ConsoleFiles returns the files of a console's directory, as Init lays it out.
func ConsoleFiles(dir string) Files { return filesOf(dir, RoleConsole) }

func filesOf(dir string, r Role) Files {
	return Files{
		Role: r, CA: filepath.Join(dir, caFile), Revoked: filepath.Join(dir, revokedFile),
		Cert: filepath.Join(dir, string(r)+".crt"), Key: filepath.Join(dir, string(r)+".key"),
	}
}

// Identity is who a certificate says its holder is.
type Identity struct {
	Role Role
	Name string
}

// URI returns the identity as it stands in the certificate.
func (i Identity) URI() string {
	return "spiffe://" + trustDomain + "/" + string(i.Role) + "/" + i.Name
}

// A name is part of file names, source ids and screens, so it is plain ASCII.
var nameShape = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// CheckName complains when name cannot be the name of an agent or a console.
func CheckName(name string) error {
	if !nameShape.MatchString(name) || strings.Contains(name, "..") {
		return fmt.Errorf("the name %.80q cannot be used: take 1 to 63 letters, digits, dots, dashes and underscores", name)
	}
	return nil
}

// IdentityOf returns the one URI name of cert. The common name is never looked
// at. Without exactly one well-formed name in our trust domain it is an error.
func IdentityOf(cert *x509.Certificate) (Identity, error) {
	if len(cert.URIs) != 1 {
		return Identity{}, fmt.Errorf("the certificate has %d URI names where exactly one is needed: issue it with bartizan certs issue", len(cert.URIs))
	}
	return parseIdentity(cert.URIs[0])
}

func parseIdentity(u *url.URL) (Identity, error) {
	role, name, ok := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	id := Identity{Role(role), name}
	known := id.Role == RoleAgent || id.Role == RoleConsole
	if !ok || !known || CheckName(name) != nil || u.String() != id.URI() {
		return Identity{}, fmt.Errorf("the certificate's URI name %.120q is not spiffe://%s/agent/NAME or spiffe://%s/console/NAME: issue it with bartizan certs issue",
			u.String(), trustDomain, trustDomain)
	}
	return id, nil
}

// Serial returns the certificate's serial number as revoked.txt spells it.
func Serial(cert *x509.Certificate) string { return fmt.Sprintf("%x", cert.SerialNumber) }
