package sources

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"github.com/bmatcuk/doublestar/v4"

	"bartizan/event"
)

// Candidate is a log this host may have.
type Candidate struct {
	Kind     string // "file" or "journald"
	Path     string // "" for the journal
	Readable bool
	Reason   string // when it is not: why, and the mend, in one sentence
}

// localPatterns are where logs lie, most telling first.
var localPatterns = []string{
	"/var/log/auth.log", "/var/log/secure", "/var/log/audit/audit.log",
	"/var/log/syslog", "/var/log/messages", "/var/log/kern.log", "/var/log/ufw.log",
	"/var/log/falco*", "/var/log/falco/*",
	"/var/log/kubernetes/audit/*.log", "/var/log/kubernetes/audit.log", "/var/log/kube-apiserver/audit.log",
	"/var/log/kube-apiserver-audit.log", "/var/lib/rancher/k3s/server/logs/audit.log", "/var/log/apiserver/audit.log",
	"/var/log/nginx/*.log", "/var/log/apache2/*.log", "/var/log/httpd/*_log", "/var/log/httpd/*.log",
	"/var/log/haproxy.log", "/var/log/envoy/*.log", "/var/log/caddy/*.log",
	"/var/log/suricata/eve.json", "/opt/zeek/logs/current/*.log", "/var/log/zeek/current/*.log",
	"/var/log/amazon/ssm/*.log", "/var/log/cloudtrail/**/*.json*",
	"/var/log/containers/*.log",
}

// Local lists what logs this host has and whether they may be read, most telling
// first. root is put before every path; "" or "/" is the host itself, where the
// journal is asked for as well. The same file under two names is listed once.
func Local(root string) []Candidate {
	var all []Candidate
	if c, ok := localJournal(root); ok {
		all = append(all, c)
	}
	seen := map[event.FileID]bool{}
	for _, p := range localPatterns {
		paths, _ := doublestar.FilepathGlob(filepath.Join(root, p), doublestar.WithFilesOnly()) // patterns are ours
		slices.Sort(paths)
		for _, path := range paths {
			fi, err := os.Stat(path)
			if olderName(filepath.Base(path)) || err == nil && (!fi.Mode().IsRegular() || seen[statID(fi)]) {
				continue
			}
			if err == nil {
				seen[statID(fi)] = true
			}
			all = append(all, candidate(path, openRegular))
		}
		all = append(all, hidden(filepath.Join(root, p))...)
	}
	return all
}

// candidate says whether path may be read.
func candidate(path string, open func(string) (*os.File, error)) Candidate {
	c := Candidate{Kind: "file", Path: path}
	f, err := open(path)
	switch {
	case err == nil:
		c.Readable = true
		_ = f.Close() // opened for reading: nothing can be lost
	case errors.Is(err, fs.ErrPermission):
		c.Reason = path + " is skipped: permission denied: " + mend(path)
	default:
		c.Reason = path + " is skipped: " + err.Error()
	}
	return c
}

// hidden finds directories of a pattern that may not be listed, so that what
// lies in them is not silently left out.
func hidden(pattern string) []Candidate {
	dir := filepath.Dir(pattern)
	if _, err := os.ReadDir(dir); !errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return []Candidate{{Kind: "file", Path: pattern, Reason: dir + " is skipped: permission denied: " + mend(dir)}}
}

// localJournal says whether the systemd journal is there and may be read.
func localJournal(root string) (Candidate, bool) {
	for _, dir := range []string{"/var/log/journal", "/run/log/journal"} {
		dir = filepath.Join(root, dir)
		machines, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) || err == nil && len(machines) == 0 {
			continue
		}
		c := Candidate{Kind: "journald"}
		_, lookErr := exec.LookPath("journalctl")
		switch {
		case lookErr != nil:
			c.Reason = "the systemd journal is skipped: journalctl is not installed: install systemd's tools"
		case err != nil || !anyReadable(dir):
			c.Reason = "the systemd journal is skipped: permission denied: add yourself to group systemd-journal or adm"
		default:
			c.Readable = true
		}
		return c, true
	}
	return Candidate{}, false
}

// anyReadable says whether one of the journal files below dir can be opened.
func anyReadable(dir string) bool {
	files, _ := filepath.Glob(filepath.Join(dir, "*", "*.journal")) // the pattern is ours
	for _, path := range files {
		if f, err := openRegular(path); err == nil {
			_ = f.Close() // opened for reading: nothing can be lost
			return true
		}
	}
	return false
}

// mend says how to become able to read path.
func mend(path string) string {
	fi, err := os.Stat(path)
	if err != nil {
		return "ask the administrator for access to " + filepath.Dir(path)
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok || fi.Mode().Perm()&0o040 == 0 {
		return "only its owner may read it: ask the administrator, or run an agent as its owner"
	}
	group := strconv.FormatUint(uint64(st.Gid), 10)
	if g, err := user.LookupGroupId(group); err == nil {
		group = g.Name
	}
	return fmt.Sprintf("add yourself to group %s and log in again", group)
}

func joinClose(err error, c io.Closer) error { return errors.Join(err, c.Close()) }
