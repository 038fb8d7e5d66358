package parse

import (
	"strings"
	"testing"

	"bartizan/event"
	"bartizan/sources"
)

func TestEntraSignin(t *testing.T) {
	runCases(t, sources.Info{}, []formatCase{
		{
			`{"time":"2026-11-03T09:14:02Z","category":"SignInLogs","operationName":"Sign-in activity","resultType":50126,"resultDescription":"Invalid password","callerIpAddress":"203.0.113.9","tenantId":"t1","properties":{"userPrincipalName":"amira@acme.example","userAgent":"azurehound/2","authenticationRequirement":"singleFactorAuthentication","deviceDetail":{"deviceId":"","isCompliant":false,"trustType":"Azure AD joined"},"status":{"errorCode":50126},"networkLocationDetails":[],"resourceDisplayName":"Graph","homeTenantId":"t2"}}`,
			"entra-signin", "warning", at, "user.name=amira@acme.example | source.ip=203.0.113.9 | event.outcome=failure | ResultType=50126 | ResultDescription=Invalid password | Resultdescription=Invalid password | userAgent=azurehound/2 | AuthenticationRequirement=singleFactorAuthentication | DeviceDetail.deviceId= | DeviceDetail.isCompliant=false | DeviceDetail.trusttype=Azure AD joined | NetworkLocationDetails=[] | ResourceDisplayName=Graph | homeTenantId=t2 | Status=Failure | ActivityDetails=Sign-ins | cloud.account.id=t1 | Username=amira@acme.example",
		},
		{
			`{"TimeGenerated":"2026-11-03T09:14:02Z","Type":"SigninLogs","UserPrincipalName":"amira@acme.example","ResultType":"0","AuthenticationRequirement":"singleFactorAuthentication","AuthenticationProtocol":"deviceCode","IPAddress":"203.0.113.9","RiskState":"atRisk","Status":{"errorCode":0,"additionalDetails":"MFA denied; user declined"},"LocationDetails":{"countryOrRegion":"SE"}}`,
			"entra-signin", "info", at, "Status=Success | Status=MFA denied; user declined | properties.message=Device Code | source.ip=203.0.113.9 | resultType=0 | event.outcome=success | location=SE | properties.authenticationRequirement=singleFactorAuthentication",
		},
		{
			`{"id":"66ea","createdDateTime":"2026-11-03T09:14:02Z","userPrincipalName":"amira@acme.example","appId":"a1","ipAddress":"203.0.113.9","conditionalAccessStatus":"failure","authenticationProtocol":"ropc","status":{"errorCode":50076,"failureReason":"MFA"},"location":{"countryOrRegion":"SE"}}`,
			"entra-signin", "info", at, "Status=Interrupted | !event.outcome | event.id=66ea | ConditionalAccessStatus=failure | properties.message=ROPC | properties.appId=a1",
		},
		{`{"time":"2026-11-03T09:14:02Z","category":"ServicePrincipalSignInLogs","resultType":"0","properties":{"servicePrincipalName":"ci","servicePrincipalId":"sp1","ipAddress":"203.0.113.9"}}`, "entra-signin", "info", at, "user.name=ci | user.id=sp1 | source.ip=203.0.113.9"},
		{`{"category":"SignInLogs","resultType":null,"properties":[],"status":7,"Status":[1,{"a":2}]}`, "entra-signin", "info", "", "Status=Success"},
	})
}

