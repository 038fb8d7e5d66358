package enrich

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// Bounds of files.
const (
	maxAssetFile  = 16 << 20 // bytes
	maxComplaints = 20       // said of one file
)

// complaints collects what is wrong with one file, a sentence for each line.
type complaints struct {
	file string
	list []error
	more int
}

func (c *complaints) add(line int, format string, args ...any) {
	if len(c.list) == maxComplaints {
		c.more++
		return
	}
	where := c.file
	if line > 0 {
		where += ":" + strconv.Itoa(line)
	}
	c.list = append(c.list, fmt.Errorf("%s: %w", where, fmt.Errorf(format, args...)))
}

func (c *complaints) err() error {
	if c.more > 0 {
		c.list = append(c.list, fmt.Errorf("%s: %d more lines are wrong", c.file, c.more))
		c.more = 0
	}
	return errors.Join(c.list...)
}

// assetReader reads lists of assets; later files add to earlier ones.
type assetReader struct {
	complaints
	list []*asset
	seen map[string]*asset // what is matched already, with its kind
	nglo [assetKinds]int
	own  []netEntry
	from []string // of own
}

// readFile reads at most limit bytes.
func readFile(path string, limit int64, hint string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", path, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s is over %d MiB; %s", path, limit>>20, hint)
	}
	return b, nil
}

// unreadable is an error of opening a file, with its name once.
func unreadable(path string, err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fmt.Errorf("%s cannot be read: %w", path, err)
}

// read reads one list: TOML where the name ends so, else CSV.
func (r *assetReader) read(path string) error {
	text, err := readFile(path, maxAssetFile, "split the list")
	if err != nil {
		return err
	}
	r.complaints = complaints{file: path}
	if strings.EqualFold(filepath.Ext(path), ".toml") {
		r.toml(string(text))
	} else {
		r.csv(string(text))
	}
	return r.err()
}

// csvColumns are the columns a list in CSV may have; kind and match it must.
var csvColumns = []string{"kind", "match", "name", "owner", "criticality", "data_class", "region", "own"}

// csv reads lines under a header that names the columns; lines with # are none.
func (r *assetReader) csv(text string) {
	c := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
	c.Comment, c.TrimLeadingSpace, c.FieldsPerRecord, c.ReuseRecord = '#', true, -1, true
	var header []string
	for {
		rec, err := c.Read()
		if err == io.EOF {
			if header == nil {
				r.add(0, "the list is empty; its first line names the columns kind and match, and any of %s", strings.Join(csvColumns[2:], ","))
			}
			return
		}
		if err != nil {
			var p *csv.ParseError
			if !errors.As(err, &p) {
				r.add(0, "it cannot be read: %w", err)
				return
			}
			r.add(p.StartLine, "this is no line of CSV (%w); close its quotes", p.Err)
			return
		}
		line, _ := c.FieldPos(0)
		if header == nil {
			if header = r.header(line, rec); header == nil {
				return
			}
			continue
		}
		r.record(line, header, rec)
	}
}

func (r *assetReader) header(line int, rec []string) []string {
	var header []string
	for _, name := range rec {
		name = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(csvColumns, name) || slices.Contains(header, name) {
			r.add(line, "column %q is unknown or given twice; the first line names the columns, out of %s", show(name), strings.Join(csvColumns, ","))
			return nil
		}
		header = append(header, name)
	}
	if !slices.Contains(header, "kind") || !slices.Contains(header, "match") {
		r.add(line, "the first line must name the columns kind and match, and any of %s", strings.Join(csvColumns[2:], ","))
		return nil
	}
	return header
}

func (r *assetReader) record(line int, header, rec []string) {
	if len(rec) > len(header) {
		r.add(line, "it has %d values for %d columns; put values with a comma in quotes", len(rec), len(header))
		return
	}
	row := map[string]string{}
	for i, v := range rec {
		row[header[i]] = strings.TrimSpace(v)
	}
	k := slices.Index(assetWords[:], strings.ToLower(row["kind"]))
	if k < 0 {
		r.add(line, "there is no kind %q; use %s", show(row["kind"]), strings.Join(assetWords[:], ", "))
		return
	}
	own, err := yes(row["own"])
	if err != nil {
		r.add(line, "%w", err)
		return
	}
	r.take(line, asset{
		kind: assetKind(k), match: row["match"], own: own, name: row["name"], owner: row["owner"],
		criticality: row["criticality"], dataClass: row["data_class"], region: row["region"],
	})
}

func yes(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "yes", "true", "1":
		return true, nil
	case "", "no", "false", "0":
		return false, nil
	}
	return false, fmt.Errorf("own is yes or no, not %q", show(s))
}

// show cuts a text of a file for a sentence.
func show(s string) string {
	if len(s) > 64 {
		return s[:64] + "…"
	}
	return s
}

