package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"bartizan/config"
	"bartizan/event"
	"bartizan/query"
	"bartizan/sources"
	"bartizan/sources/remote"
	"bartizan/triage"
)

// maxFound bounds the bytes of records that all agents together may find: they
// are kept until every agent has answered, so that they can be merged by time.
const maxFound = 256 << 20

var errFull = fmt.Errorf("the search was stopped at %d MiB of records: narrow the query or the time", maxFound>>20)

// grepped is a matching record as JSON; the shape is a promise.
type grepped struct {
	Agent  string         `json:"agent,omitempty"`
	Source event.SourceID `json:"source"`
	Time   time.Time      `json:"time"`
	Line   int64          `json:"line"`
	Raw    string         `json:"raw"`
	RawB64 []byte         `json:"raw_b64,omitempty"`

	Compromised bool `json:"compromised,omitempty"` // its host is held for compromised
}

func newGrepped(agent string, source event.SourceID, at time.Time, line int64, raw []byte) grepped {
	g := grepped{Agent: agent, Source: source, Time: at.UTC(), Line: line, Raw: string(raw)}
	if !utf8.Valid(raw) {
		g.RawB64 = raw
	}
	return g
}

// grepSummary is the last line of grep -o json with agents; a promise too.
type grepSummary struct {
	Summary struct {
		Asked       int         `json:"asked"`
		Searched    int         `json:"searched"`
		Unreachable int         `json:"unreachable"`
		Failed      int         `json:"failed"`
		Agents      []grepAgent `json:"agents"`
	} `json:"summary"`
}

type grepAgent struct {
	Agent    string     `json:"agent"`
	Error    string     `json:"error,omitempty"`
	Oldest   *time.Time `json:"oldest,omitempty"`
	Done     int64      `json:"bytes_read"`
	Total    int64      `json:"bytes_total"`
	Matches  int        `json:"matches"`
	Stopped  string     `json:"stopped_by,omitempty"`
	Problems []string   `json:"problems,omitempty"`

	Compromised *triage.Distrust `json:"compromised,omitempty"`
}

// asked returns the agents a search is for: those of the command line, and those
// of the config when it is named.
func (a *app) asked() ([]config.Agent, error) {
	if a.configFile == "" && len(a.agents) == 0 {
		return nil, nil
	}
	if a.configFile != "" {
		c, err := a.config()
		if err != nil {
			return nil, err
		}
		if len(c.Agent) == 0 {
			return nil, usage("%s names no agents to search: add [[agent]] tables or use --agent", a.configFile)
		}
		return c.Agent, nil
	}
	if a.certs == "" {
		return nil, usage("--agent %s needs --certs DIR; make one with bartizan certs init", a.agents[0])
	}
	var out []config.Agent
	for _, addr := range a.agents {
		out = append(out, config.Agent{Address: addr, Certs: a.certs})
	}
	return out, nil
}

// grepAgents lets agents search their own files, merges what they find by event
// time, and says who was searched and how far back.
func (a *app) grepAgents(ctx context.Context, text string, agents []config.Agent, raw bool, limit int) error {
	asJSON, err := a.json()
	if err != nil {
		return err
	}
	if _, err := query.Parse(text); err != nil {
		return exitError{exitUsage, fmt.Errorf("%w (agents read no lists: write the values into the query)", err)}
	}
	q := remote.Question{Query: text, Matches: limit}
	if q.From, q.To, err = a.window(time.Now()); err != nil {
		return err
	}
	var peers []*remote.Peer
	for _, c := range agents {
		c.Filter = "" // what is streamed says nothing about what may be searched
		p, err := dialAgent(c)
		if err != nil {
			return err
		}
		peers = append(peers, p)
	}
	marks, err := a.distrusted()
	if err != nil {
		return err
	}
	found, sum, full := gather(ctx, peers, q)
	if err := errors.Join(a.printFound(found, raw, asJSON, marks), a.printAnswers(sum, asJSON, marks)); err != nil {
		return err
	}
	switch _, unreachable, failed := sum.Counts(); {
	case ctx.Err() != nil:
		return ctx.Err()
	case full:
		return errFull
	case unreachable+failed > 0:
		return exitError{exitFailed, nil} // the summary has said it
	case len(found) == 0:
		return exitError{exitFailed, nil}
	}
	return nil
}

