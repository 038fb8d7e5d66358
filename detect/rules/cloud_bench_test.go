package rules

import (
	"math/rand/v2"
	"testing"
)

// benignLog is one benign day's log of that name.
func benignLog(name string) []string {
	d := &day{rand.New(rand.NewPCG(1, 1)), map[string][]string{}}
	d.cloud()
	d.cluster()
	return d.files[name]
}

// benchLog is an ordinary log through parser and all rules.
func benchLog(b *testing.B, name string) {
	b.Helper()
	log := benignLog(name)
	c := newBench(pack(b))
	c.open("test")
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		line := log[n%len(log)]
		n++
		c.read([]byte(line), 1)
		c.rules = c.matcher.Match(&c.event, c.rules[:0])
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkCloudTrail(b *testing.B) { benchLog(b, "cloudtrail.ndjson") }

func BenchmarkKubernetes(b *testing.B) { benchLog(b, "k8s.ndjson") }
