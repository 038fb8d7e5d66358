package parse

import (
	"bytes"

	"bartizan/event"
)

// jsonKind is one format among those written as JSON. Which one a record is shows
// in its member names, so streams may mix them freely.
type jsonKind struct {
	name string
	log  event.LogSource
	fits func(p *pass) bool
	read func(p *pass)
}

// The members of the JSON family, as variants of the reader.
const (
	jsonAny uint8 = iota
	jsonTrail
	jsonK8s
	jsonFalco
	jsonJournal
	jsonDocker
	jsonEnvoy
	jsonGitHub
	jsonWinEvent
	jsonWinlogbeat
	jsonWinFlat
	jsonCaddy
	jsonTraefik
	jsonGCP
	jsonOkta
	jsonGitHubHook
	jsonSuricata
	jsonZeek
	jsonOsquery
	jsonTetragon
	jsonTrivy
	jsonGrype
	jsonPostgres
	jsonMongo
	jsonKubeEvent
	jsonGELF
	jsonEntraSignin
	jsonEntraAudit
	jsonEntraPIM
	jsonEntraRisk
	jsonNSGFlow
	jsonVNetFlow
	jsonAzureActivity
	jsonAzureResource
	jsonM365
	jsonWorkspace
	jsonGCPFlow
	jsonRoute53
	jsonInsight
	jsonDigest
	jsonEventBridge
	jsonGuardDuty
	jsonSecurityHub
	jsonAWSWAF
	jsonCloudWatch
	jsonLambda
	jsonBitbucket
	jsonOneLogin
	jsonDuo
	jsonGeneric
)

var jsonKinds [jsonGeneric + 1]jsonKind

func init() {
	jsonKinds = [jsonGeneric + 1]jsonKind{
		jsonTrail:      {"cloudtrail", logTrail, isTrail, readTrail},
		jsonK8s:        {"k8saudit", logK8s, isK8s, readK8s},
		jsonFalco:      {"falco", logFalco, isFalco, readFalcoJSON},
		jsonJournal:    {"journald", logSyslog, isJournal, readJournal},
		jsonDocker:     {"docker", event.LogSource{}, isDocker, readDocker},
		jsonEnvoy:      {"envoy-json", logEnvoy, isEnvoyJSON, readEnvoyJSON},
		jsonGitHub:     {"github", logGitHub, isGitHub, readGitHub},
		jsonWinEvent:   {"windows-evtx", logWindows, isWinEvent, readWinEvent},
		jsonWinlogbeat: {"winlogbeat", logWindows, isWinlogbeat, readWinlogbeat},
		jsonWinFlat:    {"windows-flat", logWindows, isWinFlat, readWinFlat},
		jsonCaddy:      {"caddy", logCaddy, isCaddy, readCaddy},
		jsonTraefik:    {"traefik", logTraefik, isTraefik, readTraefik},
		jsonGCP:        {"gcpaudit", logGCP, isGCP, readGCP},
		jsonOkta:       {"okta", logOkta, isOkta, readOkta},
		jsonGitHubHook: {"github-webhook", logGitHubHook, isGitHubHook, readGitHubHook},
		jsonSuricata:   {"suricata", logSuricata, isSuricata, readSuricata},
		jsonZeek:       {"zeek-json", logZeek, isZeekJSON, readZeekJSON},
		jsonOsquery:    {"osquery", logOsquery, isOsquery, readOsquery},
		jsonTetragon:   {"tetragon", logTetragon, isTetragon, readTetragon},
		jsonTrivy:      {"trivy", logTrivy, isTrivy, readFindings},
		jsonGrype:      {"grype", logGrype, isGrype, readFindings},
		jsonPostgres:   {"postgresql-json", logPostgres, isPostgresJSON, readPostgresJSON},
		jsonMongo:      {"mongodb", logMongo, isMongo, readMongoJSON},
		jsonKubeEvent:  {"k8sevent", logKubeEv, isKubeEvent, readKubeEvent},
		jsonGELF:       {"gelf", event.LogSource{}, isGELF, readGELF},

		jsonEntraSignin:   {"entra-signin", logEntraSignin, isEntraSignin, readEntraSignin},
		jsonEntraAudit:    {"entra-audit", logEntraAudit, isEntraAudit, readEntraAudit},
		jsonEntraPIM:      {"entra-pim", logEntraPIM, isEntraPIM, readEntraRisk},
		jsonEntraRisk:     {"entra-risk", logEntraRisk, isEntraRisk, readEntraRisk},
		jsonNSGFlow:       {"nsgflow", logNSGFlow, isNSGFlow, readNSGFlow},
		jsonVNetFlow:      {"vnetflow", logVNetFlow, isVNetFlow, readVNetFlow},
		jsonAzureActivity: {"azure-activity", logAzureActivity, isAzureActivity, readAzureActivity},
		jsonAzureResource: {"azure-resource", logAzureResource, isAzureResource, readAzureResource},
		jsonM365:          {"m365", logM365, isM365, readM365},
		jsonWorkspace:     {"workspace", event.LogSource{Product: "gcp", Service: "google_workspace"}, isWorkspace, readWorkspace},
		jsonGCPFlow:       {"gcpflow", logGCPFlow, isGCPFlow, readGCPFlow},
		jsonRoute53:       {"route53", logRoute53, isRoute53, readRoute53},
		jsonInsight:       {"cloudtrail-insight", logInsight, isInsight, readInsight},
		jsonDigest:        {"cloudtrail-digest", logDigest, isDigest, readDigest},
		jsonEventBridge:   {"eventbridge", logEventBridge, isEventBridge, readEventBridge},
		jsonGuardDuty:     {"guardduty", logGuardDuty, isGuardDuty, readGuardDuty},
		jsonSecurityHub:   {"securityhub", logSecurityHub, isSecurityHub, readSecurityHub},
		jsonAWSWAF:        {"aws-waf", logAWSWAF, isAWSWAF, readAWSWAF},
		jsonCloudWatch:    {"cloudwatch", event.LogSource{}, isCloudWatch, readCloudWatch},
		jsonLambda:        {"lambda", logLambda, isLambdaJSON, readLambdaJSON},
		jsonBitbucket:     {"bitbucket", logBitbucket, isBitbucket, readBitbucket},
		jsonOneLogin:      {"onelogin", logOneLogin, isOneLogin, readOneLogin},
		jsonDuo:           {"duo", logDuo, isDuo, readDuo},
		jsonGeneric:       {"json", event.LogSource{}, func(*pass) bool { return true }, readGeneric},
	}
}

