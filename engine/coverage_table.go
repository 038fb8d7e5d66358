package engine

import (
	"strings"

	"bartizan/detect"
	"bartizan/sources/parse"
)

// Wanted is one kind of log that rules, and people, need and that somebody may
// have to turn on: the one table behind doctor, the sources screen and
// docs/coverage.md.
type Wanted struct {
	ID      string
	Place   Place
	Log     string // what does not arrive
	Shown   string // what arrives that shows it: the reason it is missed
	Mend    string // the setting or command; {name}, {region} stand for the place
	Then    string // what to mind about it; may be ""
	missing func(s *placeSeen) bool
	// split says what of a supply is there without this log, and with nothing but
	// this log, at a place that was seen so; either may be nil.
	split func(s *parse.Supply, seen saw) (left, only *detect.Supply)
}

// Wants lists every kind of log that is looked for, in the order of docs.
func Wants() []Wanted { return wants }

const (
	selectors = `aws cloudtrail put-event-selectors --trail-name TRAIL --advanced-event-selectors ` +
		`'[{"Name":"management","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]},`
	accessFormat = `{"start_time":"%START_TIME%","method":"%REQ(:METHOD)%","path":"%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",` +
		`"protocol":"%PROTOCOL%","response_code":"%RESPONSE_CODE%","response_flags":"%RESPONSE_FLAGS%","authority":"%REQ(:AUTHORITY)%",` +
		`"upstream_host":"%UPSTREAM_HOST%","upstream_cluster":"%UPSTREAM_CLUSTER%","downstream_remote_address":"%DOWNSTREAM_REMOTE_ADDRESS%",` +
		`"downstream_peer_uri_san":"%DOWNSTREAM_PEER_URI_SAN%","user_agent":"%REQ(USER-AGENT)%","request_id":"%REQ(X-REQUEST-ID)%",` +
		`"bytes_received":"%BYTES_RECEIVED%","bytes_sent":"%BYTES_SENT%","duration":"%DURATION%"}`
	execRules = `printf '%s\n' '-a always,exit -F arch=b64 -S execve,execveat -F auid>=1000 -F auid!=unset -k exec' ` +
		`'-a always,exit -F arch=b64 -S execve,execveat -F euid=0 -k exec' > /etc/audit/rules.d/50-exec.rules && augenrules --load`
)

