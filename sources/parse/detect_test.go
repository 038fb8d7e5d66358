package parse

import (
	"encoding/json"
	"testing"

	"bartizan/event"
	"bartizan/sources"
)

// countScores replaces the scores of all readers by ones that count, until the test
// is over. Tests that use it do not run beside others.
func countScores(t *testing.T) *int {
	n := new(int)
	was := readers
	for i := range readers {
		score := was[i].score
		readers[i].score = func(b []byte) (int, string) {
			*n++
			return score(b)
		}
	}
	t.Cleanup(func() { readers = was })
	return n
}

// TestDetectionIsFree: once a source's first record was understood, nobody asks again
// which formats fit, as long as the format stays, nor when up to eight take turns. What
// takes almost anything (raw text, text with a stamp, logfmt) is asked for each record,
// so that a more certain format is never missed.
func TestDetectionIsFree(t *testing.T) {
	asked := countScores(t)
	wide := map[string]bool{"docker": true, "cri": true, "cloudwatch": true, "kubectl": true} // around text or logfmt
	for i := range readers {
		wide[readers[i].name] = wide[readers[i].name] || readers[i].wide
	}
	web, err := json.Marshal(example(t, "nginx"))
	if err != nil {
		t.Fatal(err)
	}
	all := []Format{
		{Name: "cri around nginx", Example: "2026-11-03T09:14:02.120034Z stdout F " + example(t, "nginx")},
		{Name: "docker around nginx", Example: `{"log":` + string(web) + `,"stream":"stdout","time":"2026-11-03T09:14:02.120034Z"}`},
	}
	for _, b := range builtin {
		if !wide[b.Name] {
			all = append(all, b.Format)
		}
	}
	for _, b := range all {
		s := testRegistry().Stream(sources.Info{})
		var slab Slab
		var e event.Event
		for n := range 50 {
			if *asked = 0; n == 0 {
				*asked = -len(readers) * 4 // what a wrapper holds is looked for as well
			}
			s.Parse(&sources.Record{Raw: []byte(b.Example), Seen: seen}, &slab, &e)
			if *asked > 0 {
				t.Errorf("%s: %d scores were asked for record %d", b.Name, *asked, n+1)
				break
			}
		}
	}
	s := testRegistry().Stream(sources.Info{})
	var slab Slab
	var e event.Event
	turns := []string{"sshd", "nginx", "vpcflow", "cloudtrail", "envoy", "auditd", "s3access", "haproxy"}
	for n := range 80 {
		if n == len(turns) {
			*asked = 0
		}
		s.Parse(&sources.Record{Raw: []byte(example(t, turns[n%len(turns)])), Seen: seen}, &slab, &e)
		if e.FormatName != turns[n%len(turns)] {
			t.Errorf("record %d is %s", n+1, e.FormatName)
		}
	}
	if *asked > 0 {
		t.Errorf("%d scores were asked while eight formats took turns", *asked)
	}
}
