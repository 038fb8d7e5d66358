package parse

import (
	"strings"

	"bartizan/event"
)

// toolTables are the tables of the formats of security tools and data stores.
var toolTables = []fieldTable{
	{"suricata", "suricata", "", append(append(append([]pair{}, suricataAliases...), suricataWeb...), append(suricataDNS, pair{ecsTransport, suProto}, pair{ecsURLPath, suURL}, pair{ecsURLQuery, suURL}, pair{w3cStem, suURL}, pair{w3cQuery, suURL})...)},
	{"zeek, zeek-json", "zeek-json", "", append(append(append([]pair{}, zeekAliases...), zeekWeb...), zeekDNS...)},
	{"osquery", "osquery", "", append([]pair{{ecsExecutable, oqPath}}, osqueryAliases...)},
	{"tetragon", "tetragon", "", append(append([]pair{{sigCommand, tetragonEvents[0].process}, {winParentCmd, known("process_exec.parent.binary")}, {ecsCommand, tetragonEvents[0].process}, {ecsParentCommand, known("process_exec.parent.binary")}, {ecsProcess, tetragonEvents[0].process}, {ecsParentName, winParentImage}, {ecsAction, tetragonEvents[0].member}, {ecsResType, known("process_exec.process.pod.name")}, {ecsTransport, tgFunction}, {sigProtocol, tgFunction}, {sigInitiated, tgFunction}, {winFile, tgPath}}, tetragonArgs...), tetragonAll()...)},
	{"trivy, grype", "trivy grype", "", append(append([]pair{}, findingsEach...), findingsAliases...)},
	{"gelf", "gelf", "", append(append([]pair{}, gelfAliases...), genericAliases...)},
	{"cef", "cef", names(cefHead), append([]pair{{ecsTransport, cefProto}}, cefAliases...)},
	{"leef", "leef", names(leefHead), append([]pair{{ecsTransport, cefProto}}, leefAliases...)},
	{"netfilter", "netfilter", "priority host program pid message uptime prefix flags IN OUT MAC SRC DST LEN TOS PREC TTL ID PROTO SPT DPT WINDOW RES URGP MARK TYPE CODE PHYSIN PHYSOUT TC HOPLIMIT FLOWLBL UID GID", append(append([]pair{{ecsTransport, nfProto}, {ecsAction, nfPrefix}}, netfilterAliases...), syslogAliases...)},
	{"nginx-ingress", "nginx-ingress", "request_length request_time proxy_upstream_name proxy_alternative_upstream_name upstream_addr upstream_response_length upstream_response_time upstream_status req_id", append([]pair{{ecsDstIP, inAddr}, {ecsDstPort, inAddr}}, ingressAliases...)},
	{"postgresql", "postgresql postgresql-csv postgresql-json", names(pgColumns) + " remote_host remote_port duration_ms event", append([]pair{{ecsSrcIP, pgHost}, {ecsSrcDomain, pgHost}}, postgresAliases...)},
	{"mysql", "mysql", "timestamp thread_id level err_code subsystem message event user client_host using_password", append([]pair{{ecsSrcIP, myHost}, {ecsSrcDomain, myHost}}, mysqlAliases...)},
	{"mysql-slow", "mysql-slow", "timestamp user current_user client_host client_ip thread_id query_time lock_time rows_sent rows_examined query …", mysqlSlowAliases},
	{"redis", "redis", "pid role level message", redisAliases},
	{"mongodb", "mongodb mongodb-text", "s c ctx msg user", append([]pair{{ecsSrcIP, mgRemote}, {ecsSrcPort, mgRemote}}, mongoAliases...)},
	{"klog", "klog", "level threadid file line message", append([]pair{{ecsNamespace, kgPod}, {ecsResource, kgPod}, {ecsResType, kgPod}}, klogAliases...)},
	{"istiod", "istiod", "timestamp level scope message", istiodAliases},
	{"k8sevent", "k8sevent", "", append(append(append([]pair{{ecsResType, keObject.kind}, {ecsResType, keRegard.kind}}, keObject.aliases...), keRegard.aliases...), keWrapped.aliases...)},
	{"sysmon-linux", "sysmon-linux", "priority host program pid message", append(append(append([]pair{{ecsUser, winUser}, {ecsProcess, winImage}, {ecsParentName, winParentImage}}, winCreated...), winAliases...), syslogAliases...)},
}

func tetragonAll() (out []pair) {
	for i := range tetragonEvents {
		out = append(out, tetragonEvents[i].aliases...)
	}
	return out
}

