package config

import (
	"fmt"
	"strings"
	"time"

	"bartizan/event"
	"bartizan/sources"
	"bartizan/sources/http"
)

// Files returns one way of looking for files for every kind of [[source]] with a
// path, and for the paths of the command line.
func (c *Config) Files(paths []string, format string) []Look {
	var out []Look
	if len(paths) > 0 {
		out = append(out, Look{Patterns: paths, Options: sources.Options{Info: sources.Info{Format: format}}})
	}
	for _, s := range c.Source {
		if s.Path != "" && len(paths) == 0 {
			l := Look{Patterns: []string{s.Path}}
			l.Options.Info = s.info(format)
			l.Options.File.Follower = s.Follower
			out = append(out, l)
		}
	}
	return out
}

// Look is patterns of files and how those found are read.
type Look struct {
	Patterns []string
	Options  sources.Options
}

func (s Source) info(format string) sources.Info {
	zone, err := Zone(s.Zone)
	if err != nil || s.Zone == "" {
		zone = nil
	}
	if s.Format != "" {
		format = s.Format
	}
	return sources.Info{Name: s.Name, Format: format, Zone: zone, Lateness: time.Duration(s.Lateness), Silence: time.Duration(s.Silence)}
}

// Others returns the sources that are no files: the table from the kind a config
// names to what reads it.
//
// The journal is read from board.catch_up ago when no position of it is known.
func (c *Config) Others(format string) []sources.Opened {
	var out []sources.Opened
	for _, s := range c.Source {
		var op sources.Opened
		switch {
		case len(s.Command) > 0:
			op = sources.Command(s.commandName(), s.Command)
		case s.FIFO != "":
			op = sources.FIFO(s.FIFO)
		case s.Journald:
			op = c.journal()
		case s.Kind == kindKubectl:
			op = sources.Kubectl(s.kubectlName(), s.kubectl(time.Duration(c.Board.CatchUp)))
		case s.HTTP != "":
			h := s.listen(format)
			h.Listening = func(at string, _ bool) {
				if c.Listening != nil {
					c.Listening(s.HTTP, at)
				}
			}
			var err error
			if op, err = http.Open(h); err != nil {
				continue // said when the file was read
			}
		default:
			continue
		}
		i := s.info(format)
		op.Info.Format, op.Info.Zone, op.Info.Lateness, op.Info.Silence = i.Format, i.Zone, i.Lateness, i.Silence
		if s.Name != "" {
			op.Info.Name = s.Name
		}
		out = append(out, op)
	}
	return out
}

// listen is a listener as the file describes it.
func (s Source) listen(format string) http.Config {
	if s.Format != "" {
		format = s.Format
	}
	return http.Config{
		Listen: s.HTTP, Name: s.Name, Format: format, Cert: s.Cert, Key: s.Key, Token: s.Token, Secret: s.Secret, MaxBody: int64(s.MaxBody),
	}
}

// journal reads the systemd journal, from as far back as rules catch up.
func (c *Config) journal() sources.Opened {
	return sources.Journald(fmt.Sprintf("--since=-%ds", int(time.Duration(c.Board.CatchUp).Seconds())))
}

func (s Source) commandName() string {
	if s.Name != "" {
		return s.Name
	}
	return strings.Join(s.Command, " ")
}

// Local turns what this host has into a look for its readable files, its
// journal, and a status line for everything that is skipped.
func (c *Config) Local(found []sources.Candidate) (look Look, others []sources.Opened, skipped []event.SourceStatus) {
	for _, f := range found {
		switch {
		case !f.Readable:
			name := f.Path
			if name == "" {
				name = f.Kind
			}
			skipped = append(skipped, event.SourceStatus{ID: event.SourceID("skipped:" + name), Kind: f.Kind, Name: name, State: event.SourceSkipped, Reason: f.Reason, Behind: -1})
		case f.Kind == "journald":
			others = append(others, c.journal())
		default:
			look.Patterns = append(look.Patterns, f.Path)
		}
	}
	return look, others, skipped
}
