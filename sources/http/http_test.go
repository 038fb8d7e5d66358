package http

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"io"
	nethttp "net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"bartizan/sources"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// running is a listener under test.
type running struct {
	t     *testing.T
	url   string
	addr  string
	out   chan sources.Batch
	stop  func()
	ended chan error
}

// begin starts a listener; change may adapt it before.
func begin(t *testing.T, c Config, change func(*listener)) *running {
	t.Helper()
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	at := make(chan string, 1)
	secure := false
	c.Listening = func(address string, tls bool) { secure = tls; at <- address }
	op, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	l := op.Source.(*listener)
	if change != nil {
		change(l)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{t: t, out: make(chan sources.Batch), ended: make(chan error, 1)}
	stopped := false
	r.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-r.ended:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(patience):
			t.Fatal("Run did not end")
		}
	}
	t.Cleanup(r.stop)
	go func() { r.ended <- l.Run(ctx, "", r.out) }()
	select {
	case r.addr = <-at:
	case err := <-r.ended:
		t.Fatal(err)
	}
	r.url = "http://" + r.addr
	if secure {
		r.url = "https://" + r.addr
	}
	return r
}

// commit takes batches and commits them until the test ends; got receives copies.
func (r *running) commit() *[]sources.Record {
	var got []sources.Record
	gone := make(chan struct{})
	quit := make(chan struct{})
	go func() {
		defer close(gone)
		for {
			select {
			case b := <-r.out:
				for _, rec := range b.Records {
					rec.Raw = bytes.Clone(rec.Raw)
					got = append(got, rec)
				}
				b.Done(nil)
				b.Done(nil) // only the first counts
			case <-quit:
				return
			}
		}
	}()
	r.t.Cleanup(func() { close(quit); <-gone })
	return &got
}

// answer is what a sender gets.
type answer struct {
	code  int
	body  string
	retry string
}

// client makes a connection for each request, so that none is left open.
func client() *nethttp.Client {
	return &nethttp.Client{Timeout: patience, Transport: &nethttp.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
}

func (r *running) do(method, path string, body io.Reader, head ...string) answer {
	r.t.Helper()
	req, err := nethttp.NewRequest(method, r.url+path, body)
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i < len(head); i += 2 {
		req.Header.Set(head[i], head[i+1])
	}
	res, err := client().Do(req)
	if err != nil {
		return answer{body: err.Error()}
	}
	text, _ := io.ReadAll(res.Body) // the code is what counts
	_ = res.Body.Close()
	return answer{res.StatusCode, strings.TrimSpace(string(text)), res.Header.Get("Retry-After")}
}

func (r *running) post(body string, head ...string) answer {
	r.t.Helper()
	return r.do("POST", "/", strings.NewReader(body), head...)
}

// accepted sends until it is answered with 200: the limits of these tests are so
// short that a slow machine may exceed them by itself.
func (r *running) accepted(body string) {
	r.t.Helper()
	for limit := time.Now().Add(patience); ; {
		a := r.post(body)
		if a.code == 200 {
			return
		}
		if time.Now().After(limit) {
			r.t.Fatalf("answered %+v", a)
		}
	}
}

func packed(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text)) // to memory
	_ = z.Close()
	return b.String()
}

const alert = `{"hostname":"node-3","output":"10:00:00.000000000: Warning Shell in container (user=root)","output_fields":{"proc.name":"sh"},"priority":"Warning","rule":"Shell in container","source":"syscall","tags":["container"],"time":"2026-11-20T10:00:00.000000000Z"}`

// sidekick is the shape falcosidekick forwards: the same members and its own.
const sidekick = `{"uuid":"6d2c1b1e-0000-4000-8000-000000000001","output":"x","priority":"Notice","rule":"Shell in container","time":"2026-11-20T10:00:01Z","source":"syscall","output_fields":{"proc.name":"sh"},"hostname":"node-3","tags":["container"]}`

