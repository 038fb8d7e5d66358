package enrich

import (
	"fmt"
	"testing"
)

func BenchmarkEnrich(b *testing.B) {
	x, e := full(b), eventWith(busy...)
	for _, name := range []string{"source.class", "source.own", "source.as.number", "source.asset.owner", "host.asset.owner", "user_agent.class", "user.class", "client.class"} {
		i := at(b, name)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x.Enrich(e, i, 0)
			}
		})
	}
}

// BenchmarkUnknown asks about a new address each time.
func BenchmarkUnknown(b *testing.B) {
	x := full(b)
	i := at(b, "source.as.number")
	e, n := eventWith("source.ip", ""), uint32(0)
	b.ReportAllocs()
	for b.Loop() {
		n += 2_654_435_761
		e.Fields[0].Value.Str = fmt.Sprintf("192.0.%d.%d", n>>24, n>>16&255)
		x.Enrich(e, i, 0)
	}
}

func BenchmarkGlobs(b *testing.B) {
	x, err := New(Options{Assets: []string{put(b, "a.csv", []byte("kind,match,owner,criticality,own\n"+globLines(maxGlobs)))}})
	if err != nil {
		b.Fatal(err)
	}
	k := x.now.Load()
	b.ReportAllocs()
	for b.Loop() {
		k.assets.ofName(assetHost, "web-1999-nobody-knows")
	}
}
