package story

import (
	"fmt"
	"time"
)

// Where the attacker sits: the guessing comes from one address, the stolen role
// is used from another.
const (
	guesser = "203.0.113.66"
	thief   = "203.0.113.141"
)

const second = time.Second

// attack adds the six acts.
func (w *writer) attack() {
	w.guessing(8 * second)
	w.rootShell(26 * second)
	w.forgedRequest(33 * second)
	w.stolenRole(42 * second)
	w.loggingStopped(54 * second)
	w.bucketCopied(58 * second)
}

// guessing is an SSH password guessed in a dozen tries.
func (w *writer) guessing(at time.Duration) {
	begin := at
	for range 14 {
		w.syslog(at, "sshd", 20000+w.IntN(9000), fmt.Sprintf("Failed password for deploy from %s port %d ssh2", guesser, w.port()))
		at += time.Duration(500+w.IntN(600)) * time.Millisecond
	}
	port, pid := w.port(), 29000+w.IntN(900)
	w.syslog(at, "sshd", pid, fmt.Sprintf("Accepted password for deploy from %s port %d ssh2", guesser, port))
	w.syslog(at+30*time.Millisecond, "sshd", pid, "pam_unix(sshd:session): session opened for user deploy(uid=1009) by (uid=0)")
	for _, after := range []time.Duration{0, 6 * second, 20 * second} {
		w.flow(begin+after+4*second, flow{from: guesser, to: web2, fromPort: port, toPort: 22, protocol: 6, packets: 80, bytes: 16400, action: "ACCEPT"})
	}
}

// rootShell is what the guessed account is good for.
func (w *writer) rootShell(at time.Duration) {
	pid := 30000 + w.IntN(900)
	w.syslog(at-2*second, "sudo", pid-8, "  deploy : TTY=pts/1 ; PWD=/home/deploy ; USER=root ; COMMAND=list")
	w.syslog(at, "sudo", pid, "  deploy : TTY=pts/1 ; PWD=/home/deploy ; USER=root ; COMMAND=/bin/bash")
	w.syslog(at+20*time.Millisecond, "sudo", pid, "pam_unix(sudo:session): session opened for user root(uid=0) by deploy(uid=1009)")
}

// forgedRequest makes the picture service ask the metadata address for the
// instance's credentials.
func (w *writer) forgedRequest(at time.Duration) {
	for i, path := range []string{"", "iam/security-credentials/", "iam/security-credentials/" + webRole} {
		w.envoy(at+time.Duration(i)*1500*time.Millisecond, request{
			from: guesser, method: "GET", path: "/fetch?url=http://169.254.169.254/latest/meta-data/" + path,
			status: 200, size: 40 + 600*i, agent: "curl/8.8.0", authority: "images.shop", cluster: "inbound|8080||",
		})
	}
}

const cli = "aws-cli/2.17.0 Python/3.12.4 Linux/6.8.0 botocore/2.17.0"

// theft is a call with the stolen credentials.
func (w *writer) theft(at time.Duration, c call) {
	c.who, c.from, c.agent = session(webRole, instance, "ASIAEXAMPLE7Q2WEB2"), thief, cli
	w.trail(at, c)
}

// stolenRole is the role of web-2 used from elsewhere, and refused at most doors.
func (w *writer) stolenRole(at time.Duration) {
	w.theft(at, call{service: "sts", name: "GetCallerIdentity"})
	w.theft(at+1200*time.Millisecond, call{service: "s3", name: "ListBuckets"})
	at += 3 * second
	for _, c := range []call{
		{service: "iam", name: "ListUsers"},
		{service: "iam", name: "ListRoles"},
		{service: "iam", name: "GetAccountAuthorizationDetails"},
		{service: "ec2", name: "DescribeInstances"},
		{service: "rds", name: "DescribeDBInstances"},
		{service: "kms", name: "ListKeys"},
		{service: "secretsmanager", name: "ListSecrets"},
		{service: "lambda", name: "ListFunctions20150331"},
		{service: "dynamodb", name: "ListTables"},
	} {
		c.denied = true
		w.theft(at, c)
		at += time.Duration(300+w.IntN(500)) * time.Millisecond
	}
	w.theft(at+second, call{service: "s3", name: "ListObjectsV2", data: true, request: map[string]any{"bucketName": bucket, "prefix": ""}})
}

// loggingStopped ends the shop's own trail; the organization's goes on.
func (w *writer) loggingStopped(at time.Duration) {
	w.theft(at-second, call{service: "cloudtrail", name: "DescribeTrails"})
	w.theft(at, call{service: "cloudtrail", name: "StopLogging", request: map[string]any{"name": "arn:aws:cloudtrail:eu-west-1:" + account + ":trail/shop-trail"}})
}

// bucketCopied is the invoices leaving, as CloudTrail's data events and the
// bucket's own access log see it.
func (w *writer) bucketCopied(at time.Duration) {
	for i := range 56 {
		key, size := fmt.Sprintf("2026/invoice-%04d.pdf", 1000+i), 60000+w.IntN(400000)
		w.theft(at, call{
			service: "s3", name: "GetObject", data: true, request: map[string]any{"bucketName": bucket, "key": key},
			extra: map[string]any{"bytesTransferredIn": 0, "bytesTransferredOut": size},
		})
		w.s3(at+80*time.Millisecond, object{
			requester: "arn:aws:sts::" + account + ":assumed-role/" + webRole + "/" + instance, from: thief,
			operation: "REST.GET.OBJECT", method: "GET", key: key, bucket: bucket, status: 200, size: size,
		})
		at += time.Duration(150+w.IntN(200)) * time.Millisecond
	}
}