// TestTakes: every shape a sender uses gives the exact bytes of each record.
func TestTakes(t *testing.T) {
	pretty := "{\n  \"a\": {\"b\": [1, 2]},\n  \"c\": \"}{\"\n}"
	for _, c := range []struct {
		name, body string
		want       []string
	}{
		{"falco", alert, []string{alert}},
		{"falco with a line feed", alert + "\n", []string{alert}},
		{"falcosidekick", sidekick, []string{sidekick}},
		{"lines", alert + "\n" + sidekick + "\r\n\n" + `{"a":1}`, []string{alert, sidekick, `{"a":1}`}},
		{"one after the other", `{"a":1}{"a":2} {"a":3}`, []string{`{"a":1}`, `{"a":2}`, `{"a":3}`}},
		{"array", " [ " + alert + " ,\n" + sidekick + " ] \n", []string{alert, sidekick}},
		{"over several lines", pretty, []string{pretty}},
		{"array over several lines", "[\n" + pretty + ",\n" + pretty + "\n]", []string{pretty, pretty}},
		{"byte order mark", "\xef\xbb\xbf" + `{"a":1}` + "\n" + `{"b":2}`, []string{`{"a":1}`, `{"b":2}`}},
		{"hostile text", "{\"a\":\"\\u001b[2J\xff\"}", []string{"{\"a\":\"\\u001b[2J\xff\"}"}},
		{"more than a batch", strings.Repeat(`{"a":1}`, 1200), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := c.want
			if want == nil {
				want = strings.Split(strings.ReplaceAll(c.body, "}{", "}\n{"), "\n")
			}
			r := begin(t, Config{}, nil)
			got := r.commit()
			for _, a := range []answer{r.post(c.body, "Content-Type", "application/json"), r.post(packed(c.body), "Content-Encoding", "gzip")} {
				if a.code != 200 || a.body != "ok" {
					t.Fatalf("answered %+v", a)
				}
			}
			if len(*got) != 2*len(want) {
				t.Fatalf("%d records, want %d", len(*got), 2*len(want))
			}
			for i, rec := range *got {
				if string(rec.Raw) != want[i%len(want)] || rec.Line != int64(i%len(want)+1) || rec.Seen.IsZero() || int(rec.Ref.Len) != len(rec.Raw) {
					t.Errorf("record %d is %q, line %d, %+v", i, rec.Raw, rec.Line, rec.Ref)
				}
			}
		})
	}
}

// TestRefuses: nothing of a request that is not answered with 200 goes on.
func TestRefuses(t *testing.T) {
	big := `{"a":"` + strings.Repeat("x", 2000) + `"}`
	bomb := packed(`{"a":"` + strings.Repeat("x", 8<<20) + `"}`)
	for _, c := range []struct {
		name, method, path, body string
		head                     []string
		code                     int
		says                     string
	}{
		{"empty", "POST", "/", "", nil, 400, "the body is empty"},
		{"blanks", "POST", "/", " \n ", nil, 400, "the body is empty"},
		{"text", "POST", "/", "Nov  3 host sshd[1]: hello", nil, 400, "record 1 is no JSON object"},
		{"number", "POST", "/", "42", nil, 400, "record 1 is no JSON object"},
		{"null", "POST", "/", "null", nil, 400, "record 1 is no JSON object"},
		{"good, then bad", "POST", "/", `{"a":1}` + "\n" + `{"a":`, nil, 400, "record 2 is no JSON object; nothing of this request was taken"},
		{"array of numbers", "POST", "/", "[1,2]", nil, 400, "record 1 is no JSON object"},
		{"array of arrays", "POST", "/", "[[{}]]", nil, 400, "record 1 is no JSON object"},
		{"empty array", "POST", "/", "[]", nil, 400, "the array is empty"},
		{"open array", "POST", "/", `[{"a":1}`, nil, 400, "record 2 is no JSON object"},
		{"array with a tail", "POST", "/", `[{"a":1}]{"b":2}`, nil, 400, "something follows the array"},
		{"array with a bracket", "POST", "/", `[{"a":1}}`, nil, 400, "record 2 is no JSON object"},
		{"deep", "POST", "/", strings.Repeat(`{"a":`, 1000) + "1", nil, 400, "record 1 is no JSON object"},
		{"deeper", "POST", "/", strings.Repeat(`[`, 4000), nil, 400, "record 1 is no JSON object"},
		{"get", "GET", "/", "", nil, 405, "only POST is taken"},
		{"put", "PUT", "/", alert, nil, 405, "only POST is taken"},
		{"post for health", "POST", "/healthz", "", nil, 400, "the body is empty"},
		{"packed otherwise", "POST", "/", alert, []string{"Content-Encoding", "br"}, 415, "gzip only"},
		{"not packed", "POST", "/", alert, []string{"Content-Encoding", "gzip"}, 400, "not gzip"},
		{"packed and cut", "POST", "/", packed(alert)[:60], []string{"Content-Encoding", "gzip"}, 400, "cannot be unpacked"},
		{"bomb", "POST", "/", bomb[:min(len(bomb), 9000)], []string{"Content-Encoding", "gzip"}, 413, "the unpacked body is longer"},
		{"long", "POST", "/", strings.Repeat(big, 10), nil, 413, "longer than 10000 bytes"},
		{"long header", "POST", "/", alert, []string{"X-Long", strings.Repeat("x", 40<<10)}, 431, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := begin(t, Config{MaxBody: 10_000}, nil)
			got := r.commit()
			a := r.do(c.method, c.path, strings.NewReader(c.body), c.head...)
			if a.code != c.code || !strings.Contains(a.body, c.says) || a.retry != "" {
				t.Errorf("answered %+v, want %d %s", a, c.code, c.says)
			}
			chunked := r.do(c.method, c.path, io.MultiReader(strings.NewReader(c.body)), c.head...)
			if chunked.code != c.code {
				t.Errorf("without a length answered %+v, want %d", chunked, c.code)
			}
			if r.stop(); len(*got) > 0 {
				t.Errorf("%d records went on", len(*got))
			}
		})
	}
}

