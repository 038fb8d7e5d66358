package event

// ServiceFalco is the service of what Falco says about system calls.
const ServiceFalco = "falco"

// Wider is the log source with the category that holds l's in Sigma's taxonomy, and
// whether there is one: rules for registry_event are about every registry_add,
// registry_set, registry_delete and registry_rename. Rules for Microsoft 365's audit
// log are about what Exchange and the compliance center write there, too. Rules for
// Falco are about all its alerts, also those routed as a process, a file or a connection.
func (l LogSource) Wider() (LogSource, bool) {
	if l.Product == "m365" && l.Service != "audit" {
		l.Service = "audit"
		return l, true
	}
	if l.Service == ServiceFalco {
		return LogSource{Product: "falco"}, true
	}
	switch l.Category {
	case "registry_add", "registry_set", "registry_delete", "registry_rename":
		l.Category = "registry_event"
		return l, true
	}
	return l, false
}
