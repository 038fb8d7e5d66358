package parse

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"bartizan/event"
	"bartizan/sources"
)

// winXML is an event as tools dump it.
func winXML(channel string, id any, data string) string {
	return fmt.Sprintf(`{"Event":{"System":{"Provider":{"#attributes":{"Name":"P"}},"EventID":%v,"Level":4,"TimeCreated":{"#attributes":{"SystemTime":"2026-11-03T09:14:02.5Z"}},"Channel":%q,"Computer":"ws-1","Security":{"#attributes":{"UserID":"S-1-5-18"}}},%s}}`, id, channel, data)
}

const (
	sysmonLog   = "Microsoft-Windows-Sysmon/Operational"
	securityLog = "Security"
	winAt       = "2026-11-03T09:14:02.5Z"
)

func TestWindowsEvents(t *testing.T) {
	runCases(t, sources.Info{}, []formatCase{
		{
			winXML(sysmonLog, 1, `"EventData":{"Image":"C:\\Windows\\cmd.exe","CommandLine":"cmd /c x","User":"ACME\\amira","ProcessId":7,"ParentProcessId":6,"ParentImage":"C:\\a\\b.exe","LogonGuid":"{1}","Hashes":"SHA1=AA,MD5=BB,SHA256=CC,IMPHASH=DD"}`),
			"windows-evtx", "info", winAt,
			`EventID=1 | Channel=` + sysmonLog + ` | Provider_Name=P | Computer=ws-1 | Image=C:\Windows\cmd.exe | process.executable=C:\Windows\cmd.exe | process.name=cmd.exe | process.command_line=cmd /c x | user.name=amira | User=ACME\amira | host.name=ws-1 | event.code=1 | process.pid=7 | process.parent.pid=6 | process.parent.name=b.exe | process.parent.executable=C:\a\b.exe | md5=BB | sha1=AA | sha256=CC | Imphash=DD | file.hash.sha256=CC | session.id={1} | Event.EventData.Image=C:\Windows\cmd.exe | Security_UserID=S-1-5-18`,
		},
		{
			winXML(securityLog, `{"#text":4688,"#attributes":{"Qualifiers":"0"}}`, `"EventData":{"Data":[{"@Name":"NewProcessName","#text":"C:\\w\\net.exe"},{"@Name":"SubjectUserName","#text":"amira"},{"@Name":"NewProcessId","#text":"0x7"},{"@Name":"ProcessId","#text":"0x6"},{"@Name":"Empty","#text":""}]}`),
			"windows-evtx", "info", winAt,
			`EventID=4688 | NewProcessName=C:\w\net.exe | Image=C:\w\net.exe | User=amira | user.name=amira | process.pid=0x7 | process.parent.pid=0x6 | process.name=net.exe | !Empty`,
		},
		{
			winXML(securityLog, 4624, `"EventData":{"SubjectUserName":"DC-1$","TargetUserName":"amira","IpAddress":"203.0.113.9","IpPort":"5","WorkstationName":"WS"}`),
			"windows-evtx", "info", winAt,
			`user.name=amira | source.ip=203.0.113.9 | source.port=5 | source.domain=WS | !user.target.name`,
		},
		{
			`{"Event":{"System":{"Provider_attributes":{"Name":"P"},"EventID":5,"Level":2,"TimeCreated_attributes":{"SystemTime":"2026-11-03T09:14:02.5Z"},"Channel":"System","Computer":"ws-1"},"EventData":{"param1":"one","param2":"two"}}}`,
			"windows-evtx", "error", winAt, `Provider_Name=P | Data=one | Data=two | param1=one`,
		},
		{
			winXML(securityLog, 4720, `"EventData":{"SubjectUserName":"amira","TargetUserName":"new1"}`),
			"windows-evtx", "info", winAt, `user.name=amira | user.target.name=new1`,
		},
		{
			winXML(securityLog, 4657, `"EventData":{"ObjectName":"\\REGISTRY\\MACHINE\\Software\\x","ObjectValueName":"v","NewValue":"1","ProcessName":"C:\\r.exe"}`),
			"windows-evtx", "info", winAt, `TargetObject=HKLM\Software\x\v | Details=1 | Image=C:\r.exe | registry.path=HKLM\Software\x\v`,
		},
		{
			winXML("Microsoft-Windows-WMI-Activity/Operational", 5858, `"UserData":{"Operation_ClientFailure":{"#attributes":{"xmlns":"x"},"User":"a\\b","PossibleCause":"no"}}`),
			"windows-evtx", "info", winAt, `User=a\b | PossibleCause=no | user.name=b`,
		},
		{
			winXML("Application", 1000, `"EventData":{"Data":["one","two"]}`),
			"windows-evtx", "info", winAt, `Data=one | Data=two`,
		},
		{
			winXML("Windows PowerShell", 400, `"EventData":{"Data":{"#text":["Available","HostName=x"]}}`),
			"windows-evtx", "info", winAt, `Data=Available | Data=HostName=x`,
		},
		{
			`{"@timestamp":"2026-11-03T09:14:02.5Z","winlog":{"channel":"Windows PowerShell","event_id":600,"provider_name":"PowerShell","event_data":{"param1":"WSMan","param2":"Started"}},"log":{"level":"warning"},"message":"first\nsecond"}`,
			"winlogbeat", "warning", winAt, `Data=WSMan | Data=Started | EventID=600 | Message=first` + "\nsecond" + ` | event.provider=PowerShell`,
		},
		{
			`{"@timestamp":"2026-11-03T09:14:02.5Z","event":{"code":"1"},"process":{"executable":"C:\\x.exe","command_line":"x -a","parent":{"executable":"C:\\p.exe"}},"winlog":{"channel":"` + sysmonLog + `","event_id":"1","computer_name":"ws-1"}}`,
			"winlogbeat", "", winAt, `Image=C:\x.exe | CommandLine=x -a | ParentImage=C:\p.exe | EventID=1 | process.name=x.exe | host.name=ws-1`,
		},
		{
			`{"EventTime":"2026-11-03T09:14:02.5Z","Hostname":"ws-1","Keywords":"0x8010000000000000","EventID":4625,"SourceName":"Microsoft-Windows-Security-Auditing","Channel":"Security","Severity":"INFO","TargetUserName":"amira","Message":"An account failed to log on."}`,
			"windows-flat", "warning", winAt, `Computer=ws-1 | user.name=amira | event.outcome=failure | host.name=ws-1`,
		},
	})
}

