package main

import (
	"math/rand/v2"
	"time"

	"bartizan/engine"
)

// A fleet of so many agents is dialled over a time that grows with it: each
// handshake costs a console about a millisecond.
const (
	fleetFrom = 16
	perAgent  = 5 * time.Millisecond
)

// stagger spreads the first connections of a fleet; later ones are spread by
// their pauses.
func stagger(peers []engine.Peer) {
	if len(peers) < fleetFrom {
		return
	}
	for _, p := range peers {
		if p, ok := p.(interface {
			Stagger(within time.Duration, random func() float64)
		}); ok {
			p.Stagger(time.Duration(len(peers))*perAgent, rand.Float64)
		}
	}
}
