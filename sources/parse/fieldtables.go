package parse

import (
	"slices"
	"strings"
)

// fieldTable is what the records of some formats have for fields: the stable
// native names, where they are ours and not the record's, and the second names
// they get. The documents and Supplies are made of these tables.
type fieldTable struct {
	title   string // of its section in docs/fields.md
	formats string // what has all of it; a format may be in several tables
	native  string
	aliases []pair
}

var fieldTables = []fieldTable{
	{
		"syslog", "syslog sshd sudo su pam cron accounts systemd",
		"priority host program pid subprogram msgid structured_data message repeated", syslogAliases,
	},
	{
		"sshd", "sshd",
		"event user src_ip src_port src_host method fingerprint key_type invalid_user authenticating preauth reason tty dst_ip dst_port", authAliases,
	},
	{"sudo", "sudo", "event user tty pwd runas runas_group command env reason attempts", sudoAliases},
	{
		"su, PAM", "su pam",
		"event user target_user by by_uid uid euid logname ruser rhost tty pam_module pam_service pam_type",
		[]pair{{ecsUser, fUser}, {ecsTarget, fTarget}, {ecsUserID, fUID}, {ecsSrcIP, fRHost}, {ecsAction, fEvent}},
	},
	{"useradd, usermod, groupadd …", "accounts", "event user group uid gid home shell by", accountAliases},
	{
		"cron, systemd", "cron systemd", "event user command unit session",
		[]pair{{ecsUser, fUser}, {ecsCommand, fCommand}, {ecsService, fUnit}, {ecsSession, fSession}, {ecsAction, fEvent}},
	},
	{
		"nginx, apache", "nginx apache nginx-ingress",
		"remote_addr remote_user request request_method request_uri uri args server_protocol status body_bytes_sent http_referer http_user_agent http_x_forwarded_for server_name server_port ssl_protocol ssl_cipher",
		append(append([]pair{{ecsSrcIP, fRemoteAddr}, {ecsSrcDomain, fRemoteAddr}}, webAliases...), pair{w3cQuery, fArgs}, pair{w3cQuery, fReqURI}),
	},
	{"nginx-error", "nginx-error", "level pid tid connection_id message client server request request_method request_uri uri args server_protocol upstream host referrer", nginxErrorAliases},
	{
		"apache-error", "apache-error",
		"module level pid tid client client_port code message referer rule_id rule_msg rule_data rule_severity hostname uri unique_id waf_action",
		append(append([]pair{}, apacheErrorAliases...), wafAliases...),
	},
	{
		"haproxy", "haproxy",
		"remote_addr remote_port server_addr server_port mode frontend_name backend_name server_name captured timers status body_bytes_sent termination_state request request_method request_uri uri args server_protocol",
		append(append([]pair{}, haAliases...), pair{w3cQuery, fArgs}, pair{w3cQuery, fReqURI}),
	},
	{
		"aws-alb", "aws-alb", names(albFirst) + " " + names(albLast) + " request request_method request_uri uri args server_name server_protocol",
		append(append([]pair{}, albAliases...), pair{ecsSrcIP, albClient}, pair{ecsSrcPort, albClient}, pair{ecsDstIP, albTarget}, pair{ecsDstPort, albTarget},
			pair{w3cClientIP, albClient}, pair{w3cQuery, fArgs}, pair{w3cQuery, fReqURI}),
	},
	{
		"caddy", "caddy", "client rule_id rule_msg rule_data rule_severity hostname uri unique_id waf_action",
		append(append(append([]pair{}, caddyAliases...), pair{ecsURLPath, caddyURI}, pair{ecsURLQuery, caddyURI}, pair{w3cStem, caddyURI}, pair{w3cQuery, caddyURI}), wafAliases...),
	},
	{
		"traefik", "traefik", "",
		append(append([]pair{}, traefikAliases...), pair{ecsURLPath, traefikPath}, pair{ecsURLQuery, traefikPath}, pair{w3cStem, traefikPath}, pair{w3cQuery, traefikPath}),
	},
	{
		"envoy, envoy-json", "envoy envoy-json",
		names(append([]name{evStart, evMethod, evPath, evProtocol, evCode, evFlags}, istioColumns...)),
		append([]pair{
			{ecsSrcIP, evRemote},
			{ecsSrcIP, evXFF},
			{ecsSrcIP, evXFFHead},
			{ecsSrcPort, evRemote},
			{ecsDstIP, evUpstream},
			{ecsDstPort, evUpstream},
			{w3cClientIP, evRemote},
			{ecsURLPath, evPath},
			{ecsURLQuery, evPath},
			{w3cStem, evPath},
			{w3cQuery, evPath},
		}, slices.Concat(envoyAliases, envoyHeadAliases)...),
	},
	{
		"s3access", "s3access", names(s3Columns),
		append([]pair{{ecsSrcIP, s3IP}, {ecsUser, s3Who}, {ecsRoles, s3Who}, {ecsSession, s3Who}, {ecsMethod, s3URI}, {ecsURL, s3URI}, {ecsURLPath, s3URI}, {ecsURLQuery, s3URI}}, s3Aliases...),
	},
	{"vpcflow", "vpcflow", names(vpcDefault), append([]pair{{ecsTransport, vProto}}, vpcAliases...)},
	{
		"auditd", "auditd", "type serial node …",
		append([]pair{{ecsUserID, auAUID}, {ecsUserID, fUID}, {ecsSession, auSes}, {ecsSrcIP, auFrom[0]}, {ecsSrcIP, auFrom[1]}, {ecsDstIP, auTo[0]}, {ecsDstIP, auTo[1]}, {ecsFile, auName}}, auditAliases...),
	},
	{
		"cloudtrail", "cloudtrail", "",
		append([]pair{{ecsUser, ctUser}, {ecsUser, ctIssuer}, {ecsUser, ctARN}, {ecsUser, ctInvoker}, {ecsRoles, ctIssuer}, {ecsSession, ctPrincipal}, {ecsSrcIP, ctIP}, {ecsSrcDomain, ctIP}, {ctStatus, ctError}}, trailAliases...),
	},
	{
		"k8saudit", "k8saudit", "",
		append([]pair{{ecsUser, k8sUser}, {ecsServiceAcct, k8sUser}, {ecsRoles, k8sGroups}, {ecsURLPath, k8sURI}, {ecsURLQuery, k8sURI}}, k8sAliases...),
	},
	{"gcpaudit", "gcpaudit", "", slices.Concat([]pair{{ecsSrcIP, gcpCaller}, {ecsServiceAcct, gcpUser}, {ctName, gcpWorkspace}, {sigmaService, gcpService}, {gcpLogName, gcpName}},
		gcpAliases, (&shape{each: gcpGrants}).pairs(), workspaceParameters[3].pairs())},
	{
		"okta", "okta", "okta.target.user.id okta.target.user.alternateid okta.target.user.name okta.target.group.id okta.target.group.alternateid okta.target.group.name okta.target.app.alternateid okta.target.app.name",
		append([]pair{{ecsSrcIP, oktaIP}, {ecsTarget, known("target.alternateId")}, {ecsGroup, known("target.displayName")}, {ecsService, known("target.displayName")}}, append(oktaLower, oktaAliases...)...),
	},
	{"github", "github", "", append([]pair{{ecsSrcIP, ghIP}}, ghAliases...)},
	{"github-webhook", "github-webhook", "webhook_type", hookAliases},
	{"falco", "falco falco-text", "", slices.Concat([]pair{{ecsFile, flFD}}, falcoAliases, falcoTextAliases, falcoNames())},
	{
		"cisco", "cisco", "host sequence facility severity mnemonic message user src_ip command", ciscoAliases,
	},
	{"Windows", "windows-evtx winlogbeat windows-flat", "", append(append(append([]pair{}, winCreated...), winLogon...), winAliases...)},
	{"journald", "journald", "message", journalAliases},
	{"json, logfmt", "json logfmt", "", genericAliases},
}

func names(list []name) string {
	var out []string
	for _, n := range list {
		out = append(out, n.text)
	}
	return strings.Join(out, " ")
}