func scoreJSON(b []byte) (int, string) {
	i := space(b, 0)
	if i >= len(b) || b[i] != '{' {
		return 0, "does not begin with {"
	}
	if i = space(b, i+1); i < len(b) && (b[i] == '"' || b[i] == '}') {
		if end := trimEnd(b); b[end-1] == '}' {
			return 98, "a JSON object from { to }"
		}
		return 40, "begins as a JSON object but does not end with }"
	}
	return 5, "begins with { but no member name follows"
}

// readJSON flattens one JSON object and finds out which format it is.
func readJSON(p *pass) bool {
	if first, rest := dockerParts(p.text); first != nil {
		return readDockerParts(p, first, rest)
	}
	if !p.flatten() {
		return false
	}
	kind := p.spec.variant
	if kind == jsonAny || p.depth > 0 || int(kind) >= len(jsonKinds) {
		for kind = jsonTrail; !jsonKinds[kind].fits(p); {
			kind++
		}
	}
	k := &jsonKinds[kind]
	p.e.FormatName, p.e.LogSource = k.name, k.log
	if k.fits(p) {
		k.read(p)
	} else {
		readGeneric(p) // forced, but the record lacks what the format needs
	}
	return true
}

// The spellings under which JSON logs carry their time, level and message, the
// most certain first.
var (
	timeKeys = knownAll("@timestamp", "timestamp", "time", "ts", "eventTime", "event_time", "datetime", "Timestamp", "@t",
		"published", "date", "asctime", "created_at", "createdAt", "CreationTime", "TimeGenerated", "UtcTime", "EventTime", "TimeCreated", "receiveTimestamp",
		"time_iso8601", "time_local", "start_time", "logtime", "timeMillis", "t", "msec", "created", "eventTimestamp", "Time", "Date")
	levelKeys = knownAll("level", "severity", "log.level", "lvl", "loglevel", "log_level", "levelname", "@l", "Level",
		"Severity", "severity_text", "severityText", "priority", "log_severity", "alert.severity")
	messageKeys = knownAll("message", "msg", "short_message", "log", "@m", "@mt", "Message", "text", "body", "textPayload",
		"description", "summary", "displayMessage", "error", "err", "event", "rule", "action")
)

