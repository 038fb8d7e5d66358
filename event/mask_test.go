package event

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"
)

var testMasker = NewMasker([]byte("a key for tests"))

// blind replaces the token of a mask, which depends on the key, by a star.
func blind(s string) string {
	return regexp.MustCompile(`‹masked:[0-9a-f]{6}›`).ReplaceAllString(s, "‹*›")
}

const madeUpToken = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtYWRlLXVwIn0.c2lnbmF0dXJlLW1hZGUtdXAtMTIz"

func TestMaskTable(t *testing.T) {
	for _, c := range []struct{ in, out string }{
		{"login user=bob password=hunter2 from 10.0.0.1", "login user=bob password=‹*› from 10.0.0.1"},
		{"passwd: hunter2", "passwd: ‹*›"},
		{`DB_PASSWORD="s3 cret" next`, `DB_PASSWORD="‹*›" next`},
		{"db_pwd=hunter2;host=db", "db_pwd=‹*›;host=db"},
		{`{"user":"bob","password":"hun\"ter2","n":1}`, `{"user":"bob","password":"‹*›","n":1}`},
		{`{"msg":"{\"password\":\"hunter2\",\"a\":1}"}`, `{"msg":"{\"password\":\"‹*›\",\"a\":1}"}`},
		{`{"token": "abcdef123456"}`, `{"token": "‹*›"}`},
		{`{"sessionToken":"IQoJb3JpZ2luX2VjEMadeUp","accessKeyId":"ASIAEXAMPLE0000TEST"}`, `{"sessionToken":"‹*›","accessKeyId":"ASIAEXAMPLE0000TEST"}`},
		{"aws_secret_access_key = madeUp/Secret+Key0000000000000000000000", "aws_secret_access_key = ‹*›"},
		{`"secretAccessKey":"madeUpSecret0000"`, `"secretAccessKey":"‹*›"`},
		{"GET /x?api_key=0123456789abcdef&page=2", "GET /x?api_key=‹*›&page=2"},
		{"X-Api-Key: 0123456789abcdef", "X-Api-Key: ‹*›"},
		{"secret=topsecretvalue)", "secret=‹*›)"},
		{"Authorization: Bearer 0a1b2c3d4e5f6a7b8c9d", "Authorization: Bearer ‹*›"},
		{"authorization: Basic Ym9iOmh1bnRlcjI=", "authorization: Basic ‹*›"},
		{`"Authorization":["Bearer 0a1b2c3d4e5f6a7b8c9d"]`, `"Authorization":["Bearer ‹*›"]`},
		{"Authorization: AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260101/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0123456789abcdef", "Authorization: AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260101/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=‹*›"},
		{"sent bearer 0a1b2c3d4e5f6a7b8c9d ok", "sent bearer ‹*› ok"},
		{"jwt " + madeUpToken + " seen", "jwt " + madeUpToken[:strings.LastIndexByte(madeUpToken, '.')+1] + "‹*› seen"},
		{"Authorization: Bearer " + madeUpToken, "Authorization: Bearer " + madeUpToken[:strings.LastIndexByte(madeUpToken, '.')+1] + "‹*›"},
		{"token=" + madeUpToken + "&a=b", "token=" + madeUpToken[:strings.LastIndexByte(madeUpToken, '.')+1] + "‹*›&a=b"},
		{"clone https://bob:hunter2@git.example/x", "clone https://bob:‹*›@git.example/x"},
		{"clone https://madeuptoken0123456789@git.example/x", "clone https://‹*›@git.example/x"},
		{"postgres://app:p%40ss@db:5432/x", "postgres://app:‹*›@db:5432/x"},
		{"-----BEGIN RSA PRIVATE KEY-----\nTUFERQ==\n-----END RSA PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----‹*›-----END RSA PRIVATE KEY-----"},
		{`{"k":"-----BEGIN PRIVATE KEY-----\nTUFERQ==`, `{"k":"-----BEGIN PRIVATE KEY-----‹*›`},
		{"COMMAND=/usr/bin/mysql --password hunter2 -u root", "COMMAND=/usr/bin/mysql --password ‹*› -u root"},
		{"mysql --password=hunter2 x", "mysql --password=‹*› x"},
		{"<user>bob</user><password>hunter2</password>", "<user>bob</user><password>‹*›</password>"},
		{`"password" => "hunter2"`, `"password" => "‹*›"`},
	} {
		got := string(testMasker.Mask(nil, []byte(c.in)))
		if blind(got) != c.out {
			t.Errorf("%s\n  becomes %s\n  want    %s", c.in, got, c.out)
		}
		if s := testMasker.MaskString(c.in); s != got {
			t.Errorf("MaskString says %s", s)
		}
	}
}

