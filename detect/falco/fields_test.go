package falco_test

import (
	"strconv"
	"strings"
	"testing"

	"bartizan/detect/falco"
	"bartizan/event"
)

// fieldSamples are records of our own that together have every field that can be
// asked for.
var fieldSamples = map[string][]string{
	"k8s_audit": {
		`{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"id-1","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/shop/pods","verb":"create",` +
			`"user":{"username":"amira","groups":["devs","ops"]},"impersonatedUser":{"username":"root"},"sourceIPs":["198.51.100.7","10.0.0.1"],"userAgent":"kubectl/v1.33.1",` +
			`"objectRef":{"resource":"pods","namespace":"shop","name":"cart","subresource":"exec"},"responseStatus":{"code":201,"reason":"Created"},"responseObject":{"metadata":{"name":"cart-7"}},` +
			`"annotations":{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":"RBAC","authentication.openshift.io/decision":"allow","authentication.openshift.io/username":"kubeadmin"},` +
			`"requestObject":{"spec":{"hostIPC":true,"hostNetwork":true,"hostPID":false,"securityContext":{"runAsUser":1000,"runAsGroup":1001,"fsGroup":1002,"supplementalGroups":[1003,1004]},` +
			`"containers":[` + containerJSON("acme/cart:1.2") + `,{"image":"acme/side@sha256:00"}],"initContainers":[` + containerJSON("acme/init:3") + `],"ephemeralContainers":[` + containerJSON("acme/debug") + `],` +
			`"volumes":[{"hostPath":{"path":"/etc"}},{"flexVolume":{"driver":"acme/nfs"}}]}},"stageTimestamp":"2026-11-20T10:00:00Z"}`,
		`{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"id-2","stage":"ResponseComplete","requestURI":"/x","verb":"create","objectRef":{"resource":"roles","name":"admin"},` +
			`"requestObject":{"rules":[{"apiGroups":["apps"],"resources":["*"],"verbs":["get","list"],"nonResourceURLs":["/metrics"]}],"roleRef":{"name":"cluster-admin"}}}`,
		`{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"id-3","stage":"ResponseComplete","requestURI":"/x","verb":"create","objectRef":{"resource":"configmaps","name":"settings"},` +
			`"requestObject":{"data":{"aws_access_key_id":"AKIA"},"spec":{"type":"NodePort"}}}`,
	},
	"aws_cloudtrail": {
		`{"eventVersion":"1.09","eventID":"e-1","eventTime":"2026-11-20T10:00:00Z","eventSource":"iam.amazonaws.com","eventName":"CreateUser","awsRegion":"eu-west-1","sourceIPAddress":"203.0.113.9",` +
			`"userAgent":"aws-cli/2","errorCode":"AccessDenied","errorMessage":"no","requestID":"r-1","eventType":"AwsApiCall","eventCategory":"Management","apiVersion":"2026-01-01","recipientAccountId":"111122223333",` +
			`"sharedEventID":"s-1","vpcEndpointId":"vpce-1","additionalEventData":{"x":"y"},"sessionCredentialFromConsole":"true","managementEvent":true,"readOnly":false,` +
			`"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES","clientProvidedHostHeader":"iam.amazonaws.com"},` +
			`"userIdentity":{"type":"IAMUser","principalId":"AIDA1","arn":"arn:aws:iam::111122223333:user/amira","accountId":"111122223333","userName":"amira"},` +
			`"requestParameters":{"availabilityZone":"eu-west-1a","cluster":"c","functionName":"f","groupName":"g","Host":"h","name":"n","policy":"p","serialNumber":"sn","serviceName":"sv","subnetId":"subnet-1",` +
			`"taskDefinition":"td","userName":"bo","bucketName":"invoices","key":"2026/a.pdf","repositoryName":"shop","imageTag":"v1"},"responseElements":{"subnetId":"subnet-2","reservationId":"res-1"}}`,
	},
	"gcp_auditlog": {
		`{"insertId":"i-1","logName":"projects/p/logs/cloudaudit.googleapis.com%2Factivity","timestamp":"2026-11-20T10:00:00Z","severity":"NOTICE",` +
			`"protoPayload":{"authenticationInfo":{"principalEmail":"amira@acme.example"},"requestMetadata":{"callerIp":"203.0.113.9","callerSuppliedUserAgent":"gcloud/501"},"serviceName":"storage.googleapis.com",` +
			`"methodName":"storage.setIamPermissions","resourceName":"projects/_/buckets/invoices","authorizationInfo":[{"permission":"storage.buckets.setIamPolicy","granted":true}],"request":{"x":"y"},` +
			`"serviceData":{"policyDelta":{"bindingDeltas":[{"action":"ADD","member":"allUsers","role":"roles/storage.objectViewer"}]}}},` +
			`"resource":{"type":"gcs_bucket","labels":{"project_id":"acme-prod","bucket_name":"invoices","location":"eu"}}}`,
		`{"insertId":"i-2","timestamp":"2026-11-20T10:00:00Z","protoPayload":{"serviceName":"logging.googleapis.com","methodName":"google.logging.v2.ConfigServiceV2.DeleteSink"},` +
			`"resource":{"type":"logging_sink","labels":{"name":"siem","function_name":"f","database_id":"d","instance_id":"1","network_id":"2","subnetwork_name":"s","subnetwork_id":"3","zone_name":"z","email_id":"e@x","unique_id":"4"}}}`,
	},
	"okta": {
		`{"uuid":"u-1","published":"2026-11-20T10:00:00Z","eventType":"user.session.start","legacyEventType":"core.user_auth.login_success","severity":"INFO","displayMessage":"User login to Okta",` +
			`"actor":{"id":"00u1","type":"User","alternateId":"amira@acme.example","displayName":"Amira"},"client":{"zone":"null","ipAddress":"203.0.113.9","device":"Computer","id":"c-1",` +
			`"geographicalContext":{"city":"Lund","state":"Skane","country":"Sweden","postalCode":"222","geolocation":{"lat":55.7,"lon":13.2}},"userAgent":{"os":"Linux","browser":"FIREFOX","rawUserAgent":"Mozilla/5.0"}},` +
			`"outcome":{"result":"SUCCESS","reason":"ok"},"transaction":{"id":"t-1","type":"WEB"},"debugContext":{"debugData":{"requestUri":"/api/v1/authn","logOnlySecurityData":"{}",` +
			`"originalPrincipal":{"id":"o-1","alternateId":"root@acme.example","type":"User","displayName":"Root"}}},"authenticationContext":{"authenticationStep":0,"externalSessionId":"102","authenticationProvider":"FACTOR_PROVIDER","credentialProvider":"OKTA"},` +
			`"securityContext":{"asNumber":64500,"asOrg":"acme","isp":"acme isp","domain":"acme.example","isProxy":false},` +
			`"target":[{"id":"00u2","type":"User","alternateId":"bo@acme.example","displayName":"Bo"},{"id":"00g1","type":"UserGroup","alternateId":"unknown","displayName":"Admins"},{"id":"0oa1","type":"AppInstance","alternateId":"Payroll (prod)","displayName":"Payroll"}]}`,
	},
	"github": {
		`{"action":"added","member":{"login":"bo"},"changes":{"permission":{"to":"admin"}},"repository":{"full_name":"acme/shop","private":false,"html_url":"https://github.com/acme/shop","description":"the shop","owner":{"login":"acme"}},"organization":{"login":"acme"},"sender":{"login":"amira"}}`,
		`{"zen":"z","hook":{"id":7,"type":"Organization"},"organization":{"login":"acme"},"sender":{"login":"amira"}}`,
		`{"ref":"refs/heads/main","pusher":{"name":"amira"},"files":[{"name":"a.env","matches":[{"desc":"AWS key","line":3}]}],"workflow_miner_detections":{"matches":[]},"repository":{"full_name":"acme/shop","private":true},"sender":{"login":"amira"}}`,
		`{"action":"requested","workflow_run":{"id":1},"workflow":{"path":".github/workflows/ci.yml"},"repository":{"full_name":"acme/shop","private":true},"sender":{"login":"amira"}}`,
	},
}

