package config

import (
	"errors"
	"fmt"
	"path/filepath"
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
	if c.Certs == "" {
		bad = append(bad, d.complain("certs", "an agent needs certs = \"folder\"; make one with bartizan certs issue"))
	} else if !filepath.IsAbs(c.Certs) {
		c.Certs = filepath.Join(filepath.Dir(path), c.Certs)
	}
	if len(c.Streams) == 0 {
		bad = append(bad, d.complain("stream", "an agent serves nothing without [[stream]] tables with path = \"/var/log/…\""))
	}
	for i, s := range c.Streams {
		if !filepath.IsAbs(s.Path) {
			bad = append(bad, d.complain(fmt.Sprintf("stream.%d.path", i), "path = %q is not absolute", s.Path))
		}
	}
	return c, errors.Join(bad...)
}
