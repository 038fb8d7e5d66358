package parse

import (
	"flag"
	"fmt"
	"os"
	"sort"
	"strings"
	"testing"

	"bartizan/event"
	"bartizan/sources"
)

var update = flag.Bool("update", false, "write docs/formats.md and docs/fields.md anew")

// checkDoc holds a generated page against its file.
func checkDoc(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		t.Errorf("%s is out of date; run: go test ./sources/parse -run Docs -update", path)
	}
}

func sourceWords(l event.LogSource) string {
	var parts []string
	for _, p := range [][2]string{{"product", l.Product}, {"category", l.Category}, {"service", l.Service}} {
		if p[1] != "" {
			parts = append(parts, p[0]+" "+p[1])
		}
	}
	if len(parts) == 0 {
		return "–"
	}
	return strings.Join(parts, ", ")
}

func TestDocsFormats(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# Formats

Generated from the formats themselves; ` + "`go test ./sources/parse -run Docs -update`" + ` writes it anew.

The format of a source is found from its records and found again when a record does not fit, so
several formats may be mixed in one file. ` + "`--format NAME`" + ` and ` + "`format = \"NAME\"`" + ` in the config win.
` + "`bartizan parse --explain`" + ` shows the score and the reason of every format for a line.
A custom VPC flow log without its header line is declared by its columns:
` + "`--format \"vpcflow:version vpc-id srcaddr dstaddr …\"`" + `.

| format | what it is | Sigma log source |
|---|---|---|
`)
	for _, f := range testRegistry().Formats() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.Name, f.Doc, sourceWords(f.LogSource))
	}
	b.WriteString("\n## Examples\n")
	for _, f := range testRegistry().Formats() {
		fmt.Fprintf(&b, "\n`%s`\n\n```\n%s\n```\n", f.Name, f.Example)
	}
	checkDoc(t, "../../docs/formats.md", b.String())
}

// fieldDocs are the pages' sections: the stable native names of formats that
// have none of their own, and the alias tables.
var fieldDocs = []struct {
	title, note string
	native      string
	aliases     []pair
}{
	{
		"syslog", "Every line inside syslog has these, then what its program adds.",
		"priority host program pid msgid structured_data message repeated", syslogAliases,
	},
	{
		"sshd", "`event` is one of: " + strings.Join(sshEventNames(), ", ") + ". `invalid_user` and `preauth` are only there when true. The last address of a line counts, because the user's name is whatever the client sent.",
		"event user src_ip src_port src_host method fingerprint key_type invalid_user preauth reason tty dst_ip dst_port", authAliases,
	},
	{
		"sudo", "`event` is one of: command, not_in_sudoers, auth_failure, command_not_allowed, command_continued, error.",
		"event user tty pwd runas runas_group command env reason attempts", sudoAliases,
	},
	{
		"su, PAM", "`event` is one of: switched_user, session_opened, session_closed, auth_failure, user_unknown, password_changed, account_locked, requirement, account, user. Under sudo and su, who opened the session (`by`) is `user.name` and `user` is `user.target.name`.",
		"event user target_user by by_uid uid euid logname ruser rhost tty pam_module pam_service pam_type",
		[]pair{{ecsUser, fUser}, {ecsTarget, fTarget}, {ecsUserID, fUID}, {ecsSrcIP, fRHost}, {ecsAction, fEvent}},
	},
	{
		"useradd, usermod, groupadd …", "`event` is one of: user_added, user_changed, user_deleted, group_added, group_deleted, group_member_added, group_member_removed, password_changed, password_expiry_changed.",
		"event user group uid gid home shell by", accountAliases,
	},
	{
		"cron, systemd", "", "event user command unit session",
		[]pair{{ecsUser, fUser}, {ecsCommand, fCommand}, {ecsService, fUnit}, {ecsSession, fSession}, {ecsAction, fEvent}},
	},
	{
		"nginx, apache", "The names of nginx's variables. `cs-uri-query` is given twice: the query alone, and the path with it, because Sigma's rules write both.",
		"remote_addr remote_user request request_method request_uri uri args server_protocol status body_bytes_sent http_referer http_user_agent http_x_forwarded_for server_name",
		append(append([]pair{}, webAliases...), pair{w3cQuery, fArgs}, pair{w3cQuery, fReqURI}),
	},
	{"nginx-error", "", "level pid tid connection_id message client server request request_method request_uri uri args upstream host referrer", nginxErrorAliases},
	{
		"envoy, envoy-json", "The names of Istio's JSON log, also for the text. `source.ip` is the downstream peer, not what x_forwarded_for claims.",
		names(append([]name{evStart, evMethod, evPath, evProtocol, evCode, evFlags}, istioColumns...)),
		append([]pair{
			{ecsSrcIP, evRemote},
			{ecsSrcPort, evRemote},
			{ecsDstIP, evUpstream},
			{ecsDstPort, evUpstream},
			{w3cClientIP, evRemote},
			{ecsURLPath, evPath},
			{ecsURLQuery, evPath},
			{w3cStem, evPath},
			{w3cQuery, evPath},
		}, envoyAliases...),
	},
	{
		"s3access", "The names of the S3 User Guide.", names(s3Columns),
		append([]pair{{ecsSrcIP, s3IP}, {ecsUser, s3Who}, {ecsRoles, s3Who}, {ecsSession, s3Who}, {ecsMethod, s3URI}, {ecsURL, s3URI}, {ecsURLPath, s3URI}, {ecsURLQuery, s3URI}}, s3Aliases...),
	},
	{
		"vpcflow", "AWS's names with `-` as `_`; a header line may name any of: " + names(vpcMore) + ".",
		names(vpcDefault), append([]pair{{ecsTransport, vProto}}, vpcAliases...),
	},
	{
		"auditd", "Every key keeps its name; text that auditd writes as hex is decoded. `process.command_line` of EXECVE is its arguments joined, `file.path` is `name` of PATH.",
		"type serial node …", append([]pair{{ecsUserID, auAUID}, {ecsUserID, fUID}, {ecsSession, auSes}, {ecsSrcIP, auAddr}, {ecsFile, auName}}, auditAliases...),
	},
	{
		"cloudtrail", "Native names as delivered, dotted. `user.name` is the user's name, else the role behind an assumed role's session, else the last part of the ARN, else the service. `source.ip` is only an address; a service's name is `source.domain`.",
		"", append([]pair{{ecsUser, ctUser}, {ecsUser, ctIssuer}, {ecsUser, ctARN}, {ecsUser, ctInvoker}, {ecsRoles, ctIssuer}, {ecsSession, ctPrincipal}, {ecsSrcIP, ctIP}, {ecsSrcDomain, ctIP}}, trailAliases...),
	},
	{
		"k8saudit", "Native names as delivered, dotted. `service.account` is `namespace:name` of a service account's user.",
		"", append([]pair{{ecsUser, k8sUser}, {ecsServiceAcct, k8sUser}, {ecsRoles, k8sGroups}, {ecsURLPath, k8sURI}, {ecsURLQuery, k8sURI}}, k8sAliases...),
	},
	{"falco", "Every output field also has its bare Falco name (`proc.cmdline`). The text form yields the `key=value` pairs of its output.", "", append(append([]pair{{ecsFile, flFD}}, falcoAliases...), falcoTextAliases...)},
	{"journald", "The message is read by the program that wrote it, as inside syslog.", "message", journalAliases},
	{"json, logfmt", "Guesses from the usual spellings; addresses are checked to be some.", "", genericAliases},
}

