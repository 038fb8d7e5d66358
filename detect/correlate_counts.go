package detect

// StatesOf is how many groups are remembered of each rule that counts, by its id.
func (c *Correlator) StatesOf() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]int{}
	for _, el := range c.states {
		out[el.Value.(*group).of.rule.ID]++
	}
	return out
}
