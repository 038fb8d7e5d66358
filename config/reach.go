package config

import (
	"fmt"
	"path/filepath"
	"time"

	"bartizan/query"
	"bartizan/sources"
	"bartizan/sources/ssh"
)

// loginsAtOnce is how many ssh logins are under way at once, so that a list of
// hosts is started one after the other.
const loginsAtOnce = 8

// Listen is where agents that cannot be dialled call.
type Listen struct {
	Address string `toml:"address"` // host:port; "" is nowhere
	Certs   string `toml:"certs"`   // folder made by bartizan certs
	Filter  string `toml:"filter"`  // only records that match are sent
}

func (l Listen) check(add complain) {
	if l == (Listen{}) {
		return
	}
	if l.Address == "" || l.Certs == "" {
		add("listen", "listening for agents needs address = \"host:port\" and certs = \"folder\"")
	} else {
		checkAddress("listen.address", l.Address, add)
	}
	if _, err := query.Parse(l.Filter); err != nil {
		add("listen.filter", "%v", err)
	}
}

// expanded is the agents of one table whose address names a range of hosts.
func (a Agent) expanded(key string, add complain) []Agent {
	addresses, err := ssh.Expand(a.Address)
	if err != nil {
		add(key+".address", "%v", err)
		return nil
	}
	out := make([]Agent, 0, len(addresses))
	for _, address := range addresses {
		one := a
		one.Address = address
		out = append(out, one)
	}
	one := out[0]
	one.check(key, add)
	return out
}

// checkSSH complains about a source that is read through ssh.
func (s Source) checkSSH(key string, add complain) {
	if len(s.SSH) == 0 {
		if len(s.Paths) > 0 {
			add(key+".paths", "only a source with ssh has paths; one path is path = \"…\"")
		}
		return
	}
	if _, err := s.targets(); err != nil {
		add(key+".ssh", "%v", err)
	}
}

// targets are the hosts of one table, ranges counted through.
func (s Source) targets() ([]ssh.Target, error) {
	var out []ssh.Target
	for _, h := range s.SSH {
		ts, err := ssh.Parse(h)
		if err != nil {
			return nil, err
		}
		for _, t := range ts {
			t.Paths = append(t.Paths, s.Paths...)
			if err := t.Check(); err != nil {
				return nil, err
			}
			out = append(out, t)
		}
	}
	return out, nil
}

// SSH returns the hosts that are read through ssh: those of the config, and more
// as the command line names them. Hosts share a gate, so that few log in at once.
func (c *Config) SSH(more []string, format string) ([]ssh.Config, error) {
	var out []ssh.Config
	gate := ssh.NewGate(loginsAtOnce)
	seen := map[string]bool{}
	for _, s := range append(c.Source[:len(c.Source):len(c.Source)], Source{SSH: more}) {
		ts, err := s.targets()
		if err != nil {
			return nil, err
		}
		for _, t := range ts {
			if seen[t.Host] {
				return nil, fmt.Errorf("the host %s is named twice for ssh: give it all its paths at once (HOST:/a:/b)", t.Host)
			}
			seen[t.Host] = true
			out = append(out, ssh.Config{Target: t, Gate: gate, Info: s.info(format), Now: time.Now})
		}
	}
	return out, nil
}

// LoginAgent is the agent of a pipe: what the file at path serves when there are
// no paths, those paths otherwise, and what this host has when there is no file.
func LoginAgent(path string, given bool, paths []string) (*AgentFile, error) {
	if len(paths) > 0 {
		c := &AgentFile{}
		for _, p := range paths {
			c.Streams = append(c.Streams, AgentStream{Path: p})
		}
		return c, nil
	}
	c, err := loadAgent(path, true)
	if err == nil || given || !unreadable(err) {
		return c, err
	}
	c = &AgentFile{}
	for _, f := range sources.Local("/") {
		if f.Kind == "file" && f.Readable {
			c.Streams = append(c.Streams, AgentStream{Path: f.Path})
			if real, err := filepath.EvalSymlinks(f.Path); err == nil {
				c.Roots = append(c.Roots, filepath.Dir(f.Path), filepath.Dir(real))
			}
		}
	}
	if len(c.Streams) == 0 {
		return nil, fmt.Errorf("this host has no logs that this login may read: name paths, or write %s", path)
	}
	return c, nil
}
