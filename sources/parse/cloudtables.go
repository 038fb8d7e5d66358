package parse

import (
	"slices"
	"strings"

	"bartizan/event"
)

// cloudTables are the second names of the formats of cloud platforms and rented
// services.
var cloudTables = []fieldTable{
	{"aws-elb", "aws-elb", names(elbFirst) + " " + names(elbLast) + " request request_method request_uri uri args server_name server_protocol", append([]pair{
		{ecsSrcIP, albClient}, {ecsSrcPort, albClient}, {ecsDstIP, elbBackend}, {ecsDstPort, elbBackend}, {w3cClientIP, albClient}, {w3cQuery, fArgs}, {w3cQuery, fReqURI},
	}, albAliases...)},
	{"aws-nlb", "aws-nlb", "type " + names(nlbColumns), append([]pair{
		{ecsSrcIP, albClient}, {ecsSrcPort, albClient}, {ecsDstIP, nlbDestination}, {ecsDstPort, nlbDestination}, {ecsTransport, albFirst[0]},
	}, nlbAliases...)},
	{"cloudfront", "cloudfront", strings.TrimPrefix(cloudFrontColumns, "#Fields: "), w3cAliases},
	{"lambda, lambda-text", "lambda lambda-text", "event requestId version durationMs billedDurationMs memorySizeMB maxMemoryUsedMB initDurationMs status errorType errorMessage timestamp level message", lambdaAliases},
	{"route53", "route53", "", append([]pair{{ecsQuestion, rrName}, {rrQuery, rrName}, {ecsTransport, rrTransport}}, route53Shape.pairs()...)},
	{"guardduty", "guardduty", "", guardDutyShape.pairs()},
	{"securityhub", "securityhub", "", securityHubShape.pairs()},
	{"aws-waf", "aws-waf", "", slices.Concat(awsWAFShape.pairs(), awsWAFHeaders.pairs(), []pair{{w3cURI, awfURI}})},
	{"eventbridge", "eventbridge", "", eventBridgeShape.pairs()},
	{"cloudtrail-insight", "cloudtrail-insight", "", insightShape.pairs()},
	{"cloudtrail-digest", "cloudtrail-digest", "", digestShape.pairs()},
	{"entra-signin", "entra-signin", "", append([]pair{{siStatus, siPropCode}, {siActivity, azCategory}, {azMessage, siProtocol}}, signinShape.pairs()...)},
	{"entra-audit", "entra-audit", "", slices.Concat([]pair{{siStatus, auResult}, {siStatus, auReason}}, auditDetails[0].pairs(), auditChanges.pairs(), auditShape.pairs())},
	{"entra-risk, entra-pim", "entra-risk entra-pim", "", append([]pair{{riskType, graphType}}, riskShape.pairs()...)},
	{"azure-activity, azure-resource", "azure-activity azure-resource", "", append([]pair{{azProvider, azOperation}, {ecsAccount, azResource}}, azureShape.pairs()...)},
	{"nsgflow, vnetflow", "nsgflow vnetflow", "", append(append([]pair{{ecsAccount, afRes}}, flowNames...), azureFlowShape.pairs()...)},
	{"m365", "m365", "", slices.Concat([]pair{{msEvent, msAlert}, {msEvent, msDo}, {msStatus, msResult}, {msPayload, msParams}},
		m365Properties[0].pairs(), m365Properties[1].pairs(), m365Shape.pairs())},
	{"workspace", "workspace", "", slices.Concat([]pair{{sigmaService, gwApp}, {gcpService, gwApp}, {gwServiceAs, gwApp}},
		workspaceParameters[0].pairs(), workspaceShape.pairs())},
	{"gcpflow", "gcpflow", "", append([]pair{{ecsTransport, gfProto}}, gcpFlowShape.pairs()...)},
	{"bitbucket", "bitbucket", "", append([]pair{{ecsSrcIP, bbSource}}, bitbucketShape.pairs()...)},
	{"onelogin", "onelogin", "", oneLoginShape.pairs()},
	{"duo", "duo", "", duoShape.pairs()},
}

