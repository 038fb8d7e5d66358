package parse

import (
	"slices"
	"strings"

	"bartizan/event"
)

// logWindows is the part of the log source that all Windows events share.
var logWindows = event.LogSource{Product: "windows"}

// winServices are Sigma's services by event log channel, in lower case (the
// taxonomy appendix of the Sigma specification, and the services that SigmaHQ's
// rules use).
var winServices = map[string]string{
	"security": "security", "system": "system", "application": "application",
	"windows powershell":                             "powershell-classic",
	"microsoft-windows-powershell/operational":       "powershell",
	"powershellcore/operational":                     "powershell",
	"microsoft-windows-sysmon/operational":           "sysmon",
	"linux-sysmon/operational":                       "sysmon",
	"microsoft-windows-taskscheduler/operational":    "taskscheduler",
	"microsoft-windows-wmi-activity/operational":     "wmi",
	"microsoft-windows-windows defender/operational": "windefend",
	"microsoft-windows-ntlm/operational":             "ntlm",
	"microsoft-windows-bits-client/operational":      "bits-client",
	"dns server":                                                               "dns-server",
	"microsoft-windows-dns-server/audit":                                       "dns-server-audit",
	"microsoft-windows-dnsserver/audit":                                        "dns-server-audit",
	"microsoft-windows-dns-server/analytical":                                  "dns-server-analytic",
	"microsoft-windows-dnsserver/analytical":                                   "dns-server-analytic",
	"microsoft-windows-dns client events/operational":                          "dns-client",
	"msexchange management":                                                    "msexchange-management",
	"microsoft-windows-windows firewall with advanced security/firewall":       "firewall-as",
	"microsoft-windows-applocker/exe and dll":                                  "applocker",
	"microsoft-windows-applocker/msi and script":                               "applocker",
	"microsoft-windows-applocker/packaged app-deployment":                      "applocker",
	"microsoft-windows-applocker/packaged app-execution":                       "applocker",
	"microsoft-windows-codeintegrity/operational":                              "codeintegrity-operational",
	"microsoft-windows-smbclient/security":                                     "smbclient-security",
	"microsoft-windows-smbclient/connectivity":                                 "smbclient-connectivity",
	"microsoft-windows-smbserver/connectivity":                                 "smbserver-connectivity",
	"microsoft-windows-printservice/admin":                                     "printservice-admin",
	"microsoft-windows-printservice/operational":                               "printservice-operational",
	"microsoft-windows-terminalservices-localsessionmanager/operational":       "terminalservices-localsessionmanager",
	"microsoft-windows-driverframeworks-usermode/operational":                  "driver-framework",
	"microsoft-windows-ldap-client/debug":                                      "ldap",
	"openssh/operational":                                                      "openssh",
	"microsoft-servicebus-client/admin":                                        "microsoft-servicebus-client",
	"microsoft-servicebus-client/operational":                                  "microsoft-servicebus-client",
	"microsoft-servicebus-client":                                              "microsoft-servicebus-client",
	"microsoft-windows-capi2/operational":                                      "capi2",
	"microsoft-windows-certificateservicesclient-lifecycle-system/operational": "certificateservicesclient-lifecycle-system",
	"microsoft-windows-shell-core/operational":                                 "shell-core",
	"microsoft-windows-security-mitigations/kernelmode":                        "security-mitigations",
	"microsoft-windows-security-mitigations/usermode":                          "security-mitigations",
	"microsoft-windows-security-mitigations/kernel mode":                       "security-mitigations",
	"microsoft-windows-security-mitigations/user mode":                         "security-mitigations",
	"microsoft-windows-diagnosis-scripted/operational":                         "diagnosis-scripted",
	"microsoft-windows-appxdeploymentserver/operational":                       "appxdeployment-server",
	"microsoft-windows-appxdeployment-server/operational":                      "appxdeployment-server",
	"microsoft-windows-appxpackaging/operational":                              "appxpackaging-om",
	"microsoft-windows-appmodel-runtime/admin":                                 "appmodel-runtime",
	"microsoft-iis-configuration/operational":                                  "iis-configuration",
	"microsoft-windows-vhdmp/operational":                                      "vhdmp",
	"microsoft-windows-lsa/operational":                                        "lsa-server",
	"microsoft-windows-kernel-shimengine/operational":                          "kernel-shimengine",
	"microsoft-windows-kernel-file/analytic":                                   "kernel-file",
	"microsoft-windows-sense/operational":                                      "sense",
}

