package story

import (
	"fmt"
	"time"
)

// quiet adds the traffic of an ordinary quarter of an hour to every file.
func (w *writer) quiet(from, to time.Duration) {
	for _, s := range []struct {
		every time.Duration // on average
		add   func(at time.Duration)
	}{
		{400 * time.Millisecond, w.visitor},
		{350 * time.Millisecond, w.service},
		{900 * time.Millisecond, w.cloudCall},
		{700 * time.Millisecond, w.objectRead},
		{500 * time.Millisecond, w.traffic},
		{20 * time.Second, w.login},
	} {
		for at := from; ; {
			at += time.Duration((0.25 + 1.5*w.Float64()) * float64(s.every))
			if at >= to {
				break
			}
			s.add(at)
		}
	}
}

var browsers = []string{
	"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.2 Safari/605.1.15",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
}

// client is one of a few hundred customers.
func (w *writer) client() string { return fmt.Sprintf("192.0.2.%d", 1+w.IntN(254)) }

func (w *writer) page() string {
	switch w.IntN(8) {
	case 0:
		return fmt.Sprintf("/item/%d?ref=mail", 100+w.IntN(9000))
	case 1:
		return "/search?q=" + pick(w, "select+a+size", "union+jack", "red+shoes", "drop+earrings")
	}
	return pick(w, "/", "/cart", "/account", "/help/script-guide", "/static/site.css", "/static/app.js", "/img/banner-3.png", "/robots.txt")
}

// visitor is a person with a browser at the web server.
func (w *writer) visitor(at time.Duration) {
	r := request{from: w.client(), method: "GET", path: w.page(), status: 200, size: 300 + w.IntN(40000), agent: pick(w, browsers...), referer: "-"}
	switch w.IntN(40) {
	case 0:
		r.path, r.status, r.size = "/img/old-banner.png", 404, 153
	case 1:
		r.method, r.path, r.status = "POST", "/login", 302
	case 2:
		r.method, r.path, r.status = "POST", "/login", 401
	case 3, 4, 5:
		r.status, r.size = 304, 0
	}
	w.nginx(at, r)
}

// service is one service of the shop calling another through the mesh.
func (w *writer) service(at time.Duration) {
	name := pick(w, "cart", "catalog", "billing", "search")
	r := request{
		from: "-", method: "GET", status: 200, size: 80 + w.IntN(9000), agent: "Go-http-client/2.0",
		authority: name + ".shop", cluster: "outbound|8080||" + name + ".shop.svc.cluster.local",
	}
	r.path = pick(w, "/api/v1/items", "/api/v1/orders/"+fmt.Sprint(100+w.IntN(900)), "/healthz", "/fetch?url=https://cdn.shop.example/img/"+w.hex(6)+".png")
	if w.IntN(50) == 0 {
		r.status = 404
	}
	w.envoy(at, r)
}

const sdk = "aws-sdk-go-v2/1.30.3 os/linux lang/go#1.26"

// cloudCall is a call of the shop's own software or of a colleague.
func (w *writer) cloudCall(at time.Duration) {
	if w.IntN(6) == 0 {
		user := pick(w, "amira", "bjorn", "chen")
		w.trail(at, call{
			service: "ec2", name: "DescribeInstances", from: "198.51.100." + fmt.Sprint(10+w.IntN(5)), agent: "console.amazonaws.com",
			who: map[string]any{
				"type": "IAMUser", "principalId": "AIDAEXAMPLE" + user, "arn": "arn:aws:iam::" + account + ":user/" + user, "accountId": account, "userName": user,
				"sessionContext": map[string]any{"attributes": map[string]any{"mfaAuthenticated": "true"}},
			},
		})
		return
	}
	c := pick(w,
		call{service: "s3", name: "ListBuckets"},
		call{service: "sts", name: "GetCallerIdentity"},
		call{service: "ec2", name: "DescribeSecurityGroups"},
		call{service: "kms", name: "Decrypt"},
		call{service: "monitoring", name: "DescribeAlarms"},
		call{service: "s3", name: "GetObject", data: true, request: map[string]any{"bucketName": "shop-static", "key": "img/" + w.hex(6) + ".png"}},
		call{service: "cloudtrail", name: "DescribeTrails"},
	)
	c.who, c.from, c.agent = session(webRole, instance, "ASIAEXAMPLE7Q2WEB2"), web2, sdk
	if w.IntN(2) == 0 {
		c.who, c.from = session("metrics-reader", "exporter", "ASIAEXAMPLE5METRICS"), "10.20.6.20"
	}
	w.trail(at, c)
}

// objectRead is a service fetching what it needs.
func (w *writer) objectRead(at time.Duration) {
	w.s3(at, object{
		requester: "arn:aws:sts::" + account + ":assumed-role/" + pick(w, webRole+"/"+instance, "etl/nightly"), from: pick(w, web2, "10.20.6.31"),
		operation: "REST.GET.OBJECT", method: "GET", key: "img/" + w.hex(6) + ".png", bucket: "shop-static", status: 200, size: 900 + w.IntN(200000),
	})
}

// traffic is one flow record on web-2's network card.
func (w *writer) traffic(at time.Duration) {
	f := flow{from: w.client(), to: web2, fromPort: w.port(), toPort: 443, protocol: 6, packets: 6 + w.IntN(90), action: "ACCEPT"}
	switch w.IntN(10) {
	case 0:
		f.toPort, f.packets, f.action = pick(w, 22, 23, 445, 3389, 8081), 1, "REJECT"
	case 1, 2:
		f.from, f.to, f.toPort = web2, "10.20.4.9", 5432
	case 3:
		f.from, f.to, f.toPort, f.protocol, f.packets = web2, "10.20.0.2", 53, 17, 1
	}
	f.bytes = f.packets * (40 + w.IntN(900))
	w.flow(at, f)
}

// login is a colleague who comes and goes over the VPN.
func (w *writer) login(at time.Duration) {
	user, from, port, pid := pick(w, "amira", "bjorn", "chen", "backup"), "10.20.9."+fmt.Sprint(20+w.IntN(9)), w.port(), 2000+w.IntN(40000)
	w.syslog(at, "sshd", pid, fmt.Sprintf("Accepted publickey for %s from %s port %d ssh2: ED25519 SHA256:%s", user, from, port, w.hex(40)))
	w.syslog(at+40*time.Millisecond, "sshd", pid, fmt.Sprintf("pam_unix(sshd:session): session opened for user %s(uid=%d) by (uid=0)", user, 1001+len(user)))
	if w.IntN(3) == 0 {
		w.syslog(at+2*time.Second, "sudo", pid+30, fmt.Sprintf("%8s : TTY=pts/0 ; PWD=/home/%s ; USER=root ; COMMAND=%s", user, user,
			pick(w, "/usr/bin/systemctl restart nginx", "/usr/bin/apt-get update", "/usr/bin/journalctl -u nginx -n 50")))
	}
	w.syslog(at+5*time.Second, "sshd", pid, fmt.Sprintf("Disconnected from user %s %s port %d", user, from, port))
}
