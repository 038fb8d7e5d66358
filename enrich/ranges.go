package enrich

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Bounds of files of published address ranges.
const (
	maxRangeFile = 64 << 20 // bytes
	maxRanges    = 1 << 20  // of all files
)

// published is what a provider says of a range.
type published struct{ provider, service, region, from string }

// ranges are published address ranges.
type ranges struct {
	said []published // each once
	nets *nets
}

// rangeReader reads files of ranges; of the same network in two files the later
// file says more.
type rangeReader struct {
	complaints
	from    string
	known   map[published]int32
	said    []published
	entries []rangeEntry
}

type rangeEntry struct {
	netEntry
	rank int // what says more of the same network is ranked higher
}

// read reads one file in whichever of the forms it is.
func (r *rangeReader) read(path string) error {
	text, err := readFile(path, maxRangeFile, "take a file of one provider")
	if err != nil {
		return err
	}
	r.complaints, r.from = complaints{file: path}, filepath.Base(path)
	if trimmed := bytes.TrimLeft(text, "\ufeff \t\r\n"); len(trimmed) > 0 && trimmed[0] == '{' {
		r.json(trimmed)
	} else {
		r.plain(string(text))
	}
	return r.err()
}

// rangeFile is AWS's ip-ranges.json, GCP's cloud.json or Azure's ServiceTags.
type rangeFile struct {
	Prefixes []struct {
		IP      string `json:"ip_prefix"`
		IPv4    string `json:"ipv4Prefix"`
		IPv6    string `json:"ipv6Prefix"`
		Region  string `json:"region"`
		Scope   string `json:"scope"`
		Service string `json:"service"`
	} `json:"prefixes"`
	Prefixes6 []struct {
		IP      string `json:"ipv6_prefix"`
		Region  string `json:"region"`
		Service string `json:"service"`
	} `json:"ipv6_prefixes"`
	Values []struct {
		Name       string `json:"name"`
		Properties struct {
			Region   string   `json:"region"`
			Service  string   `json:"systemService"`
			Prefixes []string `json:"addressPrefixes"`
		} `json:"properties"`
	} `json:"values"`
}

func (r *rangeReader) json(text []byte) {
	var f rangeFile
	if err := json.Unmarshal(text, &f); err != nil {
		r.add(0, "it is no JSON with ranges (%w); download it again", err)
		return
	}
	if len(f.Prefixes)+len(f.Prefixes6)+len(f.Values) == 0 {
		r.add(0, "it has neither prefixes nor values; give ip-ranges.json of AWS, cloud.json of GCP, ServiceTags of Azure, or lines of a network and a name")
		return
	}
	for _, p := range f.Prefixes {
		if p.IP != "" {
			r.take(0, p.IP, published{provider: aws, service: p.Service, region: p.Region})
			continue
		}
		r.take(0, cmp.Or(p.IPv4, p.IPv6), published{provider: gcp, service: p.Service, region: p.Scope})
	}
	for _, p := range f.Prefixes6 {
		r.take(0, p.IP, published{provider: aws, service: p.Service, region: p.Region})
	}
	for _, v := range f.Values {
		for _, n := range v.Properties.Prefixes {
			service, _, _ := strings.Cut(v.Name, ".")
			r.take(0, n, published{provider: azure, service: cmp.Or(v.Properties.Service, service), region: v.Properties.Region})
		}
	}
}

// plain reads lines of a network, a provider, and if known a service and a region.
func (r *rangeReader) plain(text string) {
	n := 0
	for line := range strings.Lines(text) {
		n++
		line, _, _ = strings.Cut(line, "#")
		w := strings.Fields(strings.ReplaceAll(line, ",", " "))
		if len(w) == 0 {
			continue
		}
		if len(w) < 2 || len(w) > 4 {
			r.add(n, "a line is a network and a name, then if known a service and a region; this has %d words", len(w))
			continue
		}
		w = append(w, "", "")
		r.take(n, w[0], published{provider: w[1], service: w[2], region: w[3]})
	}
}

// take adds one range.
func (r *rangeReader) take(line int, network string, p published) {
	net, err := parseNet(network)
	if err != nil {
		r.add(line, "%w", err)
		return
	}
	if len(r.entries) >= maxRanges {
		if len(r.entries) == maxRanges {
			r.add(line, "there are more than %d ranges; take fewer files", maxRanges)
			r.entries = append(r.entries, rangeEntry{})
		}
		return
	}
	if len(p.provider)+len(p.service)+len(p.region) > 3*maxText {
		r.add(line, "what it says of %s is over %d bytes; shorten it", net, 3*maxText)
		return
	}
	p.from = r.from
	at, ok := r.known[p]
	if !ok {
		at = int32(len(r.said))
		r.known[p] = at
		r.said = append(r.said, p)
	}
	r.entries = append(r.entries, rangeEntry{netEntry{net, at}, rangeRank(p)})
}

// rangeRank ranks what is said of the same network: "AMAZON" and Azure's tags of
// all services are about everything.
func rangeRank(p published) int {
	switch {
	case p.service == "" || p.service == "AMAZON" || strings.HasPrefix(p.service, "AzureCloud"):
		return 0
	case p.region == "" || p.region == "GLOBAL":
		return 1
	}
	return 2
}

// table indexes what was read.
func (r *rangeReader) table() *ranges {
	slices.SortStableFunc(r.entries, func(a, b rangeEntry) int { return cmp.Compare(a.rank, b.rank) })
	list := make([]netEntry, len(r.entries))
	for i, e := range r.entries {
		list[i] = e.netEntry
	}
	return &ranges{r.said, newNets(list)}
}

func newRangeReader() *rangeReader { return &rangeReader{known: map[published]int32{}} }

// String says how many ranges there are.
func (x *ranges) String() string { return fmt.Sprintf("%d kinds of range", len(x.said)) }
