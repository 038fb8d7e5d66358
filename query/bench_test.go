package query

import (
	"strings"
	"testing"
)

func BenchmarkMatch(b *testing.B) {
	e := sample()
	for _, q := range []string{
		"missing", "user: root", "addr: 10.0.0.0/8", "level >= warning", "/miss[io]ng/", "miss*ing",
		"user: (a or b or c) and not source.ip: 10.0.0.0/8", "ip in @bad", "in @bad", "n > 7",
	} {
		n, err := ParseWith(q, lists)
		if err != nil {
			b.Fatal(err)
		}
		m, err := Compile(n)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(q, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m.Match(e)
			}
		})
	}
}

func BenchmarkContainsFold(b *testing.B) {
	line := "Nov 21 10:00:00 web-1 sshd[1234]: Failed password for invalid user admin from 203.0.113.9 port 51022 ssh2\n"
	text := strings.Repeat(line, 10_000)
	for _, sub := range []string{"zebra", "accepted", "from 198.51.100", "ключ"} {
		b.Run(sub, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				ContainsFold(text, sub)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_, _ = Parse("user.name: root and not source.ip: 10.0.0.0/8 and level >= warning")
	}
}