func containerJSON(image string) string {
	return `{"image":"` + image + `","securityContext":{"privileged":true,"allowPrivilegeEscalation":false,"readOnlyRootFilesystem":true,"runAsUser":0,"runAsGroup":5,"procMount":"Unmasked","capabilities":{"add":["SYS_ADMIN","NET_RAW"]}}}`
}

// fieldValues are what some fields of the samples say that Falco works out.
var fieldValues = map[string]string{
	"ka.user.groups": "(devs,ops)", "ka.req.pod.containers.image.repository": "(acme/cart,acme/side)", "ka.req.pod.ephemeralContainers.image": "(acme/debug)", "ka.req.container.privileged": "true",
	"ka.req.pod.containers.add_capabilities": "(SYS_ADMIN,NET_RAW)", "ka.req.role.rules.verbs": "(get,list)", "ka.response.code": "201", "ka.sourceips": "(198.51.100.7,10.0.0.1)",
	"ct.user": "amira", "ct.readonly": "false", "ct.managementevent": "true", "ct.srcip": "203.0.113.9", "s3.bucket": "invoices",
	"gcp.policyDelta": `[{"action":"ADD","member":"allUsers","role":"roles/storage.objectViewer"}]`, "gcp.location": "eu", "gcp.logging.sink": "siem", "gcp.user": "amira@acme.example",
	"okta.target.user.name": "Bo", "okta.target.group.name": "Admins", "okta.target.app.alternateid": "Payroll (prod)", "okta.client.geo.country": "Sweden", "okta.principal.name": "Root",
	"github.type": "member", "github.repo.public": "true", "github.collaborator.role": "admin", "github.webhook.id": "7", "github.diff.has_secrets": "true", "github.workflow.has_miners": "false", "github.workflow.filename": ".github/workflows/ci.yml",
}

