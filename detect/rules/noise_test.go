package rules

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"bartizan/detect"
)

// day writes a day of 40 hosts in which nothing bad happens, but much that looks
// like it: monitors at the SSH port, mistyped and forgotten passwords, colleagues
// with root, deployments, infrastructure as code, node agents, crawlers, broken
// pages, expired tokens, backups and vendors' agents.
type day struct {
	*rand.Rand
	files map[string][]string
}

// moment is a second of the day, with the stamps logs write it as.
type moment struct{ time.Time }

func (t moment) syslog() string { return t.Format("Jan _2 15:04:05") }
func (t moment) clf() string    { return t.Format("02/Jan/2006:15:04:05 -0700") }
func (t moment) iso() string    { return t.Format("2006-01-02T15:04:05.000000Z") }

// each calls do every gap, with a little jitter, from the hour from to the hour to.
func (d *day) each(from, to float64, gap time.Duration, do func(t moment)) {
	begin := testNow.Truncate(24 * time.Hour).Add(-24 * time.Hour)
	t, end := begin.Add(time.Duration(from*3600)*time.Second), begin.Add(time.Duration(to*3600)*time.Second)
	for ; t.Before(end); t = t.Add(gap + time.Duration(d.IntN(1+int(gap/5)))) {
		do(moment{t})
	}
}

func (d *day) add(file, format string, args ...any) {
	d.files[file] = append(d.files[file], fmt.Sprintf(format, args...))
}

func one[T any](d *day, from ...T) T { return from[d.IntN(len(from))] }

func (d *day) host() string   { return fmt.Sprintf("host-%02d", d.IntN(40)) }
func (d *day) inside() string { return fmt.Sprintf("10.20.%d.%d", d.IntN(8), 5+d.IntN(200)) }
func (d *day) office() string { return fmt.Sprintf("198.51.100.%d", 10+d.IntN(40)) }
func (d *day) client() string { return fmt.Sprintf("203.0.%d.%d", d.IntN(256), 1+d.IntN(254)) }
func (d *day) port() int      { return 32768 + d.IntN(28000) }

var people = []string{"amira", "bjorn", "chen", "dalia", "eitan", "farah", "goran", "hana", "ivo", "jun", "kofi", "lena"}

func (d *day) sshd(t moment, host, format string, args ...any) {
	d.add("auth.log", "%s %s sshd[%d]: %s", t.syslog(), host, 900+d.IntN(60000), fmt.Sprintf(format, args...))
}

func (d *day) sudo(t moment, host, user, command string) {
	d.add("auth.log", "%s %s sudo[%d]: %8s : TTY=pts/0 ; PWD=/home/%s ; USER=root ; COMMAND=%s", t.syslog(), host, 900+d.IntN(60000), user, user, command)
}

// logins is what sshd sees.
func (d *day) logins() {
	d.each(0, 24, 15*time.Second, func(t moment) {
		d.sshd(t, d.host(), one(d, "Connection closed by 10.20.0.5 port %d [preauth]", "Did not receive identification string from 10.20.0.5 port %d"), d.port())
	})
	d.each(0, 24, 3*time.Minute, func(t moment) {
		d.sshd(t, d.host(), "Accepted publickey for %s from 10.20.0.9 port %d ssh2: ED25519 SHA256:pXv2Zk8Q", one(d, "root", "deploy", "backup"), d.port())
	})
	d.each(7, 19, time.Minute, func(t moment) {
		host, who, from := d.host(), one(d, people...), d.office()
		for range d.IntN(2) * d.IntN(4) {
			d.sshd(t, host, "Failed password for %s from %s port %d ssh2", who, from, d.port())
		}
		d.sshd(t, host, "Accepted %s for %s from %s port %d ssh2", one(d, "password", "keyboard-interactive/pam"), who, from, d.port())
	})
	for i, host := range []string{"host-01", "host-02"} { // reachable from outside: a try now and then, each from elsewhere
		d.each(0, 24, time.Duration(40+i)*time.Second, func(t moment) {
			d.sshd(t, host, one(d, "Invalid user admin from %s port %d", "Connection reset by %s port %d [preauth]"), d.client(), d.port())
		})
	}
	forgot := moment{testNow.Add(-4 * time.Hour)}
	for i := range 5 {
		d.sshd(moment{forgot.Add(time.Duration(i) * 90 * time.Second)}, "host-07", "Failed password for lena from 198.51.100.31 port %d ssh2", d.port())
	}
}

