package engine

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"bartizan/detect"
	"bartizan/detect/rules"
	"bartizan/detect/session"
	"bartizan/event"
	"bartizan/sources"
	"bartizan/sources/parse"
	"bartizan/store"
)

// pipelineLines makes ordinary lines of each format; of every 256 one is what a
// built-in rule looks for, except where the name says that all are.
var pipelineLines = map[string]func(r *rand.Rand, i int) string{
	"sshd":       sshdLine,
	"sshd-brute": func(r *rand.Rand, i int) string { return sshdFailure(r, i) },
	"sudo":       sudoLine,
	"nginx":      nginxLine,
	"envoy":      envoyLine,
	"vpcflow":    vpcflowLine,
	"cloudtrail": cloudtrailLine,
	"k8saudit":   k8sauditLine,
}

// BenchmarkPipeline is what one worker and the sequencer do with a record: parse
// it, try all built-in rules, put it in the ring, count windows, learn what joins
// records and which logs arrive. One op is one line.
func BenchmarkPipeline(b *testing.B) {
	pack := rules.Load().Rules
	for _, format := range []string{"sshd", "sshd-brute", "sudo", "nginx", "envoy", "vpcflow", "cloudtrail", "k8saudit"} {
		b.Run(format, func(b *testing.B) { benchPipeline(b, pack, format, true) })
	}
}

// BenchmarkPipelineUnjoined is the same without what joins records and without the
// census of logs: the difference is what these two cost.
func BenchmarkPipelineUnjoined(b *testing.B) {
	pack := rules.Load().Rules
	for _, format := range []string{"sshd", "nginx", "cloudtrail"} {
		b.Run(format, func(b *testing.B) { benchPipeline(b, pack, format, false) })
	}
}

// BenchmarkPipelineNoRules is the same without rules: parser and ring alone.
func BenchmarkPipelineNoRules(b *testing.B) {
	for _, format := range []string{"sshd", "sudo", "nginx", "envoy", "vpcflow", "cloudtrail", "k8saudit"} {
		b.Run(format, func(b *testing.B) { benchPipeline(b, nil, format, false) })
	}
}

func benchPipeline(b *testing.B, pack []*detect.Rule, format string, joined bool) {
	clock := func() time.Time { return time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC) }
	batches := pipelineBatches(format, clock())
	reg := parse.NewRegistry(parse.Options{Now: clock, Zone: time.UTC})
	info := sources.Info{ID: "bench", Zone: time.UTC, Live: true}
	st := &stream{info: info, parser: reg.Stream(info)}
	k, joins := &worker{}, session.New(session.Options{Host: "bench"})
	if joined {
		k.census = NewCensus()
	}
	k.use(detect.NewSet(pack))
	ring, err := store.NewRing(64 << 20)
	if err != nil {
		b.Fatal(err)
	}
	defer ring.Close()
	q := &sequencer{counter: detect.NewCorrelator(clock, nil), explain: k.rules.NewMatcher()}
	found, hits := 0, 0
	turn := func(i int) {
		w := takeWork(batches[i%len(batches)], st)
		k.do(w)
		next := 0
		for j := range w.events {
			e := &w.events[j]
			if _, err := ring.Append(e); err != nil {
				b.Fatal(err)
			}
			if joined {
				joins.Take(e)
			}
			if joined && next < len(w.found) && w.found[next].at == j {
				e = annotated(joins, e)
			}
			for ; next < len(w.found) && w.found[next].at == j; next++ {
				found++
				for _, d := range q.counter.Take(w.found[next].rule, e) {
					makeHit(q.explain, &w.found[next], &d)
					hits++
				}
			}
		}
		w.release(nil)
	}
	for i := range 2 * len(batches) {
		turn(i)
	}
	found, hits = 0, 0
	b.ReportAllocs()
	b.ResetTimer()
	start, lines := cpuSeconds(b), 0
	for i := 0; lines < b.N; i++ {
		turn(i)
		lines += sources.MaxRecords
	}
	b.StopTimer()
	n := float64(lines)
	b.ReportMetric(n/(cpuSeconds(b)-start), "lines/cpu-s")
	b.ReportMetric(float64(found)/n, "found/line")
	b.ReportMetric(float64(hits)/n, "hits/line")
}

// pipelineBatches makes 8 full batches of one format.
func pipelineBatches(format string, now time.Time) []sources.Batch {
	rnd := rand.New(rand.NewPCG(11, 7))
	out := make([]sources.Batch, 8)
	at := int64(0)
	for i := range out {
		out[i].Source = "bench"
		for j := range sources.MaxRecords {
			raw := []byte(pipelineLines[format](rnd, i*sources.MaxRecords+j))
			out[i].Records = append(out[i].Records, sources.Record{
				Raw: raw, Seen: now, Line: at, Ref: event.Ref{Source: "bench", Offset: at, Len: int32(len(raw))},
			})
			at += int64(len(raw)) + 1
		}
	}
	return out
}

