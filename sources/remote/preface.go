package remote

import (
	"context"
	"time"

	"bartizan/agent/agentpb"
	"bartizan/event"
	"bartizan/sources"
)

// The bounds on the beginning of a file that is read from further on.
const (
	prefaceBytes  = 16 << 10
	prefaceLines  = 16 // more than name columns
	prefaceWithin = 10 * time.Second
)

// Preface returns how the stream's file begins, at most 16 KiB of whole lines, when
// it is read from further on than that: columns may be named there. It waits for the
// connection, then at most 10 s; nil when there is nothing to be had. Call it before
// Run.
func (s *stream) Preface(ctx context.Context, from sources.Position) []byte {
	tail := s.peer.cfg.Tail
	if s.first.file == (event.FileID{}) || from == "" && (tail < 0 || s.first.size <= tail) {
		return nil
	}
	session, err := s.peer.connected(ctx, nil)
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, prefaceWithin)
	defer cancel()
	stop := context.AfterFunc(session.ended, cancel)
	defer stop()
	call, err := session.client.Read(ctx)
	if err != nil {
		return nil
	}
	if call.Send(&agentpb.ReadRequest{Kind: &agentpb.ReadRequest_Open{Open: &agentpb.Open{Stream: s.id}}}) != nil {
		return nil
	}
	var head []byte
	expect, lines := agentpb.Expect(s.id), 0
	for len(head) < prefaceBytes {
		in := agentpb.NewIncoming()
		if call.RecvMsg(in) != nil {
			return head
		}
		records, err := expect.Records(in, s.info.ID, s.peer.cfg.Now())
		if err != nil {
			return nil // Run will find out and say so
		}
		lines += len(records)
		for i := range records {
			if r := &records[i]; r.Lost == 0 && len(head)+len(r.Raw) < prefaceBytes {
				head = append(append(head, r.Raw...), '\n')
			}
		}
		in.Release()
		if lines >= prefaceLines || int64(len(head)) >= s.first.size {
			break
		}
	}
	return head
}
