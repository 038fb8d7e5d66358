package store

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"bartizan/event"
)

// logLine is one record of about 110 bytes.
func logLine(i int) []byte {
	return fmt.Appendf(nil, "Mar  1 03:%02d:%02d bastion sshd[%d]: Failed password for invalid user admin%d from 203.0.113.%d port %d ssh2",
		i/60%60, i%60, 1000+i%5000, i%97, i%256, 1024+i%60000)
}

// residentMiB is the process's resident memory, 0 where /proc does not tell.
func residentMiB() float64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		return 0
	}
	return float64(pages*os.Getpagesize()) / (1 << 20)
}

func BenchmarkRingAppend(b *testing.B) {
	r := newRing(b, DefaultRing)
	var lines [1024]event.Event
	for i := range lines {
		raw := logLine(i)
		lines[i] = event.Event{Raw: raw, Time: time.Unix(int64(i), 0), Seen: time.Unix(int64(i), 0), Ref: event.Ref{Source: "file:auth.log", Offset: int64(i), Len: int32(len(raw))}}
	}
	b.SetBytes(int64(len(lines[0].Raw)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := r.Append(&lines[i%len(lines)]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRingFull fills a ring of 256 MiB twice over and reports what the
// process holds then beyond what it held before.
func BenchmarkRingFull(b *testing.B) {
	for b.Loop() {
		before := residentMiB()
		r := newRing(b, DefaultRing)
		e := event.Event{}
		var bytes int64
		for i := 0; bytes < 2*DefaultRing; i++ {
			e.Raw = logLine(i)
			bytes += int64(len(e.Raw)) + rowSize
			if _, err := r.Append(&e); err != nil {
				b.Fatal(err)
			}
		}
		first, next := r.Bounds()
		b.ReportMetric(residentMiB()-before, "MiB-resident")
		b.ReportMetric(float64(next-first), "rows")
		r.Close()
	}
}

func BenchmarkRingScan(b *testing.B) {
	r := newRing(b, DefaultRing)
	size := int64(0)
	for i := range 1_000_000 {
		raw := logLine(i)
		size += int64(len(raw))
		add(b, r, &event.Event{Raw: raw})
	}
	for _, c := range []struct{ name, literal string }{
		{"all", ""}, {"absent", "metadata"}, {"rare", "admin96 from 203.0.113.7 "}, {"common", "failed password"},
	} {
		b.Run(c.name, func(b *testing.B) {
			var literals [][]byte
			if c.literal != "" {
				literals = [][]byte{[]byte(c.literal)}
			}
			b.SetBytes(size)
			n := 0
			for b.Loop() {
				n = 0
				if err := r.Scan(context.Background(), 1, 1_000_001, literals, func(*Row) bool { n++; return true }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n), "rows-found")
		})
	}
}
