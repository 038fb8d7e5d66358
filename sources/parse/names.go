package parse

import "bartizan/event"

// name is a field name known when the program starts. Its slot is where a pass
// remembers the first field that carries it, so that aliases find their value
// without a search.
type name struct {
	text string
	sym  event.Sym
	slot uint16
}

// maxSlots bounds how many names are known by heart; a test holds it. Only those that
// are in use are cleared for each record.
const maxSlots = 2048

var (
	slotOf   = map[string]uint16{}
	slotText = []string{""}
)

// known registers a name at start-up; asking twice gives the same slot. It runs
// only while package variables are initialised, never later.
func known(text string) name {
	s, ok := slotOf[text]
	if !ok {
		s = uint16(len(slotText))
		slotOf[text] = s
		slotText = append(slotText, text)
	}
	return name{text, event.Intern(text), s}
}

// knownAll registers several names at once, in order.
func knownAll(texts ...string) []name {
	out := make([]name, len(texts))
	for i, t := range texts {
		out[i] = known(t)
	}
	return out
}

// ecs are the flat ECS names we give, and the ones that records in ECS bring
// along; they are what people pivot on.
var ecs = func() map[string]bool {
	m := map[string]bool{}
	for _, n := range []string{
		"user.name", "user.id", "user.target.name", "user.roles", "user.effective.name", "source.ip", "source.port",
		"source.user.key", "source.domain", "destination.ip", "destination.port", "host.name", "process.name", "process.pid",
		"process.parent.pid", "process.parent.name", "process.executable", "process.command_line", "process.working_directory", "event.action",
		"event.outcome", "event.provider", "event.id", "event.code", "cloud.account.id", "cloud.region",
		"cloud.access_key", "bucket.name", "session.id", "service.account", "service.name",
		"orchestrator.namespace", "orchestrator.resource.name", "orchestrator.resource.type",
		"container.id", "container.name", "container.image.name", "url.original", "url.path", "url.query", "url.domain",
		"http.request.method", "http.response.status_code", "http.request.id", "http.response.bytes",
		"http.request.bytes", "http.request.referrer", "user_agent.original", "network.transport",
		"network.bytes", "network.packets", "rule.name", "file.path", "file.hash.sha256", "trace.id",
		"error.code", "error.message", "group.name", "dns.question.name", "registry.path", "file.hash.md5", "file.hash.sha1",
		"process.parent.executable", "process.parent.command_line",
		"network.protocol", "dns.question.type", "dns.response_code", "dns.answers.data", "host.id", "vulnerability.id", "vulnerability.severity", "package.name",
	} {
		m[n] = true
	}
	return m
}()

// IsECS reports whether name is one of the flat ECS names events may carry.
func IsECS(name string) bool { return ecs[name] }

// The ECS names that aliases use.
var (
	ecsUser        = known("user.name")
	ecsUserID      = known("user.id")
	ecsTarget      = known("user.target.name")
	ecsRoles       = known("user.roles")
	ecsSrcIP       = known("source.ip")
	ecsSrcPort     = known("source.port")
	ecsSrcKey      = known("source.user.key")
	ecsSrcDomain   = known("source.domain")
	ecsDstIP       = known("destination.ip")
	ecsDstPort     = known("destination.port")
	ecsHost        = known("host.name")
	ecsProcess     = known("process.name")
	ecsPID         = known("process.pid")
	ecsExecutable  = known("process.executable")
	ecsParentPID   = known("process.parent.pid")
	ecsParentName  = known("process.parent.name")
	ecsCommand     = known("process.command_line")
	ecsCwd         = known("process.working_directory")
	ecsAction      = known("event.action")
	ecsOutcome     = known("event.outcome")
	ecsProvider    = known("event.provider")
	ecsEventID     = known("event.id")
	ecsAccount     = known("cloud.account.id")
	ecsRegion      = known("cloud.region")
	ecsAccessKey   = known("cloud.access_key")
	ecsBucket      = known("bucket.name")
	ecsSession     = known("session.id")
	ecsServiceAcct = known("service.account")
	ecsNamespace   = known("orchestrator.namespace")
	ecsResource    = known("orchestrator.resource.name")
	ecsResType     = known("orchestrator.resource.type")
	ecsContainer   = known("container.id")
	ecsContName    = known("container.name")
	ecsImage       = known("container.image.name")
	ecsURL         = known("url.original")
	ecsURLPath     = known("url.path")
	ecsURLQuery    = known("url.query")
	ecsURLDomain   = known("url.domain")
	ecsMethod      = known("http.request.method")
	ecsStatus      = known("http.response.status_code")
	ecsRequestID   = known("http.request.id")
	ecsRespBytes   = known("http.response.bytes")
	ecsReqBytes    = known("http.request.bytes")
	ecsReferrer    = known("http.request.referrer")
	ecsUserAgent   = known("user_agent.original")
	ecsTransport   = known("network.transport")
	ecsNetBytes    = known("network.bytes")
	ecsNetPackets  = known("network.packets")
	ecsRule        = known("rule.name")
	ecsFile        = known("file.path")
	ecsTrace       = known("trace.id")
	ecsErrorCode   = known("error.code")
	ecsErrorText   = known("error.message")
	ecsGroup       = known("group.name")
	ecsService     = known("service.name")
)

// The W3C names that Sigma's webserver rules use.
var (
	w3cMethod   = known("cs-method")
	w3cURI      = known("c-uri")
	w3cQuery    = known("cs-uri-query")
	w3cStem     = known("cs-uri-stem")
	w3cStatus   = known("sc-status")
	w3cAgent    = known("cs-user-agent")
	w3cAgent2   = known("c-useragent")
	w3cReferer  = known("cs-referer")
	w3cHost     = known("cs-host")
	w3cClientIP = known("c-ip")
)
