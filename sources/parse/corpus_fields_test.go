package parse

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bartizan/event"
	"bartizan/sources"
)

type marks struct {
	right, wrong, missing int
	by                    map[string]int // what was not right
}

func (m *marks) share() float64 {
	return float64(m.right) / float64(max(1, m.right+m.wrong+m.missing))
}

var (
	assertion = regexp.MustCompile(`^results\["s0[01]-(?:parse|raw)"\]\["([^"]+)"\]\[(\d+)\]\.Evt\.(?:Parsed|Meta)\["(\w+)"\] == (".*")$`)
	dated     = regexp.MustCompile(`^results\["s02-enrich"\]\["crowdsecurity/(dateparse-enrich)"\]\[(\d+)\]\.Evt\.(?:Parsed|Meta|Enriched)\["(\w+)"\] == (".*")$`)
)

// crowdNames map their names to ours, for the parsers of our formats.
var crowdNames = map[string]map[string]string{
	"crowdsecurity/sshd-logs": {"source_ip": "source.ip", "sshd_client_ip": "source.ip", "target_user": "user.name", "pid": "process.pid", "machine": "host.name"},
	"crowdsecurity/nginx-logs": {
		"source_ip": "source.ip", "remote_addr": "remote_addr", "remote_user": "remote_user", "request": "request_uri", "http_path": "request_uri",
		"status": "status", "http_status": "http.response.status_code", "verb": "request_method", "body_bytes_sent": "body_bytes_sent", "http_user_agent": "http_user_agent",
	},
	"crowdsecurity/apache2-logs": {
		"source_ip": "source.ip", "clientip": "remote_addr", "verb": "request_method", "response": "status", "http_status": "http.response.status_code",
		"bytes": "body_bytes_sent", "http_user_agent": "user_agent.original", "auth": "user.name",
	},
	"crowdsecurity/iptables-logs": {
		"source_ip": "source.ip", "src_ip": "source.ip", "src_port": "source.port", "dst_ip": "destination.ip", "dst_port": "destination.port",
		"proto": "PROTO", "service": "network.transport", "int_eth": "IN", "length": "LEN", "machine": "host.name",
	},
	"crowdsecurity/mysql-logs":  {"source_ip": "source.ip", "user": "user.name", "err_code": "err_code", "subsystem": "subsystem", "using_password": "using_password"},
	"timokoessler/mongodb-logs": {"source_ip": "source.ip", "username": "user.name", "authentication_database": "attr.authenticationDatabase"},
	"crowdsecurity/suricata-evelogs": {
		"source_ip": "source.ip", "dest_ip": "destination.ip", "dest_port": "destination.port", "proto": "proto", "suricata_alert_signature": "rule.name",
		"suricata_alert_signature_id": "alert.signature_id", "suricata_flow_id": "session.id", "suricata_rule_severity": "alert.severity",
		"suricata_alert_signature_rev": "alert.rev",
	},
	"crowdsecurity/cef-logs": {
		"cef_device_vendor": "deviceVendor", "cef_device_product": "deviceProduct", "cef_device_version": "deviceVersion", "cef_event_name": "name",
		"cef_severity": "severity", "cef_signature_id": "deviceEventClassId", "hostname": "host.name",
	},
	"crowdsecurity/caddy-logs": {
		"source_ip": "source.ip", "http_status": "http.response.status_code", "http_path": "url.original", "http_user_agent": "user_agent.original",
		"verb": "http.request.method", "target_fqdn": "url.domain",
	},
	"barnoux/caddy-coraza":      {"source_ip": "source.ip", "client": "source.ip", "rule_id": "rule_id", "rulemessage": "rule_msg", "ruledata": "rule_data", "uniqueid": "unique_id"},
	"crowdsecurity/modsecurity": {"source_ip": "source.ip", "source_port": "source.port", "ruleid": "rule_id", "rulemessage": "rule_msg", "ruledata": "rule_data", "uniqueid": "unique_id", "targeturi": "uri", "targethost": "hostname"},
	"crowdsecurity/auditd-logs": {"exe": "process.executable", "ppid": "process.parent.pid", "tty": "tty", "uid": "uid", "auid": "user.id", "auditd_eventid": "event.id"},
	"crowdsecurity/aws-alb": {
		"source_ip": "source.ip", "remote_port": "source.port", "http_status": "http.response.status_code", "http_verb": "http.request.method",
		"http_path": "url.path", "http_user_agent": "user_agent.original", "elb": "elb",
	},
	"yanis-kouidri/envoy-logs": {
		"source_ip": "source.ip", "http_status": "http.response.status_code", "http_verb": "http.request.method", "http_path": "url.original", "http_user_agent": "user_agent.original",
		"target_fqdn": "url.domain",
	},
	"crowdsecurity/aws-cloudtrail": {"source_ip": "source.ip", "event_name": "event.action", "event_source": "event.provider", "region": "cloud.region", "user_agent": "user_agent.original", "account_id": "cloud.account.id", "event_id": "event.id"},
	"crowdsecurity/aws-cloudfront": {"source_ip": "source.ip", "http_status": "http.response.status_code", "http_verb": "http.request.method"},
	"crowdsecurity/syslog-logs":    {"machine": "host.name", "program": "program", "pid": "process.pid"},
	"dateparse-enrich":             {"MarshaledTime": "time"},
}

