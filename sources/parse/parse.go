// Package parse turns the bytes of records into events with fields: it finds a
// record's format, its time, its level, the log source that routes rules, its
// fields under the names it was delivered with, and after them the same values
// under the flat ECS names people pivot on and the names rules expect.
//
// Nothing here blocks and nothing is lost here: whatever cannot be understood
// becomes an event whose raw bytes can still be searched (event.FlagRawOnly).
// There is one file per format; what all of them may rely on stands in pass.go.
package parse

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"bartizan/event"
	"bartizan/sources"
)

// Options are what a registry needs to know from outside.
type Options struct {
	Now     func() time.Time          // for stamps without a year when a record has no Seen; nil is time.Now
	Zone    *time.Location            // of stamps without a zone, when the source says nothing; nil is local
	Formats map[event.SourceID]string // forced formats by source; sources.Info.Format wins
	User    []UserFormat              // of a person, at most MaxUserFormats
	Aliases map[string][]Alias        // more names by format, at most MaxAliases each
	More    event.Enricher            // answers fields that records do not have; may be nil
}

// Format describes one format for documents, completion and tests.
type Format struct {
	Name      string
	Doc       string // one line
	LogSource event.LogSource
	Example   string // one record of it, made up
}

// Score says how well a format fits a record: 0 not at all, 100 for certain.
type Score struct {
	Name  string
	Score int
	Why   string
}

// Registry knows all formats and gives out ParseIDs. It may be used from several
// goroutines at once; a Stream and a Slab belong to one at a time.
type Registry struct {
	opt     Options
	names   *nameTable
	users   []userReader            // of opt.User
	aliases map[string][]secondName // of opt.Aliases

	mu      sync.RWMutex
	specs   []spec
	ids     map[spec]event.ParseID
	headers map[string]*header
}

// spec is what a ParseID stands for: everything beyond the bytes that parsing
// depends on.
type spec struct {
	reader  uint8          // index into readers
	variant uint8          // forced member of a family, 0 is "see the record"
	inner   uint8          // reader of the text a container runtime wrapped
	user    uint8          // which of a person's formats, counted from 1
	year    int16          // of stamps without one
	day     int32          // of times without a date, in days since 1970
	zone    *time.Location // of stamps without one
	header  *header        // columns, where a header line names them
	host    string         // host.name of records that name none, as their source says
}

const (
	maxSpecs   = 1 << 14
	maxHeaders = 256
)

// NewRegistry returns a registry of all built-in formats.
func NewRegistry(o Options) *Registry {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Zone == nil {
		o.Zone = time.Local
	}
	o.User = o.User[:min(len(o.User), MaxUserFormats)]
	r := &Registry{
		opt: o, names: newNameTable(),
		specs:   []spec{{zone: o.Zone}},
		ids:     map[spec]event.ParseID{{zone: o.Zone}: 0},
		headers: map[string]*header{},
	}
	r.prepare()
	return r
}

// Formats lists every format, in the order they are tried.
func (r *Registry) Formats() []Format {
	out := make([]Format, len(builtin))
	for i, b := range builtin {
		out[i] = b.Format
	}
	return out
}

// Known reports whether name can be given as a forced format: a name of Formats,
// or "vpcflow:version vpc-id srcaddr …", which declares a custom flow log's
// columns where its files have no header line.
func (r *Registry) Known(name string) bool {
	_, _, ok := forcedFormat(name)
	return ok || r.userIndex(name) > 0
}

// forcedFormat returns the format a name stands for and the columns it declares.
func forcedFormat(name string) (b builtinFormat, columns string, ok bool) {
	base, columns, declared := strings.Cut(name, ":")
	b, ok = lookup(base)
	if declared && (b.reader != readVPCID || vpcColumns([]byte(columns)) == nil) {
		return b, "", false
	}
	return b, columns, ok
}

