package enrich

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"bartizan/event"
)

// eventWith makes an event of names and values.
func eventWith(pairs ...string) *event.Event {
	e := &event.Event{}
	for i := 0; i+1 < len(pairs); i += 2 {
		e.Fields = append(e.Fields, event.Field{Name: pairs[i], Sym: event.Intern(pairs[i]), Value: event.Value{Str: pairs[i+1], Pos: -1, End: -1}})
	}
	e.Native = len(e.Fields)
	return e
}

func at(t testing.TB, name string) int {
	t.Helper()
	i := event.EnrichedAt(name)
	if i < 0 {
		t.Fatalf("there is no enriched field %s", name)
	}
	return i
}

func TestEveryNameIsAnswered(t *testing.T) {
	for i, n := range event.EnrichedNames() {
		if questions[i].base == nil {
			t.Errorf("nothing says where %s stands in an event", n.Base)
		}
		if _, ok := leafNames[n.Leaf]; !ok {
			t.Errorf("nothing answers %s", n.Name)
		}
		if got := event.EnrichedAt(n.Name); got != i {
			t.Errorf("%s is at %d, found at %d", n.Name, i, got)
		}
	}
}

const assetCSV = `kind,match,name,owner,criticality,data_class,region,own
# ours
cidr,192.0.2.0/24,Delft office,it,,,eu,yes
cidr,192.0.2.128/25,lab,research,low,,,
cidr,2001:db8::/48,,network,,,,yes
host,WEB-*,,shop,high,,,
host,web-1,front,front team,critical,,,
user,amira,,,high,,,
account,123456789012,prod,platform,critical,personal,eu-west-1,
bucket,"pay*",,payroll,critical,"salaries, bank accounts",,
role,*:role/dev-?,,devs,medium,,,
`

const assetTOML = `
[[asset]]
host = ["db-1", "db-2"]
owner = "data"
criticality = "high"

[[asset]]
cidr = "198.51.100.9"
name = "vpn"
own = true
`