// toolsDelivered are the members that the records of those formats define.
var toolsDelivered = map[string]delivered{
	"suricata": {
		names: "timestamp flow_id in_iface event_type src_ip src_port dest_ip dest_port proto app_proto app_proto_tc app_proto_ts icmp_type icmp_code " +
			"tx_id vlan pcap_cnt community_id host payload payload_printable packet stream direction metadata pkt_src ip_v parent_id sub_event_type",
		below: "alert anomaly dns http tls flow netflow ssh smb smtp email ftp ftp_data rdp krb5 fileinfo files drop stats tcp icmp snmp tftp dhcp " +
			"ikev2 ike nfs rfb sip mqtt modbus dnp3 quic pgsql traffic tunnel verdict",
	},
	"osquery": {
		names: "name hostIdentifier calendarTime unixTime epoch counter numerics action snapshot",
		below: "columns decorations diffResults snapshot",
	},
	"tetragon": {
		names: "time node_name node_labels cluster_name",
		below: "process_exec process_exit process_kprobe process_tracepoint process_loader process_uprobe process_lsm aggregation_info",
	},
	"trivy": {
		names: "SchemaVersion CreatedAt ArtifactName ArtifactType VulnerabilityID PkgName PkgID PkgPath InstalledVersion FixedVersion Severity " +
			"SeveritySource PrimaryURL Title Description Status Target Class Type kind apiVersion",
		below: "Results Metadata metadata report DataSource CVSS Layer PkgIdentifier",
	},
	"grype":           {below: "matches ignoredMatches source distro descriptor vulnerability artifact relatedVulnerabilities matchDetails"},
	"gelf":            {any: true},
	"cef":             {any: true},
	"leef":            {any: true},
	"klog":            {any: true},
	"istiod":          {any: true},
	"mysql-slow":      {any: true},
	"mongodb":         {names: "t s c id ctx svc msg tags", below: "t attr truncated size"},
	"postgresql-json": {names: "user"},
	"k8sevent": {
		names: "kind apiVersion reason message note type action count eventTime firstTimestamp lastTimestamp deprecatedCount deprecatedFirstTimestamp " +
			"deprecatedLastTimestamp reportingComponent reportingController reportingInstance verb",
		below: "metadata involvedObject regarding related source deprecatedSource series event old_event",
	},
	"sysmon-linux": {names: "RuleName UtcTime ProcessGuid SystemTime Security_UserID Execution_ProcessID Task Opcode Version " +
		"EventID Channel Provider_Name Computer Level Keywords EventRecordID " +
		"ProcessId Image FileVersion Description Product Company OriginalFileName CommandLine CurrentDirectory User LogonGuid LogonId " +
		"TerminalSessionId IntegrityLevel Hashes ParentProcessGuid ParentProcessId ParentImage ParentCommandLine ParentUser " +
		"Protocol Initiated SourceIsIpv6 SourceIp SourceHostname SourcePort SourcePortName DestinationIsIpv6 DestinationIp " +
		"DestinationHostname DestinationPort DestinationPortName TargetFilename CreationUtcTime Device IsExecutable Archived " +
		"State SchemaVersion SourceImage TargetImage SourceProcessGUID SourceProcessId TargetProcessGUID TargetProcessId GrantedAccess"},
}

func init() {
	fieldTables = append(fieldTables, toolTables...)
	for name, d := range toolsDelivered {
		asDelivered[name] = d
	}
}

// toolSources are the log sources of formats whose records come from several.
func toolSources(f *Format) []event.LogSource {
	switch f.Name {
	case "suricata":
		out := []event.LogSource{logSuricata}
		for _, l := range sortedKinds() {
			out = append(out, suricataKinds[l])
		}
		return out
	case "falco":
		return falcoSources()
	case "tetragon":
		return []event.LogSource{logTetragon, logTetragonFile, logTetragonNet, logTetragonAny}
	case "cef", "leef":
		firewall := f.LogSource
		firewall.Category = "firewall"
		return []event.LogSource{f.LogSource, firewall}
	case "sysmon-linux":
		out := []event.LogSource{logSysmonLinux}
		for _, c := range winCategories("sysmon") {
			out = append(out, event.LogSource{Product: "linux", Category: c, Service: "sysmon"})
		}
		return out
	}
	return cloudSources(f)
}

func sortedKinds() []string {
	var out []string
	for k := range suricataKinds {
		out = append(out, k)
	}
	return sorted(out)
}

// toolSupplies says what rules find in those formats' records, by log source.
func toolSupplies(f *Format) []Supply {
	if f.Name == "zeek-json" {
		out := zeekSupplies(f)
		for i := range out {
			out[i].Names = sorted(append(out[i].Names, strings.Fields("_path _write_ts")...))
		}
		return out
	}
	var out []Supply
	for _, l := range toolSources(f) {
		s := supplyOf(f)
		s.Names, s.LogSource = sorted(s.Names), l
		out = append(out, s)
	}
	return out
}