// gather connects, asks, and returns what was found by time; full says that the
// bound on bytes ended it.
func gather(ctx context.Context, peers []*remote.Peer, q remote.Question) (found []remote.Found, sum remote.Summary, full bool) {
	on, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	for _, p := range peers {
		wg.Go(func() { _ = p.Run(on, func(sources.Opened) {}) }) // its only error is none
	}
	found, sum, full = collect(ctx, peers, q)
	cancel()
	wg.Wait()
	return found, sum, full
}

// collect is gather of agents that are connected.
func collect(ctx context.Context, peers []*remote.Peer, q remote.Question) (found []remote.Found, sum remote.Summary, full bool) {
	size := 0
	sum = remote.SearchAll(ctx, peers, q, func(f remote.Found) bool {
		found = append(found, f)
		size += len(f.Record.Raw)
		full = size > maxFound
		return !full
	}, nil)
	slices.SortStableFunc(found, func(x, y remote.Found) int {
		return cmp.Or(x.Time.Compare(y.Time), strings.Compare(x.Agent, y.Agent), cmp.Compare(x.Record.Ref.Offset, y.Record.Ref.Offset))
	})
	return found, sum, full
}

func (a *app) printFound(found []remote.Found, raw, asJSON bool, marks distrusts) error {
	out := newLineWriter(a.out, raw)
	for i := range found {
		if err := writeFound(out, &found[i], asJSON, marks); err != nil {
			return err
		}
	}
	return out.Flush()
}

func writeFound(out *lineWriter, f *remote.Found, asJSON bool, marks distrusts) error {
	if !asJSON {
		return out.line(f.Record.Raw)
	}
	g := newGrepped(f.Agent, f.Record.Ref.Source, f.Time, f.Record.Line, f.Record.Raw)
	g.Compromised = marks.of(f.Agent) != nil
	return writeJSON(out.Writer, g)
}

// printAnswers says on standard error who was searched, and as JSON also behind
// the records.
func (a *app) printAnswers(sum remote.Summary, asJSON bool, marks distrusts) error {
	w := bufio.NewWriter(a.err)
	if asJSON {
		b := bufio.NewWriter(a.out)
		if err := errors.Join(writeJSON(b, summaryOf(sum, marks)), b.Flush()); err != nil {
			return err
		}
	}
	say := func(format string, args ...any) {
		_, _ = fmt.Fprintf(w, "%s\n", event.EscapeString(fmt.Sprintf(format, args...))) // Flush tells of it
	}
	say("%s", sum)
	for i := range sum {
		s := &sum[i]
		if m := marks.of(s.Agent); m != nil {
			say("  %s: answers from a host marked compromised since %s by %s: %s", s.Agent, m.Since.UTC().Format(time.RFC3339), m.By, m.Reason)
		}
		switch {
		case s.Err != nil:
			say("  %s: %v", s.Agent, s.Err)
			continue
		case s.Oldest.IsZero():
			say("  %s: %d matches; it has no records with a time", s.Agent, s.Matches)
		default:
			say("  %s: %d matches; it can see back to %s", s.Agent, s.Matches, s.Oldest.UTC().Format(time.RFC3339))
		}
		if s.Stopped != "" {
			say("  %s: stopped by %s after %d of %d bytes", s.Agent, s.Stopped, s.Done, s.Total)
		}
		for _, p := range s.Problems {
			say("  %s: %s", s.Agent, p)
		}
	}
	return w.Flush()
}

func summaryOf(sum remote.Summary, marks distrusts) grepSummary {
	var out grepSummary
	s := &out.Summary
	s.Asked = len(sum)
	s.Searched, s.Unreachable, s.Failed = sum.Counts()
	for i := range sum {
		x := &sum[i]
		g := grepAgent{Agent: x.Agent, Done: x.Done, Total: x.Total, Matches: x.Matches, Stopped: x.Stopped, Problems: x.Problems, Compromised: marks.of(x.Agent)}
		if x.Err != nil {
			g.Error = x.Err.Error()
		}
		if !x.Oldest.IsZero() {
			at := x.Oldest.UTC()
			g.Oldest = &at
		}
		s.Agents = append(s.Agents, g)
	}
	return out
}
