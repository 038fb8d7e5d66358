package certs

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
	"unicode"
)

// issuedFile is the CA's record of what it issued: a certificate that was
// replaced by a newer one of the same name can still be revoked.
const issuedFile = "issued.txt"

// Issued is one certificate the CA made.
type Issued struct {
	Serial   string    `json:"serial"`
	Role     Role      `json:"role"`
	Name     string    `json:"name"`
	NotAfter time.Time `json:"not_after"`
	Revoked  bool      `json:"revoked"`
	Note     string    `json:"note,omitempty"` // why it was revoked
}

// Expired says whether the certificate has ended by itself.
func (i Issued) Expired(now time.Time) bool { return now.After(i.NotAfter) }

// record notes in the CA's directory what was issued: serial, role, name and end.
func record(dir string, id Identity, serial string, end time.Time) error {
	path := filepath.Join(dir, issuedFile)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("cannot note what is issued: %w", err)
	}
	_, err = fmt.Fprintf(f, "%s %s %s %s\n", serial, id.Role, id.Name, end.UTC().Format(time.RFC3339))
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("cannot note what is issued in %s: %w", path, err)
	}
	return nil
}

// List returns what the CA in dir issued, oldest first: what its record says and
// what lies in the folders below it.
func List(dir string) ([]Issued, error) {
	var all []Issued
	seen := map[string]bool{}
	data, err := readFile(filepath.Join(dir, issuedFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		i, err := parseIssued(lines.Text())
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", filepath.Join(dir, issuedFile), n, err)
		}
		if !seen[i.Serial] {
			all = append(all, i)
		}
		seen[i.Serial] = true
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s cannot be read as lines: %w", filepath.Join(dir, issuedFile), err)
	}
	infos, err := Inspect(dir)
	if err != nil {
		return nil, err
	}
	for _, i := range infos {
		if i.Name != "" && !seen[i.Serial] {
			seen[i.Serial] = true
			all = append(all, Issued{Serial: i.Serial, Role: i.Role, Name: i.Name, NotAfter: i.NotAfter})
		}
	}
	return all, mark(dir, all)
}

func parseIssued(line string) (Issued, error) {
	words := strings.Fields(line)
	if len(words) != 4 {
		return Issued{}, fmt.Errorf("%.60q is not SERIAL ROLE NAME END: restore the file from a copy", line)
	}
	end, err := time.Parse(time.RFC3339, words[3])
	role := Role(words[1])
	if err != nil || role != RoleAgent && role != RoleConsole || CheckName(words[2]) != nil || !isHex(words[0]) {
		return Issued{}, fmt.Errorf("%.60q is not SERIAL ROLE NAME END: restore the file from a copy", line)
	}
	return Issued{Serial: words[0], Role: role, Name: words[2], NotAfter: end}, nil
}

func isHex(s string) bool {
	_, err := hex.DecodeString(strings.Repeat("0", len(s)%2) + s)
	return err == nil && s != "" && len(s) <= 64
}

// mark says of each certificate whether it is on the list of revoked ones.
func mark(dir string, all []Issued) error {
	path := filepath.Join(dir, revokedFile)
	revoked, err := readRevoked(path)
	if err != nil || len(revoked) == 0 {
		return err
	}
	for i := range all {
		note, found := revoked[all[i].Serial]
		all[i].Revoked, all[i].Note = found, note
	}
	return nil
}

// Revoke puts certificates on the list of revoked ones in dir and in every folder
// the CA issued below it. who is the name of an agent or console (all of its
// certificates that have not ended), a serial number or a certificate file. It
// returns what is revoked now and the lists that were written; a serial number the
// CA does not know is taken at its word.
func Revoke(dir, who, note string, now time.Time) ([]Issued, []string, error) {
	all, err := List(dir)
	if err != nil {
		return nil, nil, err
	}
	found, err := choose(all, who, now)
	if err != nil {
		return nil, nil, err
	}
	note = strings.Map(plainRune, note)
	var lists []string
	for _, folder := range issuedFolders(dir) {
		path := filepath.Join(folder, revokedFile)
		if err := addRevoked(path, found, note, now); err != nil {
			return nil, lists, err
		}
		lists = append(lists, path)
	}
	for i := range found {
		found[i].Revoked, found[i].Note = true, note
	}
	return found, lists, nil
}

func plainRune(r rune) rune {
	if !unicode.IsPrint(r) {
		return ' '
	}
	return r
}

// choose finds the certificates who means.
func choose(all []Issued, who string, now time.Time) ([]Issued, error) {
	if st, err := os.Stat(who); err == nil && st.Mode().IsRegular() {
		info, err := inspectFile(who)
		if err != nil {
			return nil, err
		}
		who = info.Serial
	}
	serial := strings.TrimLeft(strings.ToLower(strings.ReplaceAll(who, ":", "")), "0")
	var found []Issued
	for _, i := range all {
		if i.Serial == serial || i.Name == who && !i.Expired(now) {
			found = append(found, i)
		}
	}
	switch {
	case len(found) > 0:
		return found, nil
	case isHex(serial) && len(serial) >= 16:
		return []Issued{{Serial: serial}}, nil
	}
	return nil, fmt.Errorf("nothing was issued for %.80q: bartizan certs list shows names and serial numbers", who)
}

// issuedFolders is the CA's folder and those of what it issued.
func issuedFolders(dir string) []string {
	folders := []string{dir}
	for _, path := range certFiles(dir) {
		if d := filepath.Dir(path); d != filepath.Clean(dir) && d != folders[len(folders)-1] {
			folders = append(folders, d)
		}
	}
	sort.Strings(folders[1:])
	return folders
}

// addRevoked adds to the list at path what is not on it, in one step.
func addRevoked(path string, add []Issued, note string, now time.Time) error {
	have, err := readRevoked(path)
	if err != nil {
		return err
	}
	data, err := readFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(data) > 0 && data[len(data)-1] != '\n' {
		data = append(data, '\n')
	}
	before := len(data)
	for _, i := range add {
		if _, there := have[i.Serial]; !there {
			data = fmt.Appendf(data, "%s # %s %s, revoked %s %s\n", i.Serial, i.Role, i.Name, now.UTC().Format(time.DateOnly), note)
		}
	}
	if len(data) == before {
		return nil
	}
	return writeFile(path, data, 0o644)
}
