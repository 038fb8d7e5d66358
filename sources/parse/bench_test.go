package parse

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"bartizan/event"
	"bartizan/sources"

	"github.com/valyala/fastjson"
)

// benchLines makes lines of one format that differ in the places real ones do.
func benchLines(format string, n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = []byte(benchLine(format, i))
	}
	return out
}

func benchLine(format string, i int) string {
	switch format {
	case "sshd":
		return fmt.Sprintf("Nov  3 09:%02d:%02d web-%d sshd[%d]: Failed password for invalid user oracle%d from 203.0.113.%d port %d ssh2", i/60%60, i%60, i%8, 900+i, i%50, i%250, 1024+i)
	case "syslog":
		return fmt.Sprintf("2026-11-03T09:%02d:%02d.%06dZ db-%d postgres[%d]: checkpoint complete: wrote %d buffers", i/60%60, i%60, i, i%3, 900+i, i)
	case "nginx":
		return fmt.Sprintf(`203.0.113.%d - - [03/Nov/2026:09:%02d:%02d +0000] "GET /item/%d?ref=mail HTTP/1.1" 200 %d "https://shop.example/" "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"`, i%250, i/60%60, i%60, i, 100+i)
	case "vpcflow":
		return fmt.Sprintf("2 111122223333 eni-0123456789abcdef%d 10.20.%d.%d 10.20.1.7 %d 443 6 20 %d 1793697180 %d ACCEPT OK", i%10, i%8, i%250, 1024+i, 40*i, 1793697240+i)
	case "envoy":
		return fmt.Sprintf(`[2026-11-03T09:%02d:%02d.%03dZ] "GET /api/v1/items/%d HTTP/1.1" 200 - via_upstream - "-" 0 %d 4 4 "-" "Go-http-client/2.0" "84961386-6d84-929d-98bd-c5aee93b%04d" "api.shop" "10.20.3.4:8080" outbound|8080||api.shop.svc.cluster.local 10.20.1.7:%d 10.20.3.4:8080 10.20.1.7:%d - default`, i/60%60, i%60, i%1000, i, 90+i, i%10000, 32768+i, 32768+i)
	case "s3access":
		return fmt.Sprintf(`79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be acme-invoices [03/Nov/2026:09:%02d:%02d +0000] 203.0.113.9 arn:aws:sts::111122223333:assumed-role/web/i-0a 3E57427F%04dEXAMPLE REST.GET.OBJECT 2026/%d.pdf "GET /2026/%d.pdf HTTP/1.1" 200 - 4410 4410 20 19 "-" "aws-sdk-go-v2/1.30" - s9lzHYrFp SigV4 TLS_AES_128_GCM_SHA256 AuthHeader acme-invoices.s3.eu-west-1.amazonaws.com TLSv1.3 - -`, i/60%60, i%60, i%10000, i, i)
	case "auditd":
		return fmt.Sprintf(`type=SYSCALL msg=audit(1793697242.%03d:%d): arch=c000003e syscall=59 success=yes exit=0 a0=55d1 a1=55d2 a2=55d3 a3=8 items=2 ppid=%d pid=%d auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=4 comm="cat" exe="/usr/bin/cat" key="shadow"`, i%1000, 9000+i, 800+i, 900+i)
	case "cloudtrail":
		return benchTrail(i)
	case "zeek":
		return fmt.Sprintf("17936972%02d.250000\tCq%d\t203.0.113.%d\t%d\t10.20.1.7\t53\tudp\ta%d.shop.example", i%100, i, i%250, 1024+i, i)
	case "w3c":
		return fmt.Sprintf("2026-11-03 09:%02d:%02d 10.20.1.7 GET /item/%d ref=mail 443 - 203.0.113.%d Mozilla/5.0+(X11;+Linux+x86_64) 200 %d", i/60%60, i%60, i, i%250, i)
	case "csv":
		return fmt.Sprintf("2026-11-03T09:%02d:%02dZ,amira,203.0.113.%d,login,%d", i/60%60, i%60, i%250, i)
	case "text":
		return fmt.Sprintf("2026-11-03 09:%02d:%02d,118 WARN  [worker-%d] queue is %d%% full", i/60%60, i%60, i%8, i%100)
	}
	for _, b := range builtin {
		if b.Name == format {
			return b.Example
		}
	}
	return ""
}

