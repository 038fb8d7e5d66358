package config

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"bartizan/detect"
	"bartizan/query"
	"bartizan/sources/parse"
)

// complain collects what is wrong with a key of the file.
type complain func(key, format string, args ...any)

// check says everything that is wrong with values that could be decoded.
func (c *Config) check(d *document) (bad []error) {
	add := func(key, format string, args ...any) { bad = append(bad, d.complain(key, format, args...)) }
	for i, s := range c.Source {
		s.check(c, fmt.Sprintf("source.%d", i), add)
	}
	var agents []Agent
	for i, a := range c.Agent {
		agents = append(agents, a.expanded(fmt.Sprintf("agent.%d", i), add)...)
	}
	c.Agent = agents
	c.Listen.check(add)
	for i := range c.Quick {
		key := fmt.Sprintf("rule.%d", i)
		if _, err := c.Quick[i].Rule(d.path, d.line(key)); err != nil {
			add(key, "%v", err)
		}
	}
	c.Board.check(add)
	c.Notify.check(add)
	c.Detection.check(c, add)
	c.checkFormats(add)
	c.checkEnrich(add)
	if _, err := Zone(c.UI.Zone); err != nil {
		add("ui.zone", "%v", err)
	}
	checkSeverity("falco_from", c.Falco, add)
	return bad
}

func (s Source) check(c *Config, key string, add complain) {
	if n := s.kinds(); n != 1 {
		add(key, "a source needs exactly one of path, command, fifo, journald, http, ssh or kind; it has %d", n)
	}
	if !doublestar.ValidatePathPattern(s.Path) {
		add(key+".path", "pattern %q is not well formed; close its brackets", s.Path)
	}
	c.checkFormat(key+".format", s.Format, add)
	if _, err := Zone(s.Zone); err != nil {
		add(key+".zone", "%v", err)
	}
	if s.Follower != "" && s.Follower != "own" && s.Follower != "nxadm" {
		add(key+".follower", "there is no follower %q; use own or nxadm", s.Follower)
	}
	checkPositive(key+".lateness", s.Lateness, add)
	checkPositive(key+".silence", s.Silence, add)
	s.checkHTTP(key, add)
	s.checkKubectl(key, add)
	s.checkSSH(key, add)
}

func (s Source) checkHTTP(key string, add complain) {
	if s.HTTP != "" {
		h := s.listen("")
		if err := h.Check(); err != nil {
			add(key+".http", "%v", err)
		}
		return
	}
	for name, given := range map[string]bool{"token": s.Token != "", "secret": s.Secret != "", "cert": s.Cert != "", "key": s.Key != "", "max_body": s.MaxBody != 0} {
		if given {
			add(key+"."+name, "only a source with http has %s", name)
		}
	}
}

func (a Agent) check(key string, add complain) {
	if a.Address == "" || a.Certs == "" {
		add(key, "an agent needs address = \"host:port\" and certs = \"folder\"")
	} else {
		checkAddress(key+".address", a.Address, add)
	}
	if _, err := query.Parse(a.Filter); err != nil {
		add(key+".filter", "%v", err)
	}
}

func (b Board) check(add complain) {
	checkPositive("board.linger", b.Linger, add)
	checkPositive("board.catch_up", b.CatchUp, add)
	if b.Ring < 1<<20 {
		add("board.ring", "ring = %d bytes is too small; give at least 1MiB", b.Ring)
	}
	if b.Spool != 0 && b.Spool < leastSpool {
		add("board.spool", "spool = %d bytes keeps nothing worth it; give at least 1MiB, or 0 for none", b.Spool)
	}
	checkPositive("board.spool_age", b.SpoolAge, add)
}

func (n Notify) check(add complain) {
	checkSeverity("notify.level", n.Level, add)
	if n.Webhook == "" {
		return
	}
	if u, err := url.Parse(n.Webhook); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		add("notify.webhook", "%q is no http or https address", PublicAddress(n.Webhook))
	}
}

// PublicAddress is a URL without what may be a secret: user, password, path and
// query, by which chat services know who may post.
func PublicAddress(address string) string {
	if address == "" {
		return ""
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "(hidden)"
	}
	shown := u.Scheme + "://" + u.Host
	if u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		shown += "/(hidden)"
	}
	return shown
}

func checkSeverity(key, name string, add complain) {
	if _, ok := detect.ParseSeverity(name); !ok {
		add(key, "there is no severity %q; use informational, low, medium, high or critical", name)
	}
}

func checkFormat(key, name string, add complain) {
	if name != "" && !parse.NewRegistry(parse.Options{}).Known(name) {
		add(key, "there is no format %q; bartizan parse --help lists them", name)
	}
}

func checkPositive(key string, d Duration, add complain) {
	if d < 0 {
		add(key, "a duration cannot be negative; write 90s, 15m, 24h or 7d")
	}
}

func checkAddress(key, address string, add complain) {
	if _, port, err := net.SplitHostPort(address); err != nil || port == "" {
		add(key, "%q is no host:port", address)
	}
}
