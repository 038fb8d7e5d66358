package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"bartizan/agent"
	"bartizan/agent/certs"
	"bartizan/cmd/story"
	"bartizan/config"
	"bartizan/detect"
	"bartizan/detect/sigma"
	"bartizan/engine"
	"bartizan/event"
	"bartizan/query"
	"bartizan/sources"
	"bartizan/sources/parse"
	"bartizan/sources/remote"
)

// lastLine is behind every log; a rule holds for it, so that it is never left out.
const lastLine = "this is where the log of this test ends"

// edgeHost is an agent that runs the built-in rules over the logs of a folder.
type edgeHost struct {
	ca, addr string
	rules    detect.Loaded // as read
}

func newEdgeHost(t *testing.T, dir string) *edgeHost {
	t.Helper()
	ok := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	h := &edgeHost{ca: filepath.Join(t.TempDir(), "ca")}
	ok(certs.Init(h.ca, time.Now()))
	host, err := certs.Issue(h.ca, "web-1", []string{"127.0.0.1"}, time.Now())
	ok(err)
	c := config.Default()
	c.Quick = []config.Quick{{Name: "end", Filter: `"` + lastLine + `"`, Level: "low"}}
	f, err := (&app{}).readRules(c, false)
	ok(err)
	h.rules = f.Loaded
	l := detect.Loaded{Rules: detect.Unfiltered(h.rules.Rules)}
	digest := detect.Digest(l.Rules)
	sigma.Link(&l)
	s, err := agent.New(agent.Config{
		Certs: host, Edge: &agent.Edge{Rules: detect.NewSet(l.Rules), Digest: digest},
		Streams: []agent.StreamConfig{{ID: "logs", Path: filepath.Join(dir, "*.{log,ndjson}")}},
	})
	ok(err)
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	ok(err)
	h.addr = lis.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, lis) }()
	t.Cleanup(func() { cancel(); ok(<-done) })
	return h
}

// kept is what one stream delivered, for a scan.
type kept struct {
	info    sources.Info
	records []sources.Record
}

