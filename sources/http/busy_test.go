package http

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/sources"
)

// TestBusy: who is not answered with 200 is told to come again.
func TestBusy(t *testing.T) {
	short := begin(t, Config{Wait: 50 * time.Millisecond}, nil)
	if a := short.post(alert); a.code != 503 || a.retry != "1" {
		t.Errorf("nobody takes it: %+v", a)
	}
	go func() { <-short.out }()
	for range 2 { // one of them at least is taken
		if a := short.post(alert); a.code != 503 || a.retry != "1" {
			t.Errorf("nobody commits it: %+v", a)
		}
	}
	r := begin(t, Config{MaxBody: 5000, Wait: patience}, func(l *listener) { l.most.held = 4 * 5001 })
	first := make(chan answer, 3)
	var waiting []sources.Batch
	for range 3 { // each holds 5001 bytes, and as many more while it is unpacked
		go func() { first <- r.post(packed(alert), "Content-Encoding", "gzip") }()
		waiting = append(waiting, <-r.out)
	}
	if string(waiting[0].Records[0].Raw) != alert {
		t.Errorf("the batch holds %q", waiting[0].Records[0].Raw)
	}
	if a := r.post(packed(alert), "Content-Encoding", "gzip"); a.code != 429 || a.retry != "1" {
		t.Errorf("all memory is held by the batches: %+v", a)
	}
	for _, b := range waiting {
		b.Done(nil)
		if a := <-first; a.code != 200 {
			t.Errorf("when it is committed: %+v", a)
		}
	}
	go func() { b := <-r.out; b.Done(errors.New("the disk is full")) }()
	if a := r.post(alert); a.code != 503 {
		t.Errorf("it could not be committed: %+v", a)
	}
	r.commit()
	if a := r.post(alert); a.code != 200 {
		t.Errorf("when all is well again: %+v", a)
	}
}

// TestAnswersAfterCommit: the answer waits for Done.
func TestAnswersAfterCommit(t *testing.T) {
	r := begin(t, Config{}, nil)
	var answered atomic.Bool
	result := make(chan answer, 1)
	go func() {
		a := r.post(alert)
		answered.Store(true)
		result <- a
	}()
	b := <-r.out
	if answered.Load() {
		t.Error("answered before it was committed")
	}
	b.Done(nil)
	if a := <-result; a.code != 200 {
		t.Errorf("answered %+v", a)
	}
}

// TestSameAgain: what is sent again has the same identity, within the hour.
func TestSameAgain(t *testing.T) {
	var now atomic.Int64
	now.Store(1_790_000_000)
	r := begin(t, Config{Now: func() time.Time { return time.Unix(now.Load(), 0) }}, nil)
	got := r.commit()
	for range 2 {
		r.post(`{"a":1}{"a":1}`)
	}
	now.Add(3600)
	r.post(`{"a":1}{"a":1}`)
	r.post(`{"a":1} {"a":1}`)
	seen := map[detect.HitID][]int{}
	for i, rec := range *got {
		id := detect.NewHitID("r", []event.Ref{rec.Ref.Sealed(rec.Raw)})
		seen[id] = append(seen[id], i)
	}
	if len(*got) != 8 || len(seen) != 6 {
		t.Errorf("%d records make %d hits: %v", len(*got), len(seen), seen)
	}
}

// TestSlow: senders that do not go on are cut off, and meanwhile hold up nobody
// but those beyond the cap on connections.
func TestSlow(t *testing.T) {
	t.Parallel()
	r := begin(t, Config{}, func(l *listener) { l.most = limits{3, time.Second, 2 * time.Second, maxHeld} })
	r.commit()
	var slow []net.Conn
	for _, start := range []string{"POST / HT", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"a\""} {
		c, err := net.Dial("tcp", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		if _, err := c.Write([]byte(start)); err != nil {
			t.Fatal(err)
		}
		slow = append(slow, c)
	}
	for range 5 {
		r.accepted(alert)
	}
	for i, c := range slow {
		if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		said, err := io.ReadAll(c)
		if err != nil {
			t.Errorf("slow sender %d was not cut off: %v", i, err)
		}
		if strings.Contains(string(said), " 200 ") {
			t.Errorf("slow sender %d was told %q", i, said)
		}
	}
}

// TestMoreConnections: those beyond the cap are served when others leave.
func TestMoreConnections(t *testing.T) {
	t.Parallel()
	r := begin(t, Config{}, func(l *listener) { l.most = limits{2, time.Second, 2 * time.Second, maxHeld} })
	r.commit()
	for range 2 {
		c, err := net.Dial("tcp", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
	}
	for range 3 {
		r.accepted(alert)
	}
}

// TestGarbage: what is no HTTP is refused, and the listener goes on.
func TestGarbage(t *testing.T) {
	r := begin(t, Config{}, nil)
	r.commit()
	for _, text := range []string{"\x00\x01\x02\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"} {
		c, err := net.Dial("tcp", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte(text)) // it may be cut off before
		_ = c.(*net.TCPConn).CloseWrite()
		said, _ := io.ReadAll(c)
		if strings.Contains(string(said), " 200 ") {
			t.Errorf("%q was told %q", text, said)
		}
		_ = c.Close()
	}
	if a := r.post(alert); a.code != 200 {
		t.Errorf("afterwards: %+v", a)
	}
}

// TestStops: Run ends while requests hang, and they are told.
func TestStops(t *testing.T) {
	r := begin(t, Config{}, nil)
	result := make(chan answer, 1)
	go func() { result <- r.post(alert) }()
	<-r.out // and never committed
	r.stop()
	if a := <-result; a.code == 200 {
		t.Errorf("answered %+v", a)
	}
}

func TestRunFails(t *testing.T) {
	r := begin(t, Config{}, nil)
	for name, c := range map[string]Config{
		"taken":          {Listen: r.addr},
		"no certificate": {Listen: "127.0.0.1:0", Cert: "/nowhere/c", Key: "/nowhere/k"},
	} {
		op, err := Open(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := op.Source.Run(t.Context(), "", nil); err == nil {
			t.Errorf("%s: Run returns no error", name)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		cfg  Config
		fine bool
	}{
		{Config{Listen: "127.0.0.1:0"}, true},
		{Config{Listen: "[::1]:80"}, true},
		{Config{Listen: "localhost:80"}, true},
		{Config{Listen: "localhost.example.org:80"}, false},
		{Config{Listen: "0.0.0.0:80"}, false},
		{Config{Listen: ":80"}, false},
		{Config{Listen: "0.0.0.0:80", Token: "t"}, false},
		{Config{Listen: "0.0.0.0:80", Cert: "c", Key: "k"}, false},
		{Config{Listen: "0.0.0.0:80", Token: "t", Cert: "c", Key: "k"}, true},
		{Config{Listen: "0.0.0.0:80", Secret: "s"}, true},
		{Config{Listen: "127.0.0.1:80", Cert: "c"}, false},
		{Config{Listen: "127.0.0.1"}, false},
		{Config{Listen: "127.0.0.1:"}, false},
		{Config{Listen: "127.0.0.1:1", MaxBody: -1}, false},
		{Config{Listen: "127.0.0.1:1", MaxBody: MaxBody + 1}, false},
		{Config{Listen: "127.0.0.1:1", Wait: -1}, false},
	} {
		if _, err := Open(c.cfg); (err == nil) != c.fine {
			t.Errorf("%+v: %v", c.cfg, err)
		}
	}
}
