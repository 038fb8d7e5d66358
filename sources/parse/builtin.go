package parse

import "bartizan/event"

// namedFormats are those of one program or service. Examples are records of ours;
// the generated documents and the tests read them.
var namedFormats = []builtinFormat{
	{Format{
		"syslog", "syslog: RFC 3164 (`Mmm dd hh:mm:ss host tag[pid]: text`, also with an RFC 3339 stamp) and RFC 5424", logSyslog,
		"Nov  3 09:14:02 web-1 rsyncd[812]: rsync on backup/ from db-1 (192.0.2.15)",
	}, readSyslogID, 0},
	{Format{
		"sshd", "OpenSSH's server inside syslog or journald, also as `sshd-session`", logSSHD,
		"Nov  3 09:14:02 web-1 sshd[2211]: Failed password for invalid user oracle from 203.0.113.9 port 40022 ssh2",
	}, readSyslogID, 0},
	{Format{
		"sudo", "sudo inside syslog or journald", logSudo,
		"Nov  3 09:14:05 web-1 sudo:    amira : TTY=pts/1 ; PWD=/home/amira ; USER=root ; COMMAND=/usr/bin/id",
	}, readSyslogID, 0},
	{Format{
		"su", "su inside syslog or journald", logAuth,
		"Nov  3 09:14:06 web-1 su[2290]: (to root) amira on pts/1",
	}, readSyslogID, 0},
	{Format{
		"pam", "PAM modules' lines of any other program", logAuth,
		"Nov  3 09:14:07 web-1 login[771]: pam_unix(login:auth): authentication failure; logname= uid=0 euid=0 tty=/dev/tty1 ruser= rhost=  user=root",
	}, readSyslogID, 0},
	{Format{
		"cron", "cron, crontab and at inside syslog or journald", logCron,
		"Nov  3 09:15:01 web-1 CRON[2301]: (root) CMD (/usr/local/bin/rotate-keys)",
	}, readSyslogID, 0},
	{Format{
		"accounts", "useradd, usermod, groupadd, passwd and their relatives", logAuth,
		"Nov  3 09:15:09 web-1 useradd[2310]: new user: name=svc2, UID=1044, GID=1044, home=/home/svc2, shell=/bin/bash",
	}, readSyslogID, 0},
	{Format{
		"systemd", "the service manager and logind", logSyslog,
		"Nov  3 09:15:10 web-1 systemd[1]: Started nginx.service - A high performance web server.",
	}, readSyslogID, 0},
	{Format{
		"cloudtrail", "AWS CloudTrail records, one JSON object per record", logTrail,
		`{"eventVersion":"1.09","userIdentity":{"type":"IAMUser","principalId":"AIDAEXAMPLE","arn":"arn:aws:iam::111122223333:user/amira","accountId":"111122223333","accessKeyId":"AKIAEXAMPLE","userName":"amira"},"eventTime":"2026-11-03T09:14:02Z","eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging","awsRegion":"eu-west-1","sourceIPAddress":"203.0.113.9","userAgent":"aws-cli/2.17.0","requestParameters":{"name":"org-trail"},"responseElements":null,"requestID":"7f1c","eventID":"9d2e","readOnly":false,"eventType":"AwsApiCall","recipientAccountId":"111122223333"}`,
	}, readJSONID, jsonTrail},
	{Format{
		"k8saudit", "Kubernetes API server audit events (audit.k8s.io/v1)", logK8s,
		`{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"0f3c","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/shop/pods/web-0/exec?command=sh","verb":"create","user":{"username":"amira","groups":["devs","system:authenticated"]},"sourceIPs":["203.0.113.9"],"userAgent":"kubectl/v1.33.1","objectRef":{"resource":"pods","namespace":"shop","name":"web-0","apiVersion":"v1","subresource":"exec"},"responseStatus":{"code":101},"requestReceivedTimestamp":"2026-11-03T09:14:02.101000Z","stageTimestamp":"2026-11-03T09:14:02.150000Z","annotations":{"authorization.k8s.io/decision":"allow"}}`,
	}, readJSONID, jsonK8s},
	{Format{
		"falco", "Falco alerts as JSON", logFalco,
		`{"hostname":"node-3","output":"09:14:02.000000000: Warning Shell in container (user=root)","output_fields":{"container.id":"4f2a9c11d0aa","proc.cmdline":"sh -i","proc.name":"sh","user.name":"root"},"priority":"Warning","rule":"Shell in container","source":"syscall","tags":["container"],"time":"2026-11-03T09:14:02.000000000Z"}`,
	}, readJSONID, jsonFalco},
	{Format{
		"falco-text", "Falco alerts as text; their time has no date", logFalco,
		"09:14:02.000000000: Warning Shell in container (user=root command=sh -i container_id=4f2a9c11d0aa)",
	}, readFalcoID, 0},
	{Format{
		"journald", "journal entries as `journalctl -o json` writes them", logSyslog,
		`{"__REALTIME_TIMESTAMP":"1793697242000000","_HOSTNAME":"web-1","PRIORITY":"5","SYSLOG_IDENTIFIER":"backupd","_PID":"812","_SYSTEMD_UNIT":"backup.service","MESSAGE":"snapshot kept for 30 days"}`,
	}, readJSONID, jsonJournal},
	{Format{
		"docker", "lines of Docker's json-file driver around any other format",
		event.LogSource{},
		`{"log":"2026-11-03 09:14:02 WARN queue is 80% full\n","stream":"stderr","time":"2026-11-03T09:14:02.120034Z"}`,
	}, readJSONID, jsonDocker},
	{Format{
		"cri", "lines of a Kubernetes container runtime around any other format",
		event.LogSource{},
		"2026-11-03T09:14:02.120034Z stdout F level=warn msg=\"queue is 80% full\" queue=mail",
	}, readCRIID, 0},
	{Format{
		"kubectl", "lines of `kubectl logs --prefix --timestamps` around any other format",
		event.LogSource{},
		"[pod/mail-7d4f/queue] 2026-11-03T09:14:02.120034Z level=warn msg=\"queue is 80% full\" queue=mail",
	}, readKubectlID, 0},
	{Format{
		"nginx", "nginx access log, combined or common", logNginx,
		`203.0.113.9 - amira [03/Nov/2026:09:14:02 +0000] "GET /item/7?id=1%27 HTTP/1.1" 404 153 "-" "curl/8.8.0"`,
	}, readWeb, webNginx},
	{Format{
		"apache", "Apache access log, combined or common, taken where the path says apache or httpd; also mod_ssl's request log", logApache,
		`198.51.100.4 - - [03/Nov/2026:09:14:02 +0100] "POST /login HTTP/1.1" 401 381`,
	}, readWeb, webApache},
	{Format{
		"nginx-error", "nginx error log", logNginxEr,
		`2026/11/03 09:14:02 [error] 7#7: *91 open() "/srv/.env" failed (2: No such file or directory), client: 203.0.113.9, server: shop.example, request: "GET /.env HTTP/1.1", host: "shop.example"`,
	}, readNginxErrorID, 0},
	{Format{
		"apache-error", "Apache error log, 2.2 and 2.4, with ModSecurity's messages in it", logApacheEr,
		`[Tue Nov 03 09:14:02.123456 2026] [authz_core:error] [pid 7:tid 140496349419264] [client 203.0.113.9:40022] AH01630: client denied by server configuration: /srv/www/.ht-users`,
	}, readApacheErrorID, 0},
	{Format{
		"haproxy", "HAProxy's HTTP log, also inside syslog", logHAProxy,
		`203.0.113.9:40022 [03/Nov/2026:09:14:02.118] public~ shop/web-1 0/0/1/12/13 200 2750 - - ---- 6/6/0/0/0 0/0 "GET /item/7?id=1 HTTP/1.1"`,
	}, readHAProxyID, 0},
	{Format{
		"aws-alb", "access log of an AWS Application Load Balancer", logALB,
		`https 2026-11-03T09:14:02.118201Z app/shop/50dc6c495c0c9188 203.0.113.9:40022 10.20.1.7:8080 0.001 0.012 0.000 200 200 512 2750 "GET https://shop.example:443/item/7?id=1 HTTP/2.0" "Mozilla/5.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/73e2d6bc24d8a067 "Root=1-58337262-36d228ad5d99923122bbe354" "shop.example" "session-reused" 1 2026-11-03T09:14:02.100000Z "forward" "-" "-"`,
	}, readALBID, 0},
	{Format{
		"caddy", "Caddy's access log, one JSON object per request, with Coraza's messages in it", logCaddy,
		`{"level":"info","ts":1793697242.118,"logger":"http.log.access.log0","msg":"handled request","request":{"remote_ip":"203.0.113.9","remote_port":"40022","client_ip":"203.0.113.9","proto":"HTTP/2.0","method":"GET","host":"shop.example","uri":"/item/7?id=1","headers":{"User-Agent":["curl/8.8.0"]}},"bytes_read":0,"user_id":"","duration":0.012,"size":2750,"status":200,"resp_headers":{"Server":["Caddy"]}}`,
	}, readJSONID, jsonCaddy},
	{Format{
		"traefik", "Traefik's access log as JSON; its Common Log Format is read as nginx's", logTraefik,
		`{"ClientAddr":"203.0.113.9:40022","ClientHost":"203.0.113.9","ClientPort":"40022","ClientUsername":"-","DownstreamContentSize":2750,"DownstreamStatus":200,"Duration":215563,"RequestHost":"shop.example","RequestMethod":"GET","RequestPath":"/item/7?id=1","RequestProtocol":"HTTP/2.0","RouterName":"shop@docker","ServiceName":"shop@docker","StartUTC":"2026-11-03T09:14:02.118000000Z","level":"info","msg":"","request_User-Agent":"curl/8.8.0","time":"2026-11-03T09:14:02Z"}`,
	}, readJSONID, jsonTraefik},
	{Format{
		"envoy", "Envoy's and Istio's default access log", logEnvoy,
		`[2026-11-03T09:14:02.117Z] "GET /latest/meta-data/ HTTP/1.1" 200 - via_upstream - "-" 0 135 4 4 "-" "curl/8.8.0" "84961386-6d84-929d-98bd-c5aee93b5c88" "169.254.169.254" "169.254.169.254:80" PassthroughCluster 10.20.1.7:37652 169.254.169.254:80 10.20.1.7:46520 - default`,
	}, readEnvoyID, 0},
	{Format{
		"envoy-json", "Envoy's access log as JSON, as Istio's meshConfig writes it", logEnvoy,
		`{"start_time":"2026-11-03T09:14:02.117Z","method":"GET","path":"/orders?id=7","protocol":"HTTP/2","response_code":503,"response_flags":"UF","bytes_received":0,"bytes_sent":91,"duration":1,"x_forwarded_for":null,"user_agent":"Go-http-client/2.0","request_id":"c0ffee","authority":"orders.shop","upstream_host":"10.20.3.4:8080","downstream_remote_address":"10.20.1.7:46520"}`,
	}, readJSONID, jsonEnvoy},
	{Format{
		"github", "GitHub's audit log of an organization or enterprise, as its API, exports and streaming write it", logGitHub,
		`{"@timestamp":1793697242118,"_document_id":"x9Tq","action":"protected_branch.destroy","actor":"amira","actor_id":4711,"actor_ip":"203.0.113.9","actor_location":{"country_code":"SE"},"business":"acme","created_at":1793697242118,"name":"main","operation_type":"remove","org":"acme-web","org_id":815,"repo":"acme-web/shop","repo_id":1066,"user_agent":"Mozilla/5.0"}`,
	}, readJSONID, jsonGitHub},
	{Format{
		"github-webhook", "payloads of GitHub's webhooks, as their receiver stored them", logGitHubHook,
		`{"action":"created","key":{"id":9911,"key":"ssh-ed25519 AAAAC3NzaC1lZDI1","title":"deploy","read_only":false,"created_at":"2026-11-03T09:14:02Z"},"repository":{"id":1066,"name":"shop","full_name":"acme-web/shop","private":true,"html_url":"https://github.com/acme-web/shop","owner":{"login":"acme-web"}},"organization":{"login":"acme-web"},"sender":{"login":"amira","id":4711}}`,
	}, readJSONID, jsonGitHubHook},
	{Format{
		"gcpaudit", "Google Cloud's audit logs, one LogEntry per record; Google Workspace's have the same shape", logGCP,
		`{"protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog","status":{},"authenticationInfo":{"principalEmail":"amira@acme.example"},"requestMetadata":{"callerIp":"203.0.113.9","callerSuppliedUserAgent":"google-cloud-sdk gcloud/501.0.0"},"serviceName":"logging.googleapis.com","methodName":"google.logging.v2.ConfigServiceV2.DeleteSink","authorizationInfo":[{"resource":"projects/acme-prod/sinks/siem","permission":"logging.sinks.delete","granted":true}],"resourceName":"projects/acme-prod/sinks/siem"},"insertId":"1x2y3z","resource":{"type":"logging_sink","labels":{"project_id":"acme-prod","name":"siem"}},"timestamp":"2026-11-03T09:14:02.118203Z","severity":"NOTICE","logName":"projects/acme-prod/logs/cloudaudit.googleapis.com%2Factivity","receiveTimestamp":"2026-11-03T09:14:03.501Z"}`,
	}, readJSONID, jsonGCP},
	{Format{
		"okta", "Okta's System Log, as its API and event hooks write it", logOkta,
		`{"actor":{"id":"00u1","type":"User","alternateId":"amira@acme.example","displayName":"Amira N."},"client":{"userAgent":{"rawUserAgent":"Mozilla/5.0","os":"Linux","browser":"FIREFOX"},"zone":"null","device":"Computer","ipAddress":"203.0.113.9","geographicalContext":{"city":"Lund","country":"Sweden"}},"authenticationContext":{"externalSessionId":"102x"},"displayMessage":"Reset factor for user","eventType":"user.mfa.factor.deactivate","outcome":{"result":"SUCCESS"},"published":"2026-11-03T09:14:02.118Z","severity":"INFO","uuid":"5f0c-11","target":[{"id":"00u2","type":"User","alternateId":"bo@acme.example","displayName":"Bo L."}]}`,
	}, readJSONID, jsonOkta},
	{Format{
		"s3access", "Amazon S3 server access log", logS3,
		`79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be acme-invoices [03/Nov/2026:09:14:02 +0000] 203.0.113.9 arn:aws:sts::111122223333:assumed-role/web/i-0a 3E57427F3EXAMPLE REST.GET.OBJECT 2026/11/a.pdf "GET /2026/11/a.pdf HTTP/1.1" 200 - 4410 4410 20 19 "-" "aws-sdk-go-v2/1.30" - s9lzHYrFp SigV4 TLS_AES_128_GCM_SHA256 AuthHeader acme-invoices.s3.eu-west-1.amazonaws.com TLSv1.3 - -`,
	}, readS3ID, 0},
	{Format{
		"vpcflow", "Amazon VPC flow logs, version 2 or with the header line of a custom format", logVPC,
		"2 111122223333 eni-0123456789abcdef0 203.0.113.9 10.20.1.7 40022 22 6 20 4249 1793697180 1793697240 ACCEPT OK",
	}, readVPCID, 0},
	{Format{
		"auditd", "Linux audit records, one per line, also ENRICHED", logAuditd,
		`type=EXECVE msg=audit(1793697242.331:9107): argc=3 a0="sh" a1="-c" a2=636174202F6574632F736861646F77`,
	}, readAuditdID, 0},
	{Format{
		"windows-evtx", "Windows events as tools dump event log files (evtx_dump, Chainsaw, Hayabusa): `Event.System` and `Event.EventData`; also Sysmon for Linux", logWindows,
		`{"Event":{"#attributes":{"xmlns":"http://schemas.microsoft.com/win/2004/08/events/event"},"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon","Guid":"5770385F-C22A-43E0-BF4C-06F5698FFBD9"}},"EventID":1,"Version":5,"Level":4,"Task":1,"Opcode":0,"Keywords":"0x8000000000000000","TimeCreated":{"#attributes":{"SystemTime":"2026-11-03T09:14:02.118203Z"}},"EventRecordID":4711,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"ws-17.acme.example"},"EventData":{"UtcTime":"2026-11-03 09:14:02.117","ProcessId":812,"Image":"C:\\Windows\\System32\\whoami.exe","CommandLine":"whoami /all","User":"ACME\\amira","Hashes":"MD5=00112233445566778899AABBCCDDEEFF,SHA256=0011223344556677889900112233445566778899001122334455667788990011","ParentProcessId":640,"ParentImage":"C:\\Windows\\System32\\cmd.exe","ParentCommandLine":"cmd.exe"}}}`,
	}, readJSONID, jsonWinEvent},
	{Format{
		"winlogbeat", "Windows events as Winlogbeat and Elastic Agent ship them", logWindows,
		`{"@timestamp":"2026-11-03T09:14:02.118Z","event":{"code":"4625","provider":"Microsoft-Windows-Security-Auditing","outcome":"failure"},"log":{"level":"information"},"message":"An account failed to log on.","winlog":{"channel":"Security","computer_name":"dc-1.acme.example","event_id":"4625","provider_name":"Microsoft-Windows-Security-Auditing","record_id":90210,"keywords":["Audit Failure"],"event_data":{"SubjectUserName":"-","TargetUserName":"amira","TargetDomainName":"ACME","LogonType":"3","Status":"0xc000006d","IpAddress":"203.0.113.9","IpPort":"50122","WorkstationName":"WS-17"}}}`,
	}, readJSONID, jsonWinlogbeat},
	{Format{
		"windows-flat", "Windows events with all members on one level, as NXLog and Azure's SecurityEvent table have them", logWindows,
		`{"EventTime":"2026-11-03 09:14:02","Hostname":"ws-17.acme.example","Keywords":-9214364837600034816,"EventType":"AUDIT_SUCCESS","Severity":"INFO","EventID":4688,"SourceName":"Microsoft-Windows-Security-Auditing","ProviderGuid":"{54849625-5478-4994-A5BA-3E3B0328C30D}","RecordNumber":90211,"Channel":"Security","Message":"A new process has been created.","SubjectUserName":"amira","SubjectDomainName":"ACME","NewProcessId":"0x1a4","NewProcessName":"C:\\Windows\\System32\\net.exe","ParentProcessName":"C:\\Windows\\System32\\cmd.exe","CommandLine":"net user backdoor /add"}`,
	}, readJSONID, jsonWinFlat},
	{Format{
		"cisco", "messages of Cisco's network devices: `%FACILITY-SEVERITY-MNEMONIC: text`, with what stands before it", logCisco,
		"192.0.2.20 6705: Nov  3 09:14:02.673: %PARSER-5-CFGLOG_LOGGEDCMD: User:amira  logged command:no aaa new-model",
	}, readCiscoID, 0},
	{Format{
		"zeek", "Zeek's tab separated logs, with the `#fields` line before the records", logZeek,
		"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tquery",
	}, readZeekID, 0},
	{Format{
		"w3c", "the W3C's extended log format with its `#Fields` line: IIS, CloudFront, proxies", logIIS,
		"#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status time-taken",
	}, readW3CID, 0},
	{Format{
		"csv", "comma separated values after a line of column names, one of them a time",
		event.LogSource{},
		"timestamp,user,client_ip,action,result",
	}, readCSVID, 0},
}

// genericFormats take what no program owns.
var genericFormats = []builtinFormat{
	{Format{
		"logfmt", "key=value pairs",
		event.LogSource{},
		`time=2026-11-03T09:14:02Z level=warn msg="token rejected" user=amira client_ip=203.0.113.9`,
	}, readLogfmtID, 0},
	{Format{
		"json", "any other JSON object; time, level and message are guessed from many spellings",
		event.LogSource{},
		`{"ts":1793697242.5,"level":"error","msg":"token rejected","user":"amira","client_ip":"203.0.113.9"}`,
	}, readJSONID, jsonGeneric},
	{Format{
		"text", "lines that begin with a stamp",
		event.LogSource{},
		"2026-11-03 09:14:02,118 WARN  [worker-3] queue is 80% full",
	}, readTextID, 0},
	{Format{
		"raw", "anything else: kept and searchable, without fields",
		event.LogSource{},
		"panic: runtime error: index out of range",
	}, readRawID, 0},
}
