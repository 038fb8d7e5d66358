package parse

import (
	"fmt"

	"bartizan/event"
)

// reader is one way to turn text into fields. Formats that share a beginning (all
// of syslog, all of JSON) share a reader, which looks at the record to tell them
// apart.
type reader struct {
	name  string
	score func(text []byte) (int, string) // a reason with "but" is a near miss
	read  func(p *pass) bool
	wide  bool // takes almost anything, so it must not be preferred later
	wraps bool // wraps the text of another format
}

// The readers that others name.
const (
	readRawID = iota
	readSyslogID
	readJSONID
	readWeb
	readNginxErrorID
	readEnvoyID
	readS3ID
	readVPCID
	readFalcoID
	readAuditdID
	readCRIID
	readLogfmtID
	readTextID
	readCiscoID
	readApacheErrorID
	readHAProxyID
	readALBID
	readZeekID
	readW3CID
	readCSVID
	readCEFID
	readLEEFID
	readPostgresID
	readPostgresCSVID
	readMySQLID
	readMySQLSlowID
	readRedisID
	readMongoID
	readKlogID
	readIstiodID
	readEventXMLID
	readELBID
	readNLBID
	readCloudFrontID
	readLambdaID
	readUserID
	readKubectlID
	maxReaders
)

var readers [maxReaders]reader

func init() {
	readers = [maxReaders]reader{
		readRawID:        {name: "raw", score: func([]byte) (int, string) { return 1, "anything is raw text" }, read: readRaw, wide: true},
		readSyslogID:     {name: "syslog", score: scoreSyslog, read: readSyslog},
		readJSONID:       {name: "json", score: scoreJSON, read: readJSON},
		readWeb:          {name: "nginx", score: scoreWeb, read: readAccess},
		readNginxErrorID: {name: "nginx-error", score: scoreNginxError, read: readNginxError},
		readEnvoyID:      {name: "envoy", score: scoreEnvoy, read: readEnvoy},
		readS3ID:         {name: "s3access", score: scoreS3, read: readS3},
		readVPCID:        {name: "vpcflow", score: scoreVPC, read: readVPC},
		readFalcoID:      {name: "falco-text", score: scoreFalco, read: readFalco},
		readAuditdID:     {name: "auditd", score: scoreAuditd, read: readAuditd},
		readCRIID:        {name: "cri", score: scoreCRI, read: readCRI, wraps: true},
		readLogfmtID:     {name: "logfmt", score: scoreLogfmt, read: readLogfmt, wide: true},
		readCiscoID:      {name: "cisco", score: scoreCisco, read: readCisco},
		readTextID:       {name: "text", score: scoreText, read: readText, wide: true},
		readZeekID:       {name: "zeek", score: scoreZeek, read: readZeek},
		readW3CID:        {name: "w3c", score: scoreW3C, read: readW3C},
		readCSVID:        {name: "csv", score: scoreCSV, read: readCSV},

		readCEFID:         {name: "cef", score: scoreCEF, read: readCEF},
		readLEEFID:        {name: "leef", score: scoreLEEF, read: readLEEF},
		readPostgresID:    {name: "postgresql", score: scorePostgres, read: readPostgres},
		readPostgresCSVID: {name: "postgresql-csv", score: scorePostgresCSV, read: readPostgresCSV},
		readMySQLID:       {name: "mysql", score: scoreMySQL, read: readMySQL},
		readMySQLSlowID:   {name: "mysql-slow", score: scoreMySQLSlow, read: readMySQLSlow},
		readRedisID:       {name: "redis", score: scoreRedis, read: readRedis},
		readMongoID:       {name: "mongodb-text", score: scoreMongo, read: readMongo},
		readKlogID:        {name: "klog", score: scoreKlog, read: readKlog},
		readIstiodID:      {name: "istiod", score: scoreIstiod, read: readIstiod},
		readEventXMLID:    {name: "sysmon-linux", score: scoreEventXML, read: readEventXML},

		readKubectlID: {name: "kubectl", score: scoreKubectl, read: readKubectl, wraps: true},
		readUserID:    {name: "user", score: func([]byte) (int, string) { return 0, "described in the config" }, read: readUser, wide: true},

		readApacheErrorID: {name: "apache-error", score: scoreApacheError, read: readApacheError},
		readHAProxyID:     {name: "haproxy", score: scoreHAProxy, read: readHAProxy},
		readALBID:         {name: "aws-alb", score: scoreALB, read: readALB},
		readELBID:         {name: "aws-elb", score: scoreELB, read: readELB},
		readNLBID:         {name: "aws-nlb", score: scoreNLB, read: readNLB},
		readCloudFrontID:  {name: "cloudfront", score: scoreCloudFront, read: readCloudFront},
		readLambdaID:      {name: "lambda-text", score: scoreLambda, read: readLambda},
	}
}

// known format of a registry: what people see, and how it is read.
type builtinFormat struct {
	Format
	reader, variant uint8
}

func lookup(name string) (builtinFormat, bool) {
	for _, b := range builtin {
		if b.Name == name {
			return b, true
		}
	}
	return builtinFormat{}, false
}

func readerNamed(name string) (uint8, error) {
	for i := range readers {
		if readers[i].name == name {
			return uint8(i), nil
		}
	}
	return 0, fmt.Errorf("there is no format %q; see docs/formats.md for the names", name)
}

// The log sources that route rules, in Sigma's words where Sigma has them.
var (
	logSSHD     = event.LogSource{Product: "linux", Service: "sshd"}
	logSudo     = event.LogSource{Product: "linux", Service: "sudo"}
	logAuth     = event.LogSource{Product: "linux", Service: "auth"}
	logCron     = event.LogSource{Product: "linux", Service: "cron"}
	logSyslog   = event.LogSource{Product: "linux", Service: "syslog"}
	logAuditd   = event.LogSource{Product: "linux", Service: "auditd"}
	logTrail    = event.LogSource{Product: "aws", Service: "cloudtrail"}
	logS3       = event.LogSource{Product: "aws", Service: "s3access"}
	logVPC      = event.LogSource{Product: "aws", Service: "vpcflow"}
	logK8s      = event.LogSource{Product: "kubernetes", Category: "application", Service: "audit"}
	logNginx    = event.LogSource{Product: "nginx", Category: "webserver"}
	logApache   = event.LogSource{Product: "apache", Category: "webserver"}
	logEnvoy    = event.LogSource{Product: "envoy", Category: "webserver"}
	logNginxEr  = event.LogSource{Product: "nginx", Service: "error"}
	logApacheEr = event.LogSource{Product: "apache", Service: "error"}
	logHAProxy  = event.LogSource{Product: "haproxy", Category: "webserver"}
	logALB      = event.LogSource{Product: "aws", Category: "webserver", Service: "elb"}
	logCaddy    = event.LogSource{Product: "caddy", Category: "webserver"}
	logTraefik  = event.LogSource{Product: "traefik", Category: "webserver"}
	logWAF      = event.LogSource{Product: "modsecurity"}
	logFalco    = event.LogSource{Product: "falco"}
	logGitHub   = event.LogSource{Product: "github", Service: "audit"}
)
