package parse

import "bartizan/event"

// Apache's request log of TLS connections, as mod_ssl's documentation and the
// distributions' ssl.conf write it:
// CustomLog … "%t %h %{SSL_PROTOCOL}x %{SSL_CIPHER}x \"%r\" %b".
var (
	fTLSProtocol = known("ssl_protocol")
	fTLSCipher   = known("ssl_cipher")
)

// tlsClient returns where the client's address begins, -1 where b has another shape.
func tlsClient(b []byte) int {
	_, end := clfStamp(b[1:])
	at := 1 + end + len("] ")
	if end < 0 || !prefixAt(b, 1+end, "] ") {
		return -1
	}
	i := word(b, at)
	if i >= len(b) || !isAddr(str(b[at:i])) {
		return -1
	}
	for range 2 { // protocol and cipher
		next := word(b, i+1)
		if next <= i+1 || b[i+1] == '"' {
			return -1
		}
		i = next
	}
	if !prefixAt(b, i, ` "`) {
		return -1
	}
	return at
}

// readTLSRequest reads one line of it.
func (p *pass) readTLSRequest() bool {
	b := p.text[:trimEnd(p.text)]
	if len(b) == 0 {
		return false
	}
	i := tlsClient(b)
	if i < 0 {
		return false
	}
	t, _ := clfStamp(b[1:])
	for _, n := range [...]name{fRemoteAddr, fTLSProtocol, fTLSCipher} {
		end := word(b, i)
		p.addSome(n, i, end)
		i = end + 1
	}
	end := quoted(b, i+1)
	if end < 0 {
		return false
	}
	p.at(t)
	p.request(i+1, end)
	if from := skipBlanks(b, end+1); from < len(b) && b[from]-'0' <= 9 {
		p.addNum(fBodyBytes, from, word(b, from))
	}
	p.e.FormatName, p.e.LogSource = "apache", logApache
	p.webMeaning(i)
	p.e.Level = event.LevelInfo
	return true
}