var wants = []Wanted{
	{
		ID: "cloudtrail", Place: PlaceAccount, Log: "CloudTrail",
		Shown:   "other logs of the account arrive (flow logs, resolver queries, findings), its CloudTrail does not",
		Mend:    "aws cloudtrail create-trail --name all --s3-bucket-name BUCKET --is-multi-region-trail --enable-log-file-validation && aws cloudtrail start-logging --name all",
		Then:    "Where an organization trail exists already, have its files of account {name} read here.",
		missing: func(s *placeSeen) bool { return s.saw&sawTrail == 0 && s.saw&(sawFlow|sawDNS) != 0 },
		split:   byFormat("cloudtrail"),
	},
	{
		ID: "cloudtrail-region", Place: PlaceAccount, Log: "CloudTrail of {region}",
		Shown:   "CloudTrail of other regions and other logs of {region} arrive, CloudTrail of {region} does not",
		Mend:    "aws cloudtrail update-trail --name TRAIL --is-multi-region-trail",
		Then:    "If the trail covers all regions (aws cloudtrail describe-trails), have its files of {region} read here.",
		missing: func(s *placeSeen) bool { return s.saw&sawTrail != 0 && len(s.untrailed()) > 0 },
		split:   byFormat("cloudtrail"),
	},
	{
		ID: "s3-objects", Place: PlaceBucket, Log: "CloudTrail data events of S3 objects",
		Shown: "management events name the bucket, but nothing arrives about its objects: neither data events nor S3 access logs",
		Mend: selectors + `{"Name":"objects of {name}","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::S3::Object"]},` +
			`{"Field":"resources.ARN","StartsWith":["arn:aws:s3:::{name}/"]}]}]'`,
		Then: "The command replaces the trail's selectors: add those that aws cloudtrail get-event-selectors shows. A bucket whose objects nobody touches has no data events either.",
		missing: func(s *placeSeen) bool {
			return s.saw&sawBucketUse != 0 && s.saw&(sawObjects|sawS3Access) == 0
		},
		split: splitCalls(objectCalls, "s3access"),
	},
	{
		ID: "lambda-invokes", Place: PlaceAccount, Log: "CloudTrail data events of Lambda",
		Shown: "management events about Lambda functions arrive, but never an invocation",
		Mend: selectors + `{"Name":"invocations","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},` +
			`{"Field":"resources.type","Equals":["AWS::Lambda::Function"]}]}]'`,
		Then:    "The command replaces the trail's selectors: add those that aws cloudtrail get-event-selectors shows.",
		missing: func(s *placeSeen) bool { return s.saw&(sawFunctions|sawInvokes) == sawFunctions },
		split:   splitCalls(invokeCalls),
	},
	{
		ID: "vpc-flow", Place: PlaceAccount, Log: "VPC flow logs",
		Shown:   "CloudTrail of the account arrives, no flow log does",
		Mend:    "aws ec2 create-flow-logs --resource-type VPC --resource-ids VPC --traffic-type ALL --log-destination-type s3 --log-destination arn:aws:s3:::BUCKET",
		Then:    "Once for every VPC of account {name} (aws ec2 describe-vpcs) and every region.",
		missing: func(s *placeSeen) bool { return s.saw&(sawTrail|sawFlow) == sawTrail },
		split:   byFormat("vpcflow"),
	},
	{
		ID: "resolver-queries", Place: PlaceAccount, Log: "Route 53 resolver query logs",
		Shown: "CloudTrail of the account arrives, no resolver query does",
		Mend: "aws route53resolver create-resolver-query-log-config --name all --creator-request-id all --destination-arn arn:aws:s3:::BUCKET && " +
			"aws route53resolver associate-resolver-query-log-config --resolver-query-log-config-id ID --resource-id VPC",
		Then:    "Associate it with every VPC of account {name}.",
		missing: func(s *placeSeen) bool { return s.saw&(sawTrail|sawDNS) == sawTrail },
		split:   byFormat("route53"),
	},
	{
		ID: "entra-signin", Place: PlaceAccount, Log: "Entra sign-in logs",
		Shown:   "logs of Azure arrive, no sign-in does",
		Mend:    entraSetting("SignInLogs"),
		Then:    "The same setting sends NonInteractiveUserSignInLogs and ServicePrincipalSignInLogs.",
		missing: func(s *placeSeen) bool { return s.saw&(sawAzure|sawEntra) != 0 && s.saw&sawSignin == 0 },
		split:   byFormat("entra-signin"),
	},
	{
		ID: "entra-audit", Place: PlaceAccount, Log: "Entra audit logs",
		Shown:   "logs of Azure or sign-ins arrive, no change of the directory does",
		Mend:    entraSetting("AuditLogs"),
		missing: func(s *placeSeen) bool { return s.saw&(sawAzure|sawSignin) != 0 && s.saw&sawEntra == 0 },
		split:   byFormat("entra-audit"),
	},
	{
		ID: "mesh-peer", Place: PlaceMesh, Log: "who calls, in Envoy's access log",
		Shown:   "access logs of the proxies arrive, and no record says by which certificate its caller is known",
		Mend:    `istioctl install --set meshConfig.accessLogFile=/dev/stdout --set meshConfig.accessLogEncoding=JSON --set 'meshConfig.accessLogFormat=` + accessFormat + `'`,
		Then:    "Without Istio: access_log with json_format of the same operators. Where mutual TLS is off there is no identity to log.",
		missing: func(s *placeSeen) bool { return s.saw&sawMesh != 0 && s.saw&sawPeerName == 0 },
		split:   splitPeer,
	},
	{
		ID: "kubernetes-audit", Place: PlaceCluster, Log: "the Kubernetes audit log",
		Shown: "logs of pods arrive, no audit event of an API server does",
		Mend:  "kube-apiserver --audit-policy-file=/etc/kubernetes/audit-policy.yaml --audit-log-path=/var/log/kubernetes/audit/audit.log --audit-log-maxbackup=10 --audit-log-maxsize=100",
		Then: `On EKS: aws eks update-cluster-config --name CLUSTER --logging '{"clusterLogging":[{"types":["audit"],"enabled":true}]}'; ` +
			"on AKS the category kube-audit of a diagnostic setting; on GKE it is on, have cloudaudit.googleapis.com/activity read here.",
		missing: func(s *placeSeen) bool { return s.saw&(sawPods|sawAudit) == sawPods },
		split:   byFormat("k8saudit"),
	},
	{
		ID: "kubernetes-bodies", Place: PlaceCluster, Log: "what is asked, in the Kubernetes audit log",
		Shown:   "audit events arrive at level Metadata only: who did what to which object, but not how the object looks",
		Mend:    `In the audit policy, before the rule for level: Metadata: {"level":"Request","verbs":["create","update","patch"],"resources":[{"group":"","resources":["pods","services"]},{"group":"apps"},{"group":"batch"},{"group":"rbac.authorization.k8s.io"},{"group":"admissionregistration.k8s.io"}]}`,
		Then:    "Keep secrets, configmaps and tokenreviews at Metadata, or the log holds them in clear. Managed clusters choose the level themselves.",
		missing: func(s *placeSeen) bool { return s.saw&(sawAudit|sawBodies) == sawAudit },
		split:   splitBodies,
	},
	{
		ID: "auditd", Place: PlaceHost, Log: "the audit log (auditd)",
		Shown:   "logins of the host arrive, no audit record does",
		Mend:    "apt-get install auditd || dnf install audit; systemctl enable --now auditd; " + execRules,
		Then:    "Have /var/log/audit/audit.log read here; adm or root may read it.",
		missing: func(s *placeSeen) bool { return s.saw&(sawAuth|sawAuditd) == sawAuth },
		split: func(s *parse.Supply, seen saw) (left, only *detect.Supply) {
			return splitIf(s, s.Format == "auditd", s.Format == "auditd" || runtimeOf(s)&^seen != 0)
		},
	},
	{
		ID: "execve", Place: PlaceHost, Log: "started programs in the audit log (execve)",
		Shown:   "audit records of the host arrive, none of a started program",
		Mend:    execRules,
		missing: func(s *placeSeen) bool { return s.saw&(sawAuditd|sawExec) == sawAuditd },
		split: func(s *parse.Supply, seen saw) (left, only *detect.Supply) {
			exec := s.Format == "auditd" && (s.LogSource.Category == "process_creation" || strings.Contains(strings.Join(s.Kinds, " "), "EXECVE"))
			return splitIf(s, exec, exec || runtimeOf(s)&^seen != 0)
		},
	},
	{
		ID: "sudo-commands", Place: PlaceHost, Log: "what is done by sudo",
		Shown:   "sudo opens sessions on the host, and no record says which command",
		Mend:    `printf '%s\n' 'Defaults syslog=authpriv' 'Defaults !syslog_pid' > /etc/sudoers.d/10-log && visudo -cf /etc/sudoers.d/10-log`,
		Then:    "Look for Defaults !syslog or !log_allowed in /etc/sudoers and below /etc/sudoers.d, which turn it off.",
		missing: func(s *placeSeen) bool { return s.saw&(sawSudoSession|sawSudoCommand) == sawSudoSession },
		split:   byFormat("sudo"),
	},
	{
		ID: "sensor", Place: PlaceHost, Log: "a sensor of what runs (Falco, Sysmon for Linux or Tetragon)",
		Shown:   "logins of the host arrive, nothing of a sensor does",
		Mend:    "Install Falco (falco.org/docs/setup/packages) with json_output: true and file_output, or Sysmon for Linux (sysmon -accepteula -i config.xml), and have its log read here.",
		Then:    "A sensor that only tells of alerts is quiet while there are none.",
		missing: func(s *placeSeen) bool { return s.saw&sawAuth != 0 && s.saw&sawRuntime == 0 },
		split: func(s *parse.Supply, seen saw) (left, only *detect.Supply) {
			audit := s.Format == "auditd" && seen&sawAuditd == 0
			return splitIf(s, runtimeOf(s) != 0, runtimeOf(s) != 0 || audit)
		},
	},
}

