// Package config reads bartizan.toml and agent.toml into typed options. Every
// complaint is one sentence with file and line. Unknown keys are errors, because
// a misspelt key is a setting that silently does nothing. Nothing here blocks but
// the reading of the file, which is capped at 1 MiB.
package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"bartizan/agent"
	"bartizan/detect"
	"bartizan/query"
)

// maxFile bounds a config file, in bytes.
const maxFile = 1 << 20

// Config is bartizan.toml as understood.
type Config struct {
	File      string              `toml:"-"` // "" when there is none
	Board     Board               `toml:"board"`
	UI        UI                  `toml:"ui"`
	Keys      map[string][]string `toml:"keys"`
	Source    []Source            `toml:"source"`
	Agent     []Agent             `toml:"agent"`
	Listen    Listen              `toml:"listen"`
	Rules     []string            `toml:"rules"` // builtin, none, a folder or a file
	Quick     []Quick             `toml:"rule"`
	Format    []Format            `toml:"format"`
	Detection Detection           `toml:"detection"`
	Enrich    Enrich              `toml:"enrich"`

	// Aliases are more names for fields, by format: name -> native names.
	Aliases map[string]map[string][]string `toml:"aliases"`

	lines  map[string]int // of the file, by key
	Falco  string         `toml:"falco_from"` // severity from which Falco's own alerts are hits
	Notify Notify         `toml:"notify"`

	// Listening is told where a source that listens does; nil tells nobody.
	Listening func(source, address string) `toml:"-"`
}

// Board says where the board lies and what it may use.
type Board struct {
	State        string   `toml:"state"`
	Linger       Duration `toml:"linger"`         // how long an engine stays after the last console
	Ring         Size     `toml:"ring"`           // memory for records
	CatchUp      Duration `toml:"catch_up"`       // how far back rules look at first start
	CatchUpBytes Size     `toml:"catch_up_bytes"` // and how much they read for it
	Spool        Size     `toml:"spool"`          // of each source without a file, compressed; 0 keeps none
	SpoolAge     Duration `toml:"spool_age"`
	Anchor       string   `toml:"anchor"` // file the journal's signed head is appended to
	ReadOnly     bool     `toml:"read_only"`
}

// UI is how the console looks.
type UI struct {
	Theme string `toml:"theme"`
	Zone  string `toml:"zone"` // display zone: UTC, local or an IANA name
	Plain bool   `toml:"plain"`
}

// Source is one thing to read; exactly one of the first seven is given.
type Source struct {
	Kind     string   `toml:"kind"`     // kubectl
	Path     string   `toml:"path"`     // a file, folder or glob
	Command  []string `toml:"command"`  // a program whose output is read
	FIFO     string   `toml:"fifo"`     // a named pipe
	Journald bool     `toml:"journald"` // the systemd journal
	HTTP     string   `toml:"http"`     // host:port to take POST requests at
	SSH      []string `toml:"ssh"`      // hosts read through ssh; web-[01:40] is forty
	Format   string   `toml:"format"`
	Name     string   `toml:"name"`
	Zone     string   `toml:"zone"` // zone of stamps that carry none
	Follower string   `toml:"follower"`
	Lateness Duration `toml:"lateness"`
	Silence  Duration `toml:"silence"`

	Paths []string `toml:"paths"` // what is read on the hosts of ssh

	// What only kubectl has.
	Selector  string `toml:"selector"` // labels of pods
	Target    string `toml:"target"`   // "deploy/gateway", instead of a selector
	Namespace string `toml:"namespace"`
	Container string `toml:"container"`
	Context   string `toml:"context"`

	// What only http has.
	Token   string `toml:"token"`  // senders give it
	Secret  string `toml:"secret"` // senders sign the body with it (HMAC-SHA256)
	Cert    string `toml:"cert"`   // PEM files for TLS
	Key     string `toml:"key"`
	MaxBody Size   `toml:"max_body"` // of one request
}