// TestWindowsLogSources holds where each kind of event is routed.
func TestWindowsLogSources(t *testing.T) {
	for _, c := range []struct {
		channel, data string
		id            int
		want          event.LogSource
	}{
		{sysmonLog, `"EventData":{"EventType":"DeleteKey"}`, 12, event.LogSource{Product: "windows", Category: "registry_delete", Service: "sysmon"}},
		{sysmonLog, `"EventData":{"EventType":"CreateKey"}`, 12, event.LogSource{Product: "windows", Category: "registry_add", Service: "sysmon"}},
		{sysmonLog, `"EventData":{}`, 255, event.LogSource{Product: "windows", Category: "sysmon_error", Service: "sysmon"}},
		{sysmonLog, `"EventData":{}`, 99, event.LogSource{Product: "windows", Service: "sysmon"}},
		{"Linux-Sysmon/Operational", `"EventData":{}`, 3, event.LogSource{Product: "linux", Category: "network_connection", Service: "sysmon"}},
		{"Microsoft-Windows-PowerShell/Operational", `"EventData":{}`, 4104, event.LogSource{Product: "windows", Category: "ps_script", Service: "powershell"}},
		{"microsoft-windows-BITS-CLIENT/operational", `"EventData":{}`, 3, event.LogSource{Product: "windows", Service: "bits-client"}},
		{securityLog, `"EventData":{}`, 4663, event.LogSource{Product: "windows", Category: "file_access", Service: "security"}},
		{"Some-Vendor/Admin", `"EventData":{}`, 3, event.LogSource{Product: "windows"}},
		{strings.Repeat("x", 500), `"EventData":{}`, 3, event.LogSource{Product: "windows"}},
	} {
		if e := parseOne(t, sources.Info{}, winXML(c.channel, c.id, c.data)); e.LogSource != c.want {
			t.Errorf("%s %d is %+v, want %+v", c.channel, c.id, e.LogSource, c.want)
		}
	}
	provider := parseOne(t, sources.Info{}, `{"EventID":1,"SourceName":"Microsoft-Windows-Sysmon","ProviderGuid":"{5}"}`)
	if provider.LogSource.Service != "sysmon" {
		t.Errorf("by its provider it is %+v", provider.LogSource)
	}
}

