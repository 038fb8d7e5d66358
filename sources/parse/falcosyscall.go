package parse

import (
	"slices"
	"strings"

	"bartizan/event"
)

// What Falco's alerts about system calls say in the names of Sigma's Linux log
// sources, so that rules for processes, files and connections read them too. An alert
// tells what Falco's own rule saw; it is no record of every process.

var (
	logFalcoProcess = event.LogSource{Product: "linux", Category: "process_creation", Service: event.ServiceFalco}
	logFalcoFile    = event.LogSource{Product: "linux", Category: "file_event", Service: event.ServiceFalco}
	logFalcoNet     = event.LogSource{Product: "linux", Category: "network_connection", Service: event.ServiceFalco}
)

// falcoActivity is one kind of activity: the calls that are it and the names it has.
type falcoActivity struct {
	log   event.LogSource
	calls []string
	names []pair
}

// falcoActor are the names of who did it, in the alert's fields and in the text form.
var falcoActor = []pair{
	{sigImage, known("output_fields.proc.exepath")},
	{sigImage, known("proc_exepath")},
	{winUser, known("output_fields.user.name")},
	{winUser, fUser},
	{winPID, known("output_fields.proc.pid")},
	{winCwd, known("output_fields.proc.cwd")},
	{winParentPID, known("output_fields.proc.ppid")},
	{winParentImage, known("output_fields.proc.pexepath")},
	{winParentCmd, known("output_fields.proc.pcmdline")},
	{winParentCmd, known("pcmdline")},
}

var falcoActivities = []falcoActivity{
	{logFalcoProcess, []string{"execve", "execveat"}, []pair{
		{sigCommand, known("output_fields.proc.cmdline")},
		{sigCommand, fCommand},
		{sigCommand, known("cmdline")},
	}},
	{logFalcoFile, []string{"creat", "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"}, []pair{
		{winFile, flFD},
		{winFile, known("output_fields.fs.path.name")},
		{winFile, known("output_fields.fs.path.target")},
		{winFile, known("file")},
	}},
	{logFalcoNet, []string{"connect", "sendto", "sendmsg"}, []pair{
		{winDstIP, known("output_fields.fd.rip")},
		{winDstIP, known("output_fields.fd.sip")},
		{winDstPort, known("output_fields.fd.rport")},
		{winDstPort, known("output_fields.fd.sport")},
		{known("DestinationHostname"), known("output_fields.fd.sip.name")},
		{winSrcIP, known("output_fields.fd.cip")},
		{winSrcPort, known("output_fields.fd.cport")},
		{sigProtocol, known("output_fields.fd.l4proto")},
	}},
}

var (
	flCall     = known("output_fields.evt.type")
	flCallText = known("evt_type")
	flWrites   = known("output_fields.evt.is_open_write")
)

// falcoCall routes an alert about a system call by what was called. A file opened is
// one changed only where the alert says that it was opened to be written.
func (p *pass) falcoCall() {
	call := p.value(flCall)
	if call == "" {
		call = p.value(flCallText)
	}
	if call == "" || p.has(flSource) != nil && p.value(flSource) != "syscall" {
		return
	}
	if strings.HasPrefix(call, "open") && p.value(flWrites) == "true" {
		call = "creat"
	}
	for i := range falcoActivities {
		a := &falcoActivities[i]
		if slices.Contains(a.calls, call) {
			p.e.LogSource = a.log
			p.aliases(a.names)
			p.aliases(falcoActor)
			return
		}
	}
}

// falcoNames are all names of all activities.
func falcoNames() []pair {
	out := slices.Clone(falcoActor)
	for i := range falcoActivities {
		out = append(out, falcoActivities[i].names...)
	}
	return out
}

// falcoSources are the log sources of Falco's records.
func falcoSources() []event.LogSource {
	return []event.LogSource{logFalco, logFalcoProcess, logFalcoFile, logFalcoNet}
}
