package remote

import (
	"fmt"
	"unicode"
	"unicode/utf8"

	"bartizan/agent/agentpb"
	"bartizan/event"
	"bartizan/sources"
)

// listed takes in the agent's list and returns the streams never seen before.
// A stream's id becomes part of a source id and of screens, so an agent whose ids
// are not plain text is not believed at all.
func (p *Peer) listed(list *agentpb.ListStreamsReply, st *agentpb.StatusReply) ([]sources.Opened, error) {
	if n := len(list.GetStreams()); n > agentpb.MaxStreams {
		return nil, fmt.Errorf("the agent lists %d streams where %d are allowed: narrow its globs", n, agentpb.MaxStreams)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := map[string]*agentpb.Stream{}
	var fresh []sources.Opened
	for _, d := range list.GetStreams() {
		if err := checkID(d.GetId()); err != nil {
			return nil, err
		}
		if now[d.GetId()] != nil {
			return nil, fmt.Errorf("the agent lists the stream %.80q twice", d.GetId())
		}
		now[d.GetId()] = d
		if p.streams[d.GetId()] == nil {
			s, err := p.add(d)
			if err != nil {
				return nil, err
			}
			if d.GetRefused() == "" {
				fresh = append(fresh, s.announce())
			}
		} else if s := p.streams[d.GetId()]; !s.announced && d.GetRefused() == "" {
			fresh = append(fresh, s.announce())
		}
	}
	for id, s := range p.streams {
		s.listed(now[id])
	}
	p.state.attended(p.cfg.Now(), st)
	return fresh, nil
}

// add makes the stream; streams are never forgotten, so an agent that invents
// new ones for ever is dropped.
func (p *Peer) add(d *agentpb.Stream) (*stream, error) {
	if len(p.order) >= 2*agentpb.MaxStreams {
		return nil, fmt.Errorf("the agent has shown more than %d streams by now: narrow its globs and restart the console", 2*agentpb.MaxStreams)
	}
	s := &stream{peer: p, id: d.GetId(), info: p.info(d)}
	s.first = listedFile{event.FileID{Dev: d.GetDevice(), Ino: d.GetInode()}, d.GetSize()}
	p.streams[s.id] = s
	p.order = append(p.order, s)
	return s, nil
}

// listedFile is the file of a stream as it was listed first.
type listedFile struct {
	file event.FileID
	size int64 // bytes, -1 unknown
}

func (p *Peer) info(d *agentpb.Stream) sources.Info {
	name := p.state.name
	return sources.Info{
		ID:   p.sourceID(name, d.GetId()),
		Kind: "agent", Name: name + "/" + d.GetId(), Host: name,
		Format: text(d.GetFormat()), Live: d.GetLive(),
	}
}

// sourceID names a stream of an agent for ever.
func (p *Peer) sourceID(agent, stream string) event.SourceID {
	return event.SourceID(p.cfg.Scheme + ":" + agent + "/" + stream)
}

func checkID(id string) error {
	if id == "" || len(id) > agentpb.MaxID || !utf8.ValidString(id) {
		return fmt.Errorf("the agent names a stream %.80q, which is no usable id", id)
	}
	for _, r := range id {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("the agent names a stream %.80q, with characters that do not print", id)
		}
	}
	return nil
}

func checkFilter(text string) error {
	if len(text) > agentpb.MaxFilter {
		return fmt.Errorf("the filter has %d bytes, an agent takes %d: make it shorter", len(text), agentpb.MaxFilter)
	}
	return nil
}

// text bounds words from the agent; making them visible is the screen's job.
func text(s string) string {
	if len(s) > agentpb.MaxText {
		s = s[:agentpb.MaxText]
	}
	return s
}