// winProviders are the services of providers, for records that name no channel.
var winProviders = map[string]string{
	"microsoft-windows-sysmon":            "sysmon",
	"microsoft-windows-security-auditing": "security",
	"microsoft-windows-eventlog":          "system",
	"service control manager":             "system",
	"microsoft-windows-powershell":        "powershell",
	"powershell":                          "powershell-classic",
	"microsoft-windows-windows defender":  "windefend",
	"microsoft-windows-taskscheduler":     "taskscheduler",
	"microsoft-windows-wmi-activity":      "wmi",
	"microsoft-windows-kernel-file":       "kernel-file",
}

// winService is Sigma's service for a channel, else for a provider; "" for others,
// which meet the rules for any Windows event.
func winService(channel, provider string) string {
	if s := foldedLookup(winServices, channel); s != "" || channel != "" {
		return s
	}
	return foldedLookup(winProviders, provider)
}

func foldedLookup(in map[string]string, s string) string {
	var buf [96]byte
	if len(s) > len(buf) {
		return ""
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c-'A' < 26 {
			c += 'a' - 'A'
		}
		buf[i] = c
	}
	return in[string(buf[:len(s)])]
}

// sysmonCategories are Sigma's categories by Sysmon's event id.
var sysmonCategories = [...]string{
	1: "process_creation", 2: "file_change", 3: "network_connection", 4: "sysmon_status", 5: "process_termination",
	6: "driver_load", 7: "image_load", 8: "create_remote_thread", 9: "raw_access_thread", 10: "process_access",
	11: "file_event", 12: "registry_add", 13: "registry_set", 14: "registry_rename", 15: "create_stream_hash",
	16: "sysmon_status", 17: "pipe_created", 18: "pipe_created", 19: "wmi_event", 20: "wmi_event", 21: "wmi_event",
	22: "dns_query", 23: "file_delete", 24: "clipboard_capture", 25: "process_tampering", 26: "file_delete",
	27: "file_block_executable", 28: "file_block_shredding", 29: "file_executable_detected",
}

// winCategoryOf are the categories of other services by event id.
var winCategoryOf = map[string]map[int]string{
	"security": {
		4688: "process_creation", 4689: "process_termination", 4657: "registry_set", 4663: "file_access", 5156: "network_connection",
	},
	"kernel-file":        {12: "file_access", 19: "file_rename", 27: "file_rename", 29: "file_rename"},
	"powershell":         {4103: "ps_module", 4104: "ps_script"},
	"powershell-classic": {400: "ps_classic_start", 600: "ps_classic_provider_start", 800: "ps_classic_script"},
}

// winCategory is Sigma's category for an event, "" where rules go by service alone.
func (p *pass) winCategory(service string, id int) string {
	if service != "sysmon" {
		return winCategoryOf[service][id]
	}
	switch {
	case id == 255:
		return "sysmon_error"
	case id == 12 && strings.HasPrefix(p.value(winEventType), "Delete"):
		return "registry_delete"
	case id >= 0 && id < len(sysmonCategories):
		return sysmonCategories[id]
	}
	return ""
}

// winCategories are all categories of a service, sorted.
func winCategories(service string) []string {
	var out []string
	if service == "sysmon" {
		out = append(append(out, sysmonCategories[1:]...), "sysmon_error", "registry_delete")
	}
	for _, c := range winCategoryOf[service] {
		out = append(out, c)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
