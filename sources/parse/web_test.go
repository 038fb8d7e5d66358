package parse

import (
	"testing"

	"bartizan/sources"
)

// TestAccessClients holds who the client is where a virtual host, a list of forwarded
// addresses or both stand before it.
func TestAccessClients(t *testing.T) {
	const rest = ` - - [03/Nov/2026:09:14:02 +0000] "GET /a HTTP/1.1" 200 5 "-" "curl/8"`
	var cases []formatCase
	for _, c := range [][2]string{
		{"203.0.113.9", "remote_addr=203.0.113.9 | source.ip=203.0.113.9 | !server_name | !destination.port"},
		{"shop.example:8443 203.0.113.9", "server_name=shop.example | server_port=8443 | url.domain=shop.example | destination.port=8443 | source.ip=203.0.113.9 | !destination.ip"},
		{"192.0.2.7:80 203.0.113.9", "server_name=192.0.2.7 | destination.ip=192.0.2.7 | destination.port=80 | source.ip=203.0.113.9"},
		{"192.0.2.7 printer", "server_name=192.0.2.7 | destination.ip=192.0.2.7 | source.domain=printer | !source.ip"},
		{"shop.example unix:", "server_name=shop.example | source.domain=unix: | !source.ip"},
		{"10.0.0.2, 10.0.0.1, 203.0.113.9", "source.ip=203.0.113.9 | !server_name"},
		{"203.0.113.9, 198.51.100.4", "source.ip=203.0.113.9"},
		{"10.0.0.2, 10.0.0.1", "source.ip=10.0.0.2"},
		{"shop.example 10.0.0.2, 203.0.113.9", "server_name=shop.example | source.ip=203.0.113.9"},
		{`shop.example:80 "10.0.0.2, 203.0.113.9, 198.51.100.4" 10.20.1.7`, "server_name=shop.example | destination.port=80 | source.ip=203.0.113.9 | !user.name"},
		{"::1", "source.ip=::1"},
		{"shop.example 2001:db8::7", "server_name=shop.example | source.ip=2001:db8::7"},
	} {
		cases = append(cases, formatCase{c[0] + rest, "nginx", "info", at, "status=200 | request_uri=/a | " + c[1]})
	}
	runCases(t, sources.Info{}, cases)
	runCases(t, sources.Info{}, []formatCase{
		{`203.0.113.9 - amira doe [03/Nov/2026:09:14:02 +0000] "GET /a HTTP/1.1" 200 5`, "nginx", "info", at, "user.name=amira doe | source.ip=203.0.113.9 | !server_name"},
		{`203.0.113.9 ident - [03/Nov/2026:09:14:02 +0000] "GET /a HTTP/1.1" 200 5`, "nginx", "info", at, "source.ip=203.0.113.9 | !server_name | !user.name"},
	})
}

// TestTLSRequestLog reads Apache's log of TLS requests.
func TestTLSRequestLog(t *testing.T) {
	const head = "[03/Nov/2026:10:14:02 +0100] "
	runCases(t, sources.Info{}, []formatCase{
		{
			head + `203.0.113.9 TLSv1.3 TLS_AES_128_GCM_SHA256 "GET /login?next=/ HTTP/1.1" 1375`, "apache", "info", at,
			"source.ip=203.0.113.9 | ssl_protocol=TLSv1.3 | ssl_cipher=TLS_AES_128_GCM_SHA256 | request_method=GET | url.path=/login | url.query=next=/ | http.response.bytes=1375 | !sc-status",
		},
		{head + `2001:db8::7 - - "-" -`, "apache", "info", at, "source.ip=2001:db8::7 | !http.response.bytes | !request_method"},
		{head + `worker TLSv1.3 X "y" 1`, "text", "", at, "!source.ip"},
		{head + `203.0.113.9 TLSv1.3 TLS_AES_128_GCM_SHA256 "GET /cut`, "text", "", at, "!source.ip"},
	})
}

// TestWholeTargets holds path and query of a W3C log that has the target in one piece.
func TestWholeTargets(t *testing.T) {
	const fields = "#Fields: date time c-ip cs-method cs-uri sc-status\n2026-11-03 09:14:02 203.0.113.9 GET "
	for target, want := range map[string]string{
		"/a/b?x=1":                     "url.original=/a/b?x=1 | c-uri=/a/b?x=1 | cs-uri-stem=/a/b | url.path=/a/b | url.query=x=1",
		"http://shop.example/a?x=1?y":  "url.original=http://shop.example/a?x=1?y | url.path=/a | url.query=x=1?y",
		"http://shop.example":          "c-uri=http://shop.example | !url.path | !url.query",
		"*":                            "url.path=* | !url.query",
		"/go?to=http://other.example/": "url.path=/go | url.query=to=http://other.example/",
	} {
		wants(t, readAll(t, fields+target+" 200\n")[1], want)
	}
}