// TestCorpusCrowdsec compares with the assertions of crowdsec's hub.
func TestCorpusCrowdsec(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(corpus(t, "crowdsec-hub"), "tests", "*", "parser.assert"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no assertions (%v)", err)
	}
	all := map[string]*marks{}
	for _, path := range paths {
		if dir := filepath.Base(filepath.Dir(path)); strings.Contains(dir, "npm") || strings.Contains(dir, "proxy-manager") || strings.Contains(dir, "upsun") {
			continue // nginx with a log_format of their own
		}
		crowdFile(t, path, all)
	}
	var table strings.Builder
	table.WriteString("| parser | right | wrong | missing | share right |\n|---|---:|---:|---:|---:|\n")
	for _, parser := range slices.Sorted(maps.Keys(all)) {
		m := all[parser]
		t.Logf("%-32s right %3d  wrong %2d  missing %2d  = %.1f %%", parser, m.right, m.wrong, m.missing, 100*m.share())
		fmt.Fprintf(&table, "| `%s` | %d | %d | %d | %.1f %% |\n", parser, m.right, m.wrong, m.missing, 100*m.share())
		if m.share() < 0.9 {
			t.Errorf("%s: %.1f %% right, want at least 90 %%: %s", parser, 100*m.share(), m.worst())
		}
	}
	for parser := range crowdNames {
		if all[parser] == nil {
			t.Errorf("nothing of %s was compared", parser)
		}
	}
	qualityPart(t, "crowdsec", table.String())
}

func crowdFile(t *testing.T, path string, all map[string]*marks) {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]map[string]string{} // parser and index to fields
	for _, line := range strings.Split(string(b), "\n") {
		g := assertion.FindStringSubmatch(line)
		if g == nil {
			g = dated.FindStringSubmatch(line)
		}
		if g == nil || crowdNames[g[1]] == nil {
			continue
		}
		val, err := strconv.Unquote(g[4])
		if err != nil {
			t.Fatalf("%s: %s: %v", path, line, err)
		}
		key := g[1] + " " + g[2]
		if want[key] == nil {
			want[key] = map[string]string{}
		}
		want[key][g[3]] = val
	}
	if len(want) == 0 {
		return
	}
	events := crowdEvents(t, path)
	ours := map[string]bool{} // the messages of our formats
	for key, fields := range want {
		if parser, _, _ := strings.Cut(key, " "); parser != "dateparse-enrich" && parser != "crowdsecurity/aws-alb" { // that takes the request's creation
			ours[fields["message"]] = true
		}
	}
	for key, fields := range want {
		parser, _, _ := strings.Cut(key, " ")
		e := eventOf(events, strings.TrimSpace(fields["message"]))
		if e == nil || parser == "dateparse-enrich" && !ours[fields["message"]] {
			continue // another log of the same folder
		}
		if all[parser] == nil {
			all[parser] = &marks{by: map[string]int{}}
		}
		for theirs, ours := range crowdNames[parser] {
			if v := fields[theirs]; v != "" {
				if ours == "time" {
					v = theirTime(v, e)
				}
				all[parser].compareAny(t, []*event.Event{e}, ours, v)
			}
		}
	}
}

// eventOf finds the event of a message, which may be the end of a record.
func eventOf(events map[string]*event.Event, message string) *event.Event {
	if e := events[message]; e != nil || len(message) < 40 {
		return e
	}
	for raw, e := range events {
		if strings.HasSuffix(raw, message) {
			return e
		}
	}
	return nil
}

// theirTime is a time of theirs as precise as they take it: whole seconds where
// they cut the fraction off, and our year where the record has none and theirs is
// the year of their test.
func theirTime(want string, e *event.Event) string {
	at, err := time.Parse(time.RFC3339Nano, want)
	if err != nil {
		return want
	}
	have := e.Time
	if !bytes.Contains(e.Raw, []byte(at.Format("2006"))) && !bytes.Contains(e.Raw, []byte(strconv.FormatInt(at.Unix(), 10))) {
		at = time.Date(have.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), time.UTC)
	}
	if at.Nanosecond() == 0 && have.Truncate(time.Second).Equal(at) {
		at = have
	}
	return at.Format(time.RFC3339Nano)
}

// crowdEvents parses the logs beside path and finds each event by its message.
func crowdEvents(t *testing.T, path string) map[string]*event.Event {
	out := map[string]*event.Event{}
	logs, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, log := range logs {
		b, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		parseLines(t, sources.Info{Path: log}, bytes.SplitAfter(b, []byte("\n")), func(_ int, e *event.Event) {
			c := e.Clone()
			out[strings.TrimSpace(string(c.Raw))] = c
			out[strings.TrimSpace(c.Text("message"))] = c
			out[strings.TrimSpace(c.Message)] = c
		})
	}
	return out
}
