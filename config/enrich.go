package config

import (
	"fmt"
	"path/filepath"

	"bartizan/enrich"
)

// Enrich names what is known beyond the records: lists of assets, own addresses,
// GeoIP databases and published address ranges.
type Enrich struct {
	Assets []string `toml:"assets"` // CSV or TOML
	Own    []string `toml:"own"`    // networks
	GeoIP  []string `toml:"geoip"`  // MMDB
	Ranges []string `toml:"ranges"` // ip-ranges.json, cloud.json, ServiceTags, or lines
}

// EnrichOptions are the files by their full names: beside the config where they are
// not absolute.
func (c *Config) EnrichOptions() enrich.Options {
	at := func(files []string) []string {
		var out []string
		for _, f := range files {
			if !filepath.IsAbs(f) && c.File != "" {
				f = filepath.Join(filepath.Dir(c.File), f)
			}
			out = append(out, f)
		}
		return out
	}
	from := "the config"
	if n := c.lines["enrich.own"]; n > 0 {
		from = fmt.Sprintf("%s:%d", filepath.Base(c.File), n)
	}
	x := c.Enrich
	return enrich.Options{Assets: at(x.Assets), Own: x.Own, From: from, GeoIP: at(x.GeoIP), Ranges: at(x.Ranges)}
}

// checkEnrich says what is wrong with the files, a sentence for each line of them.
func (c *Config) checkEnrich(add complain) {
	o := c.EnrichOptions()
	for _, part := range []struct {
		key string
		o   enrich.Options
	}{
		{"enrich.assets", enrich.Options{Assets: o.Assets}},
		{"enrich.own", enrich.Options{Own: o.Own}},
		{"enrich.geoip", enrich.Options{GeoIP: o.GeoIP}},
		{"enrich.ranges", enrich.Options{Ranges: o.Ranges}},
	} {
		for _, err := range enrich.Check(part.o) {
			add(part.key, "%v", err)
		}
	}
}
