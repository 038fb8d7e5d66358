package query

// Matcher is a compiled predicate tree.
type Matcher struct{}