func entraSetting(category string) string {
	return `az rest --method put --url 'https://management.azure.com/providers/microsoft.aadiam/diagnosticSettings/all?api-version=2017-04-01' ` +
		`--body '{"properties":{"storageAccountId":"STORAGE","logs":[{"category":"` + category + `","enabled":true}]}}'`
}

// untrailed are the regions that other logs of the account come from.
func (s *placeSeen) untrailed() []string {
	var out []string
	for r, by := range s.regions {
		if by == regionOther {
			out = append(out, r)
		}
	}
	return out
}

// runtimeOf says which sensor writes the records of a supply, 0 for none.
func runtimeOf(s *parse.Supply) saw {
	switch {
	case s.Format == "falco" || s.Format == "falco-text":
		return sawFalco
	case s.Format == "tetragon":
		return sawTetragon
	case s.LogSource.Product == "linux" && s.LogSource.Service == "sysmon":
		return sawSysmon
	}
	return 0
}

// supplyOf is a supply in the words of rules.
func supplyOf(s *parse.Supply) *detect.Supply {
	return &detect.Supply{Name: s.Format, LogSource: s.LogSource, Gives: s.Gives, Kind: s.Kind, Kinds: s.Kinds}
}

// splitIf gives a supply to one side or the other: mine is what the log would
// bring, gone what is not there without it.
func splitIf(s *parse.Supply, mine, gone bool) (left, only *detect.Supply) {
	if !gone {
		left = supplyOf(s)
	}
	if mine {
		only = supplyOf(s)
	}
	return left, only
}

