package config

import (
	"path/filepath"

	"bartizan/agent"
)

// AgentSpool is where an agent keeps what comes from streams that have no file.
type AgentSpool struct {
	Dir      string   `toml:"dir"`       // "" is nowhere: then only streams with a file, and the journal, can be served
	MaxBytes Size     `toml:"max_bytes"` // of each stream, compressed
	MaxAge   Duration `toml:"max_age"`
}

// leastSpool is the least that caps of a spool may be: a few segments.
const leastSpool = 1 << 20

func defaultSpool() AgentSpool {
	return AgentSpool{MaxBytes: agent.DefaultSpoolBytes, MaxAge: Duration(agent.DefaultSpoolAge)}
}

// checkSpool complains about caps that keep nothing, and makes a relative folder one
// beside the file.
func (c *AgentFile) checkSpool(add complain) {
	if c.Spool.MaxBytes < leastSpool {
		add("spool.max_bytes", "max_bytes is less than 1MiB; nothing worth keeping fits")
	}
	if c.Spool.MaxAge <= 0 {
		add("spool.max_age", "max_age has to be more than nothing, such as \"72h\"")
	}
	if c.Spool.Dir != "" && !filepath.IsAbs(c.Spool.Dir) {
		c.Spool.Dir = filepath.Join(filepath.Dir(c.File), c.Spool.Dir)
	}
}

// checkKind complains about a stream that names nothing to read, or several things,
// or has no file and no spool.
func (c *AgentFile) checkKind(key string, s *AgentStream, add complain) {
	kinds := 0
	for _, named := range []bool{s.Path != "", s.FIFO != "", len(s.Command) > 0, s.Journald} {
		if named {
			kinds++
		}
	}
	if kinds != 1 {
		add(key, "a stream has one of path, fifo, command and journald = true, and this one has %d", kinds)
		return
	}
	if s.Path != "" {
		return
	}
	if s.ID == "" {
		add(key+".id", "a stream without a path needs an id")
	}
	kind := "fifo"
	if s.FIFO == "" {
		kind = "command"
	}
	switch {
	case s.FIFO != "" && !filepath.IsAbs(s.FIFO):
		add(key+".fifo", "fifo = %q is not absolute", s.FIFO)
	case len(s.Command) > 0 && !filepath.IsAbs(s.Command[0]):
		add(key+".command", "the program %q is not named by its absolute path", s.Command[0])
	case !s.Journald && c.Spool.Dir == "":
		add(key, "a %s has no file, so it needs [spool] with dir = \"/var/lib/bartizan/spool\"", kind)
	}
}