// benchTrail makes a CloudTrail record of about 1.4 KB.
func benchTrail(i int) string {
	return fmt.Sprintf(`{"eventVersion":"1.09","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE%d:i-0a","arn":"arn:aws:sts::111122223333:assumed-role/web/i-0a","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE%08d","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE%d","arn":"arn:aws:iam::111122223333:role/web","accountId":"111122223333","userName":"web"},"webIdFederationData":{},"attributes":{"mfaAuthenticated":"false","creationDate":"2026-11-03T08:00:00Z"}}},"eventTime":"2026-11-03T09:%02d:%02dZ","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-west-1","sourceIPAddress":"10.20.1.%d","userAgent":"[aws-sdk-go-v2/1.30 os/linux lang/go#1.26 md/GOOS#linux md/GOARCH#amd64 api/s3#1.58]","requestParameters":{"bucketName":"acme-invoices","Host":"acme-invoices.s3.eu-west-1.amazonaws.com","key":"2026/11/%d.pdf"},"responseElements":null,"additionalEventData":{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256","bytesTransferredIn":0,"AuthenticationMethod":"AuthHeader","x-amz-id-2":"s9lzHYrFp76ZVxRcpX9abcdefghijklmnopqrstuvwxyz","bytesTransferredOut":%d},"requestID":"3E57427F%08d","eventID":"9d2e0c1a-1111-2222-3333-%012d","readOnly":true,"resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::acme-invoices/2026/11/%d.pdf"},{"accountId":"111122223333","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::acme-invoices"}],"eventType":"AwsApiCall","managementEvent":false,"recipientAccountId":"111122223333","eventCategory":"Data","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256"}}`,
		i, i, i, i/60%60, i%60, i%250, i, 4410+i, i, i, i)
}

const benchBatch = 256

// cpuTime returns the processor time this process has used, so that a busy
// machine does not show in the figures.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// perCPU reports records per second of processor time since start.
func perCPU(b *testing.B, start time.Duration) float64 {
	rate := float64(b.N) / (cpuTime() - start).Seconds()
	b.ReportMetric(rate, "lines/cpu-s")
	return rate
}

// benchBudgets are the records per second and core that a format is to reach.
var benchBudgets = map[string]float64{
	"sshd": 1e6, "nginx": 1e6, "envoy": 1e6, "vpcflow": 1e6, "syslog": 1e6, "cloudtrail": 300_000,
}

// BenchmarkFormats parses batches of 256 records of one format, as a parse worker
// does; one op is one record. Every format of the registry has a line: formats that
// have no generator above repeat their example, and "user" is one of a person's. "of-budget" is how many times the
// budget is reached.
func BenchmarkFormats(b *testing.B) {
	names := []string{"text", "raw"}
	for _, f := range builtin {
		if !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
	}
	for _, f := range names {
		b.Run(f, func(b *testing.B) {
			lines := benchLines(f, benchBatch)
			if f == "zeek" || f == "w3c" || f == "csv" {
				lines[0] = []byte(example(b, f)) // the columns
			}
			rate := benchParse(b, sources.Info{}, lines)
			if want := benchBudgets[f]; want > 0 {
				b.ReportMetric(rate/want, "of-budget")
			}
		})
	}
	b.Run("user", func(b *testing.B) { benchWith(b, tillRegistry(), sources.Info{}, tillLines(benchBatch)) })
}