func TestEntraAudit(t *testing.T) {
	head := `{"time":"2026-11-03T09:14:02Z","category":"AuditLogs","tenantId":"t1","operationName":`
	runCases(t, sources.Info{}, []formatCase{
		{
			head + `"Update application – Certificates and secrets management ","properties":{"category":"ApplicationManagement","activityDisplayName":"Update application – Certificates and secrets management ","loggedByService":"Core Directory","result":"success","initiatedBy":{"app":{"displayName":"ci"}},"targetResources":[{"id":"1","type":"ServicePrincipal","displayName":"shop"}]}}`,
			"entra-audit", "info", at, "properties.message=Update application – Certificates and secrets management | OperationName=Update application – Certificates and secrets management | LoggedByService=Core Directory | Category=ApplicationManagement | category=ApplicationManagement | Status=success | user.name=ci | targetResources.type=Service Principal | Target=shop | event.outcome=success",
		},
		{
			head + `"Consent to application","properties":{"result":"failure","resultReason":"Risky app","initiatedBy":{"user":{"userPrincipalName":"amira@acme.example","ipAddress":"203.0.113.9"}},"targetResources":[{"displayName":"a","modifiedProperties":[{"displayName":"ConsentContext.OnBehalfOfAll","oldValue":"[]","newValue":"\"True\""},{"displayName":"ConsentContext.IsAdminConsent","oldValue":null,"newValue":"\"False\""}]}],"additionalDetails":[{"key":"User-Agent","value":"curl"},{"key":"additionalInfo","value":"x"}]}}`,
			"entra-audit", "warning", at, "ConsentContext.IsAdminConsent=False | failure_status_reason=Risky app | Status=Risky app | Initiatedby=amira@acme.example | Initiatied.By=amira@acme.example | source.ip=203.0.113.9 | user_agent.original=curl | additionalDetails.additionalInfo=x | TargetResources.ModifiedProperties.DisplayName=ConsentContext.IsAdminConsent | TargetResources.ModifiedProperties.NewValue=\"False\" | event.outcome=failure",
		},
		{
			`{"TimeGenerated":"2026-11-03T09:14:02Z","OperationName":"Update user","LoggedByService":"Core Directory","Category":"UserManagement","Result":"success","InitiatedBy":{"user":{"userPrincipalName":"amira@acme.example"}},"TargetResources":[{"userPrincipalName":"bo@acme.example","modifiedProperties":[{"displayName":"StrongAuthenticationRequirement","newValue":"[{\"State\":0}]"}]}]}`,
			"entra-audit", "info", at, `operationName=Update user | user.name=amira@acme.example | user.target.name=bo@acme.example | TargetResources.ModifiedProperties.DisplayName=StrongAuthenticationRequirement | TargetResources.ModifiedProperties.NewValue=[{"State":0}]`,
		},
		{
			`{"id":"d1","category":"Device","activityDisplayName":"Recover device local administrator password","activityDateTime":"2026-11-03T09:14:02Z","loggedByService":"Core Directory","result":"success","initiatedBy":{"user":{"userPrincipalName":"amira@acme.example"}},"targetResources":[]}`,
			"entra-audit", "info", at, "activityType=Recover device local administrator password | Category=Device | event.id=d1 | !user.target.name",
		},
		{head + `7,"properties":{"targetResources":{"type":["x",null]},"initiatedBy":null}}`, "entra-audit", "info", at, "!user.name"},
	})
}

func TestEntraRisk(t *testing.T) {
	runCases(t, sources.Info{}, []formatCase{
		{`{"time":"2026-11-03T09:14:02Z","category":"UserRiskEvents","properties":{"riskEventType":"leakedCredentials","riskLevel":"high","userPrincipalName":"amira@acme.example","ipAddress":"203.0.113.9"}}`, "entra-risk", "error", at, "riskEventType=leakedCredentials | user.name=amira@acme.example | source.ip=203.0.113.9 | rule.name=leakedCredentials"},
		{`{"id":"r1","riskEventType":"maliciousIPAddress","riskLevel":"low","detectedDateTime":"2026-11-03T09:14:02Z"}`, "entra-risk", "notice", at, "event.id=r1"},
		{`{"TimeGenerated":"2026-11-03T09:14:02Z","RiskEventType":"unfamiliarFeatures"}`, "entra-risk", "warning", at, "riskEventType=unfamiliarFeatures"},
		{`{"@odata.type":"#microsoft.graph.invalidLicenseAlertIncident","id":"1"}`, "entra-pim", "warning", "", "riskEventType=invalidLicenseAlertIncident"},
		{`{"@odata.type":"#microsoft.graph.user","id":"1"}`, "json", "", "", "!riskEventType"},
	})
	pim := parseOne(t, sources.Info{}, `{"riskEventType":"staleSignInAlertIncident"}`)
	if pim.LogSource != logEntraPIM {
		t.Errorf("an alert of PIM comes from %+v", pim.LogSource)
	}
}