func TestAssets(t *testing.T) {
	x, err := New(Options{Assets: []string{put(t, "a.csv", []byte(assetCSV)), put(t, "b.toml", []byte(assetTOML))}, Own: []string{"198.51.100.64/26"}, From: "config.toml:3"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ field, value, ask, want, from string }{
		{"source.ip", "192.0.2.1", "source.asset.owner", "it", "a.csv:3"},
		{"source.ip", "192.0.2.200", "source.asset.name", "lab", "a.csv:4"},
		{"source.ip", "192.0.2.200", "source.own", "true", "a.csv:3"},
		{"source.ip", "192.0.2.1", "source.own", "true", "a.csv:3"},
		{"source.ip", "198.51.100.9", "source.own", "true", "b.toml:7"},
		{"source.ip", "198.51.100.65", "source.own", "true", "config.toml:3"},
		{"source.ip", "198.51.100.10", "source.own", "false", "not among your own addresses"},
		{"source.ip", "2001:db8:0:1::5", "source.own", "true", "a.csv:5"},
		{"source.ip", "10.0.0.1", "source.own", "", ""},
		{"source.domain", "ec2.amazonaws.com", "source.own", "", ""},
		{"source.domain", "ec2.amazonaws.com", "source.cloud.service.name", "ec2", builtIn},
		{"destination.ip", "192.0.2.1", "destination.asset.region", "eu", "a.csv:3"},
		{"host.name", "web-1", "host.asset.owner", "front team", "a.csv:7"},
		{"host.name", "Web-22", "host.asset.owner", "shop", "a.csv:6"},
		{"host.name", "db-2", "host.asset.criticality", "high", "b.toml:2"},
		{"user.name", "Amira", "user.asset.criticality", "high", "a.csv:8"},
		{"cloud.account.id", "123456789012", "cloud.account.asset.data_class", "personal", "a.csv:9"},
		{"bucket.name", "payroll", "bucket.asset.data_class", "salaries, bank accounts", "a.csv:10"},
		{"user.roles", "arn:aws:iam::1:role/dev-7", "role.asset.owner", "devs", "a.csv:11"},
		{"user.roles", "arn:aws:iam::1:role/dev-77", "role.asset.owner", "", ""},
		{"user.name", "system:serviceaccount:kube-system:x", "user.class", "service account", builtIn},
		{"user.name", "system:kube-scheduler", "user.class", "control plane", builtIn},
		{"user.name", "system:anonymous", "user.class", "anonymous", builtIn},
		{"user.name", "bob", "user.class", "", ""},
		{"user_agent.original", "Mozilla/5.0 (Nikto/2.5.0)", "user_agent.tool", "Nikto", builtIn},
		{"user_agent.original", "Mozilla/5.0 zgrab/0.x", "user_agent.class", "scanner", builtIn},
		{"user_agent.original", "AlpacaBrowser/1", "user_agent.class", "", ""},
	} {
		e := eventWith(c.field, c.value)
		v, _, ok := x.Enrich(e, at(t, c.ask), 0)
		if v.Str != c.want || ok != (c.want != "") {
			t.Errorf("%s of %s %q: %q, want %q", c.ask, c.field, c.value, v.Str, c.want)
		}
		from := ""
		for _, f := range x.About(e) {
			if f.Name == c.ask {
				from = f.From
			}
		}
		if from != c.from {
			t.Errorf("%s of %q comes from %q, want %q", c.ask, c.value, from, c.from)
		}
	}
	for _, c := range []struct {
		n    event.Entity
		want int
	}{
		{event.Entity{Kind: event.EntityHost, Value: "web-1"}, 10},
		{event.Entity{Kind: event.EntityHost, Value: "web-2"}, 7},
		{event.Entity{Kind: event.EntityIP, Value: "192.0.2.200"}, 1},
		{event.Entity{Kind: event.EntityBucket, Value: "paychecks"}, 10},
		{event.Entity{Kind: event.EntityRole, Value: "arn:aws:iam::1:role/dev-a"}, 3},
		{event.Entity{Kind: event.EntityRole, Value: "arn:aws:iam::123456789012:role/other"}, 10},
		{event.Entity{Kind: event.EntityUser, Value: "bob"}, 0},
		{event.Entity{Kind: event.EntityIP, Value: "no address"}, 0},
	} {
		if got := x.Criticality(c.n); got != c.want {
			t.Errorf("criticality of %v: %d, want %d", c.n, got, c.want)
		}
	}
}

// TestWrongAssets holds the sentences to the line they are about.
func TestWrongAssets(t *testing.T) {
	head := "kind,match,owner,criticality,own\n"
	for _, c := range []struct{ name, text, want string }{
		{"a.csv", "# nothing\n", `: the list is empty`},
		{"a.csv", "match,owner\n", ":1: the first line must name the columns kind and match"},
		{"a.csv", "kind,match,colour\n", `:1: column "colour" is unknown`},
		{"a.csv", head + "cidr,10.0.0.0/8,x,low,\ncidr,10.0.0.1/8,x,,", `:3: "10.0.0.1/8" has bits beyond its length; write 10.0.0.0/8`},
		{"a.csv", head + "cidr,10.0.0.0/33,,,", `:2: "10.0.0.0/33" is no network`},
		{"a.csv", head + "\n\nserver,x,,,", `:4: there is no kind "server"`},
		{"a.csv", head + "host,x,,huge,", `:2: there is no criticality "huge"`},
		{"a.csv", head + "host,x,,,perhaps", `:2: own is yes or no`},
		{"a.csv", head + "host,x,,,yes", `:2: only a cidr can be own`},
		{"a.csv", head + "host,,me,,", `:2: it says nothing about what it matches`},
		{"a.csv", head + "host,x,,,\nhost,X,,,", `:3: host X is listed before, at a.csv:2`},
		{"a.csv", head + "cidr,192.0.2.1,,,\ncidr,192.0.2.1/32,,,", `:3: cidr 192.0.2.1/32 is listed before`},
		{"a.csv", head + "host,x,,,,,more", `:2: it has 7 values for 5 columns`},
		{"a.csv", head + "host,\"x,,,", `:2: this is no line of CSV`},
		{"a.csv", head + "host," + strings.Repeat("x", maxText+1), `:2: "xxxx`},
		{"a.csv", head + strings.Repeat("host,,,,\n", maxComplaints+5), `5 more lines are wrong`},
		{"a.csv", head + globLines(maxGlobs+1), fmt.Sprintf(`:%d: more than %d lines of kind host have wildcards`, maxGlobs+2, maxGlobs)},
		{"a.toml", "[[asset]]\nowner = 'x'\n", `:1: the [[asset]] says nothing about what it matches`},
		{"a.toml", "\n[[asset]]\nhost = 'a'\n\n[[asset]]\ncidr = ['10.0.0.0/8', 'x']\n", `:5: "x" is no network`},
		{"a.toml", "[[asset]]\nhost = 'a'\ncolour = 'x'\n", `there is no key "asset.colour"`},
		{"a.toml", "[[asset]]\nhost = 3\n", `what an asset matches must be a text in quotes`},
		{"a.toml", "[[asset]\n", `a.toml:2: expected`},
	} {
		path := put(t, c.name, []byte(c.text))
		_, err := New(Options{Assets: []string{path}})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("%q: %v, want %q", c.text[:min(len(c.text), 80)], err, c.want)
		}
		if n := len(Check(Options{Assets: []string{path}})); n == 0 || n > maxComplaints+1 {
			t.Errorf("%q: %d complaints", c.text[:min(len(c.text), 80)], n)
		}
	}
	if _, err := New(Options{Own: []string{"nowhere"}}); err == nil {
		t.Error("own: a word was taken as a network")
	}
	if _, err := New(Options{Assets: []string{"/nowhere/a.csv"}}); err == nil {
		t.Error("a list that is not there was taken")
	}
}

