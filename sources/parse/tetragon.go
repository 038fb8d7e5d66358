package parse

import (
	"strings"

	"bartizan/event"
)

// Tetragon's events as its exporter writes them (tetragon.proto, GetEventsResponse):
// one object whose first member says what happened.

// tetragonEvent is one kind of event: the names below its member.
type tetragonEvent struct {
	member  name
	kind    string
	process name // its binary
	aliases []pair
}

var (
	tgTime     = known("time")
	tgFunction = known("process_kprobe.function_name")
	tgPolicy   = known("process_kprobe.policy_name")
	tgKprobe   = "process_kprobe"
	tgDaddr    = known("process_kprobe.args.sock_arg.daddr")
	tgPath     = known("process_kprobe.args.file_arg.path")
	tgPathArg  = known("process_kprobe.args.path_arg.path")
	tgMask     = known("process_kprobe.args.int_arg")
)

// The names of Sigma's process_creation, file_event and network_connection.
var (
	sigImage     = winImage
	sigCommand   = winCommand
	sigProtocol  = known("Protocol")
	sigInitiated = known("Initiated")

	ecsParentCommand = known("process.parent.command_line")
)

var tetragonEvents = []tetragonEvent{
	tetragonOf("process_exec", "exec"), tetragonOf("process_exit", "exit"), tetragonOf("process_kprobe", "kprobe"),
	tetragonOf("process_tracepoint", "tracepoint"), tetragonOf("process_loader", "loader"), tetragonOf("process_uprobe", "uprobe"),
	tetragonOf("process_lsm", "lsm"),
}

func tetragonOf(member, kind string) tetragonEvent {
	at := func(s string) name { return known(member + "." + s) }
	return tetragonEvent{known(member), kind, at("process.binary"), []pair{
		{sigImage, at("process.binary")},
		{winPID, at("process.pid")},
		{winCwd, at("process.cwd")},
		{winParentImage, at("parent.binary")},
		{winParentPID, at("parent.pid")},
		{ecsExecutable, at("process.binary")},
		{ecsPID, at("process.pid")},
		{ecsParentPID, at("parent.pid")},
		{known("process.parent.executable"), at("parent.binary")},
		{ecsCwd, at("process.cwd")},
		{ecsUserID, at("process.auid")},
		{ecsUserID, at("process.uid")},
		{ecsContainer, at("process.pod.container.id")},
		{ecsContainer, at("process.docker")},
		{ecsContName, at("process.pod.container.name")},
		{ecsImage, at("process.pod.container.image.name")},
		{ecsNamespace, at("process.pod.namespace")},
		{ecsResource, at("process.pod.name")},
		{ecsHost, known("node_name")},
		{ecsRule, at("policy_name")},
		{ecsSession, at("process.exec_id")},
	}}
}

// tetragonArgs are what a probe's arguments say about a socket or a file.
var tetragonArgs = []pair{
	{ecsSrcIP, known("process_kprobe.args.sock_arg.saddr")},
	{ecsSrcPort, known("process_kprobe.args.sock_arg.sport")},
	{ecsDstIP, tgDaddr},
	{ecsDstPort, known("process_kprobe.args.sock_arg.dport")},
	{winSrcIP, known("process_kprobe.args.sock_arg.saddr")},
	{winSrcPort, known("process_kprobe.args.sock_arg.sport")},
	{winDstIP, tgDaddr},
	{winDstPort, known("process_kprobe.args.sock_arg.dport")},
	{ecsFile, tgPath},
	{ecsFile, tgPathArg},
}

var (
	logTetragon     = event.LogSource{Product: "linux", Category: "process_creation", Service: "tetragon"}
	logTetragonFile = event.LogSource{Product: "linux", Category: "file_event", Service: "tetragon"}
	logTetragonNet  = event.LogSource{Product: "linux", Category: "network_connection", Service: "tetragon"}
	logTetragonAny  = event.LogSource{Product: "linux", Service: "tetragon"}
)

func isTetragon(p *pass) bool {
	return p.has(tgTime) != nil && tetragonKind(p) != nil
}

func tetragonKind(p *pass) *tetragonEvent {
	for i := range tetragonEvents {
		if e := &tetragonEvents[i]; p.has(e.member) != nil && p.has(e.process) != nil {
			return e
		}
	}
	return nil
}

func readTetragon(p *pass) {
	t := tetragonKind(p)
	if t == nil {
		readGeneric(p)
		return
	}
	p.endNative()
	p.timeValue(p.has(tgTime).Value)
	p.e.Level, p.e.LogSource = event.LevelInfo, logTetragonAny
	member := t.member.text
	p.tetragonCommand(sigCommand, ecsCommand, member, "process")
	p.tetragonCommand(winParentCmd, ecsParentCommand, member, "parent")
	p.aliases(t.aliases)
	p.baseName(ecsProcess, t.process)
	p.baseName(ecsParentName, winParentImage)
	p.aliasWord(ecsAction, t.kind)
	about := ""
	switch {
	case t.kind == "exec":
		p.e.LogSource = logTetragon
	case member == tgKprobe:
		p.tetragonProbe()
		about = p.value(tgFunction)
		if p.has(tgPolicy) != nil {
			p.e.Level = event.LevelNotice
		}
	}
	if p.has(ecsResource) != nil {
		p.aliasWord(ecsResType, "pods")
	}
	p.e.Message = p.compose(t.kind, about, p.value(sigCommand), p.value(ecsDstIP), p.value(ecsFile))
}

// tetragonProbe tells a connection and a written file among the probed functions.
func (p *pass) tetragonProbe() {
	p.aliases(tetragonArgs)
	fn := p.value(tgFunction)
	switch {
	case strings.HasPrefix(fn, "tcp_connect"):
		p.e.LogSource = logTetragonNet
		p.aliasWord(ecsTransport, "tcp")
		p.aliasWord(sigProtocol, "tcp")
		p.aliasWord(sigInitiated, "true")
	case fn == "security_file_permission" && p.value(tgMask) != "2", strings.Contains(fn, "read"):
	case strings.HasPrefix(fn, "security_file_") || strings.HasPrefix(fn, "security_path_") || strings.HasPrefix(fn, "security_inode_") || strings.HasSuffix(fn, "sys_write"):
		if p.has(ecsFile) != nil {
			p.e.LogSource = logTetragonFile
			p.alias(winFile, ecsFile)
		}
	}
}

// tetragonCommand writes a binary and its arguments as one command line.
func (p *pass) tetragonCommand(sigma, flat name, member, who string) {
	for i := range tetragonLines {
		l := &tetragonLines[i]
		if l.member != member || l.who != who {
			continue
		}
		if binary := p.value(l.binary); binary != "" {
			line := p.compose(binary, p.value(l.arguments))
			p.aliasWord(sigma, line)
			p.aliasWord(flat, line)
		}
	}
}

// tetragonLines are the places of a process's and its parent's command line.
var tetragonLines = func() (out []struct {
	member, who       string
	binary, arguments name
},
) {
	for i := range tetragonEvents {
		for _, who := range []string{"process", "parent"} {
			m := tetragonEvents[i].member.text
			out = append(out, struct {
				member, who       string
				binary, arguments name
			}{m, who, known(m + "." + who + ".binary"), known(m + "." + who + ".arguments")})
		}
	}
	return out
}()