func sshEventNames() []string {
	seen := map[string]bool{}
	for _, list := range sshPhrases {
		for _, s := range list {
			if s.event != "" && !strings.HasSuffix(s.event, "_") {
				seen[s.event] = true
			}
		}
	}
	for _, list := range sshEvents {
		for _, e := range list {
			seen[e] = true
		}
	}
	var out []string
	for e := range seen {
		out = append(out, e)
	}
	sort.Strings(out)
	return out
}

func names(list []name) string {
	var out []string
	for _, n := range list {
		out = append(out, n.text)
	}
	return strings.Join(out, " ")
}

func TestDocsFields(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# Fields

Generated from the alias tables; ` + "`go test ./sources/parse -run Docs -update`" + ` writes it anew.

A record's own names come first and always win. JSON keeps its names as delivered, dotted; lists repeat
their name, and a condition holds if it holds for any of them. After them come the same values
under flat ECS names, which are the same for every format, and under the W3C names that Sigma's
webserver rules use. ` + "`event.outcome`" + ` is success or failure wherever a record tells. ` + "`host.name`" + ` is the
name of the agent, or the host the source was configured for, where a record names no host itself.

`)
	for _, d := range fieldDocs {
		fmt.Fprintf(&b, "## %s\n\n", d.title)
		if d.note != "" {
			fmt.Fprintf(&b, "%s\n\n", d.note)
		}
		if d.native != "" {
			fmt.Fprintf(&b, "Native names: `%s`\n\n", strings.Join(strings.Fields(d.native), "`, `"))
		}
		b.WriteString(aliasTable(d.aliases))
	}
	checkDoc(t, "../../docs/fields.md", b.String())
}

func aliasTable(list []pair) string {
	from := map[string][]string{}
	for _, a := range list {
		have := from[a.to.text]
		if len(have) == 0 || have[len(have)-1] != a.from.text {
			from[a.to.text] = append(have, a.from.text)
		}
	}
	var to []string
	for n := range from {
		to = append(to, n)
	}
	sort.Strings(to)
	var b strings.Builder
	b.WriteString("| name | from |\n|---|---|\n")
	for _, n := range to {
		fmt.Fprintf(&b, "| `%s` | `%s` |\n", n, strings.Join(from[n], "`, `"))
	}
	return b.String() + "\n"
}

// TestDocsNameEveryNative holds that the text formats' examples have no native
// name that the page does not list.
func TestDocsNameEveryNative(t *testing.T) {
	listed := map[string]bool{}
	for _, d := range fieldDocs {
		for _, n := range strings.Fields(d.native) {
			listed[n] = true
		}
	}
	for _, f := range strings.Fields("syslog sshd sudo su pam cron accounts systemd nginx apache nginx-error envoy s3access vpcflow") {
		e := parseOne(t, sources.Info{Format: f}, example(t, f))
		for _, x := range e.Fields[:e.Native] {
			if !listed[x.Name] {
				t.Errorf("%s gives %s, which docs/fields.md does not list", f, x.Name)
			}
		}
	}
}
