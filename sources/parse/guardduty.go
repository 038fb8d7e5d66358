package parse

import "bartizan/event"

var (
	logGuardDuty   = event.LogSource{Product: "aws", Service: "guardduty"}
	logSecurityHub = event.LogSource{Product: "aws", Service: "securityhub"}
)

// Names of a GuardDuty finding ("GetFindings" in its API reference; findings that
// are exported or sent as events have the same in lower camel case).
var (
	gdVersion  = known("schemaVersion")
	gdService  = known("service.serviceName")
	gdDetector = known("service.detectorId")
	gdType     = known("type")
	gdTitle    = known("title")
	gdSeverity = known("severity")
	gdAccount  = known("accountId")
	gdID       = known("id")
)

var guardDutyShape = shape{
	times: knownAll("service.eventLastSeen", "updatedAt", "createdAt", "time"),
	from: knownAll("service.action.awsApiCallAction.remoteIpDetails.ipAddressV4", "service.action.networkConnectionAction.remoteIpDetails.ipAddressV4",
		"service.action.portProbeAction.portProbeDetails.remoteIpDetails.ipAddressV4", "service.action.kubernetesApiCallAction.remoteIpDetails.ipAddressV4",
		"service.action.rdsLoginAttemptAction.remoteIpDetails.ipAddressV4"),
	aliases: []pair{
		{ecsUser, known("resource.accessKeyDetails.userName")},
		{ecsUser, known("resource.kubernetesDetails.kubernetesUserDetails.username")},
		{ecsUser, known("resource.rdsDbUserDetails.user")},
		{ecsUserID, known("resource.accessKeyDetails.principalId")},
		{ecsAccessKey, known("resource.accessKeyDetails.accessKeyId")},
		{ecsAccount, gdAccount},
		{ecsRegion, known("region")},
		{ecsRule, gdType},
		{ecsEventID, gdID},
		{ecsProvider, known("service.action.awsApiCallAction.serviceName")},
		{ecsAction, known("service.action.awsApiCallAction.api")},
		{ecsAction, known("service.action.actionType")},
		{ecsQuestion, known("service.action.dnsRequestAction.domain")},
		{ecsHost, known("resource.instanceDetails.instanceId")},
		{ecsBucket, known("resource.s3BucketDetails.name")},
		{ecsSrcPort, known("service.action.networkConnectionAction.remotePortDetails.port")},
		{ecsDstPort, known("service.action.networkConnectionAction.localPortDetails.port")},
		{ecsDstIP, known("resource.instanceDetails.networkInterfaces.privateIpAddress")},
		{ecsDstIP, known("resource.instanceDetails.networkInterfaces.privateIpAddresses.privateIpAddress")},
		{ecsUserAgent, known("service.action.awsApiCallAction.userAgent")},
		{ecsUserAgent, known("service.action.kubernetesApiCallAction.userAgent")},
		{ecsContainer, known("resource.containerDetails.id")},
		{ecsImage, known("resource.containerDetails.image")},
		{ecsNamespace, known("resource.kubernetesDetails.kubernetesWorkloadDetails.namespace")},
		{ecsResource, known("resource.kubernetesDetails.kubernetesWorkloadDetails.name")},
		{ecsExecutable, known("service.runtimeDetails.process.executablePath")},
		{ecsProcess, known("service.runtimeDetails.process.name")},
	},
}

func isGuardDuty(p *pass) bool {
	return p.has(gdType) != nil && p.has(gdSeverity) != nil && (p.value(gdService) == "guardduty" || p.has(gdDetector) != nil && p.has(gdVersion) != nil)
}

// readGuardDuty reads one finding.
func readGuardDuty(p *pass) {
	p.shape(&guardDutyShape)
	if f := p.has(gdSeverity); f != nil { // "Severity levels for GuardDuty findings"
		p.e.Level = severityOf(f.Value, 4, 7, 9)
	}
	p.e.Message = p.value(gdTitle)
	if p.e.Message == "" {
		p.e.Message = p.compose(p.value(gdType), p.value(ecsUser), p.value(ecsSrcIP))
	}
}

// severityOf maps a finding's number to a level: from medium on it is a warning,
// from high on an error, from critical on critical.
func severityOf(v event.Value, medium, high, critical float64) event.Level {
	switch {
	case v.Kind != event.KindNumber:
		return event.LevelWarning
	case v.Num >= critical:
		return event.LevelCritical
	case v.Num >= high:
		return event.LevelError
	case v.Num >= medium:
		return event.LevelWarning
	}
	return event.LevelNotice
}

// Names of a finding in the AWS Security Finding Format ("ASFF" in Security Hub's
// guide).
var (
	shProduct  = known("ProductArn")
	shFinding  = known("GeneratorId")
	shTitle    = known("Title")
	shAccount  = known("AwsAccountId")
	shLabel    = known("Severity.Label")
	shNumber   = known("Severity.Normalized")
	shResource = known("Resources.Id")
	shStatus   = known("Compliance.Status")
)

var securityHubShape = shape{
	times: knownAll("UpdatedAt", "LastObservedAt", "CreatedAt", "ProcessedAt"),
	from: knownAll("Action.AwsApiCallAction.RemoteIpDetails.IpAddressV4", "Action.NetworkConnectionAction.RemoteIpDetails.IpAddressV4",
		"Network.SourceIpV4"),
	to: knownAll("Network.DestinationIpV4"),
	aliases: []pair{
		{ecsAccount, shAccount},
		{ecsRegion, known("Region")},
		{ecsRule, known("Types")},
		{ecsRule, shFinding},
		{ecsEventID, known("Id")},
		{ecsProvider, known("ProductName")},
		{ecsProvider, shProduct},
		{ecsAction, known("Action.AwsApiCallAction.Api")},
		{ecsResource, shResource},
		{ecsResType, known("Resources.Type")},
		{ecsAccessKey, known("Resources.Details.AwsIamAccessKey.AccessKeyId")},
		{ecsUser, known("Resources.Details.AwsIamAccessKey.UserName")},
		{ecsUser, known("Resources.Details.AwsIamAccessKey.PrincipalName")},
		{ecsBucket, known("Resources.Details.AwsS3Bucket.Name")},
		{ecsProcess, known("Process.Name")},
		{ecsExecutable, known("Process.Path")},
		{ecsQuestion, known("Action.DnsRequestAction.Domain")},
	},
}

func isSecurityHub(p *pass) bool {
	return p.has(shProduct) != nil && p.has(shAccount) != nil && (p.has(shFinding) != nil || p.has(shLabel) != nil || p.has(shTitle) != nil)
}

// readSecurityHub reads one finding.
func readSecurityHub(p *pass) {
	p.shape(&securityHubShape)
	switch s := p.value(shLabel); {
	case oneOf(s, "CRITICAL"):
		p.e.Level = event.LevelCritical
	case oneOf(s, "HIGH"):
		p.e.Level = event.LevelError
	case oneOf(s, "MEDIUM"):
		p.e.Level = event.LevelWarning
	case oneOf(s, "LOW"):
		p.e.Level = event.LevelNotice
	case s == "":
		if f := p.has(shNumber); f != nil {
			p.e.Level = severityOf(f.Value, 40, 70, 90)
		}
	}
	switch s := p.value(shStatus); {
	case oneOf(s, "PASSED"):
		p.outcome(true)
		p.e.Level = event.LevelInfo
	case oneOf(s, "FAILED"):
		p.outcome(false)
	}
	p.e.Message = p.compose(p.value(shTitle), p.value(shResource))
}
