package session

// Names is how many short names of hosts are known.
func (x *Index) Names() int { return len(x.names) }
