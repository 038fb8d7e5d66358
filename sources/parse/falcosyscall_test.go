package parse

import (
	"fmt"
	"testing"

	"bartizan/event"
	"bartizan/sources"
)

// falcoCalls are alerts about system calls, in the names of Sigma's Linux log sources.
var falcoCalls = []formatCase{
	{
		falcoAlert("syscall", `"evt.type":"execve","proc.exepath":"/usr/bin/curl","proc.cmdline":"curl -k x","proc.name":"curl","user.name":"www-data","proc.pexepath":"/bin/dash","proc.pcmdline":"sh -c x","proc.pid":71,"proc.cwd":"/tmp"`),
		"falco", "notice", "2026-11-03T09:14:02Z",
		"Image=/usr/bin/curl | CommandLine=curl -k x | User=www-data | ParentImage=/bin/dash | ParentCommandLine=sh -c x | ProcessId=71 | CurrentDirectory=/tmp | process.name=curl",
	},
	{
		falcoAlert("syscall", `"evt.type":"openat","evt.is_open_write":true,"fd.name":"/etc/cron.d/x","proc.exepath":"/usr/bin/tee"`),
		"falco", "notice", "2026-11-03T09:14:02Z", "TargetFilename=/etc/cron.d/x | Image=/usr/bin/tee | !CommandLine",
	},
	{falcoAlert("syscall", `"evt.type":"openat","fd.name":"/etc/shadow"`), "falco", "notice", "2026-11-03T09:14:02Z", "!TargetFilename | file.path=/etc/shadow"},
	{
		falcoAlert("syscall", `"evt.type":"connect","fd.sip":"203.0.113.9","fd.sport":4444,"fd.cip":"10.1.2.3","fd.l4proto":"tcp","proc.exepath":"/usr/bin/nc"`),
		"falco", "notice", "2026-11-03T09:14:02Z", "DestinationIp=203.0.113.9 | DestinationPort=4444 | SourceIp=10.1.2.3 | Protocol=tcp | Image=/usr/bin/nc",
	},
	{falcoAlert("k8s_audit", `"evt.type":"execve","proc.exepath":"/x"`), "falco", "notice", "2026-11-03T09:14:02Z", "!Image"},
	{
		"09:14:02.123456789: Warning Shell (evt_type=execve user=root process=sh proc_exepath=/bin/dash parent=nginx command=sh -c id)\n",
		"falco", "warning", "", "Image=/bin/dash | User=root | CommandLine=sh -c id",
	},
}

func falcoAlert(source, fields string) string {
	return fmt.Sprintf(`{"output":"x","priority":"Notice","rule":"R","source":%q,"time":"2026-11-03T09:14:02Z","output_fields":{%s}}`, source, fields)
}

// TestFalcoRoutes sends alerts to the rules that can read them.
func TestFalcoRoutes(t *testing.T) {
	for i, want := range []event.LogSource{logFalcoProcess, logFalcoFile, logFalco, logFalcoNet, logFalco, logFalcoProcess} {
		var slab Slab
		var e event.Event
		NewRegistry(Options{}).Stream(sources.Info{}).Parse(&sources.Record{Raw: []byte(falcoCalls[i].raw)}, &slab, &e)
		if e.LogSource != want {
			t.Errorf("%s is routed as %+v, not %+v", falcoCalls[i].raw, e.LogSource, want)
		}
	}
}