// cpuSeconds is the time this process has had a core, so that a busy machine does
// not change the figures.
func cpuSeconds(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// TestPipelineLines keeps the benchmark honest: every generated line is
// understood as its format, and the marked ones meet rules.
func TestPipelineLines(t *testing.T) {
	clock := func() time.Time { return time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC) }
	reg := parse.NewRegistry(parse.Options{Now: clock, Zone: time.UTC})
	set := detect.NewSet(rules.Load().Rules)
	for format := range pipelineLines {
		info := sources.Info{ID: "bench", Zone: time.UTC}
		w := takeWork(pipelineBatches(format, clock())[0], &stream{info: info, parser: reg.Stream(info)})
		k := &worker{}
		k.use(set)
		k.do(w)
		for i := range w.events {
			if e := &w.events[i]; e.LogSource == (event.LogSource{}) || e.Flags&event.FlagRawOnly != 0 || len(e.Fields) < 4 {
				t.Fatalf("%s is not understood: %s", format, e.Raw)
			}
		}
		n := 0
		for _, f := range w.found {
			if !f.rule.Silent { // what only feeds windows is cheap and may be of every line
				n++
			}
		}
		if n == 0 || format != "sshd-brute" && n > len(w.events)/4 {
			t.Errorf("%s: rules found %d things in %d lines", format, n, len(w.events))
		}
		w.release(nil)
	}
}

func pick(r *rand.Rand, words string) string {
	list := strings.Fields(words)
	return list[r.IntN(len(list))]
}

func syslogHead(i int, tag string, pid int) string {
	return fmt.Sprintf("Nov  3 09:%02d:%02d web-%d %s[%d]: ", i/60%60, i%60, i%4, tag, pid)
}

func sshdFailure(r *rand.Rand, i int) string {
	return syslogHead(i, "sshd", 900+i) + fmt.Sprintf("Failed password for invalid user oracle%d from 203.0.113.%d port %d ssh2", i%50, r.IntN(200), 1024+i)
}

func sshdLine(r *rand.Rand, i int) string {
	if i%256 == 255 {
		return sshdFailure(r, i)
	}
	n := i / 6 // six lines are one login, on one host
	user := strings.Fields("amira bo chen dana deploy")[n%5]
	from := fmt.Sprintf("10.20.%d.%d port %d", n%8, n%250, 40000+n%20000)
	head := fmt.Sprintf("Nov  3 09:%02d:%02d web-%d sshd[%d]: ", i/60%60, i%60, n%4, 900+n)
	switch i % 6 {
	case 0:
		return head + "Connection from " + from + " on 10.20.0.5 port 22 rdomain \"\""
	case 1:
		return head + "Accepted publickey for " + user + " from " + from + " ssh2: ED25519 SHA256:1nJ0tqXh2Z7e9wqvMadeUpMadeUpMadeUp"
	case 2:
		return head + "pam_unix(sshd:session): session opened for user " + user + "(uid=1001) by (uid=0)"
	case 3:
		return head + "Received disconnect from " + from + ":11: disconnected by user"
	case 4:
		return head + "Disconnected from user " + user + " " + from
	}
	return head + "pam_unix(sshd:session): session closed for user " + user
}

func sudoLine(r *rand.Rand, i int) string {
	command := pick(r, "/usr/bin/apt /usr/bin/journalctl /usr/bin/id /usr/sbin/nginx /usr/bin/tail /usr/bin/docker") + fmt.Sprintf(" --item %d", i)
	if i%256 == 255 {
		command = "/bin/bash"
	}
	return fmt.Sprintf("Nov  3 09:%02d:%02d web-%d sudo:    %s : TTY=pts/%d ; PWD=/home/amira ; USER=root ; COMMAND=%s",
		i/60%60, i%60, i%4, pick(r, "amira bo chen"), i%9, command)
}

func nginxLine(r *rand.Rand, i int) string {
	path := fmt.Sprintf("/%s/%d?ref=mail&page=%d", pick(r, "item cart search static/app api/v1/orders"), i, i%40)
	if i%256 == 255 {
		path = "/download?file=../../../../etc/passwd"
	}
	return fmt.Sprintf(`10.30.%d.%d - - [03/Nov/2026:09:%02d:%02d +0000] "%s %s HTTP/1.1" %s %d "https://shop.example/" "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"`,
		r.IntN(8), r.IntN(250), i/60%60, i%60, pick(r, "GET GET GET POST"), path, pick(r, "200 200 200 200 304 302"), 100+i)
}

