package parse

import (
	"encoding/json"
	"strings"
	"testing"

	"bartizan/sources"
)

func TestAppendJSON(t *testing.T) {
	cases := []struct{ name, raw, want string }{
		{
			"text", "Nov  3 09:14:02 web-1 sshd[2211]: Failed password for root from 203.0.113.9 port 40022 ssh2",
			`{"line":1,"source":"test","format":"sshd","time":"2026-11-03T09:14:02Z","level":"warning",` +
				`"fields":{"host":"web-1","program":"sshd","pid":2211,"message":"Failed password for root from 203.0.113.9 port 40022 ssh2","event":"failed_password","method":"password","user":"root","src_ip":"203.0.113.9","src_port":40022},` +
				`"ecs":{"user.name":"root","source.ip":"203.0.113.9","source.port":40022,"event.action":"failed_password","event.outcome":"failure","host.name":"web-1","process.name":"sshd","process.pid":2211},` +
				`"entities":[{"kind":"user","role":"actor","value":"root"},{"kind":"ip","role":"source","value":"203.0.113.9"},{"kind":"host","role":"observer","value":"web-1"}],` +
				`"message":"Failed password for root from 203.0.113.9 port 40022 ssh2"}`,
		},
		{
			"nested", `{ "ts": "2026-11-03T09:14:02Z", "a": {"b": [1, "x y"]}, "c\"": null, "msg": "m" }`,
			`{"line":1,"source":"test","format":"json","time":"2026-11-03T09:14:02Z","level":"",` +
				`"fields":{"ts":"2026-11-03T09:14:02Z","a":{"b":[1,"x y"]},"c\"":null,"msg":"m"},"ecs":{},"entities":[],"message":"m"}`,
		},
		{
			"wrapped", `{"log":"level=error user=a user=b\n","stream":"stdout","time":"2026-11-03T09:14:02Z"}`,
			`{"line":1,"source":"test","format":"logfmt","time":"2026-11-03T09:14:02Z","level":"error",` +
				`"fields":{"log":"level=error user=a user=b\n","stream":"stdout","time":"2026-11-03T09:14:02Z","level":"error","user":"a","user":"b"},` +
				`"ecs":{"user.name":"a"},"entities":[{"kind":"user","role":"actor","value":"a"}],"message":"level=error user=a user=b"}`,
		},
		{
			"repeated", `level=error user=a user=b n=007`,
			`{"line":1,"source":"test","format":"logfmt","time":"2026-11-04T12:00:00Z","level":"error",` +
				`"fields":{"level":"error","user":["a","b"],"n":"007"},` +
				`"ecs":{"user.name":"a"},"entities":[{"kind":"user","role":"actor","value":"a"}],"message":"level=error user=a user=b n=007","flags":["no-time"]}`,
		},
	}
	for _, c := range cases {
		got := string(AppendJSON(nil, parseOne(t, sources.Info{}, c.raw), JSONOptions{}))
		if got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// TestAppendJSONShowsControls holds that nothing a terminal obeys gets through,
// from text or from strings inside JSON.
func TestAppendJSONShowsControls(t *testing.T) {
	for _, raw := range []string{
		"Nov  3 09:14:02 web-1 app: \x1b]0;owned\x07 \u202e \u009b1m \xff",
		"{\"msg\":\"\u202e \u009b1m \x7f \xff\",\"a\u200b\":{\"b\":\"\u2066\"}}",
	} {
		out := AppendJSON(nil, parseOne(t, sources.Info{}, raw), JSONOptions{Raw: true})
		if !json.Valid(out) {
			t.Fatalf("no JSON: %s", out)
		}
		for _, bad := range []string{"\x1b", "\x07", "\u202e", "\u009b", "\x7f", "\xff", "\u2066", "\u200b"} {
			if strings.Contains(string(out), bad) {
				t.Errorf("%q got through: %q", bad, out)
			}
		}
		var back struct {
			Raw string `json:"raw"`
			B64 []byte `json:"raw_b64"`
		}
		if err := json.Unmarshal(out, &back); err != nil || string(back.B64) != raw {
			t.Errorf("raw_b64 is %q (%v)", back.B64, err)
		}
	}
}

func TestAppendJSONKeepsWhatWasCut(t *testing.T) {
	many := `{"a":0` + strings.Repeat(`,"k":1`, 3000) + `,"last":1}`
	out := AppendJSON(nil, parseOne(t, sources.Info{}, many), JSONOptions{})
	if !json.Valid(out) || !strings.Contains(string(out), `"last":1`) {
		t.Error("members beyond the bound of fields are not in the record's own object")
	}
}

func TestAppendJSONAllocatesNothing(t *testing.T) {
	e := parseOne(t, sources.Info{}, benchLine("cloudtrail", 1))
	buf := make([]byte, 0, 1<<16)
	if n := testing.AllocsPerRun(50, func() { buf = AppendJSON(buf[:0], e, JSONOptions{Raw: true}) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
