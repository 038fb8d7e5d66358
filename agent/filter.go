package agent

import (
	"fmt"
	"strings"

	"bartizan/event"
	"bartizan/query"
	"bartizan/sources"
	"bartizan/sources/parse"
)

// filter decides at the agent what a console wants to see. nil keeps everything.
type filter struct {
	match  *query.Matcher // nil: nothing is asked for
	edge   *edge          // nil: no rules decide
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
	match, err := compileQuery(text)
	if err != nil {
		return nil, err
	}
	return &filter{match: match, stream: registry.Stream(info)}, nil
}

// compileQuery reads what a console asks for.
func compileQuery(text string) (*query.Matcher, error) {
	node, err := query.Parse(text)
	if err != nil {
		return nil, err
	}
	if names := query.Enriched(node); len(names) > 0 {
		return nil, fmt.Errorf("an agent does not know %s: that comes from tables and files where the console runs; leave it out and ask there", strings.Join(names, ", "))
	}
	return query.Compile(node)
}

// keep says whether the record is wanted. Records that stand for losses always are.
func (f *filter) keep(r *sources.Record) bool {
	if f == nil || r.Lost > 0 {
		return true
	}
	f.slab.Reset()
	f.stream.Parse(r, &f.slab, &f.event)
	if f.edge != nil && f.edge.keep(&f.event) {
		return true
	}
	return f.match != nil && f.match.Match(&f.event)
}
