package enrich

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

func TestNetsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		six := rapid.Bool().Draw(t, "six")
		addr := func(label string) netip.Addr {
			if !six {
				// Few bits vary, so that networks nest and touch.
				v := rapid.SampledFrom([]uint32{0, 1 << 31, 0xffffff00, 0x0a000000}).Draw(t, label) | rapid.Uint32Range(0, 255).Draw(t, label+" low")
				var b [4]byte
				binary.BigEndian.PutUint32(b[:], v)
				return netip.AddrFrom4(b)
			}
			var b [16]byte
			for _, i := range []int{0, 7, 8, 15} {
				b[i] = rapid.SampledFrom([]byte{0, 1, 0x80, 0xff}).Draw(t, label)
			}
			if rapid.Bool().Draw(t, label+" end") {
				for i := range b {
					b[i] = 0xff
				}
			}
			return netip.AddrFrom16(b)
		}
		var list []netEntry
		said := map[netip.Prefix]int32{}
		for i := range rapid.IntRange(0, 12).Draw(t, "n") {
			a := addr("net")
			p, err := a.Prefix(rapid.IntRange(0, a.BitLen()).Draw(t, "bits"))
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, netEntry{p, int32(i)})
			said[p] = int32(i)
		}
		table := newNets(list)
		for range 20 {
			a := addr("asked")
			want := int32(-1)
			for bits := a.BitLen(); bits >= 0 && want < 0; bits-- {
				p, _ := a.Prefix(bits)
				if at, ok := said[p]; ok {
					want = at
				}
			}
			if got := table.find(a); got != want {
				t.Fatalf("%s: %d, want %d of %v", a, got, want, list)
			}
		}
	})
}

func TestClass(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"10.1.2.3", "private"},
		{"172.31.255.255", "private"},
		{"172.32.0.0", "public"},
		{"192.168.0.1:8080", "private"},
		{"fd12::1", "private"},
		{"100.64.0.1", "shared"},
		{"100.128.0.1", "public"},
		{"100.100.100.200", "metadata"},
		{"127.0.0.53", "loopback"},
		{"::1", "loopback"},
		{"[::1]:443", "loopback"},
		{"::ffff:127.0.0.1", "loopback"},
		{"169.254.1.1", "link-local"},
		{"fe80::1%eth0", "link-local"},
		{"[fe80::1%eth0]:22", "link-local"},
		{"169.254.169.254", "metadata"},
		{"169.254.170.2", "metadata"},
		{"fd00:ec2::254", "metadata"},
		{"fd20:ce::254", "metadata"},
		{"168.63.129.16", "metadata"},
		{"224.0.0.251", "multicast"},
		{"ff02::1", "multicast"},
		{"255.255.255.255", "broadcast"},
		{"240.0.0.1", "reserved"},
		{"203.0.113.7", "documentation"},
		{"2001:db8::1", "documentation"},
		{"3fff::1", "documentation"},
		{"198.18.0.1", "benchmark"},
		{"2002:c000:201::1", "tunnel"},
		{"2001::1", "tunnel"},
		{"64:ff9b::c000:201", "tunnel"},
		{"64:ff9b:1::1", "reserved"},
		{"0.0.0.0", "unspecified"},
		{"::", "unspecified"},
		{"8.8.8.8", "public"},
		{"2600::1", "public"},
		{"5f00::1", "reserved"},
		{"cloudformation.amazonaws.com", "service"},
		{"AWS Internal", "service"},
		{"elasticache.aws.internal", "service"},
		{"gce-internal-ip", "private"},
		{"private", "private"},
		{"bucket.s3.amazonaws.com", ""},
		{".amazonaws.com", ""},
		{"web-1", ""},
		{"1.2.3", ""},
		{"1.2.3.4.5", ""},
		{"", ""},
		{"-", ""},
		{"face", ""},
		{"a:b:c:d:e:f:g:h", ""},
	} {
		x, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		field := "source.ip"
		v, _, _ := x.Enrich(eventWith(field, c.text), at(t, "source.class"), 0)
		if v.Str != c.want {
			t.Errorf("%q is %q, want %q", c.text, v.Str, c.want)
		}
	}
}

func BenchmarkNets(b *testing.B) {
	var list []netEntry
	for i := range 10_000 {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], uint32(i)*429_496)
		p, _ := netip.AddrFrom4(a).Prefix(16 + i%9)
		list = append(list, netEntry{p, int32(i)})
	}
	table := newNets(list)
	n := uint32(0)
	b.ReportAllocs()
	for b.Loop() {
		n += 2_654_435_761
		table.find(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}))
	}
}

func FuzzParseAddr(f *testing.F) {
	for _, s := range []string{"192.0.2.1", "[2001:db8::1]:443", "fe80::1%eth0", "::ffff:192.0.2.1", "1.2.3.4:80", "a.b.c.d", "%", "[", "[%", "1:2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, ok := parseAddr(s)
		if ok != a.IsValid() {
			t.Fatalf("%q: %v, %v", s, a, ok)
		}
		if whole, err := netip.ParseAddr(s); err == nil && (!ok || a != whole.Unmap().WithZone("")) {
			t.Fatalf("%q is %v, not %v", s, whole, a)
		}
	})
}
