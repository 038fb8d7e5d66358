package falco

import "strings"

// syscallFields are the fields of Falco's system call events by their first word
// (falco.org/docs/reference/rules/supported-fields). They are not asked for here;
// the names tell a rule that Falco would load from one with a slip of the pen.
var syscallFields = func() map[string]bool {
	out := map[string]bool{}
	for class, names := range map[string]string{
		"evt": `num time time.s time.ns time.iso8601 datetime datetime.s rawtime rawtime.s rawtime.ns reltime reltime.s
reltime.ns pluginname plugininfo source is_async asynctype hostname latency latency.s latency.ns latency.quantized
latency.human deltatime deltatime.s deltatime.ns outputtime dir type type.is syscall.type category cpu args arg rawarg
info buffer buflen res rawres failed is_io is_io_read is_io_write io_dir is_wait wait_latency is_syslog count
count.error count.error.file count.error.net count.error.memory count.error.other count.exit count.procinfo
count.threadinfo around abspath abspath.src abspath.dst buflen.in buflen.out buflen.file buflen.file.in buflen.file.out
buflen.net buflen.net.in buflen.net.out is_open_read is_open_write is_open_exec is_open_create infra.docker.name
infra.docker.container.id infra.docker.container.name infra.docker.container.image`,
		"proc": `pid exe name args cmdline pname pcmdline pexe pexepath exepath exeline cmdnargs cmdlenargs env aenv aname
aexe aexepath acmdline apid aargs cwd loginshellid tty pvpid ppid vpid sid sid.exe sid.exepath sname vpgid vpgid.name
vpgid.exe vpgid.exepath pgid pgid.name pgid.exe pgid.exepath is_sid_leader is_vpgid_leader is_pgid_leader
is_exe_writable is_exe_upper_layer is_exe_lower_layer is_exe_from_memfd exe_ino exe_ino.ctime exe_ino.mtime
exe_ino.ctime_duration_proc_start exe_ino.ctime_duration_pidns_start pidns_init_start_ts thread.cap_permitted
thread.cap_effective thread.cap_inheritable duration ppid.duration ppid.ts pid.ts cmdlinelen nthreads nchilds
fdopencount fdlimit fdusage vmsize vmrss vmswap thread.totexectime cgroup cgroups pcmdline stdin.type stdout.type
stderr.type stdin.name stdout.name stderr.name is_container_healthcheck is_container_liveness_probe
is_container_readiness_probe`,
		"thread": `pid tid ismain vtid exectime totexectime cgroups cgroup nthreads cpu cpu.user cpu.system vmsize vmrss
vmsize.b vmrss.b cap_permitted cap_inheritable cap_effective`,
		"fd": `num type typechar name directory filename ip cip sip lip rip port cport sport lport rport l4proto
sockfamily is_server uid containername containerdirectory proto cproto sproto lproto rproto net cnet snet lnet rnet
connected name_changed cip.name sip.name lip.name rip.name types is_upper_layer is_lower_layer nameraw ino dev
dev.major dev.minor`,
		"fs":     `path.name path.nameraw path.source path.sourceraw path.target path.targetraw path`,
		"syslog": `facility facility.str severity severity.str message`,
		"user":   `uid name homedir shell loginuid loginname log`,
		"group":  `gid name`,
		"container": `id full_id name image image.id type privileged mounts mount mount.source mount.dest mount.mode
mount.rdwr mount.propagation image.repository image.tag image.digest healthcheck liveness_probe readiness_probe
start_ts duration ip cni.json host_pid host_network host_ipc label labels`,
		"k8s": `pod.name pod.id pod.uid pod.full_sandbox_id pod.sandbox_id pod.label pod.labels pod.ip pod.cni.json rc.name
rc.id rc.label rc.labels svc.name svc.id svc.label svc.labels ns.name ns.id ns.label ns.labels rs.name rs.id rs.label
rs.labels deployment.name deployment.id deployment.label deployment.labels`,
		"k8smeta": `pod.name pod.uid pod.label pod.labels pod.ip ns.name ns.uid ns.label ns.labels deployment.name
deployment.uid deployment.label deployment.labels svc.name svc.uid svc.label svc.labels rs.name rs.uid rs.label
rs.labels rc.name rc.uid rc.label rc.labels`,
	} {
		for _, n := range strings.Fields(names) {
			out[class+"."+n] = true
		}
	}
	return out
}()

// openEnded are fields whose last words are free: arguments of system calls and
// keys of labels.
var openEnded = []string{"evt.arg.", "evt.rawarg.", "k8s.pod.label.", "k8s.ns.label.", "container.label.", "evt.type.is.", "proc.env.", "proc.aname.", "falco."}

// knownSyscall reports whether Falco has that field for system calls.
func knownSyscall(name string) bool {
	if syscallFields[name] {
		return true
	}
	for _, p := range openEnded {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}