func TestBounds(t *testing.T) {
	r := begin(t, Config{MaxBody: MaxBody}, nil)
	got := r.commit()
	if a := r.post(strings.Repeat(`{}`, MaxPerPost+1)); a.code != 413 || !strings.Contains(a.body, "more than 10000 records") {
		t.Errorf("too many records: %+v", a)
	}
	if a := r.post(`{"a":"` + strings.Repeat("x", sources.MaxRecord) + `"}`); a.code != 413 || !strings.Contains(a.body, "record 1 is longer") {
		t.Errorf("a long record: %+v", a)
	}
	if a := r.do("GET", HealthPath, nil); a.code != 200 {
		t.Errorf("health: %+v", a)
	}
	if len(*got) > 0 {
		t.Errorf("%d records went on", len(*got))
	}
	if a := r.post(strings.Repeat(`{"a":"`+strings.Repeat("x", 1000)+`"}`, MaxPerPost)); a.code != 200 || len(*got) != MaxPerPost {
		t.Errorf("the most that is taken: %+v, %d records", a, len(*got))
	}
}

func TestKnowsItsSenders(t *testing.T) {
	basic := func(user, pass string) string {
		req, _ := nethttp.NewRequest("POST", "/", nil)
		req.SetBasicAuth(user, pass)
		return req.Header.Get("Authorization")
	}
	for _, c := range []struct {
		name string
		cfg  Config
		head []string
		body string
		code int
	}{
		{"no token", Config{Token: "s3cret"}, nil, alert, 401},
		{"token", Config{Token: "s3cret"}, []string{"Authorization", "Bearer s3cret"}, alert, 200},
		{"wrong token", Config{Token: "s3cret"}, []string{"Authorization", "Bearer s3cre"}, alert, 401},
		{"empty token", Config{Token: "s3cret"}, []string{"Authorization", "Bearer "}, alert, 401},
		{"bare token", Config{Token: "s3cret"}, []string{"Authorization", "s3cret"}, alert, 401},
		{"password", Config{Token: "s3cret"}, []string{"Authorization", basic("falco", "s3cret")}, alert, 200},
		{"wrong password", Config{Token: "s3cret"}, []string{"Authorization", basic("s3cret", "")}, alert, 401},
		{"wrong token, garbage", Config{Token: "s3cret"}, nil, "garbage", 401},
		{"signed", Config{Secret: "k"}, []string{"X-Bartizan-Signature", signature("k", alert)}, alert, 200},
		{"signed as GitHub does", Config{Secret: "k"}, []string{"X-Hub-Signature-256", signature("k", alert)}, alert, 200},
		{"signed while packed", Config{Secret: "k"}, []string{"Content-Encoding", "gzip", "X-Bartizan-Signature", signature("k", packed(alert))}, packed(alert), 200},
		{"not signed", Config{Secret: "k"}, nil, alert, 401},
		{"signed by another", Config{Secret: "k"}, []string{"X-Bartizan-Signature", signature("j", alert)}, alert, 401},
		{"signed something else", Config{Secret: "k"}, []string{"X-Bartizan-Signature", signature("k", alert+" ")}, alert, 401},
		{"empty signature", Config{Secret: "k"}, []string{"X-Bartizan-Signature", "sha256="}, alert, 401},
		{"both, one given", Config{Token: "t", Secret: "k"}, []string{"Authorization", "Bearer t"}, alert, 401},
		{"both", Config{Token: "t", Secret: "k"}, []string{"Authorization", "Bearer t", "X-Bartizan-Signature", signature("k", alert)}, alert, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := begin(t, c.cfg, nil)
			got := r.commit()
			a := r.post(c.body, c.head...)
			if a.code != c.code || len(*got) != (map[bool]int{true: 1})[c.code == 200] {
				t.Errorf("answered %+v with %d records, want %d", a, len(*got), c.code)
			}
			if a := r.do("GET", HealthPath, nil); a.code != 200 {
				t.Errorf("health: %+v", a)
			}
		})
	}
}
