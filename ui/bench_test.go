package ui

import (
	"testing"

	"bartizan/event"
)

func benchWorld() *world {
	w := story()
	for i := range 2000 {
		w.add(envoy, busyLine(i), event.LevelInfo, "source.ip=198.51.100.1")
	}
	return w
}

// A frame in which three rows are new: what following costs per frame.
func BenchmarkDrawFollowing(b *testing.B) {
	d := newDriver(b, benchWorld(), nil)
	d.attach(200, 60)
	b.ReportAllocs()
	for b.Loop() {
		for range 3 {
			if d.c.snap.next--; d.c.snap.next < 200 {
				d.c.snap.next = 2000
			}
		}
		d.c.dirty = true
		d.c.View()
	}
	b.ReportMetric(float64(len(d.c.View().Content)), "bytes/frame")
}

// A frame in which nothing is new but something might be.
func BenchmarkDrawSame(b *testing.B) {
	d := newDriver(b, benchWorld(), nil)
	d.attach(200, 60)
	b.ReportAllocs()
	for b.Loop() {
		d.c.dirty = true
		d.c.View()
	}
}

// A frame in which every row is new: paging, or a flood.
func BenchmarkDrawAllNew(b *testing.B) {
	d := newDriver(b, benchWorld(), nil)
	d.attach(200, 60)
	d.press("2")
	b.ReportAllocs()
	for b.Loop() {
		d.c.home.stream.cache.rows = nil
		d.c.dirty = true
		d.c.View()
	}
}

// A record as long as a record may be costs no more than a row of it.
func BenchmarkDrawHugeRecord(b *testing.B) {
	w := benchWorld()
	huge := make([]byte, 1<<20)
	for i := range huge {
		huge[i] = "\x1b[31m\xff"[i%6]
	}
	w.add(envoy, string(huge), event.LevelInfo)
	d := newDriver(b, w, nil)
	d.attach(200, 60)
	b.ReportAllocs()
	for b.Loop() {
		d.c.home.stream.cache.rows = nil
		d.c.dirty = true
		d.c.View()
	}
}

func BenchmarkKey(b *testing.B) {
	d := newDriver(b, benchWorld(), nil)
	d.attach(200, 60)
	d.press("2")
	b.ReportAllocs()
	keys := []string{"k", "j"}
	for i := 0; b.Loop(); i++ {
		d.c.Update(keyMsg(keys[i%2]))
		d.c.View()
	}
}
