package parse

// Sigma's names of an event's System part.
var (
	winID        = known("EventID")
	winChannel   = known("Channel")
	winProvider  = known("Provider_Name")
	winComputer  = known("Computer")
	winLevelName = known("Level")
	winKeywords  = known("Keywords")
	winRecord    = known("EventRecordID")
)

// Names of Sysmon's and the Security channel's events that we look at.
var (
	winText        = known("Data")
	winImage       = known("Image")
	winSourceImage = known("SourceImage")
	winParentImage = known("ParentImage")
	winCommand     = known("CommandLine")
	winParentCmd   = known("ParentCommandLine")
	winUser        = known("User")
	winSourceUser  = known("SourceUser")
	winSubject     = known("SubjectUserName")
	winTargetUser  = known("TargetUserName")
	winTarget      = known("TargetObject")
	winDetails     = known("Details")
	winObject      = known("ObjectName")
	winValueName   = known("ObjectValueName")
	winEventType   = known("EventType")
	winHashField   = known("Hashes")
	winPID         = known("ProcessId")
	winParentPID   = known("ParentProcessId")
	winFile        = known("TargetFilename")
	winQuery       = known("QueryName")
	winScript      = known("ScriptBlockText")
	winLoaded      = known("ImageLoaded")
	winPipe        = known("PipeName")
	winSrcIP       = known("SourceIp")
	winSrcPort     = known("SourcePort")
	winDstIP       = known("DestinationIp")
	winDstPort     = known("DestinationPort")
	winIPAddress   = known("IpAddress")
	winIPPort      = known("IpPort")
	winCwd         = known("CurrentDirectory")
	winLogonID     = known("LogonId")
	winProcessName = known("ProcessName")
	winParams      = knownAll("param1", "param2", "param3", "param4", "param5", "param6", "param7", "param8")
)

// The names of an event dumped as nested JSON.
var (
	wxSystem = known("Event.System")
	wxID     = known("Event.System.EventID")
	wxTime   = known("Event.System.TimeCreated.#attributes.SystemTime")
	wxTimeAt = known("Event.System.TimeCreated.@SystemTime")
	wxTimeBy = known("Event.System.TimeCreated_attributes.SystemTime")
)

var wxAliases = []pair{
	{winID, wxID},
	{winID, known("Event.System.EventID.#text")},
	{winChannel, known("Event.System.Channel")},
	{winProvider, known("Event.System.Provider.#attributes.Name")},
	{winProvider, known("Event.System.Provider.@Name")},
	{winProvider, known("Event.System.Provider_attributes.Name")},
	{winComputer, known("Event.System.Computer")},
	{winLevelName, known("Event.System.Level")},
	{winKeywords, known("Event.System.Keywords")},
	{winRecord, known("Event.System.EventRecordID")},
	{known("Task"), known("Event.System.Task")},
	{known("Opcode"), known("Event.System.Opcode")},
	{known("Security_UserID"), known("Event.System.Security.#attributes.UserID")},
	{known("Security_UserID"), known("Event.System.Security.@UserID")},
	{nxMessage, known("Event.RenderingInfo.Message")},
}

// The names of Winlogbeat and Elastic Agent.
var (
	wbID       = known("winlog.event_id")
	wbData     = known("winlog.event_data")
	wbChannel  = known("winlog.channel")
	wbProvider = known("winlog.provider_name")
	wbTime     = known("winlog.time_created")
	wbStamp    = known("@timestamp")
	wbLevel    = known("log.level")
	wbOutcome  = known("event.outcome")
)

// wbAliases also give back what Winlogbeat's modules moved to ECS names.
var wbAliases = []pair{
	{winID, wbID},
	{winID, known("event.code")},
	{nxMessage, known("message")},
	{winChannel, wbChannel},
	{winProvider, wbProvider},
	{winComputer, known("winlog.computer_name")},
	{winKeywords, known("winlog.keywords")},
	{winRecord, known("winlog.record_id")},
	{known("Task"), known("winlog.task")},
	{known("Opcode"), known("winlog.opcode")},
	{known("Security_UserID"), known("winlog.user.identifier")},
	{winImage, ecsExecutable},
	{winCommand, ecsCommand},
	{winPID, ecsPID},
	{winCwd, ecsCwd},
	{winParentImage, known("process.parent.executable")},
	{winParentCmd, known("process.parent.command_line")},
	{winParentPID, ecsParentPID},
	{winFile, ecsFile},
	{winTarget, known("registry.path")},
	{winDetails, known("registry.data.strings")},
	{winLoaded, known("dll.path")},
	{winQuery, known("dns.question.name")},
	{winSrcIP, ecsSrcIP},
	{winSrcPort, ecsSrcPort},
	{winDstIP, ecsDstIP},
	{winDstPort, ecsDstPort},
}

