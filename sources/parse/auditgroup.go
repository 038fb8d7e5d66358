package parse

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"

	"bartizan/event"
)

// The names that the records of one audit event have together, in Sigma's words.
var (
	auTargetFile = known("TargetFilename")
	auSaddr      = known("saddr")
	auSyscall    = known("syscall")
	auSyscallSaw = known("SYSCALL")
	auArch       = known("arch")
	auExe        = known("exe")
	auPPID       = known("ppid")
	auCwd        = known("cwd")
	auUser       = known("UID")
	auLogin      = known("AUID")
	auFamily     = known("saddr_fam")
)

// auditRegisters are what the registers of a system call are named where the
// arguments of a started program have their names.
var auditRegisters = map[string]string{"a0": "syscall.a0", "a1": "syscall.a1", "a2": "syscall.a2", "a3": "syscall.a3"}

var auditGroupAliases = []pair{
	{ecsExecutable, auExe},
	{winImage, auExe},
	{winPID, fPID},
	{winParentPID, auPPID},
	{winCwd, auCwd},
	{winUser, auUser},
	{winUser, auLogin},
}

var (
	logAuditExec = event.LogSource{Product: "linux", Category: "process_creation", Service: "auditd"}
	logAuditFile = event.LogSource{Product: "linux", Category: "file_event", Service: "auditd"}
	logAuditNet  = event.LogSource{Product: "linux", Category: "network_connection", Service: "auditd"}
)

// auditEvent is what the records of one event say together.
type auditEvent struct {
	exec, warns bool
	path        event.Value // of the file it is about
	made        bool        // it was created
	best        int
}

// auditLines reads the records of one event, one on each line, as a source joins
// them. Fields keep their names; one that several records have is there several
// times, in their order. Only the registers of a system call that started a
// program are renamed, because a0 and so on are the arguments of that.
func (p *pass) auditLines(b []byte) bool {
	ev := auditEvent{exec: strings.Contains(str(b), "type=EXECVE ")}
	for i := 0; i < len(b); {
		end := find(b, i, '\n')
		if end < 0 {
			end = len(b)
		}
		from := len(p.fields)
		stop := end
		if stop > i && b[stop-1] == '\r' {
			stop--
		}
		p.exec = ev.exec
		ok := p.auditRecord(b[:stop], i)
		p.exec = false
		if !ok {
			if i == 0 {
				return false
			}
			p.fields = p.fields[:from] // it stays searchable in Raw
			p.forgetAfter(from)
		}
		ev.take(p, from)
		i = end + 1
	}
	p.e.FormatName, p.e.LogSource = "auditd", logAuditd
	p.e.Message = view(b, 0, len(b))
	p.endNative()
	p.auditMeaning(&ev)
	return true
}

// take looks at the record whose fields begin at from.
func (ev *auditEvent) take(p *pass, from int) {
	switch p.audit {
	case "AVC", "SECCOMP":
		ev.warns = true
	case "PATH":
	default:
		return
	}
	var path event.Value
	rank, made := 1, false
	for _, f := range p.fields[from:] {
		switch f.Name {
		case "name":
			path = f.Value
		case "nametype":
			rank, made = pathRank(f.Value.Str), f.Value.Str == "CREATE"
		}
	}
	if rank > ev.best && !nothing(path.Str) {
		ev.path, ev.made, ev.best = path, made, rank
	}
}

// pathRank says which of the paths of an event it is about.
func pathRank(nametype string) int {
	switch nametype {
	case "CREATE":
		return 5
	case "DELETE":
		return 4
	case "NORMAL":
		return 3
	case "PARENT":
		return 1
	}
	return 2
}

