package parse

// Supplies lists what the built-in formats supply, and behind them what a person's own
// formats do: the groups of their expressions and the second names of those.
func (r *Registry) Supplies() []Supply {
	out := Supplies()
	for i := range r.opt.User {
		f := &r.opt.User[i]
		s := Supply{Format: f.Name, LogSource: f.LogSource, Names: []string{ecsHost.text}}
		for _, n := range f.Fields {
			if n != "" {
				s.Names = append(s.Names, n)
			}
		}
		for _, a := range f.Aliases {
			s.Names = append(s.Names, a.Name)
		}
		s.Names = sorted(s.Names)
		out = append(out, s)
	}
	return out
}