func byFormat(format string) func(*parse.Supply, saw) (left, only *detect.Supply) {
	return func(s *parse.Supply, _ saw) (left, only *detect.Supply) {
		return splitIf(s, s.Format == format, s.Format == format)
	}
}

// splitCalls parts CloudTrail by the calls it records; formats are gone with them.
// What is left has whatever other name of a call a rule may ask for: otherCalls
// puts them in.
func splitCalls(calls []string, formats ...string) func(*parse.Supply, saw) (left, only *detect.Supply) {
	return func(s *parse.Supply, _ saw) (left, only *detect.Supply) {
		for _, f := range formats {
			if s.Format == f {
				return splitIf(s, true, true)
			}
		}
		if s.Format != "cloudtrail" {
			return splitIf(s, false, false)
		}
		left, only = splitIf(s, true, false)
		left.Kind, left.Kinds = callField, nil
		only.Kind, only.Kinds = callField, calls
		return left, only
	}
}

// callField tells CloudTrail's records apart.
const callField = "eventName"

// splitBodies takes from audit events what level Metadata leaves out.
func splitBodies(s *parse.Supply, _ saw) (left, only *detect.Supply) {
	mine := s.Format == "k8saudit"
	left, only = splitIf(s, mine, false)
	if mine {
		left.Gives = func(field string) bool {
			for _, p := range []string{"requestObject", "responseObject", "ka.req.", "ka.resp."} {
				if strings.HasPrefix(field, p) {
					return false
				}
			}
			return s.Gives(field)
		}
	}
	return left, only
}

// splitPeer takes from Envoy's log what its own default format leaves out.
func splitPeer(s *parse.Supply, seen saw) (left, only *detect.Supply) {
	mine := s.Format == "envoy" || s.Format == "envoy-json"
	left, only = splitIf(s, mine, false)
	if mine && seen&sawPeerAddress == 0 {
		left.Gives = func(field string) bool {
			switch field {
			case "source.ip", "source.port", "c-ip", "downstream_remote_address":
				return false
			}
			return s.Gives(field)
		}
	}
	return left, only
}
