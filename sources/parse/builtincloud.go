package parse

import "bartizan/event"

// cloudFormats are the formats of cloud platforms and of services people rent.
// Examples are records of ours, as those of builtin.
var cloudFormats = []builtinFormat{
	{Format{
		"entra-signin", "sign-ins to Microsoft Entra, as diagnostic settings, Microsoft Graph and the SigninLogs tables have them", logEntraSignin,
		`{"time":"2026-11-03T09:14:02Z","resourceId":"/tenants/0d3a8f1e-5a10-4c1b-9a5b-6f1d2e3c4b5a/providers/Microsoft.aadiam","operationName":"Sign-in activity","category":"SignInLogs","tenantId":"0d3a8f1e-5a10-4c1b-9a5b-6f1d2e3c4b5a","resultType":"50126","resultDescription":"Error validating credentials due to invalid username or password.","callerIpAddress":"203.0.113.9","correlationId":"5c1d","identity":"Amira N.","Level":4,"location":"SE","properties":{"id":"71aa","createdDateTime":"2026-11-03T09:14:02.118Z","userPrincipalName":"amira@acme.example","userId":"00aa","appId":"9bc3","appDisplayName":"Azure Portal","ipAddress":"203.0.113.9","status":{"errorCode":50126,"failureReason":"Error validating credentials due to invalid username or password."},"clientAppUsed":"Browser","userAgent":"Mozilla/5.0","deviceDetail":{"deviceId":"","operatingSystem":"Linux","trustType":""},"location":{"city":"Lund","countryOrRegion":"SE"},"conditionalAccessStatus":"notApplied","authenticationRequirement":"singleFactorAuthentication","riskState":"none","networkLocationDetails":"[]","homeTenantId":"0d3a8f1e-5a10-4c1b-9a5b-6f1d2e3c4b5a","resourceTenantId":"0d3a8f1e-5a10-4c1b-9a5b-6f1d2e3c4b5a"}}`,
	}, readJSONID, jsonEntraSignin},
	{Format{
		"entra-audit", "changes to the directory of Microsoft Entra, in the same three shapes", logEntraAudit,
		`{"time":"2026-11-03T09:14:02Z","resourceId":"/tenants/0d3a8f1e-5a10-4c1b-9a5b-6f1d2e3c4b5a/providers/Microsoft.aadiam","operationName":"Add member to role","category":"AuditLogs","tenantId":"0d3a8f1e-5a10-4c1b-9a5b-6f1d2e3c4b5a","correlationId":"5c1e","Level":4,"properties":{"id":"Directory_5c1e","category":"RoleManagement","activityDisplayName":"Add member to role","activityDateTime":"2026-11-03T09:14:02.118Z","loggedByService":"Core Directory","operationType":"Assign","result":"success","resultReason":"","initiatedBy":{"user":{"id":"00aa","userPrincipalName":"amira@acme.example","ipAddress":"203.0.113.9"}},"targetResources":[{"id":"00bb","type":"User","userPrincipalName":"bo@acme.example","displayName":"Bo L.","modifiedProperties":[{"displayName":"Role.DisplayName","oldValue":null,"newValue":"\"Global Administrator\""}]}],"additionalDetails":[{"key":"User-Agent","value":"Mozilla/5.0"}]}}`,
	}, readJSONID, jsonEntraAudit},
	{Format{
		"entra-pim", "alerts of Privileged Identity Management, as Microsoft Graph returns their incidents", logEntraPIM,
		`{"@odata.type":"#microsoft.graph.staleSignInAlertIncident","id":"4410","createdDateTime":"2026-11-03T09:14:02Z","assigneeId":"00bb","assigneeDisplayName":"Bo L.","assigneeUserPrincipalName":"bo@acme.example","roleDisplayName":"Global Administrator","lastSignInDateTime":"2026-05-01T08:00:00Z"}`,
	}, readJSONID, jsonEntraPIM},
	{Format{
		"entra-risk", "risks that Microsoft Entra ID Protection found, in the three shapes of the sign-ins", logEntraRisk,
		`{"time":"2026-11-03T09:14:02Z","resourceId":"/tenants/0d3a8f1e-5a10-4c1b-9a5b-6f1d2e3c4b5a/providers/microsoft.aadiam","operationName":"User Risk Detection","category":"UserRiskEvents","tenantId":"0d3a8f1e-5a10-4c1b-9a5b-6f1d2e3c4b5a","properties":{"id":"c41f","riskEventType":"anonymizedIPAddress","riskState":"atRisk","riskLevel":"medium","detectionTimingType":"realtime","source":"IdentityProtection","activity":"signin","ipAddress":"203.0.113.9","activityDateTime":"2026-11-03T09:14:02.118Z","userId":"00aa","userPrincipalName":"amira@acme.example"}}`,
	}, readJSONID, jsonEntraRisk},
	{Format{
		"azure-activity", "the activity log of an Azure subscription, as diagnostic settings, the API and the AzureActivity table have it", logAzureActivity,
		`{"time":"2026-11-03T09:14:02.118Z","resourceId":"/subscriptions/7c0b1a2d-3e4f-4a5b-8c6d-9e0f1a2b3c4d/RESOURCEGROUPS/SHOP/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/SHOP-KEYS","operationName":"MICROSOFT.KEYVAULT/VAULTS/DELETE","category":"Administrative","resultType":"Success","resultSignature":"Succeeded.","callerIpAddress":"203.0.113.9","correlationId":"5c1f","identity":{"authorization":{"action":"Microsoft.KeyVault/vaults/delete","evidence":{"role":"Owner"}},"claims":{"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn":"amira@acme.example"}},"level":"Information","location":"global","properties":{"message":"Microsoft.KeyVault/vaults/delete"}}`,
	}, readJSONID, jsonAzureActivity},
	{Format{
		"azure-resource", "logs of Azure resources as diagnostic settings stream them; what AKS puts into them is read by itself", logAzureResource,
		`{"time":"2026-11-03T09:14:02.118Z","category":"AuditEvent","operationName":"SecretGet","resultType":"Success","correlationId":"5c20","callerIpAddress":"203.0.113.9","identity":{"claim":{"appid":"9bc3"}},"properties":{"clientInfo":"curl/8.8.0","requestUri":"https://shop-keys.vault.azure.net/secrets/db","id":"https://shop-keys.vault.azure.net/secrets/db/11","httpStatusCode":200},"resourceId":"/subscriptions/7c0b1a2d-3e4f-4a5b-8c6d-9e0f1a2b3c4d/RESOURCEGROUPS/SHOP/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/SHOP-KEYS"}`,
	}, readJSONID, jsonAzureResource},
	{Format{
		"nsgflow", "flow logs of Azure's network security groups; one record has many flows", logNSGFlow,
		`{"time":"2026-11-03T09:14:02Z","systemId":"a1b2","macAddress":"000D3AF87856","category":"NetworkSecurityGroupFlowEvent","resourceId":"/subscriptions/7c0b1a2d-3e4f-4a5b-8c6d-9e0f1a2b3c4d/RESOURCEGROUPS/SHOP/PROVIDERS/MICROSOFT.NETWORK/NETWORKSECURITYGROUPS/WEB","operationName":"NetworkSecurityGroupFlowEvents","properties":{"Version":2,"flows":[{"rule":"DefaultRule_DenyAllInBound","flows":[{"mac":"000D3AF87856","flowTuples":["1793697242,203.0.113.9,10.20.1.7,40022,22,T,I,D,B,,,,"]}]}]}}`,
	}, readJSONID, jsonNSGFlow},
	{Format{
		"vnetflow", "flow logs of Azure's virtual networks; one record has many flows", logVNetFlow,
		`{"time":"2026-11-03T09:14:02Z","flowLogVersion":4,"flowLogGUID":"a1b2","macAddress":"000D3AF87856","category":"FlowLogFlowEvent","flowLogResourceID":"/subscriptions/7c0b1a2d-3e4f-4a5b-8c6d-9e0f1a2b3c4d/RESOURCEGROUPS/SHOP/PROVIDERS/MICROSOFT.NETWORK/NETWORKWATCHERS/W/FLOWLOGS/F","targetResourceID":"/subscriptions/7c0b1a2d-3e4f-4a5b-8c6d-9e0f1a2b3c4d/resourceGroups/shop/providers/Microsoft.Network/virtualNetworks/web","operationName":"FlowLogFlowEvent","flowRecords":{"flows":[{"aclID":"00cc","flowGroups":[{"rule":"PlatformRule","flowTuples":["1793697242118,10.20.1.7,198.51.100.4,51022,443,6,O,E,NX,3,1201,4,5210"]}]}]}}`,
	}, readJSONID, jsonVNetFlow},
	{Format{
		"m365", "the unified audit log of Microsoft 365, as its Management Activity API returns it", logM365,
		`{"CreationTime":"2026-11-03T09:14:02","Id":"88aa","Operation":"UserLoggedIn","OrganizationId":"0d3a8f1e-5a10-4c1b-9a5b-6f1d2e3c4b5a","RecordType":15,"ResultStatus":"Success","UserKey":"00aa","UserType":0,"Version":1,"Workload":"AzureActiveDirectory","ClientIP":"203.0.113.9:40022","ObjectId":"00000002-0000-0000-c000-000000000000","UserId":"amira@acme.example","ApplicationId":"9bc3","ExtendedProperties":[{"Name":"UserAgent","Value":"Mozilla/5.0"},{"Name":"RequestType","Value":"OAuth2:Authorize"}]}`,
	}, readJSONID, jsonM365},
	{Format{
		"workspace", "activities of Google Workspace, as its Reports API returns them and as collectors flatten them",
		logWorkspaceAdmin,
		`{"kind":"admin#reports#activity","id":{"time":"2026-11-03T09:14:02.118Z","uniqueQualifier":"-5175","applicationName":"admin","customerId":"C01"},"actor":{"callerType":"USER","email":"amira@acme.example","profileId":"1110"},"ipAddress":"203.0.113.9","events":[{"type":"SECURITY_SETTINGS","name":"ENFORCE_STRONG_AUTHENTICATION","parameters":[{"name":"NEW_VALUE","value":"false"},{"name":"ORG_UNIT_NAME","value":"acme"}]}]}`,
	}, readJSONID, jsonWorkspace},
	{Format{
		"gcpflow", "Google Cloud's VPC flow logs", logGCPFlow,
		`{"insertId":"1x2y","jsonPayload":{"connection":{"src_ip":"10.20.1.7","src_port":51022,"dest_ip":"198.51.100.4","dest_port":443,"protocol":6},"bytes_sent":"5210","packets_sent":"9","reporter":"SRC","start_time":"2026-11-03T09:13:57.001Z","end_time":"2026-11-03T09:14:02.118Z","src_instance":{"project_id":"acme-prod","vm_name":"web-1","zone":"europe-north1-a"}},"logName":"projects/acme-prod/logs/compute.googleapis.com%2Fvpc_flows","resource":{"type":"gce_subnetwork","labels":{"project_id":"acme-prod","location":"europe-north1-a","subnetwork_name":"web"}},"timestamp":"2026-11-03T09:14:05.501Z"}`,
	}, readJSONID, jsonGCPFlow},
	{Format{
		"route53", "query logs of Amazon Route 53 Resolver", logRoute53,
		`{"version":"1.100000","account_id":"111122223333","region":"eu-west-1","vpc_id":"vpc-0a1b","query_timestamp":"2026-11-03T09:14:02Z","query_name":"c2.example.","query_type":"TXT","query_class":"IN","rcode":"NOERROR","answers":[{"Rdata":"\"id=4711\"","Type":"TXT","Class":"IN"}],"srcaddr":"10.20.1.7","srcport":"51022","transport":"UDP","srcids":{"instance":"i-0a1b2c"}}`,
	}, readJSONID, jsonRoute53},
	{Format{
		"cloudtrail-insight", "CloudTrail's Insights events: unusual rates of calls and errors", logInsight,
		`{"eventVersion":"1.09","eventTime":"2026-11-03T09:14:02Z","awsRegion":"eu-west-1","eventID":"77aa","eventType":"AwsCloudTrailInsight","recipientAccountId":"111122223333","sharedEventID":"77ab","insightDetails":{"state":"Start","eventSource":"iam.amazonaws.com","eventName":"CreateUser","insightType":"ApiCallRateInsight","insightContext":{"statistics":{"baseline":{"average":0.02},"insight":{"average":14}}}},"eventCategory":"Insight"}`,
	}, readJSONID, jsonInsight},
	{Format{
		"cloudtrail-digest", "CloudTrail's digest files, which prove the log files of an hour; they are no events", logDigest,
		`{"awsAccountId":"111122223333","digestStartTime":"2026-11-03T08:14:02Z","digestEndTime":"2026-11-03T09:14:02Z","digestS3Bucket":"acme-trail","digestS3Object":"AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/11/03/d.json.gz","digestSignatureAlgorithm":"SHA256withRSA","previousDigestSignature":"50887ccf","previousDigestHashAlgorithm":"SHA-256","logFiles":[{"s3Bucket":"acme-trail","s3Object":"AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/03/a.json.gz","hashValue":"9bb6","hashAlgorithm":"SHA-256"}]}`,
	}, readJSONID, jsonDigest},
	{Format{
		"eventbridge", "events of Amazon EventBridge; a detail that is a record of CloudTrail, GuardDuty or Security Hub is read as that", logEventBridge,
		`{"version":"0","id":"6a7e","detail-type":"EC2 Instance State-change Notification","source":"aws.ec2","account":"111122223333","time":"2026-11-03T09:14:02Z","region":"eu-west-1","resources":["arn:aws:ec2:eu-west-1:111122223333:instance/i-0a1b2c"],"detail":{"instance-id":"i-0a1b2c","state":"terminated"}}`,
	}, readJSONID, jsonEventBridge},
	{Format{
		"guardduty", "findings of Amazon GuardDuty, exported or inside an event of EventBridge", logGuardDuty,
		`{"schemaVersion":"2.0","accountId":"111122223333","region":"eu-west-1","partition":"aws","id":"b2c6","arn":"arn:aws:guardduty:eu-west-1:111122223333:detector/d1/finding/b2c6","type":"UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS","resource":{"resourceType":"AccessKey","accessKeyDetails":{"accessKeyId":"ASIAEXAMPLE","principalId":"AROAEXAMPLE:i-0a1b2c","userName":"web","userType":"AssumedRole"}},"service":{"serviceName":"guardduty","detectorId":"d1","action":{"actionType":"AWS_API_CALL","awsApiCallAction":{"api":"ListBuckets","serviceName":"s3.amazonaws.com","callerType":"Remote IP","remoteIpDetails":{"ipAddressV4":"203.0.113.9","country":{"countryName":"Sweden"}}}},"eventFirstSeen":"2026-11-03T09:14:02Z","eventLastSeen":"2026-11-03T09:14:02Z","archived":false,"count":1},"severity":8,"createdAt":"2026-11-03T09:14:02.118Z","updatedAt":"2026-11-03T09:14:02.118Z","title":"Credentials of the role web were used from 203.0.113.9."}`,
	}, readJSONID, jsonGuardDuty},
	{Format{
		"securityhub", "findings in the AWS Security Finding Format", logSecurityHub,
		`{"SchemaVersion":"2018-10-08","Id":"arn:aws:securityhub:eu-west-1:111122223333:subscription/x/finding/9","ProductArn":"arn:aws:securityhub:eu-west-1::product/aws/securityhub","ProductName":"Security Hub","GeneratorId":"s3.8","AwsAccountId":"111122223333","Region":"eu-west-1","Types":["Software and Configuration Checks"],"CreatedAt":"2026-11-03T09:14:02.118Z","UpdatedAt":"2026-11-03T09:14:02.118Z","Severity":{"Label":"HIGH","Normalized":70},"Title":"S3.8 buckets should block public access","Resources":[{"Type":"AwsS3Bucket","Id":"arn:aws:s3:::acme-invoices"}],"Compliance":{"Status":"FAILED"}}`,
	}, readJSONID, jsonSecurityHub},
	{Format{
		"aws-waf", "requests that AWS WAF judged", logAWSWAF,
		`{"timestamp":1793697242118,"formatVersion":1,"webaclId":"arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/1a2b","terminatingRuleId":"AWS-AWSManagedRulesSQLiRuleSet","terminatingRuleType":"MANAGED_RULE_GROUP","action":"BLOCK","httpSourceName":"ALB","httpSourceId":"111122223333-app/shop/50dc","httpRequest":{"clientIp":"203.0.113.9","country":"SE","headers":[{"name":"Host","value":"shop.example"},{"name":"User-Agent","value":"sqlmap/1.8"}],"uri":"/item/7","args":"id=1%27","httpVersion":"HTTP/2.0","httpMethod":"GET","requestId":"1-5f0c"}}`,
	}, readJSONID, jsonAWSWAF},
	{Format{
		"cloudwatch", "log events of Amazon CloudWatch Logs around a line of any other format",
		event.LogSource{},
		`{"id":"37655409418437364710123456789012345678901234567890123456","timestamp":1793697242118,"message":"2026-11-03 09:14:02 WARN queue is 80% full"}`,
	}, readJSONID, jsonCloudWatch},
	{Format{
		"lambda", "logs of AWS Lambda functions as JSON: their own lines, those of the platform, and Powertools'", logLambda,
		`{"timestamp":"2026-11-03T09:14:02.118Z","level":"ERROR","requestId":"8f507cfc-1111-4697-b07a-ac58fc914c95","errorType":"TypeError","errorMessage":"order is undefined"}`,
	}, readJSONID, jsonLambda},
	{Format{
		"lambda-text", "logs of AWS Lambda functions as text: START, END and REPORT of the service and the runtimes' lines", logLambda,
		"2026-11-03T09:14:02.118Z\t8f507cfc-1111-4697-b07a-ac58fc914c95\tERROR\torder 4711 was refused",
	}, readLambdaID, 0},
	{Format{
		"aws-elb", "access log of an AWS Classic Load Balancer", logELB,
		`2026-11-03T09:14:02.118201Z shop-lb 203.0.113.9:40022 10.20.1.7:8080 0.000073 0.001048 0.000057 200 200 0 2750 "GET https://shop.example:443/item/7?id=1 HTTP/1.1" "curl/8.8.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2`,
	}, readELBID, 0},
	{Format{
		"aws-nlb", "access log of the TLS listeners of an AWS Network Load Balancer", logNLB,
		`tls 2.0 2026-11-03T09:14:02 net/shop-nlb/c6e77e28c25b2234 g3d4b5e8bb8464cd 203.0.113.9:40022 10.20.1.7:443 5 2 98 246 - arn:aws:acm:eu-west-1:111122223333:certificate/2a10 - ECDHE-RSA-AES128-SHA tlsv12 - shop.example h2 h2 h2,http/1.1 2026-11-03T09:13:57`,
	}, readNLBID, 0},
	{Format{
		"cloudfront", "Amazon CloudFront's standard log without its `#Fields` line", logCloudFront,
		"2026-11-03\t09:14:02\tARN52-C1\t2750\t203.0.113.9\tGET\td1.cloudfront.net\t/item/7\t403\t-\tcurl/8.8.0\tid=1\t-\tError\tx9Tq==\tshop.example\thttps\t62\t0.113\t-\tTLSv1.3\tTLS_AES_128_GCM_SHA256\tError\tHTTP/2.0\t-\t-\t40022\t0.113\tError\ttext/html\t153\t-\t-",
	}, readCloudFrontID, 0},
	{Format{
		"bitbucket", "the audit log of Bitbucket Data Center", logBitbucket,
		`{"affectedObjects":[{"name":"shop","type":"REPOSITORY","id":"17"}],"auditType":{"action":"Repository secret scanning rule deleted","category":"Repositories","area":"LOCAL_CONFIG_AND_ADMINISTRATION","level":"BASE"},"author":{"id":"2","name":"amira","type":"NORMAL"},"changedValues":[],"extraAttributes":[],"method":"Browser","node":"git-1","source":"203.0.113.9","system":"https://git.acme.example","timestamp":{"epochSecond":1793697242,"nano":118000000},"version":"1.0"}`,
	}, readJSONID, jsonBitbucket},
	{Format{
		"onelogin", "events of OneLogin", logOneLogin,
		`{"id":998877,"uuid":"c3f0","event_type_id":3,"account_id":44,"event_timestamp":"2026-11-03T09:14:02.118Z","actor_user_id":1011,"actor_user_name":"Amira N.","user_id":1012,"user_name":"Bo L.","ipaddr":"203.0.113.9","app_name":null,"notes":"assumed"}`,
	}, readJSONID, jsonOneLogin},
	{Format{
		"duo", "authentications and administrators' actions of Cisco Duo", logDuo,
		`{"access_device":{"browser":"Firefox","hostname":null,"ip":"203.0.113.9","os":"Linux"},"application":{"key":"DI1","name":"VPN"},"auth_device":{"ip":"198.51.100.4","name":"phone"},"event_type":"authentication","factor":"bypass_code","isotimestamp":"2026-11-03T09:14:02.118000+00:00","reason":"bypass_user","result":"success","timestamp":1793697242,"txid":"3404","user":{"groups":[],"key":"DU1","name":"amira"}}`,
	}, readJSONID, jsonDuo},
}
