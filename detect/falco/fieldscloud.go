package falco

import (
	"bartizan/event"
	"bartizan/query"
)

// trailFields are those that stand in one member of the record.
const trailFields = `
ct.id eventID
ct.error errorCode
ct.errormessage errorMessage
ct.time eventTime
ct.src eventSource
ct.name eventName
ct.user.accountid userIdentity.accountId
ct.user.identitytype userIdentity.type
ct.user.principalid userIdentity.principalId
ct.user.arn userIdentity.arn
ct.region awsRegion
ct.response responseElements
ct.response.subnetid responseElements.subnetId
ct.response.reservationid responseElements.reservationId
ct.request requestParameters
ct.request.availabilityzone requestParameters.availabilityZone
ct.request.cluster requestParameters.cluster
ct.request.functionname requestParameters.functionName
ct.request.groupname requestParameters.groupName
ct.request.host requestParameters.Host
ct.request.name requestParameters.name
ct.request.policy requestParameters.policy
ct.request.serialnumber requestParameters.serialNumber
ct.request.servicename requestParameters.serviceName
ct.request.subnetid requestParameters.subnetId
ct.request.taskdefinition requestParameters.taskDefinition
ct.request.username requestParameters.userName
ct.requestid requestID
ct.srcip sourceIPAddress
ct.useragent userAgent
ct.eventtype eventType
ct.eventcategory eventCategory
ct.apiversion apiVersion
ct.recipientaccountid recipientAccountId
ct.sharedeventid sharedEventID
ct.vpcendpointid vpcEndpointId
ct.additionaleventdata additionalEventData
ct.sessioncredentialfromconsole sessionCredentialFromConsole
ct.tlsdetails.tlsversion tlsDetails.tlsVersion
ct.tlsdetails.ciphersuite tlsDetails.cipherSuite
ct.tlsdetails.clientprovidedhostheader tlsDetails.clientProvidedHostHeader
s3.bucket requestParameters.bucketName
s3.key requestParameters.key
ecr.repository requestParameters.repositoryName
ecr.image.tag requestParameters.imageTag`

// trailFamily is the fields of AWS CloudTrail (Falco's cloudtrail plugin).
func trailFamily() *family {
	f := &family{log: event.LogSource{Product: "aws", Service: "cloudtrail"}, fields: table(trailFields)}
	f.fields["ct.user"] = trailUser()
	truth := equals("managementEvent", "true")
	f.fields["ct.managementevent"] = field{alts: []alt{{when: truth, konst: "true"}, {when: query.Not{X: truth}, konst: "false"}}}
	read := equals("readOnly", "true")
	f.fields["ct.readonly"] = field{alts: []alt{
		{when: read, konst: "true"},
		{when: query.And{exists("readOnly"), query.Not{X: read}}, konst: "false"},
	}}
	unasked(f.fields, "Falco works it out from several members of the record", "ct.shortsrc", "ct.info", "ct.srcdomain",
		"s3.uri", "s3.bytes", "s3.bytes.in", "s3.bytes.out", "s3.cnt.get", "s3.cnt.put", "s3.cnt.other",
		"ec2.name", "ec2.imageid")
	unasked(f.fields, "its value is a whole object", "ct.resources", "ct.serviceeventdetails", "ct.edgedevicedetails",
		"ct.insightdetails", "ct.addendum.reason", "ct.addendum.updatedfields", "ct.addendum.originalrequestid", "ct.addendum.originaleventid")
	return f
}

// trailUser is the user as Falco names it: by the kind of identity.
func trailUser() field {
	kind := func(t string) query.Node { return equals("userIdentity.type", t) }
	const issuer = "userIdentity.sessionContext.sessionIssuer.userName"
	return field{alts: []alt{
		{when: query.Or{kind("Root"), kind("IAMUser")}, path: "userIdentity.userName"},
		{when: kind("AWSService"), path: "userIdentity.invokedBy"},
		{when: kind("AssumedRole"), path: issuer},
		{when: query.And{kind("AssumedRole"), query.Not{X: exists(issuer)}}, konst: "AssumedRole"},
		{when: kind("AWSAccount"), konst: "AWSAccount"},
		{when: kind("FederatedUser"), konst: "FederatedUser"},
	}}
}

// gcpFamily is the fields of Google Cloud's audit log (Falco's gcpaudit plugin).
func gcpFamily() *family {
	f := &family{log: event.LogSource{Product: "gcp"}, fields: table(`
gcp.location gcp.location
gcp.user protoPayload.authenticationInfo.principalEmail zero
gcp.callerIP protoPayload.requestMetadata.callerIp zero
gcp.userAgent protoPayload.requestMetadata.callerSuppliedUserAgent
gcp.authorizationInfo protoPayload.authorizationInfo
gcp.serviceName protoPayload.serviceName
gcp.request protoPayload.request
gcp.methodName protoPayload.methodName zero
gcp.resourceName protoPayload.resourceName
gcp.resourceType resource.type
gcp.projectId resource.labels.project_id
gcp.storage.bucket resource.labels.bucket_name
gcp.cloudfunctions.function resource.labels.function_name
gcp.cloudsql.databaseId resource.labels.database_id
gcp.compute.instanceId resource.labels.instance_id
gcp.compute.networkId resource.labels.network_id
gcp.compute.subnetwork resource.labels.subnetwork_name
gcp.compute.subnetworkId resource.labels.subnetwork_id
gcp.dns.zone resource.labels.zone_name
gcp.iam.serviceAccount resource.labels.email_id
gcp.iam.serviceAccountId resource.labels.unique_id`)}
	bucket := equals("resource.type", "gcs_bucket")
	f.fields["gcp.policyDelta"] = field{alts: []alt{
		{when: bucket, path: "protoPayload.serviceData.policyDelta.bindingDeltas"},
		{when: query.Not{X: bucket}, path: "protoPayload.metadata.datasetChange.bindingDeltas"},
	}}
	f.fields["gcp.logging.sink"] = field{alts: []alt{{when: equals("resource.type", "logging_sink"), path: "resource.labels.name"}}}
	return f
}