// Run implements sources.Source.
func (k *kept) Run(ctx context.Context, _ sources.Position, out chan<- sources.Batch) error {
	for part := range slices.Chunk(k.records, sources.MaxRecords) {
		select {
		case out <- sources.Batch{Source: k.info.ID, Records: slices.Clone(part), Done: func(error) {}}:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// read takes everything the agent sends of n streams to a console with these rules.
func (h *edgeHost) read(t *testing.T, n int, edge []byte) (streams []*kept, status []event.SourceStatus) {
	t.Helper()
	tls, err := certs.ClientTLS(h.ca, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	p, err := remote.Dial(remote.Config{Address: h.addr, TLS: tls, Tail: -1, Edge: edge})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var wg, reading sync.WaitGroup
	reading.Add(n)
	wg.Go(func() {
		_ = p.Run(ctx, func(op sources.Opened) { // its only error is none
			k := &kept{info: op.Info}
			streams = append(streams, k)
			wg.Go(func() { k.fill(ctx, op.Source); reading.Done() })
		})
	})
	reading.Wait()
	status = p.Status()
	cancel()
	wg.Wait()
	slices.SortFunc(streams, func(a, b *kept) int { return bytes.Compare([]byte(a.info.ID), []byte(b.info.ID)) })
	return streams, status
}

// fill reads the stream until its last line.
func (k *kept) fill(ctx context.Context, s sources.Source) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out, ended := make(chan sources.Batch), make(chan struct{})
	go func() { _ = s.Run(ctx, "", out); close(ended) }()
	for over := false; !over; {
		select {
		case b := <-out:
			for _, r := range b.Records {
				r.Raw = bytes.Clone(r.Raw)
				k.records = append(k.records, r)
				over = over || string(r.Raw) == lastLine
			}
			b.Done(nil)
		case <-ctx.Done():
			over = true
		}
	}
	cancel()
	<-ended
}

// hits runs the rules over what arrived.
func (h *edgeHost) hits(t *testing.T, streams []*kept) (out []string) {
	t.Helper()
	l := detect.Loaded{Rules: slices.Clone(h.rules.Rules)}
	sigma.Link(&l)
	var open []sources.Opened
	for _, k := range streams {
		info := k.info
		info.Live = false
		open = append(open, sources.Opened{Info: info, Source: k})
	}
	err := engine.Scan(t.Context(), open, engine.ScanOptions{
		Rules: detect.NewSet(l.Rules), Registry: parse.NewRegistry(parse.Options{}), Falco: detect.Medium, Now: time.Now,
		Failed: func(i sources.Info, err error) { t.Errorf("%s: %v", i.Name, err) },
		Hit: func(hit *detect.Hit) error {
			at := hit.Event.Time.UTC().Format(time.RFC3339Nano)
			if hit.Event.Flags&event.FlagNoTime != 0 {
				at = "when it came" // which is not the same twice
			}
			out = append(out, fmt.Sprintf("%s %s %s %d %v", hit.Rule.ID, hit.ID, at, hit.Count, hit.Group))
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

// same compares the hits over all records of the folder's logs with those over
// what is left when the agent runs the rules, and returns how many of how many
// records were sent.
func same(t *testing.T, dir string) (sent, all int) {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(dir, "*.*"))
	if err != nil || len(logs) == 0 {
		t.Fatal(logs, err)
	}
	for _, f := range logs {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > 0 && b[len(b)-1] != '\n' {
			b = append(b, '\n')
		}
		if err := os.WriteFile(f, append(b, lastLine+"\n"...), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h := newEdgeHost(t, dir)
	whole, _ := h.read(t, len(logs), nil)
	edge, status := h.read(t, len(logs), detect.Digest(h.rules.Rules))
	want, got := h.hits(t, whole), h.hits(t, edge)
	if !slices.Equal(got, want) {
		t.Errorf("%d hits with edge detection, %d without", len(got), len(want))
		for _, x := range want {
			if !slices.Contains(got, x) {
				t.Logf("missing: %s", x)
			}
		}
		for _, x := range got {
			if !slices.Contains(want, x) {
				t.Logf("too many: %s", x)
			}
		}
	}
	if len(want) <= len(logs) {
		t.Errorf("only %d hits: nothing was compared", len(want))
	}
	for i := range whole {
		sent, all = sent+len(edge[i].records), all+len(whole[i].records)
		t.Logf("%s: %d of %d records sent; %s", whole[i].info.Name, len(edge[i].records), len(whole[i].records), status[1+i].Reason)
	}
	if sent >= all {
		t.Errorf("%d of %d records were sent", sent, all)
	}
	return sent, all
}

// TestEdgeFindsTheSame: the demo's attack is found the same when the agent sends
// only what rules need.
func TestEdgeFindsTheSame(t *testing.T) {
	dir, told := t.TempDir(), t.TempDir()
	s := story.New(1)
	at := time.Now().Add(-time.Hour)
	if err := s.Play(t.Context(), told, at, 1, func(context.Context, time.Time) error { return nil }); err != nil {
		t.Fatal(err)
	}
	local, far := s.Files()
	for _, f := range append(local, far...) {
		if err := os.Rename(filepath.Join(told, f), filepath.Join(dir, filepath.Base(f))); err != nil {
			t.Fatal(err)
		}
	}
	sent, all := same(t, dir)
	t.Logf("%d of %d records were sent", sent, all)
}

// TestEdgeFindsTheSameInGeneratedLogs does it over logs of many formats, with
// headers, garbage and decoys.
func TestEdgeFindsTheSameInGeneratedLogs(t *testing.T) {
	tool := filepath.Join(os.Getenv("BARTIZAN_TOOLS"), "mklogs.py")
	if _, err := os.Stat(tool); err != nil || os.Getenv("BARTIZAN_TOOLS") == "" {
		t.Skip("BARTIZAN_TOOLS names no folder with mklogs.py: generated logs were not compared")
	}
	dir := t.TempDir()
	if out, err := exec.Command("python3", tool, "--out", dir, "--lines", "20000", "--rate", "0.01", "--decoys", "0.3", "--garbage", "0.002", "--seed", "5").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, f := range []string{"truth.ndjson", "incidents.json", "summary.json"} {
		if err := os.Remove(filepath.Join(dir, f)); err != nil {
			t.Fatal(err)
		}
	}
	sent, all := same(t, dir)
	t.Logf("%d of %d records were sent", sent, all)
}

// TestEdgeSendsWhatAssetsDecide: what only the console knows cannot keep a record at
// the agent.
func TestEdgeSendsWhatAssetsDecide(t *testing.T) {
	n, err := query.Parse("bob and not source.own: true")
	if err != nil {
		t.Fatal(err)
	}
	r := unenriched(&detect.Rule{ID: "x", Cond: n})
	for line, want := range map[string]bool{"bob came": true, "amira came": false} {
		e := event.Event{Raw: []byte(line)}
		if got := len(detect.NewSet([]*detect.Rule{r}).NewMatcher().Match(&e, nil)) > 0; got != want {
			t.Errorf("%q: sent %v, want %v", line, got, want)
		}
	}
	if plain := (&detect.Rule{ID: "y", Cond: query.And{}}); unenriched(plain) != plain {
		t.Error("a rule that asks nothing of the console was changed")
	}
}