// take checks one asset and adds it.
func (r *assetReader) take(line int, a asset) {
	a.from = filepath.Base(r.file) + ":" + strconv.Itoa(line)
	if err := r.check(&a); err != nil {
		r.add(line, "%w", err)
		return
	}
	key := assetWords[a.kind] + "\x00" + strings.ToLower(a.match)
	if a.kind == assetCIDR {
		key = a.net.String()
	}
	if had := r.seen[key]; had != nil {
		r.add(line, "%s %s is listed before, at %s; keep one of them", assetWords[a.kind], show(a.match), had.from)
		return
	}
	if strings.ContainsAny(a.match, "*?") {
		r.nglo[a.kind]++
	}
	r.seen[key] = &a
	r.list = append(r.list, &a)
	if a.own {
		r.own = append(r.own, netEntry{a.net, int32(len(r.from))})
		r.from = append(r.from, a.from)
	}
}

// check says what is wrong with an asset, and reads its network and criticality.
func (r *assetReader) check(a *asset) error {
	for _, v := range []string{a.match, a.name, a.owner, a.dataClass, a.region} {
		if len(v) > maxText {
			return fmt.Errorf("%q is over %d bytes; shorten it", show(v), maxText)
		}
	}
	switch {
	case a.match == "":
		return fmt.Errorf("it says nothing about what it matches; give a %s", assetWords[a.kind])
	case len(r.list) >= maxAssets:
		return fmt.Errorf("there are more than %d assets; use networks and wildcards", maxAssets)
	case strings.ContainsAny(a.match, "*?") && a.kind != assetCIDR && r.nglo[a.kind] >= maxGlobs:
		return fmt.Errorf("more than %d lines of kind %s have wildcards; list names", maxGlobs, assetWords[a.kind])
	case a.own && a.kind != assetCIDR:
		return fmt.Errorf("only a cidr can be own, not a %s", assetWords[a.kind])
	}
	if a.criticality != "" {
		a.criticality = strings.ToLower(a.criticality)
		i := slices.IndexFunc(criticalities, func(c criticality) bool { return c.name == a.criticality })
		if i < 0 {
			return fmt.Errorf("there is no criticality %q; use low, medium, high or critical", show(a.criticality))
		}
		a.points = criticalities[i].points
	}
	if a.kind == assetCIDR {
		var err error
		a.net, err = parseNet(a.match)
		return err
	}
	return nil
}

// parseNet reads a network or one address.
func parseNet(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("%q is no network; write one such as 10.0.0.0/8 or 2001:db8::/32", show(s))
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return p, fmt.Errorf("%q is no network; write it as IPv4", show(s))
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if p != p.Masked() {
		return p, fmt.Errorf("%q has bits beyond its length; write %s", show(s), p.Masked())
	}
	return p, nil
}

// texts is one text or several.
type texts []string

// UnmarshalTOML reads a text or a list of texts.
func (t *texts) UnmarshalTOML(v any) error {
	switch v := v.(type) {
	case string:
		*t = texts{v}
		return nil
	case []any:
		for _, x := range v {
			s, ok := x.(string)
			if !ok {
				return errors.New("what an asset matches must be texts in quotes")
			}
			*t = append(*t, s)
		}
		return nil
	}
	return errors.New("what an asset matches must be a text in quotes, or a list of them")
}

// tomlAsset is one [[asset]].
type tomlAsset struct {
	CIDR    texts `toml:"cidr"`
	Host    texts `toml:"host"`
	User    texts `toml:"user"`
	Account texts `toml:"account"`
	Bucket  texts `toml:"bucket"`
	Role    texts `toml:"role"`

	Name        string `toml:"name"`
	Owner       string `toml:"owner"`
	Criticality string `toml:"criticality"`
	DataClass   string `toml:"data_class"`
	Region      string `toml:"region"`
	Own         bool   `toml:"own"`
}

var assetHeading = regexp.MustCompile(`^\s*\[\[\s*"?asset"?\s*\]\]`)

// toml reads [[asset]] tables.
func (r *assetReader) toml(text string) {
	var doc struct {
		Asset []tomlAsset `toml:"asset"`
	}
	meta, err := toml.Decode(text, &doc)
	if err != nil {
		var p toml.ParseError
		if errors.As(err, &p) {
			r.add(p.Position.Line, "%s", strings.TrimPrefix(p.Message, "toml: "))
		} else {
			r.add(0, "%w", err)
		}
		return
	}
	for _, k := range meta.Undecoded() {
		r.add(0, "there is no key %q; an [[asset]] has %s, and name, owner, criticality, data_class, region, own", show(k.String()), strings.Join(assetWords[:], ", "))
	}
	var lines []int
	n := 0
	for l := range strings.Lines(text) {
		if n++; assetHeading.MatchString(l) {
			lines = append(lines, n)
		}
	}
	for i, t := range doc.Asset {
		line := 0
		if len(lines) == len(doc.Asset) {
			line = lines[i]
		}
		r.table(line, t)
	}
}

// table adds what one [[asset]] matches.
func (r *assetReader) table(line int, t tomlAsset) {
	n := 0
	for k, list := range [assetKinds]texts{t.CIDR, t.Host, t.User, t.Account, t.Bucket, t.Role} {
		for _, m := range list {
			n++
			r.take(line, asset{
				kind: assetKind(k), match: m, own: t.Own, name: t.Name, owner: t.Owner,
				criticality: t.Criticality, dataClass: t.DataClass, region: t.Region,
			})
		}
	}
	if n == 0 {
		r.add(line, "the [[asset]] says nothing about what it matches; give it one of %s", strings.Join(assetWords[:], ", "))
	}
}