// work is what colleagues and automation do with sudo and accounts.
func (d *day) work() {
	d.each(7, 19, 4*time.Minute, func(t moment) {
		d.sudo(t, d.host(), one(d, people...), one(d, "/usr/bin/systemctl restart nginx", "/usr/bin/journalctl -u app -n 100", "/usr/bin/apt-get install -y curl wget vim",
			"/usr/bin/vim /etc/nginx/nginx.conf", "/usr/bin/less /var/log/auth.log", "/usr/bin/find /var/log -name *.gz -mtime +30 -exec rm {} ;", "/usr/bin/tar -xzf /tmp/release.tar.gz -C /opt/app",
			"/usr/sbin/service rsyslog restart", "/usr/bin/rm -f /var/log/syslog.7.gz", "/usr/sbin/visudo -c", "/usr/bin/cat /etc/sudoers.d/10-ops", "/usr/bin/su - postgres", "/bin/bash /opt/app/rotate.sh"))
	})
	d.each(0, 24, 6*time.Minute, func(t moment) {
		d.sudo(t, d.host(), "deploy", one(d, "/usr/bin/systemctl stop app", "/usr/bin/systemctl start app", "/usr/bin/cp -r /opt/release /opt/app", "/usr/bin/tee /etc/app/config.toml", "/usr/bin/chown -R app: /opt/app"))
	})
	d.each(8, 18, 40*time.Minute, func(t moment) { d.sudo(t, d.host(), one(d, "amira", "bjorn"), one(d, "/bin/bash", "/usr/bin/su -")) }) // two administrators
	d.each(10, 10.1, time.Hour, func(t moment) {
		d.add("auth.log", "%s host-03 useradd[811]: new user: name=tove, UID=1031, GID=1031, home=/home/tove, shell=/bin/bash, from=none", t.syslog())
		d.add("auth.log", "%s host-03 usermod[812]: add 'tove' to group 'www-data'", t.syslog())
		d.add("auth.log", "%s host-03 usermod[812]: add 'tove' to group 'sudo'", t.syslog()) // a new administrator: that may be asked about
	})
	d.each(0, 24, 30*time.Second, func(t moment) {
		args := one(d, `argc=3 a0="/sbin/modprobe" a1="-q" a2="nf_tables"`, `argc=3 a0="curl" a1="-fsS" a2="http://localhost:8080/healthz"`, `argc=3 a0="chmod" a1="0755" a2="/opt/app/run.sh"`,
			`argc=4 a0="rm" a1="-f" a2="/tmp/build.lock" a3="/tmp/build.pid"`, `argc=2 a0="auditctl" a1="-s"`, `argc=4 a0="nc" a1="-z" a2="db-1" a3="5432"`, `argc=2 a0="ls" a1="/tmp"`)
		d.add("audit.log", "type=EXECVE msg=audit(%d.101:%d): %s", t.Unix(), 1000+d.IntN(90000), args)
	})
}