func TestAzureActivity(t *testing.T) {
	runCases(t, sources.Info{}, []formatCase{
		{
			`{"time":"2026-11-03T09:14:02Z","resourceId":"/SUBSCRIPTIONS/S1/RESOURCEGROUPS/G","operationName":"MICROSOFT.COMPUTE/VIRTUALMACHINES/DELETE","category":"Administrative","resultType":"Failure","callerIpAddress":"203.0.113.9","identity":{"claims":{"` + strings.TrimPrefix(claimUPN, "identity.claims.") + `":"amira@acme.example"}},"level":"Error","location":"eastus"}`,
			"azure-activity", "error", at, "user.name=amira@acme.example | source.ip=203.0.113.9 | event.action=MICROSOFT.COMPUTE/VIRTUALMACHINES/DELETE | event.outcome=failure | cloud.account.id=S1 | cloud.region=eastus | event.provider=MICROSOFT.COMPUTE | OperationNameValue=MICROSOFT.COMPUTE/VIRTUALMACHINES/DELETE | CategoryValue=Administrative | ResourceProviderValue=MICROSOFT.COMPUTE | ResourceId=/SUBSCRIPTIONS/S1/RESOURCEGROUPS/G | properties.message=MICROSOFT.COMPUTE/VIRTUALMACHINES/DELETE",
		},
		{
			`{"TimeGenerated":"2026-11-03T09:14:02Z","OperationName":"Delete disk","OperationNameValue":"MICROSOFT.COMPUTE/DISKS/DELETE","CategoryValue":"Administrative","ResourceProviderValue":"MICROSOFT.COMPUTE","ActivityStatusValue":"Success","Caller":"amira@acme.example","CallerIpAddress":"203.0.113.9","SubscriptionId":"s1","Level":"Informational"}`,
			"azure-activity", "info", at, "operationName=MICROSOFT.COMPUTE/DISKS/DELETE | properties.message=Delete disk | user.name=amira@acme.example | source.ip=203.0.113.9 | cloud.account.id=s1 | event.outcome=success",
		},
		{
			`{"caller":"amira@acme.example","eventTimestamp":"2026-11-03T09:14:02Z","category":{"value":"Administrative","localizedValue":"Administrative"},"operationName":{"value":"Microsoft.Authorization/roleAssignments/write","localizedValue":"Create role assignment"},"status":{"value":"Succeeded"},"resourceId":"/subscriptions/s1","httpRequest":{"clientIpAddress":"203.0.113.9"},"level":"Informational"}`,
			"azure-activity", "info", at, "operationName=Microsoft.Authorization/roleAssignments/write | category=Administrative | event.outcome=success | cloud.account.id=s1 | source.ip=203.0.113.9 | properties.message=Create role assignment",
		},
		{
			`{"time":"2026-11-03T09:14:02Z","operationName":"Microsoft.ContainerService/managedClusters/diagnosticLogs/Read","category":"kube-audit","resourceId":"/SUBSCRIPTIONS/S1","properties":{"log":"{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"auditID\":\"a\",\"stage\":\"ResponseComplete\",\"verb\":\"create\",\"user\":{\"username\":\"amira\"},\"objectRef\":{\"resource\":\"pods\",\"subresource\":\"exec\"},\"responseStatus\":{\"code\":101},\"stageTimestamp\":\"2026-11-03T09:14:01Z\"}"}}`,
			"k8saudit", "info", "2026-11-03T09:14:01Z", "user.name=amira | verb=create | objectRef.subresource=exec | category=kube-audit",
		},
		{`{"time":"2026-11-03T09:14:02Z","operationName":"SecretGet","category":"AuditEvent","resourceId":"/SUBSCRIPTIONS/S1/X","resultType":"Success","properties":{"log":"plain"}}`, "azure-resource", "info", at, "event.action=SecretGet | cloud.account.id=S1"},
		{`{"time":"2026-11-03T09:14:02Z","operationName":"SecretGet","category":"AuditEvent"}`, "json", "", at, ""},
	})
}

func TestAzureFlows(t *testing.T) {
	runCases(t, sources.Info{}, []formatCase{
		{
			`{"time":"2026-11-03T09:14:02Z","category":"NetworkSecurityGroupFlowEvent","resourceId":"/SUBSCRIPTIONS/S1/X","properties":{"flows":[{"rule":"R1","flows":[{"mac":"0","flowTuples":["1793697242,203.0.113.9,10.20.1.7,40022,22,T,I,D,B,,,,","1793697243,203.0.113.8,10.20.1.7,40023,53,U,I,A,E,1,60,1,90"]}]},{"rule":"R2","flows":[]}]}}`,
			"nsgflow", "notice", at, "source.ip=203.0.113.9 | source.ip=203.0.113.8 | destination.port=22 | destination.port=53 | network.transport=tcp | event.action=deny | event.outcome=failure | rule.name=R1 | rule.name=R2 | cloud.account.id=S1",
		},
		{
			`{"time":"2026-11-03T09:14:02Z","category":"FlowLogFlowEvent","targetResourceID":"/subscriptions/s1/v","flowRecords":{"flows":[{"flowGroups":[{"rule":"R","flowTuples":["1793697242118,10.20.1.7,2001:db8::1,51022,443,6,O,E,NX,3,1201,4,5210"]}]}]}}`,
			"vnetflow", "info", at, "source.ip=10.20.1.7 | destination.ip=2001:db8::1 | destination.port=443 | network.transport=tcp | event.action=allow | event.outcome=success | orchestrator.resource.name=/subscriptions/s1/v",
		},
		{`{"properties":{"flows":[{"flows":[{"flowTuples":["","a,b",",,,,,,,,,,",7,["1,2"]]}]}]}}`, "nsgflow", "info", "", "!source.ip"},
	})
}