// auditMeaning gives an event the names that rules and people expect of it.
func (p *pass) auditMeaning(ev *auditEvent) {
	p.aliases(auditGroupAliases)
	if p.value(fUID) == "0" {
		p.aliasWord(winUser, "root")
	}
	p.alias(winUser, fUID)
	p.aliasEach(ecsAction, auType)
	failed := p.value(auSuccess) == "no"
	if ev.exec {
		p.execLine()
		p.alias(winCommand, ecsCommand)
		if !failed {
			p.e.LogSource = logAuditExec
		}
	}
	p.alias(winCommand, auTitle)
	if ev.best > 0 {
		p.auditFile(ev)
		if ev.made && !failed && !ev.exec {
			p.e.LogSource = logAuditFile
		}
	}
	p.auditPeer()
	p.auditAliases()
	if ev.warns {
		p.e.Level = event.LevelWarning
	}
}

// auditFile names the file an event is about, from the root on.
func (p *pass) auditFile(ev *auditEvent) {
	v := ev.path
	if dir := p.value(auCwd); v.Str[0] != '/' && strings.HasPrefix(dir, "/") {
		buf := p.slab.bytes.take(len(dir) + 1 + len(v.Str))[:0]
		buf = append(append(append(buf, strings.TrimRight(dir, "/")...), '/'), strings.TrimPrefix(v.Str, "./")...)
		p.slab.bytes.trim(len(dir) + 1 + len(v.Str) - len(buf))
		v = event.Value{Str: str(buf), Pos: -1, End: -1}
	}
	if p.has(ecsFile) == nil {
		p.put(ecsFile, v)
	}
	if ev.made && p.has(auTargetFile) == nil {
		p.put(auTargetFile, v)
	}
}

// auditConnects are the numbers of connect(2) by the audit value of the
// architecture (linux/audit.h and the tables of system calls).
var auditConnects = map[string]string{"c000003e": "42", "c00000b7": "203", "40000003": "362", "40000028": "283", "c00000f3": "203", "c0000015": "328"}

// auditPeer reads the address of a connection that was made (struct sockaddr, in
// the order of its bytes).
func (p *pass) auditPeer() {
	v := p.value(auSaddr)
	call := p.value(auSyscall)
	if len(v) < 8 || len(v) > 256 || p.value(auSyscallSaw) != "connect" && (call == "" || auditConnects[p.value(auArch)] != call) {
		return
	}
	var raw [128]byte
	n := 0
	for ; n < len(v)/2; n++ {
		hi, lo := hexDigit(v[2*n]), hexDigit(v[2*n+1])
		if hi < 0 || lo < 0 {
			return
		}
		raw[n] = byte(hi<<4 | lo)
	}
	var at netip.Addr
	switch family := raw[0] | raw[1]; { // of 16 bits in the order of the machine, all below 256
	case family == 2 && n >= 8:
		at = netip.AddrFrom4([4]byte(raw[4:8]))
	case family == 10 && n >= 24:
		at = netip.AddrFrom16([16]byte(raw[8:24])).Unmap()
	default:
		return
	}
	port := int(binary.BigEndian.Uint16(raw[2:4]))
	ip, num := at.String(), event.Value{Kind: event.KindNumber, Str: strconv.Itoa(port), Num: float64(port), Pos: -1, End: -1}
	for _, to := range [...]name{winDstIP, ecsDstIP} {
		p.aliasWord(to, ip)
	}
	for _, to := range [...]name{winDstPort, ecsDstPort} {
		if p.has(to) == nil {
			p.put(to, num)
		}
	}
	p.aliasWord(sigInitiated, "true")
	p.e.LogSource = logAuditNet
}

// auditGroupKinds are what joined records have together; see auditKind.
var auditGroupKinds = func() []auditKind {
	all := ""
	for _, k := range auditKinds[:6] {
		all += k.names + " "
	}
	all += "syscall.a0 syscall.a1 syscall.a2 syscall.a3 User Image ProcessId ParentProcessId CurrentDirectory CommandLine "
	const every = "SYSCALL EXECVE BPRM_FCAPS CWD PATH PROCTITLE"
	return []auditKind{
		{types: every, names: all, arguments: true, log: logAuditExec},
		{types: "SYSCALL CWD PATH PROCTITLE", names: all + auTargetFile.text, log: logAuditFile},
		{types: "SYSCALL SOCKADDR PROCTITLE", names: all + "DestinationIp DestinationPort Initiated " + auFamily.text, log: logAuditNet},
	}
}()
