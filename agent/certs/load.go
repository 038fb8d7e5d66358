package certs

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"os"
	"strings"
	"time"
)

// maxFile bounds every file this package reads.
const maxFile = 1 << 20

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is missing (%w)", path, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the file: %w", err)
	}
	defer func() { _ = f.Close() }() // only read from
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read the file: %w", err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s is larger than 1 MiB: this is no certificate file", path)
	}
	return data, nil
}

func readCert(path string) (*x509.Certificate, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, fmt.Errorf("%s holds no PEM certificate: issue it again with bartizan certs issue", path)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s holds a certificate that cannot be read (%w): issue it again with bartizan certs issue", path, err)
	}
	return cert, nil
}

// loadPair reads a certificate and its key; a key others may read is refused.
func loadPair(certPath, keyPath string) (*tls.Certificate, error) {
	cert, err := readCert(certPath)
	if err != nil {
		return nil, err
	}
	if err := checkKeyMode(keyPath); err != nil {
		return nil, err
	}
	keyPEM, err := readFile(keyPath)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(pemOf("CERTIFICATE", cert.Raw), keyPEM)
	if err != nil {
		return nil, fmt.Errorf("%s is not the key of %s (%w): issue both again with bartizan certs issue", keyPath, certPath, err)
	}
	pair.Leaf = cert
	return &pair, nil
}

func checkKeyMode(path string) error {
	st, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is missing (%w)", path, fs.ErrNotExist)
	}
	if err != nil {
		return fmt.Errorf("cannot look at the key: %w", err)
	}
	if perm := st.Mode().Perm(); perm&0o027 != 0 {
		return fmt.Errorf("%s is a private key with mode %04o, open to others: run chmod 600 %s", path, perm, path)
	}
	return nil
}

func checkDates(path string, cert *x509.Certificate, now time.Time) error {
	switch {
	case now.After(cert.NotAfter):
		return fmt.Errorf("%s expired on %s: issue it again with bartizan certs issue", path, day(cert.NotAfter))
	case now.Before(cert.NotBefore):
		return fmt.Errorf("%s is not valid before %s: check this host's clock", path, day(cert.NotBefore))
	}
	return nil
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// readRevoked reads the list of revoked serial numbers, each with the comment
// behind it; a missing file is an empty list, a line that is no number is an error.
func readRevoked(path string) (map[string]string, error) {
	data, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	revoked := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		text, note, _ := strings.Cut(lines.Text(), "#")
		text = strings.TrimSpace(strings.ReplaceAll(text, ":", ""))
		if text == "" {
			continue
		}
		serial, ok := new(big.Int).SetString(text, 16)
		if !ok {
			return nil, fmt.Errorf("%s:%d: %.60q is not a serial number in hex; bartizan certs inspect shows them", path, n, text)
		}
		revoked[serial.Text(16)] = strings.TrimSpace(note)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s cannot be read as lines: %w", path, err)
	}
	return revoked, nil
}