// cloudDelivered has what the documentation of those services names; see
// asDelivered.
var cloudDelivered = map[string]delivered{
	"lambda":    {names: "time type", below: "record stackTrace location exception", any: true},
	"route53":   {names: "version account_id region vpc_id query_timestamp query_name query_type query_class rcode srcaddr srcport transport firewall_rule_group_id firewall_rule_action firewall_domain_list_id", below: "answers srcids"},
	"aws-waf":   {names: "timestamp formatVersion webaclId terminatingRuleId terminatingRuleType action httpSourceName httpSourceId responseCodeSent ja3Fingerprint ja4Fingerprint requestBodySize requestBodySizeInspectedByWAF clientAsn", below: "terminatingRuleMatchDetails ruleGroupList rateBasedRuleList nonTerminatingMatchingRules requestHeadersInserted httpRequest labels captchaResponse challengeResponse oversizeFields"},
	"guardduty": {names: "schemaVersion accountId region partition id arn type severity createdAt updatedAt title description confidence associatedAttackSequenceArn", below: "resource service"},
	"securityhub": {
		names: "SchemaVersion Id ProductArn ProductName CompanyName GeneratorId AwsAccountId AwsAccountName Region Types FirstObservedAt LastObservedAt CreatedAt UpdatedAt ProcessedAt Criticality Confidence Title Description SourceUrl VerificationState WorkflowState RecordState Sample",
		below: "Severity Remediation ProductFields UserDefinedFields Malware Network NetworkPath Process Threats ThreatIntelIndicators Resources Compliance Workflow RelatedFindings Note Vulnerabilities PatchSummary Action FindingProviderFields",
	},
	"eventbridge":        {names: "version id detail-type source account time region resources", below: "detail"},
	"cloudtrail-insight": {names: "eventVersion eventTime awsRegion eventID eventType recipientAccountId sharedEventID eventCategory", below: "insightDetails"},
	"cloudtrail-digest":  {names: "awsAccountId digestStartTime digestEndTime digestS3Bucket digestS3Object digestPublicKeyFingerprint digestSignatureAlgorithm newestEventTime oldestEventTime previousDigestS3Bucket previousDigestS3Object previousDigestHashValue previousDigestHashAlgorithm previousDigestSignature", below: "logFiles"},
	"entra-signin": {
		names: "time resourceId operationName operationVersion category tenantId resultType resultSignature resultDescription durationMs callerIpAddress correlationId identity Level location",
		below: "properties status Status deviceDetail DeviceDetail LocationDetails",
	},
	"entra-audit": {
		names: "time resourceId operationName operationVersion category tenantId resultSignature durationMs callerIpAddress correlationId Level id activityDateTime operationType",
		below: "properties initiatedBy InitiatedBy targetResources TargetResources additionalDetails AdditionalDetails",
	},
	"entra-risk": {names: "time resourceId operationName category tenantId id requestId correlationId riskDetail source detectionTimingType activityDateTime detectedDateTime lastUpdatedDateTime userDisplayName tokenIssuerType additionalInfo", below: "properties location"},
	"entra-pim":  {names: "@odata.type id createdDateTime assigneeId assigneeDisplayName assigneeUserPrincipalName roleDefinitionId roleDisplayName roleTemplateId lastSignInDateTime", below: "properties"},
	"azure-activity": {
		names: "time TimeGenerated eventTimestamp operationVersion resultSignature durationMs level Level tenantId location caller Caller subscriptionId SubscriptionId resourceGroupName ResourceGroup CategoryValue OperationName eventDataId",
		below: "identity properties Properties authorization Authorization claims Claims httpRequest HTTPRequest category operationName status subStatus eventName resourceProviderName",
	},
	"azure-resource": {any: true}, // every service has members of its own
	"nsgflow":        {names: "time systemId macAddress category resourceId operationName", below: "properties"},
	"vnetflow":       {names: "time flowLogVersion flowLogGUID macAddress category flowLogResourceID targetResourceID operationName", below: "flowRecords"},
	// common schema and those of Exchange, SharePoint, Entra ID, Defender and the alerts
	"m365": {
		names: "CreationTime Id Operation OrganizationId RecordType ResultStatus UserKey UserType Version Workload ClientIP ObjectId UserId Scope " +
			"ApplicationId ClientIPAddress ActorIpAddress AzureActiveDirectoryEventType InterSystemsId IntraSystemId SupportTicketId Target TargetContextId ActorContextId " +
			"Site SiteUrl ItemType EventSource SourceName UserAgent SourceFileName SourceFileExtension SourceRelativeUrl TargetUserOrGroupName TargetUserOrGroupType EventData " +
			"AlertId AlertType AlertEntityId Name PolicyId Status Severity Category Source Comments Data EntityType " +
			"Directionality DeliveryAction DetectionType DetectionMethod Verdict Subject P1Sender P2Sender SenderIp Recipients NetworkMessageId InternetMessageId MessageTime " +
			"LogonType ExternalAccess MailboxGuid MailboxOwnerUPN OriginatingServer SessionId ClientInfoString OrganizationName Payload",
		below: "Parameters OperationProperties ExtendedProperties ModifiedProperties Actor DeviceProperties AppAccessContext AttachmentData AffectedItems Item Folder Folders",
	},
	"workspace": {names: "kind etag ownerDomain ipAddress name type", below: "id actor events parameters networkInfo"},
	"gcpflow":   {names: "insertId timestamp receiveTimestamp logName", below: "jsonPayload resource"},
	"bitbucket": {names: "source system node method version timestamp creationDate", below: "auditType author affectedObjects changedValues extraAttributes timestamp"},
	"onelogin": {names: "id uuid event_type_id account_id event_timestamp created_at actor_user_id actor_user_name actor_system user_id user_name ipaddr app_id app_name " +
		"group_id group_name role_id role_name notes custom_message error_description otp_device_id otp_device_name policy_id policy_name risk_score risk_reasons risk_cookie_id " +
		"browser_fingerprint client_id directory_id directory_sync_run_id resolution resource_type_id resolved_at assuming_acting_user_id operation_name proxy_ip service_directory_id solved trusted_idp_id trusted_idp_name"},
	"duo": {
		names: "alias email event_type factor isotimestamp ood_software reason result timestamp trusted_endpoint_status txid action description object username eventtype host",
		below: "access_device adaptive_trust_assessments application auth_device user",
	},
}

func init() {
	fieldTables = append(fieldTables, cloudTables...)
	for name, d := range cloudDelivered {
		asDelivered[name] = d
	}
}

// cloudSources are the log sources of formats whose records come from several.
func cloudSources(f *Format) []event.LogSource {
	switch f.Name {
	case "m365":
		return []event.LogSource{logM365, logM365Exchange, logM365Threat, logM365Detect}
	case "gcpaudit":
		return []event.LogSource{logGCP, logWorkspaceAdmin, logWorkspaceLogin}
	case "workspace":
		return []event.LogSource{{Product: "gcp", Service: "google_workspace"}, logWorkspaceAdmin, logWorkspaceLogin}
	}
	return []event.LogSource{f.LogSource}
}
