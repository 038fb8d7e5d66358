package parse

import "bartizan/event"

// Names of an activity of Google Workspace (activities resource of its Reports
// API): as the API returns it, with a list of events, and with one event taken out
// of the list, as collectors write it.
var (
	gwKind   = known("kind")
	gwActor  = known("actor.email")
	gwApp    = known("id.applicationName")
	gwNames  = known("events.name")
	gwName   = known("name")
	gwType   = known("type")
	gwTime   = known("id.time")
	gwUnique = known("id.uniqueQualifier")
	gwSet    = known("setting_name")
	gwNew    = known("new_value")
)

var workspaceShape = shape{
	times: []name{gwTime},
	from:  knownAll("ipAddress"),
	each: spelled(
		"events.name name eventName protoPayload.metadata.event.eventName",
		"events.type type eventType",
	),
	aliases: []pair{
		{ecsUser, gwActor},
		{ecsUserID, known("actor.profileId")},
		{ecsEventID, gwUnique},
		{ecsAccount, known("id.customerId")},
		{ecsAction, ctName},
		{ecsProvider, sigmaService},
		// parameters as members of one object
		{gwSet, known("parameters.SETTING_NAME")},
		{gwNew, known("parameters.NEW_VALUE")},
		{known("old_value"), known("parameters.OLD_VALUE")},
		{ecsTarget, known("parameters.USER_EMAIL")},
		{ecsGroup, known("parameters.GROUP_EMAIL")},
		{ecsUserAgent, known("parameters.user_agent")},
		{ecsService, known("parameters.APPLICATION_NAME")},
		{ecsFile, known("parameters.doc_title")},
	},
}

// workspaceParameters are the same as lists of names with values: of the Reports
// API, and of the audit log that Google Cloud keeps.
var workspaceParameters = [...]entryList{
	{known("events.parameters.name"), known("events.parameters.value"), workspaceEntries},
	{known("events.parameters.name"), known("events.parameters.boolValue"), workspaceEntries},
	{known("parameters.name"), known("parameters.value"), workspaceEntries},
	{known("protoPayload.metadata.event.parameter.name"), known("protoPayload.metadata.event.parameter.value"), workspaceEntries},
}

var workspaceEntries = []entry{
	{"SETTING_NAME", gwSet, ""},
	{"NEW_VALUE", gwNew, ""},
	{"OLD_VALUE", known("old_value"), ""},
	{"USER_EMAIL", ecsTarget, ""},
	{"GROUP_EMAIL", ecsGroup, ""},
	{"user_agent", ecsUserAgent, ""},
	{"APPLICATION_NAME", ecsService, ""},
	{"doc_title", ecsFile, ""},
}

func isWorkspace(p *pass) bool {
	if p.has(gwApp) == nil || p.has(gwActor) == nil && p.has(gwUnique) == nil && p.has(gwKind) == nil {
		return false
	}
	return p.has(gwNames) != nil || p.has(gwName) != nil || p.has(gwType) != nil
}

// readWorkspace reads one activity of Google Workspace's Reports API.
func readWorkspace(p *pass) {
	p.endNative()
	service := ""
	switch app := p.value(gwApp); app {
	case "":
	case "admin":
		p.e.LogSource, service = logWorkspaceAdmin, "admin.googleapis.com"
	case "login", "user_accounts":
		p.e.LogSource, service = logWorkspaceLogin, "login.googleapis.com"
	default:
		service = app
	}
	p.aliasWord(sigmaService, service)
	p.alias(gcpService, sigmaService)
	p.alias(gwServiceAs, sigmaService)
	p.shape(&workspaceShape)
	p.workspaceParameters()
	switch p.value(ctName) {
	case "login_failure":
		p.e.Level = event.LevelWarning
		p.outcome(false)
	case "login_challenge", "suspicious_login", "suspicious_login_less_secure_app", "suspicious_programmatic_login", "gov_attack_warning":
		p.e.Level = event.LevelWarning
	default:
		p.outcome(true)
	}
	p.e.Message = p.compose(p.value(gwActor), p.value(gwApp), p.value(ctName), p.value(ecsTarget), p.value(gwSet), p.value(gwNew))
}

func (p *pass) workspaceParameters() {
	for i := range workspaceParameters {
		p.entries(&workspaceParameters[i])
	}
}

var gwServiceAs = known("protoPayload.Servicename") // as one rule of Sigma's has it