// Agent is one remote agent to dial.
type Agent struct {
	Address string `toml:"address"` // host:port
	Certs   string `toml:"certs"`   // folder made by bartizan certs
	Filter  string `toml:"filter"`  // only records that match are sent
	Edge    bool   `toml:"edge"`    // the agent runs the rules and sends only what they need
}

// Quick is a rule written as a filter.
type Quick struct {
	Name    string   `toml:"name"`
	Filter  string   `toml:"filter"`
	Level   string   `toml:"level"`
	GroupBy []string `toml:"group_by"`
	Count   int      `toml:"count"`
	Within  Duration `toml:"within"`
	Tags    []string `toml:"tags"`
	Runbook string   `toml:"runbook"`
}

// Notify is whom to tell about an alert.
type Notify struct {
	Webhook string `toml:"webhook"`
	Secret  string `toml:"secret"` // signs the webhook's body (HMAC-SHA256)
	Level   string `toml:"level"`  // from this severity on
	Bell    bool   `toml:"bell"`
}

// Default returns the options of a file that says nothing.
func Default() *Config {
	return &Config{
		Board:  Board{Linger: Duration(30 * time.Minute), Ring: 256 << 20, CatchUp: Duration(24 * time.Hour), CatchUpBytes: 2 << 30, Spool: agent.DefaultSpoolBytes, SpoolAge: Duration(agent.DefaultSpoolAge)},
		UI:     UI{Theme: "dark", Zone: "UTC"},
		Rules:  []string{"builtin"},
		Falco:  "medium",
		Notify: Notify{Level: "high"},
	}
}

// Find returns the config file to use when none is named: $XDG_CONFIG_HOME, then
// /etc/bartizan; "" when there is none.
func Find() string {
	var places []string
	if dir, err := os.UserConfigDir(); err == nil {
		places = append(places, filepath.Join(dir, "bartizan", "config.toml"))
	}
	for _, p := range append(places, "/etc/bartizan/config.toml") {
		if _, err := os.Stat(p); err == nil {
			return p
		}
	}
	return ""
}

// Load reads the file at path over the defaults. The error joins every complaint.
func Load(path string) (*Config, error) {
	c := Default()
	c.File = path
	doc, err := read(path, c)
	if err != nil {
		return nil, err
	}
	c.lines = doc.lines
	return c, doc.all(append(doc.unknown(), c.check(doc)...))
}

// Complain makes a sentence about a key of the file ("ui.theme"), with its line.
func (c *Config) Complain(key, format string, args ...any) error {
	return (&document{path: c.File, lines: c.lines}).complain(key, format, args...)
}

// read decodes the TOML file at path into v and keeps its lines for complaints.
func read(path string, v any) (*document, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the config: %w; check -c", err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("%s: cannot read the config: %w", path, err)
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("%s: the config is over 1 MiB; move lists into files", path)
	}
	d := &document{path: path, lines: linesOf(string(text))}
	d.meta, err = toml.Decode(string(text), v)
	if err != nil {
		return nil, d.syntax(err)
	}
	return d, nil
}

func (s Source) kinds() int {
	n := 0
	for _, has := range []bool{s.Path != "", len(s.Command) > 0, s.FIFO != "", s.Journald, s.HTTP != "", len(s.SSH) > 0, s.Kind != ""} {
		if has {
			n++
		}
	}
	return n
}

// Tree returns the config by the names the file uses, for showing it.
func (c *Config) Tree() (map[string]any, error) {
	b, err := toml.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("the config cannot be shown: %w", err)
	}
	tree := map[string]any{}
	if err := toml.Unmarshal(b, &tree); err != nil {
		return nil, fmt.Errorf("the config cannot be shown: %w", err)
	}
	tree["file"] = c.File
	return tree, nil
}

// FalcoFrom is the severity from which Falco's own alerts are hits.
func (c *Config) FalcoFrom() detect.Severity {
	s, _ := detect.ParseSeverity(c.Falco) // checked when the file was read
	return s
}