// web is customers, crawlers, broken pages and programs with old tokens.
func (d *day) web() {
	nginx := func(t moment, from, request string, status int, agent string) {
		d.add("nginx.log", `%s - - [%s] "%s HTTP/1.1" %d %d "-" "%s"`, from, t.clf(), request, status, 200+d.IntN(9000), agent)
	}
	const browser = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	d.each(0, 24, 4*time.Second, func(t moment) {
		nginx(t, d.client(), "GET "+one(d, "/", "/cart", "/search?q=select+a+size", "/search?q=rock+%27n%27+roll+or+pop", "/search?q=union+of+5+or+more", "/help/script-guide", "/docs/etc/passwords-howto.html",
			"/go?next=https%3A%2F%2Fshop.example%2Fa%3Bb", "/search?q=tom+%26+jerry", "/a/../b.css", "/img/union-jack.png", "/.well-known/security.txt", "/search?q=a+%3C+b"), 200, browser)
	})
	d.each(0, 24, 12*time.Second, func(t moment) {
		nginx(t, "192.0.2.9", "GET /old/page-"+fmt.Sprint(d.IntN(9999)), 404, "Mozilla/5.0 (compatible; Googlebot/2.1)")
	})
	d.each(0, 24, 45*time.Second, func(t moment) { nginx(t, "198.51.100.80", "POST /api/v1/token", 401, "partner-sync/1.4") })
	d.each(8, 20, 10*time.Minute, func(t moment) {
		from := d.client()
		for i := range 18 {
			nginx(t, from, fmt.Sprintf("GET /img/banner-%d.png", i), 404, browser)
		}
		for range 3 {
			nginx(t, from, "POST /login", 401, browser)
		}
	})
	d.each(0, 24, 5*time.Second, func(t moment) {
		path, status, detail := one(d, "/api/v1/items", "/healthz", "/latest/meta-data/instance-id"), 200, "via_upstream"
		if d.IntN(60) == 0 {
			path, status, detail = "/internal/stats", 403, "rbac_access_denied_matched_policy[none]"
		}
		d.add("envoy.log", `[%s] "GET %s HTTP/1.1" %d - %s - "-" 0 512 5 4 "-" "Go-http-client/2.0" "3b1f6f0e-5a9c-4bb0-8c8e-7a0e5a1d2c33" "api.shop" "10.20.3.7:8080" outbound|8080||api.shop.svc.cluster.local %s:%d 10.20.3.7:8080 %s:%d - default`,
			t.iso(), path, status, detail, d.inside(), d.port(), d.inside(), d.port())
	})
}

