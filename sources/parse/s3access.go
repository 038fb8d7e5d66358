package parse

import "bartizan/event"

// s3Columns are the fields of an S3 server access log line in their order, under
// the names of the S3 User Guide ("Amazon S3 server access log format").
var s3Columns = knownAll("bucket_owner", "bucket", "time", "remote_ip", "requester", "request_id", "operation", "key",
	"request_uri", "http_status", "error_code", "bytes_sent", "object_size", "total_time", "turn_around_time", "referer",
	"user_agent", "version_id", "host_id", "signature_version", "cipher_suite", "authentication_type", "host_header",
	"tls_version", "access_point_arn", "acl_required")

var (
	s3Status = known("http_status")
	s3Op     = known("operation")
	s3Who    = known("requester")
)

func init() {
	for _, n := range knownAll("http_status", "bytes_sent", "object_size", "total_time", "turn_around_time") {
		numeric[n.slot] = true
	}
}

var s3Aliases = []pair{
	{ecsBucket, known("bucket")},
	{ecsAction, s3Op},
	{ecsStatus, s3Status},
	{ecsErrorCode, known("error_code")},
	{ecsRequestID, known("request_id")},
	{ecsRespBytes, known("bytes_sent")},
	{ecsUserAgent, known("user_agent")},
	{ecsReferrer, known("referer")},
	{ecsFile, known("key")},
	{ecsURLDomain, known("host_header")},
	{ecsUserID, s3Who},
}

func scoreS3(b []byte) (int, string) {
	end := word(b, 0)
	if end < 32 || end > 64 || !isHex(b[:end]) {
		return 0, "does not begin with a bucket owner's canonical id"
	}
	i := word(b, end+1)
	if !prefixAt(b, i, " [") {
		return 0, "no [time] as the third value"
	}
	if _, n := clfStamp(b[i+2:]); n < 0 {
		return 0, "the third value is not [dd/Mmm/yyyy:…]"
	}
	return 94, "owner id, bucket and [time]"
}

func isHex(b []byte) bool {
	for _, c := range b {
		if hexDigit(c) < 0 {
			return false
		}
	}
	return true
}

// readS3 reads one line of an S3 server access log. Newer lines have more fields;
// those after the last known one stay only in the raw bytes.
func readS3(p *pass) bool {
	b := p.text
	if n, _ := scoreS3(b); n == 0 {
		return false
	}
	end := word(b, 0)
	p.add(s3Columns[0], 0, end)
	i := p.column(&s3Columns[1], end)
	if i < 0 {
		return false
	}
	t, n := clfStamp(b[i+2:])
	p.at(t)
	p.add(s3Columns[2], i+2, i+2+n)
	op := 0
	i += 2 + n + 1
	for k := 3; k < len(s3Columns) && i >= 0; k++ {
		if k == 6 {
			op = i + 1
		}
		i = p.column(&s3Columns[k], i)
	}
	if p.has(s3Status) == nil {
		return false
	}
	p.e.FormatName, p.e.LogSource = "s3access", logS3
	p.e.Message = view(b, op, trimEnd(b))
	p.endNative()
	p.s3Aliases()
	return true
}

func (p *pass) s3Aliases() {
	p.alias(ecsSrcIP, s3IP)
	if f := p.has(s3Who); f != nil {
		p.arnUser(f.Value)
	}
	p.aliases(s3Aliases)
	if f := p.has(s3URI); f != nil {
		p.s3Request(f.Value)
	}
	p.httpStatus(s3Status)
	if p.e.Level == event.LevelUnknown {
		p.e.Level = event.LevelInfo
	}
}

var (
	s3IP  = known("remote_ip")
	s3URI = known("request_uri")
)

// s3Request gives method and target of "GET /key?x HTTP/1.1" their ECS names.
func (p *pass) s3Request(v event.Value) {
	b := bytesOf(v.Str)
	sp := word(b, 0)
	if sp >= len(b) {
		return
	}
	p.aliasPart(ecsMethod, v, 0, sp)
	end := word(b, sp+1)
	p.aliasPart(ecsURL, v, sp+1, end)
	if q := find(b[:end], sp+1, '?'); q > 0 {
		p.aliasPart(ecsURLPath, v, sp+1, q)
		p.aliasPart(ecsURLQuery, v, q+1, end)
		return
	}
	p.aliasPart(ecsURLPath, v, sp+1, end)
}