// TestEveryField: what the output shows of each field is what a condition finds
// there, in records that are recognised by themselves.
func TestEveryField(t *testing.T) {
	for source, records := range fieldSamples {
		var list []*event.Event
		for _, rec := range records {
			list = append(list, oneEvent(t, rec))
		}
		names, several := falco.Askable(source)
		for _, name := range names {
			var e *event.Event
			said := "<NA>"
			for _, e = range list {
				if said = falco.Render("%"+name, e); said != "<NA>" && said != "" {
					break
				}
			}
			if said == "<NA>" || said == "" {
				t.Errorf("%s: no sample has %s", source, name)
				continue
			}
			if want := fieldValues[name]; want != "" && said != want {
				t.Errorf("%s is %s, want %s", name, said, want)
			}
			conds := []string{name + " exists", name + " = " + strconv.Quote(said), "not " + name + " = other", name + " != other"}
			if several[name] {
				first, _, _ := strings.Cut(strings.Trim(said, "()"), ",")
				conds = []string{name + " exists", name + " intersects (other, " + strconv.Quote(first) + ")", name + " in " + said, "not " + name + " intersects (other)"}
			}
			for _, cond := range conds {
				l := falco.Parse("r.yaml", []byte(ruleOf(source, cond)))
				if len(l.Rules) != 1 || !falco.Evaluable(l.Rules[0]) {
					t.Errorf("%s: %v %v", cond, l.Refused, l.Warnings)
					continue
				}
				if hits(l.Rules, []*event.Event{e})["one"] == 0 {
					t.Errorf("%s does not hit %s", cond, e.Raw)
				}
			}
		}
		t.Logf("%s: %d fields", source, len(names))
	}
}
