// Package agentpb is the wire between agents and consoles: the messages and the
// gRPC service of agent.proto, how records become a batch and a batch records
// again, and the bounds both sides hold each other to. It neither blocks nor
// loses anything; a batch that breaks a bound is refused as a whole.
package agentpb

import "time"

//go:generate go run ./gen -dir . -tools ../../tools/go.mod

// The protocol versions this program speaks; see the list in agent.proto.
const (
	Protocol    = 1
	ProtocolMin = 1
)

// What one side accepts from the other. A peer beyond a bound is dropped.
const (
	MaxMessage    = 4 << 20         // bytes of one message received
	MaxBlob       = 1<<20 + 512<<10 // bytes of records in one batch: two full batches, the last record as long as one may be
	MaxBatch      = 1024            // records in one batch
	MaxHeaders    = 16 << 10        // bytes of headers
	MaxConcurrent = 4096 + 64       // calls open at once on one connection
	MaxStreams    = 4096            // streams of one agent
	MaxID         = 512             // bytes of a stream's id
	MaxCursor     = 16 << 10        // bytes of a cursor
	MaxFilter     = 16 << 10        // bytes of a filter
	MaxText       = 512             // bytes of any other text
	MaxWait       = time.Minute     // how long a Status may wait

	MaxSearchMatches = 100_000  // records that one search finds
	MaxSearchBytes   = 64 << 20 // bytes of them, beyond which it ends with the next one
	MaxSearchSeconds = 600      // how long one search may take
	MaxProblems      = 16       // files that one search says it could not read
)

// How both sides find out that the other is gone.
const (
	PingEvery   = 30 * time.Second
	PingTimeout = 10 * time.Second
	PingLeast   = 15 * time.Second // more often than this is refused
)
