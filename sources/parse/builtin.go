package parse

import "bartizan/event"

// builtin are the formats people can name, in the order they are tried where
// scores are equal. Examples are records of ours; the generated documents and the
// tests read them.
var builtin = []builtinFormat{
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
		"nginx", "nginx access log, combined or common", logNginx,
		`203.0.113.9 - amira [03/Nov/2026:09:14:02 +0000] "GET /item/7?id=1%27 HTTP/1.1" 404 153 "-" "curl/8.8.0"`,
	}, readWeb, webNginx},
	{Format{
		"apache", "Apache access log, combined or common; taken where the path says apache or httpd", logApache,
		`198.51.100.4 - - [03/Nov/2026:09:14:02 +0100] "POST /login HTTP/1.1" 401 381`,
	}, readWeb, webApache},
	{Format{
		"nginx-error", "nginx error log", logNginxEr,
		`2026/11/03 09:14:02 [error] 7#7: *91 open() "/srv/.env" failed (2: No such file or directory), client: 203.0.113.9, server: shop.example, request: "GET /.env HTTP/1.1", host: "shop.example"`,
	}, readNginxErrorID, 0},
	{Format{
		"envoy", "Envoy's and Istio's default access log", logEnvoy,
		`[2026-11-03T09:14:02.117Z] "GET /latest/meta-data/ HTTP/1.1" 200 - via_upstream - "-" 0 135 4 4 "-" "curl/8.8.0" "84961386-6d84-929d-98bd-c5aee93b5c88" "169.254.169.254" "169.254.169.254:80" PassthroughCluster 10.20.1.7:37652 169.254.169.254:80 10.20.1.7:46520 - default`,
	}, readEnvoyID, 0},
	{Format{
		"envoy-json", "Envoy's access log as JSON, as Istio's meshConfig writes it", logEnvoy,
		`{"start_time":"2026-11-03T09:14:02.117Z","method":"GET","path":"/orders?id=7","protocol":"HTTP/2","response_code":503,"response_flags":"UF","bytes_received":0,"bytes_sent":91,"duration":1,"x_forwarded_for":null,"user_agent":"Go-http-client/2.0","request_id":"c0ffee","authority":"orders.shop","upstream_host":"10.20.3.4:8080","downstream_remote_address":"10.20.1.7:46520"}`,
	}, readJSONID, jsonEnvoy},
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
