package parse

import (
	"strings"
	"testing"
	"time"

	"bartizan/event"
	"bartizan/sources"
)

// readAll parses text line by line and returns copies of the events.
func readAll(t *testing.T, text string) []*event.Event {
	t.Helper()
	var out []*event.Event
	var all [][]byte
	for _, l := range strings.SplitAfter(text, "\n") {
		if l != "" {
			all = append(all, []byte(l))
		}
	}
	parseLines(t, sources.Info{}, all, func(_ int, e *event.Event) { out = append(out, e.Clone()) })
	return out
}

// wants checks "name=value" pairs of one event, and "!name" for what must be absent.
func wants(t *testing.T, e *event.Event, pairs string) {
	t.Helper()
	for _, p := range strings.Split(pairs, " | ") {
		if n, ok := strings.CutPrefix(p, "!"); ok {
			if _, has := e.Get(n); has {
				t.Errorf("%s is there in %q", n, e.Raw)
			}
			continue
		}
		n, v, _ := strings.Cut(p, "=")
		if got := e.Text(n); got != v {
			t.Errorf("%s is %q, want %q in %q", n, got, v, e.Raw)
		}
	}
}

const zeekConn = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#open\t2026-11-03-09-00-00\n" +
	"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\torig_bytes\ttunnel_parents\n" +
	"#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tcount\tset[string]\n"

