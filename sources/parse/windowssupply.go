package parse

import (
	"slices"

	"bartizan/event"
)

// windowsSupplies are the log sources a Windows event can come from. The fields of
// an event are its provider's, so any name may be there.
func windowsSupplies(f *Format) []Supply {
	var out []Supply
	for _, l := range windowsSources() {
		s := supplyOf(f)
		s.Names, s.LogSource, s.Any = sorted(s.Names), l, true
		out = append(out, s)
	}
	return out
}

func windowsSources() []event.LogSource {
	var services []string
	for _, s := range winServices {
		services = append(services, s)
	}
	slices.Sort(services)
	out := []event.LogSource{logWindows}
	for _, s := range slices.Compact(services) {
		out = append(out, event.LogSource{Product: "windows", Service: s})
		for _, c := range winCategories(s) {
			out = append(out, event.LogSource{Product: "windows", Category: c, Service: s})
			if s == "sysmon" {
				out = append(out, event.LogSource{Product: "linux", Category: c, Service: s})
			}
		}
	}
	return out
}

// ciscoSupplies are the services a network device's message can be of.
func ciscoSupplies(f *Format) []Supply {
	var out []Supply
	for _, service := range []string{"aaa", "bgp", "ldp", "syslog"} {
		s := supplyOf(f)
		s.Names, s.LogSource.Service = sorted(s.Names), service
		out = append(out, s)
	}
	return out
}