// Stream returns the parsing state of one source. An unknown forced format is
// ignored; ask Known first.
func (r *Registry) Stream(info sources.Info) *Stream {
	s := &Stream{reg: r, base: spec{zone: info.Zone, host: info.Host}, live: info.Live}
	if s.base.zone == nil {
		s.base.zone = r.opt.Zone
	}
	forced := info.Format
	if forced == "" {
		forced = r.opt.Formats[info.ID]
	}
	s.users = r.usersOf(forced)
	if b, columns, ok := forcedFormat(forced); ok && r.userIndex(forced) == 0 {
		s.base.reader, s.base.variant, s.forced = b.reader, b.variant, true
		if columns != "" {
			s.header = r.header(readVPCID, []byte(columns))
		}
		return s
	}
	if where := strings.ToLower(info.Path + " " + info.Name); strings.Contains(where, "apache") || strings.Contains(where, "httpd") {
		s.web = webApache
	}
	return s
}

// id returns the ParseID of s, making one while there is room; 0, raw text,
// when the table is full.
func (r *Registry) id(s spec) event.ParseID {
	r.mu.RLock()
	id, ok := r.ids[s]
	r.mu.RUnlock()
	if ok {
		return id
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if id, ok = r.ids[s]; ok || len(r.specs) >= maxSpecs {
		return id
	}
	id = event.ParseID(len(r.specs))
	r.specs = append(r.specs, s)
	r.ids[s] = id
	return id
}

func (r *Registry) spec(id event.ParseID) spec {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if int(id) >= len(r.specs) {
		return r.specs[0]
	}
	return r.specs[id]
}

// Describe writes what id stands for as text that Restore reads, in this process
// or a later one: "syslog zone=Europe/Berlin year=2026".
func (r *Registry) Describe(id event.ParseID) string {
	s := r.spec(id)
	b := fmt.Sprintf("%s variant=%d inner=%s year=%d day=%d zone=%s",
		readers[s.reader].name, s.variant, readers[s.inner].name, s.year, s.day, s.zone)
	if s.user > 0 && int(s.user) <= len(r.opt.User) {
		b += " user=" + url.QueryEscape(r.opt.User[s.user-1].Name)
	}
	if s.host != "" {
		b += " host=" + url.QueryEscape(s.host) // without blanks
	}
	if s.header != nil {
		b += " header=" + s.header.text
	}
	return b
}

// Restore returns the ParseID that Describe described.
func (r *Registry) Restore(text string) (event.ParseID, error) {
	text, head, hasHead := strings.Cut(text, " header=")
	words := strings.Fields(text)
	if len(words) == 0 {
		return 0, fmt.Errorf("the parse id %q is empty; it was not written by Describe", text)
	}
	s := spec{zone: r.opt.Zone}
	var err error
	if s.reader, err = readerNamed(words[0]); err != nil {
		return 0, err
	}
	for _, w := range words[1:] {
		if u, ok := strings.CutPrefix(w, "user="); ok {
			u, err = url.QueryUnescape(u)
			if s.user = r.userIndex(u); err != nil || s.user == 0 {
				return 0, fmt.Errorf("there is no format %q in the config any more; put its [[format]] back", u)
			}
			continue
		}
		if err := s.set(w); err != nil {
			return 0, err
		}
	}
	s.zone = r.sameZone(s.zone)
	if hasHead {
		s.header = r.header(s.reader, []byte(head))
	}
	return r.id(s), nil
}

// sameZone returns the zone of that name that is already in use, so that the
// same description always gives the same id.
func (r *Registry) sameZone(z *time.Location) *time.Location {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for i := range r.specs {
		if r.specs[i].zone.String() == z.String() {
			return r.specs[i].zone
		}
	}
	return z
}

func (s *spec) set(word string) error {
	key, val, _ := strings.Cut(word, "=")
	n, numErr := strconv.ParseInt(val, 10, 32)
	var err error
	switch key {
	case "zone":
		s.zone, err = time.LoadLocation(val)
		return err
	case "host":
		s.host, err = url.QueryUnescape(val)
		return err
	case "inner":
		s.inner, err = readerNamed(val)
		return err
	case "variant":
		s.variant = uint8(n)
	case "year":
		s.year = int16(n)
	case "day":
		s.day = int32(n)
	default:
		return fmt.Errorf("the parse id has an unknown part %q; it was not written by Describe", word)
	}
	return numErr
}