func TestM365(t *testing.T) {
	head := `{"CreationTime":"2026-11-03T09:14:02","Id":"1","OrganizationId":"o1","RecordType":1,"UserId":"amira@acme.example",`
	runCases(t, sources.Info{Zone: nil}, []formatCase{
		{
			head + `"Operation":"UserLoggedIn","Workload":"AzureActiveDirectory","ResultStatus":"Success","ApplicationId":"9ba1","ClientIP":"203.0.113.9","ExtendedProperties":[{"Name":"ResultStatusDetail","Value":"Redirect"},{"Name":"UserAgent","Value":"curl"},{"Name":"RequestType","Value":"Cmsi:Cmsi"}]}`,
			"m365", "info", at, "RequestType=Cmsi:Cmsi | user_agent.original=curl | user.name=amira@acme.example | source.ip=203.0.113.9 | event.action=UserLoggedIn | event.outcome=success | cloud.account.id=o1",
		},
		{
			head + `"Operation":"AlertTriggered","Workload":"SecurityComplianceCenter","Name":"Impossible travel activity","Severity":"Medium","Status":"Active"}`,
			"m365", "warning", at, "eventName=Impossible travel activity | eventSource=SecurityComplianceCenter | status=success",
		},
		{
			head + `"Operation":"New-ComplianceSearchAction","Workload":"SecurityComplianceCenter","Parameters":"-SearchName x -Export -Format pst"}`,
			"m365", "info", at, "Payload=New-ComplianceSearchAction -SearchName x -Export -Format pst",
		},
		{
			head + `"Operation":"Add-FederatedDomain","Workload":"Exchange","ResultStatus":"False","ClientIP":"[2001:db8::1]:443"}`,
			"m365", "warning", at, "eventSource=Exchange | eventName=Add-FederatedDomain | status=failure | source.ip=2001:db8::1 | source.port=443",
		},
		{`{"CreationTime":"2026-11-03T09:14:02","Operation":"x"}`, "json", "", at, ""},
	})
	for work, want := range map[string]event.LogSource{"Exchange": logM365Exchange, "SecurityComplianceCenter": logM365Threat, "SharePoint": logM365} {
		if e := parseOne(t, sources.Info{}, head+`"Operation":"x","Workload":"`+work+`"}`); e.LogSource != want {
			t.Errorf("%s: %+v", work, e.LogSource)
		}
	}
	if e := parseOne(t, sources.Info{}, head+`"Operation":"AlertTriggered","Workload":"SecurityComplianceCenter","Name":"Activity from suspicious IP addresses"}`); e.LogSource != logM365Detect {
		t.Errorf("a detection comes from %+v", e.LogSource)
	}
}

func TestWorkspace(t *testing.T) {
	runCases(t, sources.Info{}, []formatCase{
		{
			`{"kind":"admin#reports#activity","id":{"time":"2026-11-03T09:14:02Z","uniqueQualifier":"9","applicationName":"admin","customerId":"C1"},"actor":{"email":"amira@acme.example","profileId":"11"},"ipAddress":"203.0.113.9","events":[{"type":"APPLICATION_SETTINGS","name":"CHANGE_APPLICATION_SETTING","parameters":[{"name":"SETTING_NAME","value":"ContextAwareAccess x"},{"name":"FLAG","boolValue":true},{"name":"NEW_VALUE","value":"false"}]},{"type":"USER_SETTINGS","name":"CREATE_USER"}]}`,
			"workspace", "info", at, "eventName=CHANGE_APPLICATION_SETTING | eventName=CREATE_USER | eventService=admin.googleapis.com | setting_name=ContextAwareAccess x | new_value=false | user.name=amira@acme.example | source.ip=203.0.113.9 | user.id=11 | event.action=CHANGE_APPLICATION_SETTING | cloud.account.id=C1",
		},
		{
			`{"id":{"time":"2026-11-03T09:14:02Z","applicationName":"login"},"actor":{"email":"amira@acme.example"},"type":"login","name":"login_failure","parameters":{"login_type":"google_password"}}`,
			"workspace", "warning", at, "protoPayload.metadata.event.eventName=login_failure | protoPayload.Servicename=login.googleapis.com | event.outcome=failure",
		},
		{`{"id":{"applicationName":"drive"},"name":"x"}`, "json", "", "", ""},
	})
	for app, want := range map[string]event.LogSource{"admin": logWorkspaceAdmin, "login": logWorkspaceLogin} {
		if e := parseOne(t, sources.Info{}, `{"id":{"applicationName":"`+app+`"},"actor":{"email":"a"},"name":"x"}`); e.LogSource != want {
			t.Errorf("%s: %+v", app, e.LogSource)
		}
	}
}
