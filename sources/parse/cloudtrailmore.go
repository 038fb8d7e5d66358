package parse

import "bartizan/event"

// Neither is about one call, so rules for calls are not for them.
var (
	logInsight = event.LogSource{Product: "aws", Service: "cloudtrail-insight"}
	logDigest  = event.LogSource{Product: "aws", Service: "cloudtrail-digest"}
)

// Names of CloudTrail's Insights events and of its digest files ("Insights event
// fields" and "digest file structure" in its guide).
var (
	insType   = known("insightDetails.insightType")
	insName   = known("insightDetails.eventName")
	insSource = known("insightDetails.eventSource")
	insState  = known("insightDetails.state")
	digObject = known("digestS3Object")
	digStart  = known("digestStartTime")
	digSigned = known("previousDigestSignature")
	digLogs   = known("logFiles")
	digBucket = known("digestS3Bucket")
)

var insightShape = shape{
	times: []name{ctTime},
	aliases: []pair{
		{ecsAction, insName},
		{ecsProvider, insSource},
		{ecsRule, insType},
		{ecsEventID, known("eventID")},
		{ecsAccount, known("recipientAccountId")},
		{ecsRegion, ctRegion},
		{ecsErrorCode, known("insightDetails.errorCode")},
	},
}

func isInsight(p *pass) bool { return p.has(insType) != nil && p.has(insName) != nil }

// readInsight reads one Insights event: an unusual rate of calls or errors, not a
// call.
func readInsight(p *pass) {
	p.shape(&insightShape)
	p.e.Level = event.LevelNotice
	p.e.Message = p.compose(p.value(insType), p.value(insSource), p.value(insName), p.value(insState))
}

var digestShape = shape{
	times: knownAll("digestEndTime"),
	aliases: []pair{
		{ecsAccount, known("awsAccountId")},
		{ecsBucket, digBucket},
	},
}

func isDigest(p *pass) bool {
	return p.has(digObject) != nil && p.has(digStart) != nil && (p.has(digLogs) != nil || p.has(digSigned) != nil)
}

// readDigest reads a digest file, which names the log files of an hour with their
// hashes and is no event of the account.
func readDigest(p *pass) {
	p.shape(&digestShape)
	p.e.Message = p.compose("CloudTrail digest", p.value(digObject))
}