// TestWindowsPretty: a file of indented objects, one behind the other, is as many
// events; their bytes are those of the file.
func TestWindowsPretty(t *testing.T) {
	var v any
	if err := json.Unmarshal([]byte(winXML(sysmonLog, 11, `"EventData":{"TargetFilename":"C:\\a b"}`)), &v); err != nil {
		t.Fatal(err)
	}
	pretty, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	e := parseOne(t, sources.Info{}, string(pretty))
	if e.LogSource.Category != "file_event" || e.Text("file.path") != `C:\a b` {
		t.Errorf("%+v %q", e.LogSource, e.Text("file.path"))
	}
}

func TestCisco(t *testing.T) {
	runCases(t, sources.Info{}, []formatCase{
		{"192.0.2.20 6705: Nov  3 2026 09:14:02.673: %PARSER-5-CFGLOG_LOGGEDCMD: User:amira  logged command:no aaa new-model", "cisco", "notice", "2026-11-03T09:14:02.673Z", "host=192.0.2.20 | sequence=6705 | facility=PARSER | severity=5 | mnemonic=CFGLOG_LOGGEDCMD | user.name=amira | command=no aaa new-model | host.name=192.0.2.20"},
		{"<189>45: *Nov  3 2026 09:14:02.673: %SEC_LOGIN-4-LOGIN_FAILED: Login failed [user: root] [Source: 203.0.113.9] [localport: 22]", "cisco", "warning", "2026-11-03T09:14:02.673Z", "sequence=45 | user.name=root | source.ip=203.0.113.9 | !host"},
		{"Nov  3 2026 09:14:02 rtr-1 77: %IP-TCP-3-BADAUTH: Invalid MD5 digest from 192.0.2.1:179", "cisco", "error", "2026-11-03T09:14:02Z", "facility=IP-TCP | mnemonic=BADAUTH | message=Invalid MD5 digest from 192.0.2.1:179"},
		{"%SYS-5-CONFIG_I: Configured from console by vty0", "cisco", "notice", "", "facility=SYS"},
		{"rtr-1: %SYS-5-CONFIG_I:  ", "cisco", "notice", "", "facility=SYS | host=rtr-1 | message="},
	})
	for _, raw := range []string{"100%SYS done", "% - 5 - X:", "%A-9-B: x", "%-5-B: x", strings.Repeat("x", 300) + "%SYS-5-CONFIG_I: x"} {
		if n, _ := scoreCisco([]byte(raw)); n != 0 {
			t.Errorf("%q is Cisco's", raw)
		}
	}
}

// FuzzWindows gives one record to the formats of Windows events and network devices:
// no panic, the promises of checkEvent, and the same again.
func FuzzWindows(f *testing.F) {
	formats := []string{"windows-evtx", "winlogbeat", "windows-flat", "cisco"}
	for _, name := range formats {
		b, _ := lookup(name)
		f.Add([]byte(b.Example))
	}
	f.Add([]byte(winXML(securityLog, 4657, `"EventData":{"ObjectName":"\\REGISTRY\\USER\\x","TargetUserName":"a\\b"}`)))
	f.Add([]byte(winXML(sysmonLog, 1, `"EventData":{"Data":[{"@Name":"Hashes","#text":"MD5=,SHA256=a,,IMPHASH="},{"#text":"x"}],"Image":"\\"},"UserData":{"a":{"b":1}}`)))
	f.Add([]byte("<189>1: *.Nov 03 09:14:02: %A-B-7-C: User: logged command: [user: ] [Source: "))
	r := testRegistry()
	var slab, other Slab
	var streams []*Stream
	for _, name := range formats {
		streams = append(streams, r.Stream(sources.Info{Format: name}))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		slab.Reset()
		var e event.Event
		for _, s := range streams {
			s.Parse(&sources.Record{Raw: raw, Seen: seen}, &slab, &e)
			checkEvent(t, &e, raw)
			checkSame(t, r, &other, &e)
		}
	})
}
