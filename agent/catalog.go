package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"

	"bartizan/agent/agentpb"
	"bartizan/event"
	"bartizan/sources"
)

// errEnough ends a walk that found more files than an agent may serve.
var errEnough = errors.New("too many files")

// rotated is how rotated and compressed logs are called. A wildcard does not take
// them: the follower of the log they came from has read them.
var rotated = regexp.MustCompile(`(?i)([.-]\d{8}([-T.]?\d+)?(\.log)?|\.\d{1,4}|\.old|~|\.(gz|zst|xz|bz2|lz4|z|zip))$`)

// catalog is what the configuration lets consoles read, by stream id. Consoles
// only ever say ids; a path never comes from them.
type catalog struct {
	patterns []pattern
	guard    guard
	scanning sync.Mutex // so that an older look never replaces a newer one

	scans int // so far, guarded by scanning

	mu      sync.Mutex
	entries map[string]*entry
	order   []*entry // sorted by id
	trouble string
	listed  uint64        // digest of order, see digestOf
	changed chan struct{} // closed and replaced when listed changes
}

// pattern is one configured pattern, cut where its wildcards begin.
type pattern struct {
	StreamConfig
	base, rest string // rest "": base is a file
}

// entry is one stream.
type entry struct {
	id      string
	path    string
	conf    StreamConfig
	refused string // why it is not served; "" is served
	size    int64
	file    event.FileID
	stat    fs.FileInfo // as it was looked at; nil: it is refused, or has no file
	kept    *kept       // set: it has no file
}

func newCatalog(streams []StreamConfig, roots []string) (*catalog, error) {
	c := &catalog{entries: map[string]*entry{}, listed: digestOf(nil), changed: make(chan struct{})}
	seen := map[string]bool{}
	for _, s := range streams {
		p, err := newPattern(s)
		if err != nil {
			return nil, err
		}
		if s.ID != "" && seen[s.ID] {
			return nil, fmt.Errorf("stream %q: two patterns have this id: give each its own", s.ID)
		}
		seen[s.ID] = true
		c.patterns = append(c.patterns, p)
		if roots == nil {
			c.guard.roots = append(c.guard.roots, p.root())
		}
	}
	for _, r := range roots {
		if !filepath.IsAbs(r) {
			return nil, fmt.Errorf("root %q: an absolute directory is needed", r)
		}
		c.guard.roots = append(c.guard.roots, filepath.Clean(r))
	}
	return c, nil
}

func newPattern(s StreamConfig) (pattern, error) {
	if !filepath.IsAbs(s.Path) || !doublestar.ValidatePathPattern(s.Path) {
		return pattern{}, fmt.Errorf("stream %q: an absolute path or well-formed pattern is needed", s.Path)
	}
	for _, part := range strings.Split(s.Path, "/") {
		if part == ".." {
			return pattern{}, fmt.Errorf("stream %q: a pattern must not go up with ..: write the directory it means", s.Path)
		}
	}
	if s.ID != "" && cleanID(s.ID) != s.ID {
		return pattern{}, fmt.Errorf("stream %q: the id %q has characters that do not print", s.Path, s.ID)
	}
	p := pattern{StreamConfig: s}
	p.base, p.rest = doublestar.SplitPattern(filepath.ToSlash(s.Path))
	if !strings.ContainsAny(p.rest, `*?[{\`) {
		p.base, p.rest = filepath.Clean(s.Path), ""
	}
	return p, nil
}

// root is the directory the pattern's files are expected in.
func (p *pattern) root() string {
	if p.rest == "" {
		return filepath.Dir(p.base)
	}
	return p.base
}

// id names the stream of a file the pattern matched.
func (p *pattern) id(path string) string {
	switch {
	case p.ID == "":
		return cleanID(strings.TrimPrefix(path, "/"))
	case p.rest == "":
		return p.ID
	}
	rel, err := filepath.Rel(p.base, path)
	if err != nil {
		rel = path
	}
	return p.ID + "/" + cleanID(rel)
}

// cleanID writes bytes that are no printable text, and the percent sign, as %XX,
// and cuts what is longer than an id may be.
func cleanID(s string) string {
	var b strings.Builder
	for i := 0; i < len(s) && b.Len() < agentpb.MaxID-3; {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == '%' || !unicode.IsPrint(r) || r == utf8.RuneError && n == 1 {
			for _, c := range []byte(s[i : i+n]) {
				fmt.Fprintf(&b, "%%%02X", c)
			}
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// scan looks for the files that are there now.
func (c *catalog) scan() {
	c.scanning.Lock()
	defer c.scanning.Unlock()
	found := map[string]*entry{}
	look := c.looker()
	trouble := ""
	for i := range c.patterns {
		if err := c.patterns[i].walk(found, look); err != nil {
			trouble = fmt.Sprintf("%s: %v", c.patterns[i].Path, err)
		}
	}
	order := make([]*entry, 0, len(found))
	for _, e := range found {
		order = append(order, e)
	}
	sort.Slice(order, func(i, j int) bool { return order[i].id < order[j].id })
	c.replace(found, order, trouble)
}

func (p *pattern) walk(found map[string]*entry, look looker) error {
	if p.rest == "" {
		return p.take(p.base, found, look)
	}
	err := doublestar.GlobWalk(os.DirFS(p.base), p.rest, func(rel string, d fs.DirEntry) error {
		if d.IsDir() || rotated.MatchString(d.Name()) {
			return nil
		}
		return p.take(filepath.Join(p.base, rel), found, look)
	}, doublestar.WithNoFollow())
	if errors.Is(err, errEnough) {
		return fmt.Errorf("more than %d files match: narrow the pattern", agentpb.MaxStreams)
	}
	return err
}

func (p *pattern) take(path string, found map[string]*entry, look looker) error {
	id := p.id(path)
	if found[id] != nil {
		return nil // an earlier pattern has it
	}
	if len(found) >= agentpb.MaxStreams {
		return errEnough
	}
	e := &entry{id: id, path: path, conf: p.StreamConfig, size: -1}
	st, err := look(id, path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		e.refused = err.Error()
	default:
		e.size, e.file, e.stat = st.Size(), identity(st), st
	}
	found[id] = e
	return nil
}

func (c *catalog) list() []*entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.order
}

func (c *catalog) find(id string) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.entries[id]
}

func (c *catalog) problem() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.trouble
}

// info describes the stream to whoever reads it here.
func (e *entry) info(host string) sources.Info {
	return sources.Info{ID: event.SourceID("file:" + e.path), Kind: "file", Name: e.path, Path: e.path, Host: host, Format: e.conf.Format, Live: true}
}

func (e *entry) describe() *agentpb.Stream {
	return &agentpb.Stream{
		Id: e.id, Format: e.conf.Format, Live: true, Refused: sentence(e.refused),
		Size: e.size, Device: e.file.Dev, Inode: e.file.Ino,
	}
}
