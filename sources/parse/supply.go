package parse

import (
	"slices"
	"strings"

	"bartizan/event"
)

// Supply says what rules can find in one kind of record: the log source it is
// routed by and the names its fields may have.
type Supply struct {
	Format    string
	LogSource event.LogSource
	Names     []string // sorted: native names, ECS names, the names rules expect
	// Below are members of records that keep their own names: each may be there
	// itself, and what lies below it under a dotted name.
	Below []string
	// Arguments says that a0, a1 and so on may be there.
	Arguments bool
	// Any says that the record may bring whatever other name.
	Any bool
	// Kinds are the values that the field Kind has, one of them in every record
	// of this kind; none where it is not known.
	Kind  string
	Kinds []string
}

// Gives reports whether a record of this kind can have a field called name.
func (s *Supply) Gives(name string) bool {
	if _, ok := slices.BinarySearch(s.Names, name); ok || s.Any {
		return true
	}
	if s.Arguments && len(name) > 1 && name[0] == 'a' && digits([]byte(name), 1) == len(name) {
		return true
	}
	for _, b := range s.Below {
		if rest, ok := strings.CutPrefix(name, b); ok && (rest == "" || rest[0] == '.') {
			return true
		}
	}
	return false
}

// Supplies lists what every format supplies, in the order of Formats. A format
// whose records differ by type is there once for each group of types. Wrappers
// (docker, cri, kubectl, cloudwatch) supply what they wrap and are not listed.
func Supplies() []Supply {
	var out []Supply
	for i := range builtin {
		f := &builtin[i].Format
		switch {
		case f.Name == "docker" || f.Name == "cri" || f.Name == "kubectl" || f.Name == "cloudwatch":
		case f.Name == "auditd":
			out = append(out, auditSupplies(f)...)
		case f.LogSource == logWindows:
			out = append(out, windowsSupplies(f)...)
		case f.Name == "zeek":
			out = append(out, zeekSupplies(f)...)
		case f.LogSource == logCisco:
			out = append(out, ciscoSupplies(f)...)
		default:
			out = append(out, toolSupplies(f)...)
		}
	}
	return append(out, wafSupply())
}

// wafSupply is what a firewall says in the error log of a server.
func wafSupply() Supply {
	s := Supply{Format: "apache-error", LogSource: logWAF, Names: append(strings.Fields("level message"), ecsHost.text, ecsSrcIP.text, ecsOutcome.text)}
	for _, p := range wafParts {
		s.Names = append(s.Names, p.n.text)
	}
	for _, a := range wafAliases {
		s.Names = append(s.Names, a.to.text)
	}
	s.Names = sorted(append(s.Names, wafAction.text))
	return s
}

// supplyOf joins the tables of a format with what its standard names.
func supplyOf(f *Format) Supply {
	s := Supply{Format: f.Name, LogSource: f.LogSource, Names: []string{ecsHost.text, ecsOutcome.text}}
	for _, t := range fieldTables {
		if !slices.Contains(strings.Fields(t.formats), f.Name) {
			continue
		}
		s.Names = append(s.Names, strings.Fields(t.native)...)
		for _, a := range t.aliases {
			s.Names = append(s.Names, a.to.text)
		}
	}
	more := asDelivered[f.Name]
	s.Names = append(s.Names, strings.Fields(more.names)...)
	s.Below, s.Any = strings.Fields(more.below), more.any
	return s
}

