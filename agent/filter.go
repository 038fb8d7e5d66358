package agent

import (
	"bartizan/event"
	"bartizan/query"
	"bartizan/sources"
	"bartizan/sources/parse"
)

// filter decides at the agent what a console wants to see. nil keeps everything.
type filter struct {
	match  *query.Matcher
	stream *parse.Stream
	slab   parse.Slab
	event  event.Event
}

// newFilter compiles text; "" is no filter. Lists (in @file) are refused: a
// console must not make the agent read files.
func newFilter(text string, registry *parse.Registry, info sources.Info) (*filter, error) {
	if text == "" {
		return nil, nil
	}
	node, err := query.Parse(text)
	if err != nil {
		return nil, err
	}
	match, err := query.Compile(node)
	if err != nil {
		return nil, err
	}
	return &filter{match: match, stream: registry.Stream(info)}, nil
}

// keep says whether the record is wanted. Records that stand for losses always are.
func (f *filter) keep(r *sources.Record) bool {
	if f == nil || r.Lost > 0 {
		return true
	}
	f.slab.Reset()
	f.stream.Parse(r, &f.slab, &f.event)
	return f.match.Match(&f.event)
}
