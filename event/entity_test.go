package event

import (
	"fmt"
	"strings"
	"testing"
)

// fieldsOf makes fields of "name=value" pairs; with symbols or without.
func fieldsOf(syms bool, pairs ...string) []Field {
	var out []Field
	for _, p := range pairs {
		name, value, _ := strings.Cut(p, "=")
		f := Field{Name: name, Value: Value{Str: value, Pos: -1, End: -1}}
		if syms {
			f.Sym = Intern(name)
		}
		out = append(out, f)
	}
	return out
}

func TestEntities(t *testing.T) {
	for _, c := range []struct {
		name, category string
		fields         []string
		want           string
	}{
		{
			"a login", "",
			[]string{"source.ip=203.0.113.9", "user.name=root", "host.name=web-1", "source.user.key=SHA256:x"},
			"user actor root, ip source 203.0.113.9, host observer web-1, key actor SHA256:x",
		},
		{"nothing is named by a dash", "", []string{"user.name=-", "source.ip="}, ""},
		{"a list yields each, doubles once", "", []string{"source.ip=10.0.0.1", "source.ip=10.0.0.2", "source.ip=10.0.0.1"}, "ip source 10.0.0.1, ip source 10.0.0.2"},
		{"one value in two fields of a kind", "", []string{"user.name=eve", "user.target.name=eve"}, "user actor eve"},
		{
			"a pod in its namespace", "",
			[]string{"orchestrator.namespace=shop", "orchestrator.resource.name=web-1", "orchestrator.resource.type=pods", "container.id=containerd://0123456789abcdef0123"},
			"container target 0123456789ab, pod target shop/web-1",
		},
		{"no container", "", []string{"container.id=host"}, ""},
		{"a docker name is no id", "", []string{"container.id=web"}, "container target web"},
		{"another object", "", []string{"orchestrator.namespace=shop", "orchestrator.resource.name=db", "orchestrator.resource.type=Secrets"}, "resource target shop/secrets/db"},
		{"one of the cluster", "", []string{"orchestrator.resource.name=admin", "orchestrator.resource.type=clusterroles"}, "resource target clusterroles/admin"},
		{"everybody's groups name nobody", "", []string{"user.roles=system:authenticated", "user.roles=system:masters"}, "role actor system:masters"},
		{"a name that was asked for", "", []string{"dns.question.name=evil.example"}, "domain target evil.example"},
		{"the site that logged", "webserver", []string{"url.domain=shop.example"}, "domain observer shop.example"},
		{"through a proxy", "proxy", []string{"url.domain=evil.example"}, "domain target evil.example"},
		{"an address is no name", "proxy", []string{"url.domain=169.254.169.254"}, ""},
		{"a service that called", "", []string{"source.domain=ec2.amazonaws.com"}, ""},
		{
			"a role was taken", "",
			[]string{"requestParameters.roleArn=arn:aws:iam::1:role/Admin", "responseElements.credentials.accessKeyId=ASIAEXAMPLE", "cloud.access_key=AKIAEXAMPLE"},
			"key actor AKIAEXAMPLE, key target ASIAEXAMPLE, role target arn:aws:iam::1:role/Admin",
		},
		{"what was joined", "", []string{"session.id=12", FieldSession + "=web-2/700@1", FieldBehind + "=alice"}, "user joined alice, session joined web-2/700@1, session actor 12"},
		{"hashes", "", []string{"file.hash.md5=aa", "file.hash.sha256=bb"}, "hash target bb, hash target aa"},
	} {
		for _, syms := range []bool{true, false} {
			e := Event{Fields: fieldsOf(syms, c.fields...), LogSource: LogSource{Category: c.category}}
			var got []string
			for _, n := range e.Entities(nil) {
				got = append(got, fmt.Sprintf("%s %s %s", n.Kind, n.Role, n.Value))
			}
			if s := strings.Join(got, ", "); s != c.want {
				t.Errorf("%s (symbols: %v):\n got %s\nwant %s", c.name, syms, s, c.want)
			}
		}
	}
}

// TestKindsKeepTheirNumbers: they are part of what alerts are known by.
func TestKindsKeepTheirNumbers(t *testing.T) {
	var got []string
	for k := range endOfKinds {
		got = append(got, k.String())
		text, _ := k.MarshalText()
		var back EntityKind
		if err := back.UnmarshalText(text); err != nil || back != k {
			t.Errorf("%s is read as %s, %v", text, back, err)
		}
		_ = k.Letter()
	}
	want := "user ip host key session container workload bucket request hash value pod domain role resource"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("the kinds are %s, want %s: a new one goes to the end", s, want)
	}
	for r := range endOfRoles {
		text, _ := r.MarshalText()
		var back Role
		if err := back.UnmarshalText(text); err != nil || back != r {
			t.Errorf("%s is read as %s, %v", text, back, err)
		}
	}
	var k EntityKind
	var r Role
	if k.UnmarshalText([]byte("ghost")) == nil || r.UnmarshalText([]byte("ghost")) == nil {
		t.Error("a ghost is read as something")
	}
	if EntityKind(200).String() != "value" || EntityKind(200).Letter() != 0 || Role(200).String() != "unknown" {
		t.Error("what is no kind has a name")
	}
}

func TestContainerID(t *testing.T) {
	for in, want := range map[string]string{
		"0123456789abcdef0123": "0123456789ab", "containerd://0123456789abcdef": "0123456789ab", "cri-o://0123456789ab": "0123456789ab",
		"0123456789ab": "0123456789ab", "012345": "012345", "web-frontend-one": "web-frontend-one", "docker://web": "docker://web", "": "",
	} {
		if got := ContainerID(in); got != want {
			t.Errorf("%q is cut to %q, want %q", in, got, want)
		}
	}
}

// TestManyEntities: a hostile record cannot yield without end.
func TestManyEntities(t *testing.T) {
	var e Event
	for i := range 5000 {
		e.Fields = append(e.Fields, Field{Name: "source.ip", Value: Value{Str: fmt.Sprint(i)}})
	}
	if n := len(e.Entities(nil)); n != MaxEntityFields {
		t.Errorf("%d entities of one record", n)
	}
}

func BenchmarkEntities(b *testing.B) {
	var pairs []string
	for i := range 60 {
		pairs = append(pairs, fmt.Sprintf("native.name%d=x", i))
	}
	e := Event{Fields: fieldsOf(true, append(pairs, "user.name=root", "source.ip=203.0.113.9", "host.name=web-1")...)}
	room := make([]Entity, 0, 16)
	b.ReportAllocs()
	for b.Loop() {
		_ = e.Entities(room[:0])
	}
}
