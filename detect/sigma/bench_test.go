package sigma

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"bartizan/detect"
	"bartizan/event"
)

// BenchmarkLoad reads and indexes all active rules, and reports what they keep
// in memory once loaded.
func BenchmarkLoad(b *testing.B) {
	corpus(b)
	var before, after runtime.MemStats
	var set *detect.Set
	start := cpuSeconds(b)
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		set = detect.NewSet(loadActive(b).Rules)
		for _, s := range logSources {
			set.Reaches(s)
		}
	}
	b.ReportMetric((cpuSeconds(b)-start)/float64(b.N), "cpu-s/load")
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB-kept")
	b.ReportMetric(float64(len(set.Expensive())), "expensive-rules")
}

// BenchmarkMatch climbs a ladder of rule counts over families of real events.
func BenchmarkMatch(b *testing.B) {
	rules := loadActive(b).Rules
	families := corpusEvents(b, 1)
	for _, n := range []int{1, 10, 100, 1000, len(rules)} {
		set := detect.NewSet(spread(rules, n))
		for name, events := range families {
			b.Run(fmt.Sprintf("rules=%d/%s", n, name), func(b *testing.B) {
				benchMatch(b, set, events, ownSource[name])
			})
		}
	}
}

// BenchmarkMatchOwn climbs the ladder with the rules of each family's own log source in
// every rung, and others beside them: what the others cost. The lowest rung has
// nothing but its own rules, at most a hundred of them.
func BenchmarkMatchOwn(b *testing.B) {
	rules := loadActive(b).Rules
	families := corpusEvents(b, 1)
	for _, name := range slices.Sorted(maps.Keys(families)) {
		var own, others []*detect.Rule
		for _, r := range rules {
			if detect.NewSet([]*detect.Rule{r}).Reaches(ownSource[name]) {
				own = append(own, r)
			} else {
				others = append(others, r)
			}
		}
		own = spread(own, min(len(own), 100))
		for _, n := range []int{len(own), 1000, len(own) + len(others)} {
			set := detect.NewSet(append(slices.Clone(own), spread(others, n-len(own))...))
			b.Run(fmt.Sprintf("%s/own=%d/rules=%d", name, len(own), n), func(b *testing.B) {
				benchMatch(b, set, families[name], ownSource[name])
			})
		}
	}
}

// BenchmarkMatchMixed meets all families in turn, as many events of each as there
// are, each under its own log source, with all rules loaded.
func BenchmarkMatchMixed(b *testing.B) {
	set := detect.NewSet(loadActive(b).Rules)
	events := mixed(corpusEvents(b, 1))
	b.Run("events", func(b *testing.B) { benchEvents(b, set, events) })
}

// ownSource is the log source of each family of events.
var ownSource = map[string]event.LogSource{
	"panther": {Product: "aws", Service: "cloudtrail"}, "stratus": {Product: "aws", Service: "cloudtrail"},
	"regression": {Product: "windows", Category: "process_creation"}, "crowdsec": {Product: "linux"},
}

// mixed gives the events of the families their log sources and shuffles them.
func mixed(families map[string][]*event.Event) (out []*event.Event) {
	for _, name := range slices.Sorted(maps.Keys(families)) {
		for _, e := range families[name] {
			e.LogSource = ownSource[name]
			out = append(out, e)
		}
	}
	rand.New(rand.NewPCG(3, 4)).Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// BenchmarkMatchUnrouted gives no rule a log source: every event meets all.
func BenchmarkMatchUnrouted(b *testing.B) {
	rules := loadActive(b).Rules
	for i, r := range rules {
		c := *r
		c.LogSource = event.LogSource{}
		rules[i] = &c
	}
	set := detect.NewSet(rules)
	for name, events := range corpusEvents(b, 1) {
		b.Run(name, func(b *testing.B) { benchMatch(b, set, events, event.LogSource{}) })
	}
}

func benchMatch(b *testing.B, set *detect.Set, events []*event.Event, source event.LogSource) {
	for _, e := range events {
		e.LogSource = source
	}
	benchEvents(b, set, events)
}

func benchEvents(b *testing.B, set *detect.Set, events []*event.Event) {
	m := set.NewMatcher()
	var dst []*detect.Rule
	var candidates, hits int
	for _, e := range events {
		dst = m.Match(e, dst[:0])
		candidates += m.Candidates()
		hits += len(dst)
	}
	b.ReportAllocs()
	i := 0
	start := cpuSeconds(b)
	for b.Loop() {
		dst = m.Match(events[i%len(events)], dst[:0])
		i++
	}
	n := float64(len(events))
	b.ReportMetric(float64(b.N)/(cpuSeconds(b)-start), "events/cpu-s")
	b.ReportMetric(float64(candidates)/n, "candidates/event")
	b.ReportMetric(float64(hits)/n, "hits/event")
}

// cpuSeconds is the time this process has had a core, so that a busy machine
// does not change the figures.
func cpuSeconds(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// spread picks n of the rules, evenly.
func spread(rules []*detect.Rule, n int) []*detect.Rule {
	out := make([]*detect.Rule, n)
	for i := range out {
		out[i] = rules[i*len(rules)/n]
	}
	return out
}