// TestMaskLeaves holds what looks like a secret and is none.
func TestMaskLeaves(t *testing.T) {
	for _, in := range []string{
		"Failed password for root from 1.2.3.4 port 22 ssh2",
		"Accepted password for bob from 10.0.0.1 port 51000 ssh2",
		"Failed password for invalid user admin: from 1.2.3.4",
		"password check failed for user (bob)",
		"pam_unix(passwd:chauthtok): password changed for bob",
		"web passwd: password changed for bob",
		"web passwd: pam_unix(passwd:chauthtok): authentication failure",
		"web passwd: gkr-pam: could not update",
		"open /etc/passwd: permission denied",
		"1 incorrect password attempt ; TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/bin/sh",
		"Access denied for user 'root'@'localhost' (using password: YES)",
		"token bucket rate=5",
		"max_tokens=4096",
		"invalid token: signature mismatch",
		"error: token: expired",
		`{"resource":"tokenreviews","verb":"create"}`,
		`{"resource":"secrets","name":"db-password","namespace":"x"}`,
		`{"subresource":"token","apiVersion":"v1"}`,
		`{"authorization.k8s.io/decision":"allow"}`,
		`{"nextToken":"0123456789abcdef","pageToken":"x0123456789"}`,
		`{"password":null,"token":true,"secret":{"name":"a"}}`,
		`{"password":""}`,
		"password=******** passwd=xxxxxxxx token=[REDACTED] secret=__REDACTED__",
		"grant_type=password&client_id=web",
		"accessKeyId=AKIAEXAMPLE0000TEST arn:aws:iam::111122223333:user/bob",
		"ssh://git@git.example/x http://a.example:80/y@z",
		"mail to bob@mail.example",
		"type=EXECVE a0=\"ls\" key=\"passwd_changes\"",
		"-----BEGIN CERTIFICATE-----\nTUFERQ==\n-----END CERTIFICATE-----",
		"ring bearer of bad news",
		"pwd=/root passphrase",
		"eyJub3QiOiJhIHRva2VuIn0",
	} {
		if got := testMasker.MaskString(in); got != in {
			t.Errorf("%s\n  becomes %s", in, got)
		}
	}
}

func TestMaskCorrelates(t *testing.T) {
	a, b := testMasker.MaskString("password=hunter2"), testMasker.MaskString(`{"passwd":"hunter2"}`)
	if got, want := strings.Trim(b, `{}"pasword:`), strings.TrimPrefix(a, "password="); !strings.Contains(b, want) {
		t.Errorf("the same secret is %s and %s", got, want)
	}
	if testMasker.MaskString("password=hunter3") == a {
		t.Error("different secrets look equal")
	}
	if NewMasker([]byte("another")).MaskString("password=hunter2") == a {
		t.Error("the key does not matter")
	}
}

func TestMaskField(t *testing.T) {
	for _, c := range []struct{ name, value, out string }{
		{"requestParameters.masterUserPassword", "hunter2", "‹*›"},
		{"token", madeUpToken, madeUpToken[:strings.LastIndexByte(madeUpToken, '.')+1] + "‹*›"},
		{"subresource", "token", "token"},
		{"pwd", "/home/bob", "/home/bob"},
		{"cmd", "x --password hunter2", "x --password ‹*›"},
		{"authorization", "Bearer 0a1b2c3d4e5f6a7b8c9d", "Bearer ‹*›"},
		{"user.name", "root", "root"},
	} {
		if got := testMasker.MaskField(c.name, c.value); blind(got) != c.out {
			t.Errorf("%s: %s becomes %s, want %s", c.name, c.value, got, c.out)
		}
	}
}

