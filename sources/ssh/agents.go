package ssh

import "bartizan/sources/remote"

// Agents returns the agent over there, which can be asked to search its files. On
// a host without one every search says so at once.
func (h *Host) Agents() []*remote.Peer { return []*remote.Peer{h.peer} }