func globLines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "host,web-%d-*,,,\n", i)
	}
	return b.String()
}

func TestRanges(t *testing.T) {
	const (
		ofAWS   = `{"syncToken":"1","prefixes":[{"ip_prefix":"192.0.2.0/24","region":"eu-west-1","service":"EC2"},{"ip_prefix":"192.0.2.0/24","region":"eu-west-1","service":"AMAZON"},{"ip_prefix":"192.0.2.64/26","region":"eu-west-1","service":"S3"}],"ipv6_prefixes":[{"ipv6_prefix":"2001:db8::/40","region":"GLOBAL","service":"CLOUDFRONT"}]}`
		ofGCP   = `{"prefixes":[{"ipv4Prefix":"198.51.100.0/25","service":"Google Cloud","scope":"europe-west4"},{"ipv6Prefix":"2001:db8:100::/40","service":"Google Cloud","scope":"us"}]}`
		ofAzure = `{"cloud":"Public","values":[{"name":"AzureCloud.westeurope","properties":{"region":"westeurope","systemService":"","addressPrefixes":["203.0.113.0/24"]}},{"name":"Storage.WestEurope","properties":{"region":"westeurope","systemService":"AzureStorage","addressPrefixes":["203.0.113.0/24"]}}]}`
		plain   = "# ours\n198.51.100.128/25 hetzner\n203.0.113.8/29, acme, vpn, north # a comment\n"
	)
	x, err := New(Options{Ranges: []string{put(t, "ip-ranges.json", []byte(ofAWS)), put(t, "cloud.json", []byte(ofGCP)), put(t, "ServiceTags.json", []byte(ofAzure)), put(t, "more.txt", []byte(plain))}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ addr, want string }{
		{"192.0.2.1", "aws EC2 eu-west-1 ip-ranges.json"},
		{"192.0.2.70", "aws S3 eu-west-1 ip-ranges.json"},
		{"2001:db8::1", "aws CLOUDFRONT GLOBAL ip-ranges.json"},
		{"198.51.100.3", "gcp Google Cloud europe-west4 cloud.json"},
		{"2001:db8:100::1", "gcp Google Cloud us cloud.json"},
		{"203.0.113.200", "azure AzureStorage westeurope ServiceTags.json"},
		{"198.51.100.200", "hetzner   more.txt"},
		{"203.0.113.9", "acme vpn north more.txt"},
		{"192.88.99.1", "   "},
	} {
		e := eventWith("source.ip", c.addr)
		var got []string
		from := ""
		for _, name := range []string{"source.cloud.provider", "source.cloud.service.name", "source.cloud.region"} {
			v, _, _ := x.Enrich(e, at(t, name), 0)
			got = append(got, v.Str)
		}
		for _, f := range x.About(e) {
			if f.Name == "source.cloud.provider" {
				from = f.From
			}
		}
		if g := strings.Join(append(got, from), " "); g != c.want {
			t.Errorf("%s: %q, want %q", c.addr, g, c.want)
		}
	}
	for _, c := range []struct{ text, want string }{
		{`{"a":1}`, "it has neither prefixes nor values"},
		{`{`, "it is no JSON with ranges"},
		{"10.0.0.0/8\n", ":1: a line is a network and a name"},
		{"10.0.0.0/8 a\n10.0.0.1/8 b", ":2: \"10.0.0.1/8\" has bits"},
		{`{"prefixes":[{"ip_prefix":"x"}]}`, `"x" is no network`},
		{"10.0.0.0/8 " + strings.Repeat("a", 3*maxText+1), "shorten it"},
	} {
		if _, err := New(Options{Ranges: []string{put(t, "r", []byte(c.text))}}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", show(c.text), err, c.want)
		}
	}
}

func TestRefresh(t *testing.T) {
	path := put(t, "a.csv", []byte("kind,match,owner\nhost,web-1,shop\n"))
	x, err := New(Options{Assets: []string{path}})
	if err != nil {
		t.Fatal(err)
	}
	owner := func() string {
		v, _, _ := x.Enrich(eventWith("host.name", "web-1"), at(t, "host.asset.owner"), 0)
		return v.Str
	}
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if changed, err := x.Refresh(); changed || err != nil || owner() != "shop" {
		t.Fatalf("nothing changed: %v, %v, %q", changed, err, owner())
	}
	write("kind,match,owner\nhost,web-1,kiosk team\n")
	if changed, err := x.Refresh(); !changed || err != nil || owner() != "kiosk team" {
		t.Fatalf("the owner changed: %v, %v, %q", changed, err, owner())
	}
	write("kind,match,owner\nhost,web-1,nobody,more,and more\n")
	if changed, err := x.Refresh(); changed || err == nil || owner() != "kiosk team" || !strings.Contains(x.Trouble(), "a.csv:2") {
		t.Fatalf("a wrong line: %v, %v, %q, %q", changed, err, owner(), x.Trouble())
	}
	ctx, stop := context.WithCancel(t.Context())
	told := make(chan error, 8)
	done := make(chan struct{})
	go func() { x.Watch(ctx, time.Millisecond, func(err error) { told <- err }); close(done) }()
	write("kind,match,owner\nhost,web-1,the kiosk team again\n")
	for err := range told { // it may have been read half written
		if err == nil && owner() == "the kiosk team again" {
			break
		}
	}
	stop()
	<-done
	if owner() != "the kiosk team again" || x.Trouble() != "" {
		t.Errorf("after the mend: %q, %q", owner(), x.Trouble())
	}
}

// full knows of everything.
func full(t testing.TB) *Enricher {
	t.Helper()
	x, err := New(Options{
		Assets: []string{put(t, "a.csv", []byte(assetCSV))}, Own: []string{"198.51.100.0/24"},
		GeoIP:  []string{put(t, "city.mmdb", mmdb(28, false, cityNets)), put(t, "asn.mmdb", mmdb(24, false, asNets))},
		Ranges: []string{put(t, "r.txt", []byte("192.0.2.0/24 acme cloud eu\n"))},
	})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

var busy = []string{
	"userAgent", "x", "source.ip", "192.0.2.9", "user.name", "amira", "host.name", "web-22", "cloud.account.id", "123456789012", "bucket.name", "payroll",
	"user.roles", "arn:aws:iam::1:role/dev-7", "user_agent.original", "Mozilla/5.0 (compatible; Nuclei - Open-source project)", "destination.ip", "2001:db8::7",
}

func TestNoAllocations(t *testing.T) {
	x, e := full(t), eventWith(busy...)
	for i, n := range event.EnrichedNames() {
		x.Enrich(e, i, 0)
		if got := testing.AllocsPerRun(100, func() { x.Enrich(e, i, 0) }); got != 0 {
			t.Errorf("%s: %v allocations", n.Name, got)
		}
	}
	odd := eventWith("source.ip", "deadbeef.example.org:99999", "source.domain", "states.amazonaws.com")
	if got := testing.AllocsPerRun(100, func() { x.Enrich(odd, at(t, "source.class"), 0) }); got != 0 {
		t.Errorf("a name where an address is expected: %v allocations", got)
	}
}

// TestCacheIsBounded asks about more than the caches hold; the answers stay right.
func TestCacheIsBounded(t *testing.T) {
	x := full(t)
	own, owner := at(t, "source.own"), at(t, "host.asset.owner")
	for i := range 3 * cacheSlots {
		e := eventWith("source.ip", fmt.Sprintf("198.51.%d.%d", i%512/2, i%256), "host.name", fmt.Sprintf("WEB-%d%s", i, strings.Repeat("x", i%1500)))
		v, _, _ := x.Enrich(e, own, 0)
		if want := fmt.Sprint(i%512/2 == 100); v.Str != want {
			t.Fatalf("198.51.%d.%d: own %q, want %s", i%512/2, i%256, v.Str, want)
		}
		if v, _, _ := x.Enrich(e, owner, 0); v.Str != "shop" {
			t.Fatalf("WEB-%d: %q", i, v.Str)
		}
	}
}

func FuzzAssets(f *testing.F) {
	f.Add(assetCSV, false)
	f.Add(assetTOML, true)
	f.Add("kind,match\nhost,*?*\n", false)
	f.Add("asset = [{host='a'}, {cidr=['::/0']}]", true)
	f.Fuzz(func(t *testing.T, text string, isTOML bool) {
		r := &assetReader{seen: map[string]*asset{}}
		r.file = "f"
		if isTOML {
			r.toml(text)
		} else {
			r.csv(text)
		}
		if r.err() != nil {
			return
		}
		x := newAssets(r.list)
		for _, a := range r.list {
			if a.kind == assetCIDR && x.ofAddr(a.net.Addr()) == nil {
				t.Fatalf("%s is not found", a.match)
			}
			if a.kind != assetCIDR && !strings.ContainsAny(a.match, "*?") && x.ofName(a.kind, a.match) != a {
				t.Fatalf("%s %q is not found", assetWords[a.kind], a.match)
			}
		}
	})
}

func FuzzRanges(f *testing.F) {
	f.Add([]byte(`{"prefixes":[{"ip_prefix":"192.0.2.0/24","region":"r","service":"EC2"}]}`))
	f.Add([]byte("192.0.2.0/24 acme cloud eu\n::/0 x"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r := newRangeReader()
		r.json(text)
		r.plain(string(text))
		x := r.table()
		for _, e := range r.entries {
			if e.net.IsValid() && x.nets.find(e.net.Addr()) < 0 {
				t.Fatalf("%s is not found", e.net)
			}
		}
	})
}