// tillRegistry knows a format as a person writes it: an expression with six groups, a
// layout, second names of its own and of the config's table.
func tillRegistry() *Registry {
	return NewRegistry(Options{
		Now: func() time.Time { return seen }, Zone: time.UTC,
		User: []UserFormat{{
			Name: "tills", Regex: regexp.MustCompile(`^(\S+ \S+)\|(\w+)\|(\S+)\|(\d+)\|(\w+)\|(.*)$`), Fields: []string{"at", "level", "till.ip", "till.number", "clerk", "text"},
			Time: "at", Layouts: []string{"%d.%m.%Y %H:%M:%S"}, Detect: true,
			Aliases: []Alias{{"source.ip", []string{"till.ip"}}, {"user.name", []string{"Clerk"}}, {"message", []string{"text"}}},
		}},
		Aliases: map[string][]Alias{"tills": {{"who", []string{"clerk"}}}},
	})
}

func tillLines(n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = fmt.Appendf(nil, "03.11.2026 09:%02d:%02d|WARN|10.20.%d.%d|%d|amira|drawer %d forced", i/60%60, i%60, i%8, i%250, 40+i, i)
	}
	return out
}

// benchParse parses lines again and again as one source's and returns records per
// second of processor time.
func benchParse(b *testing.B, info sources.Info, lines [][]byte) float64 {
	return benchWith(b, testRegistry(), info, lines)
}

func benchWith(b *testing.B, r *Registry, info sources.Info, lines [][]byte) float64 {
	bytes := 0
	for _, l := range lines {
		bytes += len(l)
	}
	s := r.Stream(info)
	var slab Slab
	events := make([]event.Event, len(lines))
	for i := range lines { // the first lines of a source cost more
		s.Parse(&sources.Record{Raw: lines[i], Seen: seen}, &slab, &events[i])
	}
	b.ReportAllocs()
	b.SetBytes(int64(bytes / len(lines)))
	start := cpuTime()
	for i := 0; b.Loop(); i++ {
		if i%len(lines) == 0 {
			slab.Reset()
		}
		rec := sources.Record{Raw: lines[i%len(lines)], Seen: seen}
		s.Parse(&rec, &slab, &events[i%len(lines)])
	}
	return perCPU(b, start)
}

// BenchmarkDetection compares a source whose format is fixed in the config with one
// whose format is found, and with one that mixes two and five formats line by line.
func BenchmarkDetection(b *testing.B) {
	plain := strings.Fields("sshd nginx envoy vpcflow cloudtrail")
	for _, f := range plain {
		lines := benchLines(f, benchBatch)
		b.Run(f+"/fixed", func(b *testing.B) { benchParse(b, sources.Info{Format: f}, lines) })
		b.Run(f+"/found", func(b *testing.B) { benchParse(b, sources.Info{}, lines) })
	}
	for _, n := range []int{2, 5} {
		var mixed [][]byte
		for i := range benchBatch / n * n {
			mixed = append(mixed, []byte(benchLine(plain[i%n], i)))
		}
		b.Run(fmt.Sprintf("mixed/%d", n), func(b *testing.B) { benchParse(b, sources.Info{}, mixed) })
	}
}

// BenchmarkFastjson is the peer for the flattener: the document only, no fields.
func BenchmarkFastjson(b *testing.B) {
	lines := benchLines("cloudtrail", benchBatch)
	var p fastjson.Parser
	b.ReportAllocs()
	b.SetBytes(int64(len(lines[0])))
	start := cpuTime()
	for i := 0; b.Loop(); i++ {
		if _, err := p.ParseBytes(lines[i%benchBatch]); err != nil {
			b.Fatal(err)
		}
	}
	perCPU(b, start)
}

// BenchmarkFlatten is our flattener alone on the same records.
func BenchmarkFlatten(b *testing.B) {
	lines := benchLines("cloudtrail", benchBatch)
	r := testRegistry()
	var slab Slab
	var e event.Event
	b.ReportAllocs()
	b.SetBytes(int64(len(lines[0])))
	start := cpuTime()
	for i := 0; b.Loop(); i++ {
		if i%benchBatch == 0 {
			slab.Reset()
		}
		p := &slab.pass
		p.begin(r, &slab, &e, lines[i%benchBatch])
		if !p.flatten() {
			b.Fatal("not flattened")
		}
		slab.fields.close(p.fields)
	}
	perCPU(b, start)
}
