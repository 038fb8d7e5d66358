package ssh

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The bounds on what is named.
const (
	maxTarget = 255
	maxPath   = 1024
	maxPaths  = 64
	maxHosts  = 1000
)

// A target is what ssh takes as a destination, or a name from ssh_config. It can
// never be taken for an option or reach a shell with a meaning.
var targetShape = regexp.MustCompile(`^([A-Za-z0-9_][A-Za-z0-9._-]*@)?([A-Za-z0-9_][A-Za-z0-9._-]*|\[?[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9]+)?\]?)$`)

// Target is one host and what is read there.
type Target struct {
	Host  string   // [USER@]HOST as ssh takes it
	Paths []string // absolute paths or globs; none: what that host has
}

// Parse reads [USER@]HOST[:PATH…]; several paths follow each other as
// HOST:/a/b:/c. HOST may hold ranges as Expand takes them.
func Parse(s string) ([]Target, error) {
	host, rest, _ := strings.Cut(s, ":/")
	var paths []string
	if host != s {
		paths = strings.Split("/"+rest, ":/")
		for i := 1; i < len(paths); i++ {
			paths[i] = "/" + paths[i]
		}
	}
	hosts, err := Expand(host)
	if err != nil {
		return nil, err
	}
	out := make([]Target, 0, len(hosts))
	for _, h := range hosts {
		t := Target{h, paths}
		if err := t.Check(); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

var span = regexp.MustCompile(`\[([0-9]{1,6}):([0-9]{1,6})\]`)

// Expand makes web-01 to web-40 of web-[01:40], with the zeros of the first
// number; every range in it is counted through, at most 1,000 names in all.
func Expand(pattern string) ([]string, error) {
	at := span.FindStringSubmatchIndex(pattern)
	if at == nil {
		return []string{pattern}, nil
	}
	first, last := pattern[at[2]:at[3]], pattern[at[4]:at[5]]
	from, _ := strconv.Atoi(first) // six digits
	to, _ := strconv.Atoi(last)
	if to < from || to-from >= maxHosts {
		return nil, fmt.Errorf("the range %s in %.80q has to count up, by less than %d", pattern[at[0]:at[1]], pattern, maxHosts)
	}
	rests, err := Expand(pattern[at[1]:])
	if err != nil {
		return nil, err
	}
	if (to-from+1)*len(rests) > maxHosts {
		return nil, fmt.Errorf("%.80q names more than %d hosts: write several", pattern, maxHosts)
	}
	var out []string
	for n := from; n <= to; n++ {
		for _, rest := range rests {
			out = append(out, fmt.Sprintf("%s%0*d%s", pattern[:at[0]], len(first), n, rest))
		}
	}
	return out, nil
}

// Check complains about a host or path that cannot be used.
func (t Target) Check() error {
	if len(t.Host) > maxTarget || !targetShape.MatchString(t.Host) {
		return fmt.Errorf("the host %.80q cannot be given to ssh: write [USER@]HOST, or a name from ssh_config with letters, digits, dots, dashes and underscores", t.Host)
	}
	if len(t.Paths) > maxPaths {
		return fmt.Errorf("%s: %d paths are more than %d: use globs", t.Host, len(t.Paths), maxPaths)
	}
	for _, p := range t.Paths {
		if err := checkPath(p); err != nil {
			return fmt.Errorf("%s: the path %.120q %w", t.Host, p, err)
		}
	}
	return nil
}

// checkPath refuses what some login shell would not hand on as it is.
func checkPath(p string) error {
	switch {
	case !strings.HasPrefix(p, "/"):
		return errors.New("is not absolute: begin it with /")
	case len(p) > maxPath:
		return fmt.Errorf("has more than %d bytes", maxPath)
	case !utf8.ValidString(p):
		return errors.New("is not UTF-8")
	case strings.ContainsAny(p, `\!`):
		return errors.New("has a backslash or exclamation mark, which not every login shell hands on: use a glob with ? there")
	}
	for _, r := range p {
		if !unicode.IsPrint(r) {
			return errors.New("has characters that do not print")
		}
	}
	if _, err := path.Match(p, ""); err != nil {
		return errors.New("is no well-formed pattern: close its brackets")
	}
	return nil
}

// name is the host without the user, for what records are about.
func (t Target) name() string {
	_, host, ok := strings.Cut(t.Host, "@")
	if !ok {
		host = t.Host
	}
	return strings.Trim(host, "[]")
}

// quote makes one word of s for every login shell, given what checkPath lets through.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// command is the one line given to ssh: a script for /bin/sh with its arguments.
// The scripts hold no single quotes, no newlines and no exclamation marks, so that
// also csh and fish hand them on.
func command(script string, args ...string) string {
	words := []string{"exec", "/bin/sh", "-c", quote(script), "bartizan"}
	for _, a := range args {
		words = append(words, quote(a))
	}
	return strings.Join(words, " ")
}

// isGlob says whether the path names more than one file.
func isGlob(p string) bool { return strings.ContainsAny(p, "*?[") }

// sameInShell says whether a shell's patterns mean what ours do.
func sameInShell(p string) bool { return !strings.Contains(p, "**") && !strings.ContainsAny(p, "{}") }
