package parse

// What ingress-nginx adds to the combined log ("Log format" in its documentation,
// log-format-upstream): request length and time, the upstream's name, its address,
// length, time and status, each perhaps a list, and the request's id.

var (
	inLength = known("request_length")
	inTime   = known("request_time")
	inName   = known("proxy_upstream_name")
	inOther  = known("proxy_alternative_upstream_name")
	inAddr   = known("upstream_addr")
	inID     = known("req_id")
	inLists  = [...]name{inAddr, known("upstream_response_length"), known("upstream_response_time"), known("upstream_status")}
)

var ingressAliases = []pair{
	{ecsReqBytes, inLength},
	{ecsRequestID, inID},
	{ecsService, inName},
}

// ingress reads what stands at text[i:]; false, and nothing added, where it is
// something else.
func (p *pass) ingress(i int) bool {
	b := p.text[:trimEnd(p.text)]
	i = skipBlanks(b, i)
	length := digits(b, i)
	if length == i || length >= len(b) {
		return false
	}
	from := length + 1
	took := word(b, from)
	name := took + 1
	if !prefixAt(b, name, "[") || took == from || b[from]-'0' > 9 {
		return false
	}
	nameEnd := find(b, name, ']')
	if nameEnd < 0 || !prefixAt(b, nameEnd, "] [") {
		return false
	}
	other := nameEnd + 3
	otherEnd := find(b, other, ']')
	if otherEnd < 0 || !prefixAt(b, otherEnd, "] ") {
		return false
	}
	p.addNum(inLength, i, length)
	p.addNum(inTime, from, took)
	p.addSome(inName, name+1, nameEnd)
	p.addSome(inOther, other, otherEnd)
	i = otherEnd + 2
	for k := range inLists {
		end := listEnd(b, i)
		if end > i && !nothing(str(b[i:end])) {
			p.addNum(inLists[k], i, end)
		}
		i = min(end+1, len(b))
	}
	p.addSome(inID, i, word(b, i))
	return true
}

// listEnd returns where "a, b, c" ends.
func listEnd(b []byte, i int) int {
	end := word(b, i)
	for end > i && end < len(b) && b[end-1] == ',' {
		end = word(b, end+1)
	}
	return end
}
