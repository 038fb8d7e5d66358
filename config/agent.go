package config

import (
	"fmt"
	"path/filepath"

	"github.com/bmatcuk/doublestar/v4"
)

// AgentFile is agent.toml as understood.
type AgentFile struct {
	File     string        `toml:"-"`
	Name     string        `toml:"name"`
	Listen   string        `toml:"listen"`         // host:port
	Certs    string        `toml:"certs"`          // folder made by bartizan certs issue
	Roots    []string      `toml:"roots"`          // folders all served files must lie in
	Consoles []string      `toml:"allow_consoles"` // patterns of identities
	Streams  []AgentStream `toml:"stream"`
}

// AgentStream is one pattern of files the agent serves.
type AgentStream struct {
	ID     string `toml:"id"`
	Path   string `toml:"path"`
	Format string `toml:"format"`
}

// LoadAgent reads agent.toml. A relative certs folder is relative to the file.
func LoadAgent(path string) (*AgentFile, error) {
	c := &AgentFile{File: path, Listen: "127.0.0.1:7070"}
	d, err := read(path, c)
	if err != nil {
		return nil, err
	}
	bad := d.unknown()
	add := func(key, format string, args ...any) { bad = append(bad, d.complain(key, format, args...)) }
	c.check(add)
	if c.Certs != "" && !filepath.IsAbs(c.Certs) {
		c.Certs = filepath.Join(filepath.Dir(path), c.Certs)
	}
	return c, d.all(bad)
}

func (c *AgentFile) check(add complain) {
	if c.Certs == "" {
		add("certs", "an agent needs certs = \"folder\"; make one with bartizan certs issue")
	}
	checkAddress("listen", c.Listen, add)
	if len(c.Streams) == 0 {
		add("stream", "an agent serves nothing without [[stream]] tables with path = \"/var/log/…\"")
	}
	seen := map[string]bool{}
	for i, s := range c.Streams {
		key := fmt.Sprintf("stream.%d", i)
		if !filepath.IsAbs(s.Path) {
			add(key+".path", "path = %q is not absolute", s.Path)
		}
		if !doublestar.ValidatePathPattern(s.Path) {
			add(key+".path", "pattern %q is not well formed; close its brackets", s.Path)
		}
		checkFormat(key+".format", s.Format, add)
		if s.ID != "" && seen[s.ID] {
			add(key+".id", "there are two streams with id = %q; give each its own", s.ID)
		}
		seen[s.ID] = true
	}
}