// cloud is infrastructure as code, people in the console and programs.
func (d *day) cloud() {
	call := func(t moment, source, name, identity, from, agent, more string) {
		d.add("cloudtrail.ndjson", `{"eventVersion":"1.09","userIdentity":%s,"eventTime":"%s","eventSource":"%s.amazonaws.com","eventName":"%s","awsRegion":"eu-west-1","sourceIPAddress":"%s","userAgent":"%s"%s,"eventType":"AwsApiCall","recipientAccountId":"444455556666"}`,
			identity, t.Format(time.RFC3339), source, name, from, agent, more)
	}
	role := func(name, session string) string {
		return fmt.Sprintf(`{"type":"AssumedRole","principalId":"AROAEXAMPLE:%[2]s","arn":"arn:aws:sts::444455556666:assumed-role/%[1]s/%[2]s","accessKeyId":"ASIAEXAMPLE","sessionContext":{"sessionIssuer":{"userName":"%[1]s"}}}`, name, session)
	}
	user := func(name string) string {
		return fmt.Sprintf(`{"type":"IAMUser","arn":"arn:aws:iam::444455556666:user/%[1]s","userName":"%[1]s"}`, name)
	}
	const terraform = "APN/1.0 HashiCorp/1.0 Terraform/1.9.2"
	d.each(9, 18, time.Hour, func(t moment) {
		for _, c := range [][2]string{
			{"CreatePolicyVersion", `,"requestParameters":{"policyArn":"arn:aws:iam::444455556666:policy/app","setAsDefault":true,"policyDocument":"{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\"}]}"}`},
			{"UpdateAssumeRolePolicy", `,"requestParameters":{"roleName":"web","policyDocument":"{}"}`},
			{"AttachRolePolicy", `,"requestParameters":{"roleName":"web","policyArn":"arn:aws:iam::aws:policy/ReadOnlyAccess"}`},
		} {
			call(t, "iam", c[0], role("terraform", fmt.Sprint("run-", d.IntN(999))), d.inside(), terraform, c[1])
		}
		call(t, "ec2", "AuthorizeSecurityGroupIngress", role("terraform", "run-1"), d.inside(), terraform, `,"requestParameters":{"groupId":"sg-1","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":443,"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]}}]}}`)
		call(t, "logs", "DeleteLogGroup", role("terraform", "run-1"), d.inside(), terraform, `,"requestParameters":{"logGroupName":"/aws/lambda/thumbnail-dev"}`)
		call(t, "iam", "CreateAccessKey", user("chen"), d.office(), "aws-cli/2.17.0", `,"requestParameters":null`)
	})
	d.each(7, 19, 5*time.Minute, func(t moment) {
		who, from := one(d, people...), d.office()
		call(t, "signin", "ConsoleLogin", role("AWSReservedSSO_Dev", who), from, "Mozilla/5.0", `,"responseElements":{"ConsoleLogin":"Success"},"additionalEventData":{"MFAUsed":"No"}`)
		for _, page := range []string{"ListUsers", "DescribeTrails", "GetBucketAcl"}[:d.IntN(4)] {
			call(t, "s3", page, role("AWSReservedSSO_Dev", who), from, "console.amazonaws.com", `,"errorCode":"AccessDenied"`)
		}
		call(t, "s3", "GetObject", role("AWSReservedSSO_Dev", who), from, "aws-cli/2.17.0", `,"requestParameters":{"bucketName":"acme-static"}`)
	})
	d.each(0, 24, 20*time.Second, func(t moment) {
		from := one(d, d.inside(), "54.171.10.20")
		call(t, one(d, "ec2", "kms", "sts"), one(d, "DescribeInstances", "Decrypt", "GetCallerIdentity"), role("web-role", "i-0a1b2c3d4e5f60718"), from, "aws-sdk-go-v2/1.30", "")
		call(t, "s3", "GetObject", role("etl", "nightly"), d.inside(), "aws-sdk-go-v2/1.30", `,"requestParameters":{"bucketName":"acme-datalake"}`)
	})
	d.each(0, 24, 10*time.Minute, func(t moment) {
		call(t, "secretsmanager", "GetSecretValue", role("web-role", "i-0a1b2c3d4e5f60718"), d.inside(), "aws-sdk-go-v2/1.30", `,"requestParameters":{"secretId":"prod/db"}`)
	})
	d.each(0, 24, 8*time.Second, func(t moment) {
		d.add("s3.log", `79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be acme-static [%s] %s %s 3E57427F33A59F07 REST.GET.OBJECT img/%d.png "GET /img/%d.png HTTP/1.1" 200 - 900 900 20 19 "-" "aws-sdk" - 9vKBE6vM SigV4 TLS AuthHeader acme-static.s3.amazonaws.com TLSv1.3 - -`,
			t.clf(), one(d, d.inside(), d.client()), one(d, "arn:aws:sts::444455556666:assumed-role/web-role/i-0a1b2c3d4e5f60718", "-"), d.IntN(9999), d.IntN(9999))
	})
}

// cluster is controllers, nodes, pipelines and people with kubectl.
func (d *day) cluster() {
	audit := func(t moment, who, verb, object string, code int, more string) {
		d.add("k8s.ndjson", `{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"9f0a7a2e","stage":"ResponseComplete","requestURI":"/api/v1/x","verb":"%s","user":{"username":"%s"},"sourceIPs":["%s"],"objectRef":{%s},"responseStatus":{"code":%d}%s,"requestReceivedTimestamp":"%s"}`,
			verb, who, d.inside(), object, code, more, t.iso())
	}
	const privileged = `,"requestObject":{"spec":{"hostNetwork":true,"containers":[{"securityContext":{"privileged":true}}],"volumes":[{"hostPath":{"path":"/var/run/docker.sock"}}]}}`
	d.each(0, 24, 20*time.Second, func(t moment) {
		audit(t, "system:serviceaccount:kube-system:namespace-controller", "list", `"resource":"secrets"`, 200, "")
		audit(t, "system:node:node-"+fmt.Sprint(d.IntN(9)), "create", `"resource":"serviceaccounts","subresource":"token","namespace":"shop","name":"cart"`, 201, "")
		audit(t, "system:serviceaccount:shop:cart", "list", `"resource":"pods","namespace":"shop"`, one(d, 200, 200, 200, 403), "")
	})
	d.each(0, 24, 20*time.Minute, func(t moment) {
		audit(t, "system:serviceaccount:kube-system:daemon-set-controller", "create", `"resource":"pods","namespace":"monitoring"`, 201, privileged)
		audit(t, "system:serviceaccount:ci:deployer", "list", `"resource":"secrets","namespace":"shop"`, 200, "")
		audit(t, "system:anonymous", "get", `"resource":"configmaps","namespace":"kube-public","name":"cluster-info"`, 200, "")
	})
	d.each(9, 18, 30*time.Minute, func(t moment) {
		audit(t, one(d, "amira", "bjorn", "chen"), "create", `"resource":"pods","subresource":"exec","namespace":"shop","name":"cart-1"`, 101, "") // three who may
		audit(t, one(d, people...), "create", `"resource":"pods","subresource":"exec","namespace":"shop","name":"cart-1"`, 403, "")
		audit(t, one(d, people...), "get", `"resource":"pods","subresource":"log","namespace":"shop","name":"cart-1"`, 200, "")
	})
}

