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

// fieldNotes are the words about a table of fields, by its title.
func fieldNotes() map[string]string {
	return map[string]string{
		"syslog":                         "Every line inside syslog has these, then what its program adds.",
		"sshd":                           "`event` is one of: " + strings.Join(sshEventNames(), ", ") + ". `invalid_user`, `authenticating` (who left had named an account) and `preauth` are only there when true. The last address of a line counts, because the user's name is whatever the client sent.",
		"sudo":                           "`event` is one of: command, not_in_sudoers, auth_failure, command_not_allowed, command_continued, error.",
		"su, PAM":                        "`event` is one of: switched_user, session_opened, session_closed, auth_failure, user_unknown, password_changed, account_locked, requirement, account, user. Under sudo and su, who opened the session (`by`) is `user.name` and `user` is `user.target.name`.",
		"useradd, usermod, groupadd …":   "`event` is one of: user_added, user_changed, user_deleted, group_added, group_deleted, group_member_added, group_member_removed, password_changed, password_expiry_changed.",
		"nginx, apache":                  "The names of nginx's variables. `cs-uri-query` is given twice: the query alone, and the path with it, because Sigma's rules write both.",
		"envoy, envoy-json":              "The names of Istio's JSON log, also for the text. `source.ip` is the downstream peer, not what x_forwarded_for claims; where a record names no peer, the first address of x_forwarded_for.",
		"s3access":                       "The names of the S3 User Guide.",
		"vpcflow":                        "AWS's names with `-` as `_`; a header line may name any of: " + names(vpcMore) + ".",
		"auditd":                         "Every key keeps its name; text that auditd writes as hex is decoded. `process.command_line` of EXECVE is its arguments joined, `file.path` is `name` of PATH.",
		"cloudtrail":                     "Native names as delivered, dotted. `user.name` is the user's name, else the role behind an assumed role's session, else the last part of the ARN, else the service. `source.ip` is only an address; a service's name is `source.domain`. Lower-case columns of a table (`eventname`, `useridentity.type`) also get CloudTrail's own names.",
		"k8saudit":                       "Native names as delivered, dotted. `service.account` is `namespace:name` of a service account's user.",
		"gcpaudit":                       "Native names as delivered, dotted. `eventName` and `eventService` are given to Google Workspace's records only, `source.ip` only where it is an address.",
		"okta":                           "Native names as delivered, dotted. A target's members also have a name by its type, for `User`, `UserGroup` and `AppInstance`: the last of a type as `okta.target.…`, the first in the table below.",
		"github":                         "Native names as delivered, dotted; every action has members of its own.",
		"github-webhook":                 "Native names as delivered, dotted. `webhook_type` is the request's `X-GitHub-Event`, where who stored the payload added it; otherwise it is told from the payload for ping, meta, push, member, deploy_key, workflow_run, repository and public.",
		"falco":                          "Every output field also has its bare Falco name (`proc.cmdline`). The text form yields the `key=value` pairs of its output.",
		"journald":                       "The message is read by the program that wrote it, as inside syslog.",
		"entra-signin":                   "Native names as delivered, dotted. Those of diagnostic settings (`properties.…`), Microsoft Graph and the SigninLogs tables each get the spellings of the others that rules use. `Status` is Success, Failure or Interrupted by the error code, and what its details say; `properties.message` is Device Code or ROPC by the protocol.",
		"entra-audit":                    "The same shapes as the sign-ins. `properties.message` is what was done, `Status` the result and its reason; `category` is also the category of what was done where the record is streamed as AuditLogs.",
		"azure-activity, azure-resource": "The same shapes; `operationName`, `category` and `status` of the API are objects, whose `value` counts. What AKS writes into a resource's log (`properties.log`) is read as a record of its own.",
		"nsgflow, vnetflow":              "One record has many flows: addresses and ports are lists, transport and action those of the first.",
		"m365":                           "Native names as delivered, dotted. `eventName` is an alert's policy, elsewhere the operation; `eventSource` is the workload.",
		"workspace":                      "Native names as delivered, dotted; each event of an activity is a value of `eventName`.",
		"lambda, lambda-text":            "The text form has the names that the platform's JSON has.",
		"suricata":                       "Native names as delivered, dotted. `query`, `record_type`, `answer` are the names of Sigma's dns rules, the W3C names those of its proxy rules.",
		"tetragon":                       "Native names as delivered, dotted. The names of Sigma's process_creation for every kind of event; a probed tcp_connect is a network_connection, a probed write a file_event. `CommandLine` is the binary and its arguments.",
		"trivy, grype":                   "Native names as delivered, dotted. A report's list of findings stays a list: `vulnerability.id`, `vulnerability.severity` and `package.name` repeat in the same order. The level is the gravest finding's.",
		"cef":                            "Every key of the extension keeps its name, without its escapes; a value that has a label (`cs1Label`) has the label's name too.",
		"leef":                           "Every attribute keeps its name.",
		"gelf":                           "Native names as delivered; members with an underscore also have their name without it.",
		"netfilter":                      "Every `KEY=value` of the kernel keeps its name; flags that stand alone (`SYN`, `DF`) are `flags`. Action and outcome come from the words of the rule's log prefix.",
		"postgresql":                     "The names of jsonlog, also for the text and csvlog.",
		"mysql":                          "`user` and `client_host` of messages about a login. The name is whatever the client sent, so the last `'@'` counts.",
		"klog":                           "The pairs behind a structured message keep their names.",
		"sysmon-linux":                   "The names of Sysmon's events, which are Sigma's.",
		"json, logfmt":                   "Guesses from the usual spellings; addresses are checked to be some.",
	}
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
	notes := fieldNotes()
	for _, d := range fieldTables {
		fmt.Fprintf(&b, "## %s\n\n", d.title)
		if note := notes[d.title]; note != "" {
			fmt.Fprintf(&b, "%s\n\n", note)
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
	for _, d := range fieldTables {
		for _, n := range strings.Fields(d.native) {
			listed[n] = true
		}
	}
	for _, f := range strings.Fields("syslog sshd sudo su pam cron accounts systemd nginx apache nginx-error apache-error haproxy aws-alb envoy s3access vpcflow") {
		e := parseOne(t, sources.Info{Format: f}, example(t, f))
		for _, x := range e.Fields[:e.Native] {
			if !listed[x.Name] {
				t.Errorf("%s gives %s, which docs/fields.md does not list", f, x.Name)
			}
		}
	}
}