// QuickRules turns the config's [[rule]] tables into rules.
func (c *Config) QuickRules() []*detect.Rule {
	var out []*detect.Rule
	for i := range c.Quick {
		if r, err := c.Quick[i].Rule(c.File, c.lines[fmt.Sprintf("rule.%d", i)]); err == nil {
			out = append(out, r)
		}
	}
	return out
}

// Rule compiles the quick rule; the error says what is wrong with it.
func (q *Quick) Rule(file string, line int) (*detect.Rule, error) {
	if q.Name == "" || q.Filter == "" {
		return nil, errors.New("a rule needs a name and a filter")
	}
	sev, ok := detect.ParseSeverity(q.Level)
	if !ok {
		return nil, fmt.Errorf("rule %q has no severity %q; level is informational, low, medium, high or critical", q.Name, q.Level)
	}
	if q.Count > 1 && q.Within <= 0 {
		return nil, fmt.Errorf("rule %q counts to %d but has no within; add within = \"5m\"", q.Name, q.Count)
	}
	n, err := query.Parse(q.Filter)
	if err != nil {
		return nil, fmt.Errorf("rule %q: %w", q.Name, err)
	}
	r := &detect.Rule{
		ID: "quick:" + q.Name, Kind: detect.KindQuick, Title: q.Name, Severity: sev, Tags: q.Tags, Runbook: q.Runbook,
		Cond: n, GroupBy: q.GroupBy, Count: q.Count, Within: time.Duration(q.Within), File: file, Line: line,
	}
	r.Hash = hashOf(fmt.Sprintf("%+v", *q))
	return r, nil
}

// Zone returns the named zone: "", "local", "UTC" or an IANA name.
func Zone(name string) (*time.Location, error) {
	if name == "" || strings.EqualFold(name, "local") {
		return time.Local, nil
	}
	z, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("there is no time zone %q; use UTC, local or a name such as Europe/Paris", name)
	}
	return z, nil
}

// Duration is a time.Duration that also reads days: "7d".
type Duration time.Duration

// UnmarshalText reads "90s", "24h" or "7d".
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := ParseDuration(string(b))
	*d = Duration(v)
	return err
}

// MarshalText writes it in Go's form.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// ParseDuration reads Go's form and whole days.
func ParseDuration(s string) (time.Duration, error) {
	if n, ok := strings.CutSuffix(s, "d"); ok {
		if days, err := strconv.Atoi(n); err == nil {
			return time.Duration(days) * 24 * time.Hour, nil
		}
	}
	v, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is no duration; write 90s, 15m, 24h or 7d", s)
	}
	return v, nil
}

// Size is a number of bytes: "256MiB", "2GiB", "64k".
type Size int64

// UnmarshalText reads a number with an optional unit (powers of 1024).
func (z *Size) UnmarshalText(b []byte) error {
	s := strings.ToLower(strings.TrimSpace(string(b)))
	s = strings.TrimSuffix(strings.TrimSuffix(s, "b"), "i")
	shift := 0
	if i := strings.IndexByte("kmgt", last(s)); i >= 0 {
		shift, s = 10*(i+1), s[:len(s)-1]
	}
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil || n < 0 || n > 1<<(62-shift) {
		return fmt.Errorf("%q is no size; write 64KiB, 256MiB or 2GiB", b)
	}
	*z = Size(n << shift)
	return nil
}

// MarshalText writes the largest unit that needs no fraction.
func (z Size) MarshalText() ([]byte, error) {
	n, unit := int64(z), ""
	for _, u := range []string{"KiB", "MiB", "GiB"} {
		if n == 0 || n%1024 != 0 {
			break
		}
		n, unit = n/1024, u
	}
	return []byte(strconv.FormatInt(n, 10) + unit), nil
}

func last(s string) byte {
	if s == "" {
		return 0
	}
	return s[len(s)-1]
}