// network is flows: customers, replies, backups, a vendor's agents and noise.
func (d *day) network() {
	flow := func(t moment, from, to string, fromPort, toPort, packets, bytes int, action string) {
		d.add("vpcflow.log", "2 444455556666 eni-0a1b2c3d4e5f60718 %s %s %d %d 6 %d %d %d %d %s OK", from, to, fromPort, toPort, packets, bytes, t.Unix()-60, t.Unix(), action)
	}
	d.each(0, 24, 4*time.Second, func(t moment) {
		flow(t, d.client(), d.inside(), d.port(), 443, 30, 9000, "ACCEPT")
		flow(t, d.inside(), d.client(), 443, d.port(), 40, 90000, "ACCEPT")
		flow(t, d.inside(), d.inside(), d.port(), one(d, 5432, 6379, 9092), 40, 90000, "ACCEPT")
		flow(t, d.client(), d.inside(), d.port(), one(d, 22, 23, 445, 3389), 1, 40, "REJECT")
	})
	d.each(0, 24, time.Minute, func(t moment) {
		flow(t, d.inside(), "192.0.2.77", d.port(), 8443, 4, 400, "ACCEPT") // a vendor's agent
		flow(t, d.inside(), "192.0.2.78", d.port(), 443, 4, 400, "ACCEPT")
		flow(t, "10.20.4.9", "10.20.5.5", d.port(), 8080, 1, 40, "REJECT") // a service that lost its way
	})
	d.each(1, 3, 5*time.Minute, func(t moment) { flow(t, d.inside(), "10.20.200.10", d.port(), 873, 900000, 1300000000, "ACCEPT") })
}

// TestNoiseOfFortyHosts counts the alerts (rule and group) of a benign day.
func TestNoiseOfFortyHosts(t *testing.T) {
	if testing.Short() {
		t.Skip("it reads a day of logs")
	}
	d := &day{rand.New(rand.NewPCG(1, 40)), map[string][]string{}}
	d.logins()
	d.work()
	d.web()
	d.cloud()
	d.cluster()
	d.console()
	d.network()
	alerts := map[string]*detect.Rule{}
	b := newBench(pack(t))
	for _, file := range slices.Sorted(maps.Keys(d.files)) {
		b.open("test")
		for n, line := range d.files[file] {
			b.read([]byte(line), int64(n+1))
			if b.event.LogSource.Product == "" || b.event.Time.Equal(b.event.Seen) {
				t.Fatalf("%s: read as %s without time or log source: %s", file, b.event.FormatName, line)
			}
			for _, r := range b.hits() {
				alerts[fmt.Sprintf("%s %v", r.File, detect.Group(r, &b.event, nil))] = r
			}
		}
	}
	var high []string
	for name, r := range alerts {
		if r.Severity >= detect.High {
			high = append(high, name)
		}
	}
	lines := 0
	for _, f := range d.files {
		lines += len(f)
	}
	t.Logf("%d lines, %d alerts, %d high:\n%s", lines, len(alerts), len(high), strings.Join(slices.Sorted(maps.Keys(alerts)), "\n"))
	if len(alerts) > 20 || len(high) > 3 {
		t.Errorf("a benign day makes %d alerts, %d of them high %q; at most 20 and 3 are allowed", len(alerts), len(high), high)
	}
}