func TestMaskDoesNotAllocate(t *testing.T) {
	in := []byte("Nov 21 10:00:00 web sshd[1]: Accepted publickey for bob from 10.0.0.1 port 51000 ssh2: ED25519 SHA256:abc")
	dst := make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() { dst = testMasker.Mask(dst[:0], in) }); n != 0 {
		t.Errorf("%v allocations without a secret", n)
	}
}

// TestMaskIsLinear gives records made to be looked at again and again: with
// work that grows with the square of the length, they would outlast the limit.
func TestMaskIsLinear(t *testing.T) {
	for _, piece := range []string{
		"@", "password=", "pwd=/", `pwd="/`, `pwd=\'/pwd=\"/`, "password=‹masked:", "authorization=", "authorization: bearer ",
		"eyJhbGciOiJI.", "://a@", "-----BEGIN PRIVATE KEY-----", "--password ", `password=\"`, "<secret>", "token:\"", "bearer ",
	} {
		in := []byte(strings.Repeat(piece, (512<<10)/len(piece)))
		start := time.Now()
		testMasker.Mask(nil, in)
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%q repeated to 512 KiB took %v", piece, took)
		}
	}
}

func TestMaskLongSecrets(t *testing.T) {
	long := strings.Repeat("s3cret", maxSecretValue)
	for _, in := range []string{"password=" + long + " x", `{"password":"` + long + `","x":1}`, `{"token":"` + long} {
		if got := testMasker.MaskString(in); strings.Contains(got, "s3cret") {
			t.Errorf("%.20s… leaks", in)
		}
	}
}

func FuzzMask(f *testing.F) {
	for _, s := range []string{
		"password=hunter2", `{"token":"abcdef123"}`, "Authorization: Basic abc", "bearer " + madeUpToken, "a://b:c@d",
		"-----BEGIN PRIVATE KEY-----x", "--password x", "<secret>abcdef</secret>", `\"passwd\":\"x\\\"`, "password=‹masked:000000›",
		"PassPhrase : 'x'", "x-api-key:=1234567", "private_key => \"abcdefg\"", "AWS4-HMAC-SHA256 Signature=",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, s []byte) {
		spans := secrets(s)
		if len(spans) > 0 && !maySecret(s) {
			t.Fatalf("%q has secrets at %v that the quick look missed", s, spans)
		}
		var want []byte
		from := 0
		for _, sp := range spans {
			if sp.Start < from || sp.End <= sp.Start || sp.End > len(s) {
				t.Fatalf("%q: bad ranges %v", s, spans)
			}
			want = testMasker.appendToken(append(want, s[from:sp.Start]...), s[sp.Start:sp.End])
			from = sp.End
		}
		want = append(want, s[from:]...)
		if got := testMasker.Mask(nil, s); !bytes.Equal(got, want) {
			t.Fatalf("%q becomes %q, want %q", s, got, want)
		}
		if got := testMasker.MaskString(string(s)); got != string(want) {
			t.Fatalf("%q becomes %q as a string", s, got)
		}
		_ = testMasker.MaskField("password", string(s))
	})
}

func BenchmarkMask(b *testing.B) {
	for name, in := range map[string]string{
		"clean":    "Nov 21 10:00:00 web sshd[1]: Accepted publickey for bob from 10.0.0.1 port 51000 ssh2: ED25519 SHA256:abc",
		"trigger":  "Nov 21 10:00:00 web sshd[1]: Failed password for root from 203.0.113.9 port 22 ssh2",
		"password": "Nov 21 10:00:00 web app[1]: login user=bob password=hunter2 from 203.0.113.9",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(in)))
			dst, s := make([]byte, 0, 512), []byte(in)
			for b.Loop() {
				dst = testMasker.Mask(dst[:0], s)
			}
		})
	}
}
