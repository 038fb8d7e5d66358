package parse

import (
	"strings"
	"testing"

	"bartizan/sources"
)

func TestSummary(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{example(t, "sshd"), "Read as sshd, found in syslog: begins with a stamp as in RFC 3164"},
		{example(t, "nginx"), "Read as nginx: a client"},
		{example(t, "cloudtrail")[:70], "nearest is json: begins as a JSON object but does not end with }; but it cannot be read to its end: JSON stops at byte 70 of 70 (unexpected end"},
		{`{"a":1,}`, "JSON stops at byte 8 of 8 (invalid character '}'"},
		{strings.Repeat(`{"a":`, 1100) + "1" + strings.Repeat("}", 1100), "deeper than 1000 levels"},
		{"2 111122223333 eni-0a 10.0.0.1 10.0.0.2 443 1234 6 20 40 1793697180 1793697240 ACCEPT", "nearest is vpcflow: version, account and network interface; but it cannot be read to its end: 13 values, where"},
		{"203.0.113.9 - - [03/Nov/2026:09:14:02 +0000] GET / HTTP/1.1 200 5", "nearest is nginx: [dd/Mmm/yyyy:…] but no quoted request"},
		{`203.0.113.9 - - [03/Nov/2026:09:14:02 +0000] "GET / HTTP/1.1`, "no closed request with a status"},
		{"[1,2,3]", "none begins like this. It is kept"},
		{`{"a":1}`, "It carries no time that can be read"},
		{`{"time":"2099-01-01T00:00:00Z"}`, "Its own time cannot be right"},
		{"Nov  3 09:14:02 web-1", "Read as text: begins with a stamp"},
	} {
		e := parseOne(t, sources.Info{}, c.line)
		got := Summary(e, testRegistry().Stream(sources.Info{}).Explain(e.Raw))
		if !strings.Contains(got, c.want) {
			t.Errorf("%.80s\n is explained as %q\n want %q in it", c.line, got, c.want)
		}
	}
	all := readAll(t, zeekConn+"1793697242.250000\tCq1\t203.0.113.9\t40022\t10.20.1.7\t22\ttcp\tssh\t4249\tCa1\n")
	e := all[len(all)-1]
	if got := Summary(e, testRegistry().Stream(sources.Info{}).Explain(e.Raw)); !strings.HasPrefix(got, "Read as zeek because of what stood before it") {
		t.Errorf("a record after its header: %q", got)
	}
}