// genericAliases are guesses that hold wherever the names are used; addresses
// are checked before.
var genericAliases = []pair{
	{ecsUser, known("username")},
	{ecsUser, known("user_name")},
	{ecsUser, known("userName")},
	{ecsUser, fUser},
	{ecsUser, known("actor.alternateId")},
	{ecsUser, known("actor.login")},
	{ecsUser, known("userPrincipalName")},
	{ecsHost, known("hostname")},
	{ecsHost, fHost},
	{ecsHost, known("host_name")},
	{ecsHost, known("Computer")},
	{ecsSrcPort, fSrcPort},
	{ecsSrcPort, known("srcport")},
	{ecsDstPort, known("dest_port")},
	{ecsDstPort, known("dstport")},
	{ecsAction, known("eventName")},
	{ecsAction, known("eventType")},
	{ecsAction, known("action")},
	{ecsAction, known("event_type")},
	{ecsProcess, known("process_name")},
	{ecsPID, known("pid")},
	{ecsCommand, known("cmdline")},
	{ecsCommand, known("CommandLine")},
	{ecsMethod, known("method")},
	{ecsMethod, fReqMethod},
	{ecsURLPath, known("path")},
	{ecsURL, known("url")},
	{ecsURL, fReqURI},
	{ecsStatus, fStatus},
	{ecsStatus, known("status_code")},
	{ecsUserAgent, known("user_agent")},
	{ecsUserAgent, known("userAgent")},
	{ecsUserAgent, fAgent},
	{ecsRequestID, known("request_id")},
	{ecsRequestID, known("requestId")},
	{ecsTrace, known("trace_id")},
	{ecsTrace, known("traceId")},
	{ecsSession, known("session_id")},
	{ecsService, known("service")},
}

var sourceKeys = knownAll("src_ip", "srcip", "source_ip", "sourceIPAddress", "client_ip", "clientip", "clientIp",
	"remote_addr", "remote_ip", "remoteAddr", "client.ip", "client.ipAddress", "callerIpAddress", "src.ip", "id.orig_h", "srcaddr", "ip")

var destinationKeys = knownAll("dst_ip", "dstip", "dest_ip", "destination_ip", "dst.ip", "id.resp_h", "dstaddr", "server_ip")

// readGeneric guesses time, level and message of any JSON record.
func readGeneric(p *pass) {
	p.endNative()
	for _, k := range timeKeys {
		if f := p.has(k); f != nil && p.timeValue(f.Value) {
			break
		}
	}
	for _, k := range levelKeys {
		if f := p.has(k); f != nil {
			if p.e.Level = levelValue(f.Value); p.e.Level != event.LevelUnknown {
				break
			}
		}
	}
	p.e.Message = str(p.text)
	for _, k := range messageKeys {
		if f := p.has(k); f != nil && f.Value.Kind == event.KindString && f.Value.Str != "" {
			p.e.Message = f.Value.Str
			break
		}
	}
	p.addrAlias(ecsSrcIP, sourceKeys)
	p.addrAlias(ecsDstIP, destinationKeys)
	p.aliases(genericAliases)
}

// addrAlias gives the first value that is an address.
func (p *pass) addrAlias(to name, from []name) {
	for _, k := range from {
		if f := p.has(k); f != nil && isAddr(f.Value.Str) {
			p.alias(to, k)
		}
	}
}

// timeValue takes v as the record's time if it is one.
func (p *pass) timeValue(v event.Value) bool {
	var t stamp
	ok := false
	switch v.Kind {
	case event.KindString:
		t, ok = p.timeText(v.Str)
	case event.KindNumber:
		if t, ok = epochText(v.Str); !ok {
			t, ok = epochStamp(v.Num)
		}
	}
	if ok {
		p.at(t)
	}
	return ok
}

// levelValue reads a level's word, or bunyan's and pino's numbers (10 to 60).
func levelValue(v event.Value) event.Level {
	if v.Kind == event.KindNumber {
		if v.Num >= 10 && v.Num <= 60 {
			return [...]event.Level{
				event.LevelTrace, event.LevelDebug, event.LevelInfo,
				event.LevelWarning, event.LevelError, event.LevelCritical,
			}[int(v.Num)/10-1]
		}
		return event.LevelUnknown
	}
	return levelWord(v.Str)
}

// levelWord reads a level in the usual spellings without allocating.
func levelWord(s string) event.Level {
	if len(s) == 0 || len(s) > 13 {
		return event.LevelUnknown
	}
	var low [13]byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c-'A' < 26 {
			c += 'a' - 'A'
		}
		low[i] = c
	}
	return event.ParseLevel(str(low[:len(s)]))
}

// compose joins words into one message in the slab, leaving out empty ones.
func (p *pass) compose(parts ...string) string {
	n := 0
	for _, s := range parts {
		n += len(s) + 1
	}
	buf := p.slab.bytes.take(n)[:0]
	for _, s := range parts {
		if s == "" {
			continue
		}
		if len(buf) > 0 {
			buf = append(buf, ' ')
		}
		buf = append(buf, s...)
	}
	p.slab.bytes.trim(n - len(buf))
	return str(buf)
}

// literal returns the text of v as bytes of p.text with its offset, or as decoded
// text with offset -1.
func literal(v event.Value) ([]byte, int32) {
	if v.Pos >= 0 && int(v.End-v.Pos) == len(v.Str) {
		return bytesOf(v.Str), v.Pos
	}
	return bytes.TrimRight(bytesOf(v.Str), "\r\n"), -1
}
