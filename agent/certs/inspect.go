package certs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"time"
)

// Info is what a certificate file says, for people and scripts.
type Info struct {
	Path      string    `json:"path"`
	Role      Role      `json:"role"` // "ca", "agent", "console"; "" when it is none of ours
	Name      string    `json:"name,omitempty"`
	Identity  string    `json:"identity,omitempty"`
	Hosts     []string  `json:"hosts,omitempty"`
	Serial    string    `json:"serial"` // as revoked.txt wants it
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
}

// Inspect reads one certificate file, or every *.crt in a directory and the
// directories in it, sorted by path.
func Inspect(path string) ([]Info, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("cannot inspect certificates: %w", err)
	}
	files := []string{path}
	if st.IsDir() {
		files = certFiles(path)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s holds no certificates (*.crt): make a set with bartizan certs init", path)
	}
	infos := make([]Info, 0, len(files))
	for _, f := range files {
		info, err := inspectFile(f)
		if err != nil {
			return nil, err
		}
		infos = append(infos, info)
	}
	return infos, nil
}

// certFiles matches below dir as a file system, because dir itself may hold the
// characters of a pattern.
func certFiles(dir string) []string {
	var found []string
	for _, pattern := range []string{"*.crt", "*/*.crt"} {
		names, err := fs.Glob(os.DirFS(dir), pattern)
		if err != nil {
			return nil // the two patterns are well-formed
		}
		for _, n := range names {
			found = append(found, filepath.Join(dir, n))
		}
	}
	sort.Strings(found)
	return found
}

func inspectFile(path string) (Info, error) {
	cert, err := readCert(path)
	if err != nil {
		return Info{}, err
	}
	info := Info{
		Path: path, Serial: Serial(cert), Hosts: cert.DNSNames,
		NotBefore: cert.NotBefore, NotAfter: cert.NotAfter,
	}
	for _, ip := range cert.IPAddresses {
		info.Hosts = append(info.Hosts, ip.String())
	}
	if id, err := IdentityOf(cert); err == nil {
		info.Role, info.Name, info.Identity = id.Role, id.Name, id.URI()
	} else if cert.IsCA {
		info.Role = roleCA
	}
	return info, nil
}
