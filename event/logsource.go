package event

// Wider is the log source with the category that holds l's in Sigma's taxonomy, and
// whether there is one: rules for registry_event are about every registry_add,
// registry_set, registry_delete and registry_rename.
func (l LogSource) Wider() (LogSource, bool) {
	switch l.Category {
	case "registry_add", "registry_set", "registry_delete", "registry_rename":
		l.Category = "registry_event"
		return l, true
	}
	return l, false
}