// oktaFamily is the fields of Okta's system log (Falco's okta plugin), whose
// missing members are empty texts.
func oktaFamily() *family {
	f := &family{log: event.LogSource{Product: "okta", Service: "okta"}, fields: table(`
okta.target.user.id okta.target.user.id
okta.target.user.alternateid okta.target.user.alternateid
okta.target.user.name okta.target.user.name
okta.target.group.id okta.target.group.id
okta.target.group.alternateid okta.target.group.alternateid
okta.target.group.name okta.target.group.name
okta.target.app.alternateid okta.target.app.alternateid
okta.evt.type eventType zero
okta.evt.legacytype legacyEventType zero
okta.severity severity zero
okta.message displayMessage zero
okta.published published zero
okta.actor.id actor.id zero
okta.actor.Type actor.type zero
okta.actor.alternateid actor.alternateId zero
okta.actor.name actor.displayName zero
okta.client.zone client.zone zero
okta.client.ip client.ipAddress zero
okta.client.device client.device zero
okta.client.id client.id zero
okta.client.geo.city client.geographicalContext.city zero
okta.client.geo.state client.geographicalContext.state zero
okta.client.geo.country client.geographicalContext.country zero
okta.client.geo.postalcode client.geographicalContext.postalCode zero
okta.client.geo.lat client.geographicalContext.geolocation.lat
okta.client.geo.lon client.geographicalContext.geolocation.lon
okta.useragent.os client.userAgent.os zero
okta.useragent.browser client.userAgent.browser zero
okta.useragent.raw client.userAgent.rawUserAgent zero
okta.result outcome.result zero
okta.reason outcome.reason zero
okta.transaction.id transaction.id zero
okta.transaction.type transaction.type zero
okta.requesturi debugContext.debugData.requestUri zero
okta.logonlysecuritydata debugContext.debugData.logOnlySecurityData zero
okta.principal.id debugContext.debugData.originalPrincipal.id zero
okta.principal.alternateid debugContext.debugData.originalPrincipal.alternateId zero
okta.principal.type debugContext.debugData.originalPrincipal.type zero
okta.principal.name debugContext.debugData.originalPrincipal.displayName zero
okta.authentication.step authenticationContext.authenticationStep
okta.authentication.sessionid authenticationContext.externalSessionId zero
okta.authentication.provider authenticationContext.authenticationProvider zero
okta.authentication.credentialprovider authenticationContext.credentialProvider zero
okta.security.asnumber securityContext.asNumber
okta.security.asorg securityContext.asOrg zero
okta.security.isp securityContext.isp zero
okta.security.domain securityContext.domain zero
okta.security.isproxy securityContext.isProxy`)}
	unasked(f.fields, "the record does not hold it", "okta.org")
	unasked(f.fields, "Falco cuts it out of the request's URI", "okta.app")
	unasked(f.fields, "Falco joins a list into one text", "okta.behaviors", "okta.targets.displayName")
	unasked(f.fields, "it counts over time and can only stand beside and, as in okta.mfa.failure.countlast[300] >= 3", "okta.mfa.failure.countlast", "okta.mfa.deny.countlast")
	return f
}

// githubFamily is the fields of GitHub's webhooks (Falco's github plugin).
func githubFamily() *family {
	f := &family{log: event.LogSource{Product: "github", Service: "webhook"}, fields: table(`
github.type webhook_type zero
github.action action zero
github.user sender.login zero
github.repo repository.html_url zero
github.repo.url repository.html_url zero
github.repo.name repository.full_name zero
github.repo.description repository.description zero
github.org organization.login zero
github.owner repository.owner.login zero
github.collaborator.name member.login zero
github.collaborator.role changes.permission.to zero
github.webhook.id hook.id
github.webhook.type hook.type zero
github.workflow.filename workflow.path zero`)}
	private := equals("repository.private", "true")
	f.fields["github.repo.public"] = field{alts: []alt{{when: private, konst: "false"}, {when: query.Not{X: private}, konst: "true"}}}
	f.fields["github.diff.has_secrets"] = found("files", "files.matches.desc")
	f.fields["github.workflow.has_miners"] = found("workflow_miner_detections.matches", "workflow_miner_detections.matches.type")
	unasked(f.fields, "Falco joins what its plugin found into one text", "github.diff.committed_secrets.desc", "github.diff.committed_secrets.files",
		"github.diff.committed_secrets.lines", "github.diff.committed_secrets.links", "github.workflow.miners.type")
	unasked(f.fields, "Falco joins a list into one text", "github.commit.added", "github.commit.modified", "github.commit.removed")
	return f
}

// found is what Falco's plugin adds to a payload after it has fetched more from
// GitHub: "true" where its list has an element, "false" where it is empty, and
// missing where nobody looked.
func found(list, element string) field {
	return field{alts: []alt{
		{when: exists(element), konst: "true"},
		{when: query.And{exists(list), query.Not{X: exists(element)}}, konst: "false"},
	}}
}