// The names of flat events.
var (
	nxSource    = known("SourceName")
	nxGUID      = known("ProviderGuid")
	nxTime      = known("EventTime")
	nxCreated   = known("TimeCreated")
	nxGenerated = known("TimeGenerated")
	nxUtc       = known("UtcTime")
	nxSeverity  = known("Severity")
	nxMessage   = known("Message")
	nxEventType = winEventType
)

var nxAliases = []pair{
	{winProvider, nxSource},
	{winProvider, known("ProviderName")},
	{winProvider, known("EventSourceName")},
	{winComputer, known("Hostname")},
	{winComputer, known("hostname")},
	{winRecord, known("RecordNumber")},
}

// winCreated are the names of event 4688 in Sysmon's words.
var winCreated = []pair{
	{winImage, known("NewProcessName")},
	{winParentImage, known("ParentProcessName")},
	{winUser, winSubject},
	{known("IntegrityLevel"), known("MandatoryLabel")},
	{winLogonID, known("SubjectLogonId")},
	{ecsPID, known("NewProcessId")},
	{ecsParentPID, winPID},
}

var winAccessed = []pair{{known("FileName"), winObject}, {winImage, winProcessName}, {ecsFile, winObject}}

var winConnected = []pair{
	{winImage, known("Application")},
	{winSrcIP, known("SourceAddress")},
	{winDstIP, known("DestAddress")},
	{winDstPort, known("DestPort")},
}

var winRegistry = []pair{
	{winTarget, winObject},
	{winDetails, known("NewValue")},
	{winImage, winProcessName},
	{winUser, winSubject},
}

var winLogon = []pair{
	{ecsSrcIP, winIPAddress},
	{ecsSrcPort, winIPPort},
	{ecsSrcDomain, known("WorkstationName")},
	{ecsExecutable, winProcessName},
	{ecsSession, known("TargetLogonId")},
}

// winAliases map Sigma's names to ECS.
var winAliases = []pair{
	{known("event.code"), winID},
	{ecsProvider, winProvider},
	{ecsHost, winComputer},
	{ecsExecutable, winImage},
	{ecsExecutable, winSourceImage},
	{ecsCommand, winCommand},
	{ecsPID, winPID},
	{ecsParentPID, winParentPID},
	{ecsCwd, winCwd},
	{known("process.parent.executable"), winParentImage},
	{known("process.parent.command_line"), winParentCmd},
	{known("registry.path"), winTarget},
	{ecsFile, winFile},
	{ecsFile, winLoaded},
	{known("dns.question.name"), winQuery},
	{ecsSrcIP, winSrcIP},
	{ecsSrcPort, winSrcPort},
	{ecsDstIP, winDstIP},
	{ecsDstPort, winDstPort},
	{ecsTransport, known("Protocol")},
	{ecsSession, known("LogonGuid")},
	{ecsService, known("ServiceName")},
	{ecsUserID, known("SubjectUserSid")},
	{ecsUserID, known("Security_UserID")},
}

// winHashNames are the parts of Sysmon's Hashes and the names rules know them by.
var winHashNames = []struct {
	prefix  string
	to, ecs name
}{
	{"MD5=", known("md5"), known("file.hash.md5")},
	{"SHA1=", known("sha1"), known("file.hash.sha1")},
	{"SHA256=", known("sha256"), known("file.hash.sha256")},
	{"IMPHASH=", known("Imphash"), name{}},
}

// winAbout are the fields that say best what an event is about.
var winAbout = []name{
	winCommand, winTarget, winFile, winQuery, winLoaded, winPipe, winScript, known("TaskName"), known("ServiceName"),
	winDstIP, winTargetUser, winImage, winSourceImage, winObject, winText,
}

// winEventNames are short words for events of the Security and System channels.
var winEventNames = map[int]string{
	1102: "audit log cleared", 4624: "logon", 4625: "logon failed", 4634: "logoff", 4648: "logon with explicit credentials",
	4672: "special privileges", 4697: "service installed", 4698: "task created", 4720: "user created", 4726: "user deleted",
	4728: "member added to global group", 4732: "member added to local group", 4740: "account locked", 4768: "ticket granted",
	4769: "service ticket granted", 4771: "pre-authentication failed", 4776: "credentials checked", 7045: "service installed",
}
