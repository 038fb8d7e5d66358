package engine

import (
	"context"
	"os"

	"bartizan/sources"
	"bartizan/sources/parse"
)

// The bounds of a look at sources to learn what arrives.
const (
	sampleSources = 1000     // of more, these many evenly among them
	sampleBytes   = 16 << 20 // from the beginning of each
	sampleRecords = 100_000
)

// Sample is a look at sources: what arrives, and how much of it was read.
type Sample struct {
	Census  *Census
	Records uint64 // read
	Sources int    // read
	Cut     int    // of them read only in part
	Skipped int    // not read, because there were too many
}

// Look reads a bounded part of each source, one after the other, until ctx ends.
// failed is told about those that could not be read.
func Look(ctx context.Context, open []sources.Opened, reg *parse.Registry, failed func(sources.Info, error)) Sample {
	s := Sample{Census: NewCensus()}
	if n := len(open); n > sampleSources {
		var some []sources.Opened
		for i := range sampleSources {
			some = append(some, open[i*n/sampleSources])
		}
		open, s.Skipped = some, n-sampleSources
	}
	for _, op := range open {
		if ctx.Err() != nil {
			s.Skipped++
			continue
		}
		s.look(ctx, op, reg, failed)
	}
	return s
}

func (s *Sample) look(ctx context.Context, op sources.Opened, reg *parse.Registry, failed func(sources.Info, error)) {
	ctx, enough := context.WithCancel(ctx)
	defer enough()
	batches := make(chan sources.Batch, 1)
	var err error
	go func() {
		defer close(batches)
		err = op.Source.Run(ctx, "", batches)
	}()
	st := &stream{info: op.Info, parser: reg.Stream(op.Info)}
	k := &worker{census: s.Census}
	full := false
	for b := range batches {
		w := takeWork(b, st)
		w.replay = true // no rules
		if !full {
			k.do(w)
			full = st.bytes.Load() >= sampleBytes || st.records.Load() >= sampleRecords
		}
		w.release(nil)
		if full {
			enough()
		}
	}
	s.Records += st.records.Load()
	s.Sources++
	if full {
		s.Cut++
	} else if err != nil && ctx.Err() == nil {
		failed(op.Info, err)
	}
}

// Gaps says what does not arrive in what was looked at.
func (s *Sample) Gaps(needs *Needs) []Gap {
	own, err := os.Hostname()
	if err != nil {
		own = ""
	}
	gaps, _ := s.Census.Gaps(needs, own, 0)
	return gaps
}