func sorted(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// delivered is what records keep of their own names.
type delivered struct {
	names, below string
	any          bool
}

// asDelivered has the members that the standards of formats with names of their
// own define; a JSON record may hold more, but no rule can count on that.
var asDelivered = map[string]delivered{
	// CloudTrail record contents, AWS CloudTrail User Guide
	"cloudtrail": {
		names: "eventTime eventVersion eventSource eventName awsRegion sourceIPAddress userAgent errorCode errorMessage " +
			"requestID eventID eventType apiVersion managementEvent readOnly recipientAccountId sharedEventID vpcEndpointId " +
			"vpcEndpointAccountId eventCategory sessionCredentialFromConsole",
		below: "userIdentity requestParameters responseElements additionalEventData resources serviceEventDetails addendum " +
			"edgeDeviceDetails tlsDetails insightDetails eventContext",
	},
	// audit.k8s.io/v1 Event, Kubernetes API reference
	"k8saudit": {
		names: "kind apiVersion level auditID stage requestURI verb sourceIPs userAgent requestReceivedTimestamp stageTimestamp",
		below: "metadata user impersonatedUser authenticationMetadata objectRef responseStatus requestObject responseObject annotations",
	},
	// LogEntry, Cloud Logging API reference
	"gcpaudit": {
		names: "insertId timestamp receiveTimestamp severity logName",
		below: "protoPayload resource labels operation httpRequest sourceLocation split",
	},
	// LogEvent, Okta System Log API reference
	"okta": {
		names: "uuid published eventType version severity legacyEventType displayMessage",
		below: "actor client outcome target transaction debugContext authenticationContext securityContext request",
	},
	"github":         {any: true}, // every action has members of its own
	"github-webhook": {any: true},
	"csv":            {any: true},
	// W3C Extended Log File Format, section Identifiers; IIS and CloudFront
	"w3c": {
		names: "date time time-taken bytes cached c-ip s-ip cs-method cs-uri cs-uri-stem cs-uri-query c-uri s-port c-port cs-username " +
			"cs(User-Agent) cs(Referer) cs(Host) cs(Cookie) sc-status sc-substatus sc-win32-status sc-bytes cs-bytes cs-version cs-host " +
			"s-computername s-sitename x-edge-location x-edge-result-type x-edge-request-id x-host-header x-forwarded-for",
	},
	// systemd.journal-fields(7); what a program adds is not known
	"journald": {
		names: "MESSAGE MESSAGE_ID PRIORITY CODE_FILE CODE_LINE CODE_FUNC ERRNO INVOCATION_ID USER_INVOCATION_ID SYSLOG_FACILITY " +
			"SYSLOG_IDENTIFIER SYSLOG_PID SYSLOG_TIMESTAMP SYSLOG_RAW DOCUMENTATION TID UNIT USER_UNIT _PID _UID _GID _COMM _EXE " +
			"_CMDLINE _CAP_EFFECTIVE _AUDIT_SESSION _AUDIT_LOGINUID _SYSTEMD_CGROUP _SYSTEMD_SLICE _SYSTEMD_UNIT " +
			"_SYSTEMD_USER_UNIT _SYSTEMD_USER_SLICE _SYSTEMD_SESSION _SYSTEMD_OWNER_UID _SELINUX_CONTEXT " +
			"_SOURCE_REALTIME_TIMESTAMP _BOOT_ID _MACHINE_ID _HOSTNAME _TRANSPORT _STREAM_ID _NAMESPACE " +
			"__CURSOR __REALTIME_TIMESTAMP __MONOTONIC_TIMESTAMP CONTAINER_ID CONTAINER_ID_FULL CONTAINER_NAME CONTAINER_TAG IMAGE_NAME",
	},
	// Falco's alert, and the classes of fields its outputs may name
	"falco": {
		names: "hostname output priority rule source tags time uuid",
		below: "output_fields evt syscall proc thread user group container fd fs fsevent k8s k8smeta ka ct s3 jevt json gcp okta github",
	},
	// Caddy's access logger, and Traefik's fields of an access log
	"caddy": {names: "level ts logger msg bytes_read user_id duration size status", below: "request resp_headers tls"},
	"traefik": {names: "ClientAddr ClientHost ClientPort ClientUsername DownstreamContentSize DownstreamStatus Duration GzipRatio " +
		"OriginContentSize OriginDuration OriginStatus Overhead RequestAddr RequestContentSize RequestCount RequestHost RequestLine " +
		"RequestMethod RequestPath RequestPort RequestProtocol RequestScheme RetryAttempts RouterName ServiceAddr ServiceName StartLocal " +
		"StartUTC TLSCipher TLSVersion TraceId SpanId entryPointName level msg time " +
		"request_User-Agent request_Referer request_X-Forwarded-For request_X-Real-Ip", below: "ServiceURL"},
	"falco-text": {any: true},
	"vpcflow":    {names: names(vpcMore)},
	"text":       {names: "timestamp message"},
	"json":       {any: true},
	"logfmt":     {any: true},
}

// auditKind is a group of audit record types that carry the same fields (Linux
// audit's message and field dictionaries).
type auditKind struct {
	types, names string
	arguments    bool
	any          bool
	log          event.LogSource // of joined records that have one more of their own
}

const auditUser = "pid uid auid ses subj op acct exe hostname addr terminal res cwd cmd id grp grantors unit comm kind fp " +
	"direction spid suid rport laddr lport cipher ksize mac pfs old-auid old-ses new UID AUID ID"

var auditKinds = []auditKind{
	{types: "EXECVE", names: "argc", arguments: true},
	{types: "SYSCALL", names: "arch syscall success exit a0 a1 a2 a3 items ppid pid auid uid gid euid suid fsuid egid sgid fsgid tty " +
		"ses comm exe subj key ARCH SYSCALL AUID UID GID EUID SUID FSUID EGID SGID FSGID"},
	{types: "PATH", names: "item name inode dev mode ouid ogid rdev obj objtype nametype cap_fp cap_fi cap_fe cap_fver cap_frootid OUID OGID"},
	{types: "CWD", names: "cwd"},
	{types: "PROCTITLE", names: "proctitle"},
	{types: "SOCKADDR", names: "saddr SADDR saddr_fam laddr lport path"},
	{types: "USER_AUTH USER_ACCT USER_MGMT USER_CHAUTHTOK USER_START USER_END USER_LOGIN USER_LOGOUT USER_ERR USER_CMD USER_ROLE_CHANGE " +
		"CRED_ACQ CRED_DISP CRED_REFR ADD_USER DEL_USER ADD_GROUP DEL_GROUP GRP_MGMT GRP_AUTH GRP_CHAUTHTOK ACCT_LOCK ACCT_UNLOCK " +
		"ROLE_ASSIGN ROLE_REMOVE ROLE_MODIFY SERVICE_START SERVICE_STOP SYSTEM_BOOT SYSTEM_SHUTDOWN SYSTEM_RUNLEVEL CHUSER_ID CHGRP_ID " +
		"CRYPTO_KEY_USER CRYPTO_SESSION CRYPTO_LOGIN CRYPTO_LOGOUT", names: auditUser},
	{types: "CONFIG_CHANGE DAEMON_START DAEMON_END DAEMON_CONFIG DAEMON_ABORT DAEMON_ROTATE KERN_MODULE LOGIN TTY USER_TTY AVC USER_AVC " +
		"SECCOMP BPF NETFILTER_CFG NETFILTER_PKT MAC_STATUS MAC_POLICY_LOAD MAC_CONFIG_CHANGE ANOM_ABEND ANOM_PROMISCUOUS ANOM_LINK " +
		"ANOM_LOGIN_FAILURES ANOM_LOGIN_LOCATION ANOM_LOGIN_SESSIONS ANOM_LOGIN_TIME ANOM_MK_EXEC ANOM_MOD_ACCT ANOM_ROOT_TRANS " +
		"FEATURE_CHANGE INTEGRITY_DATA INTEGRITY_RULE INTEGRITY_STATUS SOFTWARE_UPDATE TIME_INJOFFSET TIME_ADJNTPVAL OBJ_PID IPC MQ_OPEN " +
		"FD_PAIR CAPSET MMAP KERNEL KERNEL_OTHER TEST TRUSTED_APP USER EOE VIRT_CONTROL VIRT_RESOURCE VIRT_MACHINE_ID", any: true},
}

// auditSupplies are one supply per group of types that stand alone, and one per
// kind of event whose records are joined.
func auditSupplies(f *Format) []Supply {
	var out []Supply
	for _, k := range slices.Concat(auditKinds, auditGroupKinds) {
		s := supplyOf(f)
		s.Names = sorted(append(s.Names, strings.Fields(k.names)...))
		s.Arguments, s.Any, s.Kind, s.Kinds = k.arguments, k.any, auType.text, strings.Fields(k.types)
		if k.log != (event.LogSource{}) {
			s.LogSource = k.log
		}
		out = append(out, s)
	}
	return out
}