func envoyLine(r *rand.Rand, i int) string {
	path, answer := fmt.Sprintf("/api/v1/%s/%d", pick(r, "items orders users carts"), i), "200 - via_upstream"
	if i%256 == 255 {
		answer = "403 - rbac_access_denied_matched_policy[none]"
	}
	return fmt.Sprintf(`[2026-11-03T09:%02d:%02d.%03dZ] "GET %s HTTP/1.1" %s - "-" 0 %d 4 4 "-" "Go-http-client/2.0" "84961386-6d84-929d-98bd-c5aee93b%04d" "api.shop" "10.20.3.4:8080" outbound|8080||api.shop.svc.cluster.local 10.20.1.7:%d 10.20.3.4:8080 10.20.1.7:%d - default`,
		i/60%60, i%60, i%1000, path, answer, 90+i, i%10000, 32768+i%20000, 32768+i%20000)
}

func vpcflowLine(r *rand.Rand, i int) string {
	from, port, packets := fmt.Sprintf("10.20.%d.%d", r.IntN(8), r.IntN(250)), pick(r, "443 443 5432 8080 9092"), 1+i%50
	if i%256 == 255 {
		from, port, packets = "203.0.113.9", "22", 60
	}
	return fmt.Sprintf("2 111122223333 eni-0123456789abcdef%d %s 10.20.1.7 %d %s 6 %d %d %d %d ACCEPT OK", i%10, from, 32768+i%20000, port, packets, 120*packets, 1793697180, 1793697240)
}

func cloudtrailLine(r *rand.Rand, i int) string {
	source, name := "s3.amazonaws.com", pick(r, "GetObject PutObject HeadObject ListObjects")
	if i%4 == 0 {
		source, name = "ec2.amazonaws.com", pick(r, "DescribeInstances DescribeVolumes DescribeTags")
	}
	if i%256 == 255 {
		source, name = "cloudtrail.amazonaws.com", "StopLogging"
	}
	return fmt.Sprintf(`{"eventVersion":"1.09","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:i-0a","arn":"arn:aws:sts::111122223333:assumed-role/web/i-0a","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE%08d","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE","arn":"arn:aws:iam::111122223333:role/web","accountId":"111122223333","userName":"web"},"attributes":{"mfaAuthenticated":"false","creationDate":"2026-11-03T08:00:00Z"}}},"eventTime":"2026-11-03T09:%02d:%02dZ","eventSource":"%s","eventName":"%s","awsRegion":"eu-west-1","sourceIPAddress":"10.20.1.%d","userAgent":"[aws-sdk-go-v2/1.30 os/linux lang/go#1.26 md/GOOS#linux md/GOARCH#amd64 api/s3#1.58]","requestParameters":{"bucketName":"acme-invoices","Host":"acme-invoices.s3.eu-west-1.amazonaws.com","key":"2026/11/%d.pdf"},"responseElements":null,"additionalEventData":{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256","bytesTransferredIn":0,"AuthenticationMethod":"AuthHeader","bytesTransferredOut":%d},"requestID":"3E57427F%08d","eventID":"9d2e0c1a-1111-2222-3333-%012d","readOnly":true,"resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::acme-invoices/2026/11/%d.pdf"},{"accountId":"111122223333","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::acme-invoices"}],"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256"}}`,
		i%50, i/60%60, i%60, source, name, i%250, i, 4000+i, i, i, i)
}

func k8sauditLine(r *rand.Rand, i int) string {
	verb, resource, sub := pick(r, "get get list watch update patch"), pick(r, "pods configmaps endpoints leases nodes"), ""
	if i%256 == 255 {
		verb, resource, sub = "create", "pods", `,"subresource":"exec"`
	}
	return fmt.Sprintf(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"0f3c%08d","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/shop/%s/web-%d","verb":"%s","user":{"username":"system:serviceaccount:shop:web","uid":"0b1c","groups":["system:serviceaccounts","system:authenticated"]},"sourceIPs":["10.20.1.%d"],"userAgent":"kubelet/v1.33.1 (linux/amd64) kubernetes/0000000","objectRef":{"resource":"%s","namespace":"shop","name":"web-%d","apiVersion":"v1"%s},"responseStatus":{"metadata":{},"code":200},"requestReceivedTimestamp":"2026-11-03T09:%02d:%02d.101000Z","stageTimestamp":"2026-11-03T09:%02d:%02d.150000Z","annotations":{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":"RBAC: allowed by ClusterRoleBinding"}}`,
		i, resource, i%30, verb, i%250, resource, i%30, sub, i/60%60, i%60, i/60%60, i%60)
}
