package parse

import (
	"bytes"

	"bartizan/event"
)

// cloudFrontColumns are the columns of CloudFront's standard logs in their order
// ("Log file fields" in its guide), for lines that lost the "#Fields" line.
const cloudFrontColumns = "#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) " +
	"cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken " +
	"x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port " +
	"time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end"

// cloudFrontHeader is made when all names are known.
var cloudFrontHeader *header

func init() { cloudFrontHeader = w3cHeader([]byte(cloudFrontColumns)) }

// minCloudFront is how many columns the shortest log had.
const minCloudFront = 18

func scoreCloudFront(b []byte) (int, string) {
	if len(b) < 40 || b[4] != '-' || b[7] != '-' || b[10] != '\t' || b[13] != ':' {
		return 0, "does not begin with date and time between tabs"
	}
	edge := b[min(len(b), 20):min(len(b), 32)]
	end := bytes.IndexByte(edge, '\t')
	if end < 4 || digits(edge, 3) == 3 || bytes.Count(b[:trimEnd(b)], []byte{'\t'}) < minCloudFront-1 {
		return 0, "date and time, but no edge location and as many columns as CloudFront writes"
	}
	for _, c := range edge[:3] {
		if c < 'A' || c > 'Z' {
			return 0, "date and time, but no edge location after them"
		}
	}
	return 93, "date, time and an edge location between tabs"
}

// readCloudFront reads one line of CloudFront's standard log without a header.
func readCloudFront(p *pass) bool {
	if n, _ := scoreCloudFront(p.text); n == 0 {
		return false
	}
	b := p.text[:trimEnd(p.text)]
	h := *cloudFrontHeader
	h.cols = h.cols[:min(len(h.cols), bytes.Count(b, []byte{'\t'})+1)]
	if !p.w3cValues(&h) || !isAddr(p.value(w3cClientIP)) {
		return false
	}
	p.e.FormatName, p.e.LogSource = "cloudfront", logCloudFront
	p.e.Message = view(b, 0, len(b))
	p.endNative()
	p.w3cWhen()
	p.aliases(w3cAliases)
	p.e.Level = event.LevelInfo
	p.httpStatus(w3cStatus)
	return true
}
