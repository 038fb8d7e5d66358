package enrich

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/oschwald/maxminddb-golang/v2"
)

// maxGeoFile bounds a GeoIP database, in bytes; it is held in memory.
const maxGeoFile = 512 << 20

// geoFile is one MMDB file. Nothing in it is trusted: the reader bounds what it
// decodes, and what it makes of a broken file counts as nothing known.
type geoFile struct {
	db   *maxminddb.Reader
	from string
}

// geoPaths say where databases keep what a leaf asks for: MaxMind's and DB-IP's
// layout first, then flat ones such as IPinfo's.
var geoPaths = []struct {
	leaf  leaf
	paths [][]any
}{
	{leafCountryCode, [][]any{{"country", "iso_code"}, {"registered_country", "iso_code"}, {"country_code"}, {"country"}}},
	{leafCountry, [][]any{{"country", "names", "en"}, {"registered_country", "names", "en"}, {"country_name"}}},
	{leafRegion, [][]any{{"subdivisions", 0, "names", "en"}, {"region"}, {"state1"}}},
	{leafCity, [][]any{{"city", "names", "en"}, {"city"}}},
	{leafASNumber, [][]any{{"autonomous_system_number"}, {"traits", "autonomous_system_number"}, {"asn"}}},
	{leafASName, [][]any{{"autonomous_system_organization"}, {"traits", "autonomous_system_organization"}, {"as_name"}, {"name"}}},
}

// openGeo reads a database. The error says what is wrong with it.
func openGeo(path string) (*geoFile, error) {
	b, err := readFile(path, maxGeoFile, "take a smaller database, such as one of countries")
	if err != nil {
		return nil, err
	}
	return newGeo(path, b)
}

// geoMark begins the description of a database, which is within the last 128 KiB.
const (
	geoMark = "\xab\xcd\xefMaxMind.com"
	geoTail = 128 << 10
)

// checkGeo looks whether a file is a database, at its end only.
func checkGeo(path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return unreadable(path, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() {
		return fmt.Errorf("%s is no file; name an MMDB file", path)
	}
	b := make([]byte, min(st.Size(), geoTail))
	if _, err := f.ReadAt(b, st.Size()-int64(len(b))); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s cannot be read: %w", path, err)
	}
	if !bytes.Contains(b, []byte(geoMark)) {
		return fmt.Errorf("%s is no MMDB file; download it again", path)
	}
	return nil
}

func newGeo(path string, b []byte) (g *geoFile, err error) {
	defer func() {
		if p := recover(); p != nil {
			g, err = nil, fmt.Errorf("%s is a broken MMDB file (%v); download it again", path, p)
		}
	}()
	db, err := maxminddb.OpenBytes(b)
	if err != nil {
		return nil, fmt.Errorf("%s is no MMDB file (%w); download it again", path, err)
	}
	from := filepath.Base(path)
	if m := db.Metadata; m.BuildEpoch > 0 && m.BuildEpoch < 1<<40 {
		from += " of " + m.BuildTime().UTC().Format("2006-01-02")
	}
	return &geoFile{db, from}, nil
}

// fill adds what the database says of a where nothing is said yet. Without a fault
// of the reader it is a few microseconds; the answer is remembered.
func (g *geoFile) fill(a netip.Addr, f *address) {
	defer func() { _ = recover() }() // a broken file is one that knows nothing
	if a.Is6() && g.db.Metadata.IPVersion == 4 {
		return
	}
	r := g.db.Lookup(a)
	if r.Err() != nil || !r.Found() {
		return
	}
	for _, l := range geoPaths {
		to := &f.geo[l.leaf-leafCountryCode]
		if to.text != "" {
			continue
		}
		for _, path := range l.paths {
			text := ""
			if l.leaf == leafASNumber {
				text = g.number(r.DecodePath, path)
			} else if r.DecodePath(&text, path...) != nil {
				text = ""
			}
			if text != "" {
				*to = said{strings.ToValidUTF8(cut(text), "\uFFFD"), g.from}
				break
			}
		}
	}
}

// number reads a system's number: 64500, or "AS64500".
func (g *geoFile) number(decode func(any, ...any) error, path []any) string {
	var n uint32
	if decode(&n, path...) == nil && n > 0 {
		return strconv.FormatUint(uint64(n), 10)
	}
	text := ""
	if decode(&text, path...) != nil {
		return ""
	}
	text = strings.TrimPrefix(strings.ToUpper(text), "AS")
	if _, err := strconv.ParseUint(text, 10, 32); err != nil {
		return ""
	}
	return text
}

// cut bounds a text from a file.
func cut(s string) string { return strings.Clone(s[:min(len(s), maxText)]) }
