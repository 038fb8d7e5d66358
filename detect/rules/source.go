package rules

// Source returns the text of one of the pack's files by the name Load gives it,
// "topic/name.yml"; ok is false when there is none of that name.
func Source(name string) (text []byte, ok bool) {
	text, err := files.ReadFile(name)
	return text, err == nil
}