func TestZeek(t *testing.T) {
	all := readAll(t, zeekConn+
		"1793697242.250000\tCq1\t203.0.113.9\t40022\t10.20.1.7\t22\ttcp\tssh\t4249\tCa1,Ca2\n"+
		"a line of something else\n"+
		"1793697243.000000\tCq2\tfe80::1\t1\tff02::fb\t5353\tudp\t-\t-\t(empty)\n"+
		"#close\t2026-11-03-10-00-00\n")
	if len(all) != 12 {
		t.Fatalf("%d events", len(all))
	}
	e := all[8]
	if e.FormatName != "zeek" || e.LogSource != (event.LogSource{Product: "zeek", Category: "firewall", Service: "conn"}) ||
		!e.Time.Equal(time.Date(2026, 11, 3, 9, 14, 2, 250e6, time.UTC)) {
		t.Errorf("%s %+v %v", e.FormatName, e.LogSource, e.Time)
	}
	wants(t, e, "id.orig_h=203.0.113.9 | source.ip=203.0.113.9 | destination.port=22 | network.bytes=4249 | session.id=Cq1 | dst_port=22")
	n := 0
	for _, f := range e.Fields {
		if f.Name == "tunnel_parents" {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d tunnel parents", n)
	}
	if all[9].FormatName != "raw" {
		t.Errorf("a foreign line is %s", all[9].FormatName)
	}
	wants(t, all[10], "source.ip=fe80::1 | !service | !tunnel_parents")
	if all[11].FormatName != "zeek" || len(all[11].Fields) != 0 {
		t.Errorf("the end is %s with %v", all[11].FormatName, all[11].Fields)
	}
}

func TestZeekKinds(t *testing.T) {
	all := readAll(t, "#path\thttp\n#fields\tts\tid.orig_h\tmethod\thost\turi\tstatus_code\n1793697242.0\t203.0.113.9\tGET\tshop.example\t/a?b=1\t404\n"+
		"#path\tdns\n#fields\tts\tid.orig_h\tquery\tqtype_name\n1793697242.0\t10.1.1.1\tc2.example\tTXT\n"+
		"#path\tssh\n#fields\tts\tid.orig_h\tauth_success\n1793697242.0\t10.1.1.1\tF\n")
	wants(t, all[2], "c-uri=/a?b=1 | sc-status=404 | cs-host=shop.example | source.ip=203.0.113.9 | event.outcome=failure")
	wants(t, all[5], "dns.question.name=c2.example | record_type=TXT")
	wants(t, all[8], "event.outcome=failure")
	if all[2].LogSource.Category != "proxy" || all[5].LogSource.Category != "dns" || all[8].LogSource.Service != "ssh" {
		t.Errorf("%+v %+v %+v", all[2].LogSource, all[5].LogSource, all[8].LogSource)
	}
}

func TestW3C(t *testing.T) {
	all := readAll(t, "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2026-11-03 09:00:00\n"+
		"#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status time-taken\n"+
		"2026-11-03 09:14:02 10.20.1.7 GET /a.aspx id=1 443 - 203.0.113.9 Mozilla/5.0+(X11) 500 31\r\n"+
		"2026-11-03 09:14:02 10.20.1.7 GET /a.aspx\n"+
		"#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status\n"+
		"2026-11-03\t09:14:03\tARN1-C1\t2390\t203.0.113.9\tGET\td1.cloudfront.example\t/i.html\t200\n")
	e := all[4]
	if e.FormatName != "w3c" || e.Time.Format(time.RFC3339) != at || e.Level != event.LevelError || e.LogSource != logIIS {
		t.Errorf("%s %v %v %+v", e.FormatName, e.Time, e.Level, e.LogSource)
	}
	wants(t, e, "cs(User-Agent)=Mozilla/5.0+(X11) | cs-user-agent=Mozilla/5.0+(X11) | source.ip=203.0.113.9 | url.path=/a.aspx | http.response.status_code=500 | !cs-username | !user.name")
	if all[5].FormatName == "w3c" {
		t.Error("a line with too few values is taken")
	}
	if all[7].LogSource != logCloudFront {
		t.Errorf("%+v", all[7].LogSource)
	}
	wants(t, all[7], "x-edge-location=ARN1-C1 | cs-host=d1.cloudfront.example | url.domain=d1.cloudfront.example")
}

func TestCSV(t *testing.T) {
	all := readAll(t, "\"Time\",\"User\",client_ip,Note,level\n"+
		"2026-11-03T09:14:02Z,amira,203.0.113.9,\"said \"\"no\"\", twice\",warn\n"+
		"2026-11-03T09:14:02Z,amira,203.0.113.9,,\n"+
		"one, two, three, four, five\n"+
		"2026-11-03T09:14:02Z,too,few\n")
	e := all[1]
	if e.FormatName != "csv" || e.Time.Format(time.RFC3339) != at || e.Level != event.LevelWarning {
		t.Errorf("%s %v %v", e.FormatName, e.Time, e.Level)
	}
	wants(t, e, `Note=said "no", twice | User=amira | source.ip=203.0.113.9`)
	wants(t, all[2], "User=amira | !Note | !level")
	for _, i := range []int{3, 4} {
		if all[i].FormatName == "csv" {
			t.Errorf("line %d is taken", i+1)
		}
	}
	for _, s := range []string{"a,b,c", "time,b", "time,2,3", strings.Repeat("time,", 600) + "x", "then, at that time, we went home."} {
		if cols, _ := csvColumns([]byte(s)); cols != nil {
			t.Errorf("%.40q is taken for a header", s)
		}
	}
}

// TestPreface: who begins in the middle of a file still knows its columns.
func TestPreface(t *testing.T) {
	for _, c := range []struct{ head, line, format, want string }{
		{zeekConn + "1793697241.0\tCq0\t", "1793697242.250000\tCq1\t203.0.113.9\t40022\t10.20.1.7\t22\ttcp\tssh\t4249\t-", "zeek", "source.ip=203.0.113.9"},
		{"#Version: 1.0\n#Fields: date time c-ip cs-method\n2026", "2026-11-03 09:14:02 203.0.113.9 GET", "w3c", "source.ip=203.0.113.9"},
		{"version vpc-id srcaddr dstaddr end action\n5 vpc", "5 vpc-1 10.20.1.7 203.0.113.9 1793697242 ACCEPT", "vpcflow", "source.ip=10.20.1.7"},
		{"time,user,client_ip\n", "2026-11-03T09:14:02Z,amira,203.0.113.9", "csv", "user=amira"},
		{"just text\n#fields\tts\tuid\n", "just text", "raw", "!ts"},
	} {
		s := testRegistry().Stream(sources.Info{})
		s.Preface([]byte(c.head))
		var slab Slab
		var e event.Event
		s.Parse(&sources.Record{Raw: []byte(c.line), Line: 9, Seen: seen}, &slab, &e)
		if e.FormatName != c.format {
			t.Errorf("%q is %s, want %s", c.line, e.FormatName, c.format)
		}
		wants(t, &e, c.want)
	}
}

// TestHeadersAreRestored: a described id of a headed format reads the same later.
func TestHeadersAreRestored(t *testing.T) {
	text := zeekConn + "1793697242.250000\tCq1\t203.0.113.9\t40022\t10.20.1.7\t22\ttcp\tssh\t4249\tCa1,Ca2\n"
	r := testRegistry()
	s := r.Stream(sources.Info{})
	var slab Slab
	var e event.Event
	for _, l := range strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n") {
		s.Parse(&sources.Record{Raw: []byte(l), Seen: seen}, &slab, &e)
	}
	other := testRegistry()
	id, err := other.Restore(r.Describe(e.Format))
	if err != nil {
		t.Fatal(err)
	}
	again := event.Event{Seen: seen}
	other.Reparse(id, e.Raw, &slab, &again)
	if len(again.Fields) != len(e.Fields) || again.LogSource != e.LogSource {
		t.Errorf("restored: %d fields of %+v, before: %d of %+v", len(again.Fields), again.LogSource, len(e.Fields), e.LogSource)
	}
}

func FuzzHeaded(f *testing.F) {
	f.Add(zeekConn, "1793697242.25\tCq1\ta\tb")
	f.Add("#Fields: date time c-ip\n", `2026-11-03 09:14:02 "a`)
	f.Add("time,a,b\n", `x,"a""b",`)
	f.Add("#Fields:11 1", " ")
	f.Add("time,a,b\n", `"",x,y`)
	f.Fuzz(func(t *testing.T, head, line string) {
		var all [][]byte
		for _, l := range strings.SplitAfter(head, "\n") {
			all = append(all, []byte(l))
		}
		parseLines(t, sources.Info{}, append(all, []byte(line), []byte(line)), func(int, *event.Event) {})
		s := testRegistry().Stream(sources.Info{})
		s.Preface([]byte(head))
	})
}
