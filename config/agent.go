package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/bmatcuk/doublestar/v4"
)

// AgentFile is agent.toml as understood.
type AgentFile struct {
	File     string        `toml:"-"`
	Name     string        `toml:"name"`
	Listen   string        `toml:"listen"`         // host:port; "" with dial is nowhere
	Dial     []string      `toml:"dial"`           // consoles to call, host:port
	Certs    string        `toml:"certs"`          // folder made by bartizan certs issue
	Roots    []string      `toml:"roots"`          // folders all served files must lie in
	Consoles []string      `toml:"allow_consoles"` // patterns of identities
	Health   Duration      `toml:"health"`         // between records of the host's own state; 0 is none
	Rules    []string      `toml:"rules"`          // run here for consoles with edge = true: as in bartizan.toml
	Streams  []AgentStream `toml:"stream"`
	Spool    AgentSpool    `toml:"spool"`
	Format   []Format      `toml:"format"` // formats of its own, as in bartizan.toml

	// Aliases are more names for fields, by format, as in bartizan.toml.
	Aliases map[string]map[string][]string `toml:"aliases"`
}

// AgentStream is one pattern of files the agent serves.
type AgentStream struct {
	ID   string `toml:"id"`
	Path string `toml:"path"`

	// In place of a path: what has no file.
	FIFO     string   `toml:"fifo"`
	Command  []string `toml:"command"` // a program by its absolute path, and its arguments
	Journald bool     `toml:"journald"`

	Format string `toml:"format"`
}

// Formats are the agent's formats and aliases, as a config that has nothing else.
func (c *AgentFile) Formats() *Config { return &Config{Format: c.Format, Aliases: c.Aliases} }

// LoadAgent reads agent.toml. A relative certs folder is relative to the file.
func LoadAgent(path string) (*AgentFile, error) { return loadAgent(path, false) }

// loadAgent reads agent.toml; for a login it needs no certificates.
func loadAgent(path string, login bool) (*AgentFile, error) {
	c := &AgentFile{File: path, Spool: defaultSpool()}
	d, err := read(path, c)
	if err != nil {
		return nil, err
	}
	if c.Listen == "" && len(c.Dial) == 0 {
		c.Listen = "127.0.0.1:7070"
	}
	bad := d.unknown()
	add := func(key, format string, args ...any) { bad = append(bad, d.complain(key, format, args...)) }
	if c.Certs == "" && !login {
		add("certs", "an agent needs certs = \"folder\"; make one with bartizan certs issue")
	}
	c.check(add)
	if c.Certs != "" && !filepath.IsAbs(c.Certs) {
		c.Certs = filepath.Join(filepath.Dir(path), c.Certs)
	}
	return c, d.all(bad)
}

// unreadable says whether there is no file that this process may read.
func unreadable(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)
}

func (c *AgentFile) check(add complain) {
	if c.Listen != "" {
		checkAddress("listen", c.Listen, add)
	}
	for _, d := range c.Dial {
		checkAddress("dial", d, add)
	}
	if len(c.Streams) == 0 {
		add("stream", "an agent serves nothing without [[stream]] tables with path = \"/var/log/…\"")
	}
	own := c.Formats()
	own.checkFormats(add)
	c.checkSpool(add)
	seen := map[string]bool{}
	for i, s := range c.Streams {
		key := fmt.Sprintf("stream.%d", i)
		c.checkKind(key, &s, add)
		if s.Path != "" && !filepath.IsAbs(s.Path) {
			add(key+".path", "path = %q is not absolute", s.Path)
		}
		if !doublestar.ValidatePathPattern(s.Path) {
			add(key+".path", "pattern %q is not well formed; close its brackets", s.Path)
		}
		own.checkFormat(key+".format", s.Format, add)
		if s.ID != "" && seen[s.ID] {
			add(key+".id", "there are two streams with id = %q; give each its own", s.ID)
		}
		seen[s.ID] = true
	}
}
