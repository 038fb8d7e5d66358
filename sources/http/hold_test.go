package http

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"bartizan/event"
	"bartizan/sources"
)

// begun sends a request up to where its body stops.
func begun(t *testing.T, addr, header string, body []byte) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n", header, DefaultBody); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(body); err != nil {
		t.Fatal(err)
	}
	return c
}

// signature is what a sender with that secret adds.
func signature(secret, body string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(m.Sum(nil))
}

// TestSlowStrangers: who has not proven who it is, and sends slowly, does not keep
// out who signs.
func TestSlowStrangers(t *testing.T) {
	t.Parallel()
	r := begin(t, Config{Secret: "k"}, nil)
	r.commit()
	for range 40 {
		begun(t, r.addr, "X-Bartizan-Signature: sha256="+strings.Repeat("0", 64)+"\r\n", []byte(`{"a"`))
	}
	if a := r.post(alert, "X-Bartizan-Signature", signature("k", alert)); a.code != 200 {
		t.Errorf("a signed request beside 40 slow ones: %+v", a)
	}
}

// TestUnsignedBodies: without a signature nothing of a body is waited for.
func TestUnsignedBodies(t *testing.T) {
	t.Parallel()
	r := begin(t, Config{Secret: "k"}, nil)
	for _, header := range []string{"", "X-Hub-Signature-256: sha256=00\r\n", "X-Bartizan-Signature: sha256=" + strings.Repeat("z", 64) + "\r\n"} {
		c := begun(t, r.addr, header, nil)
		if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		said := make([]byte, 12)
		if _, err := io.ReadFull(c, said); err != nil || string(said) != "HTTP/1.1 401" {
			t.Errorf("after %q it says %q, %v", header, said, err)
		}
	}
}

// TestHoldModel: what is held never passes the bounds, and is all given back.
func TestHoldModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		const most = 100_000
		r := &receiver{cfg: &Config{Secret: "k"}, most: most, strangers: strangers{by: map[string]int64{}, all: most / 2, one: most / 4}}
		type one struct {
			h    *hold
			host string
		}
		var open []one
		check := func() {
			var sum, unknown int64
			by := map[string]int64{}
			for _, o := range open {
				sum += o.h.weight
				if o.h.from != nil {
					unknown += o.h.weight
					by[o.host] += o.h.weight
				}
			}
			if r.held.Load() != sum || r.sum != unknown || sum > most || unknown > most/2 {
				rt.Fatalf("held %d of %d, unknown %d of %d", r.held.Load(), sum, r.sum, unknown)
			}
			for host, n := range by {
				if n > most/4 || r.by[host] != n {
					rt.Fatalf("%s holds %d, said %d", host, n, r.by[host])
				}
			}
		}
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			switch rapid.IntRange(0, 3).Draw(rt, "do") {
			case 0:
				host := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "host")
				h := &hold{of: &r.held, most: r.most, from: &r.strangers, host: host}
				h.users.Store(1)
				open = append(open, one{h, host})
			case 1:
				if len(open) > 0 {
					o := open[rapid.IntRange(0, len(open)-1).Draw(rt, "which")]
					body := rapid.IntRange(0, 60_000).Draw(rt, "bytes")
					size := rapid.SampledFrom([]int64{-1, int64(body), 1 << 40}).Draw(rt, "said")
					limit := int64(rapid.IntRange(0, 60_000).Draw(rt, "limit"))
					got, err := o.h.read(bytes.NewReader(make([]byte, body)), size, limit)
					if err == nil && len(got) != min(body, int(limit)+1) || err != nil && !errors.Is(err, errFull) {
						rt.Fatalf("read %d of %d, limit %d: %v", len(got), body, limit, err)
					}
				}
			case 2:
				if len(open) > 0 {
					open[rapid.IntRange(0, len(open)-1).Draw(rt, "which")].h.trust()
				}
			case 3:
				if len(open) > 0 {
					i := rapid.IntRange(0, len(open)-1).Draw(rt, "which")
					open[i].h.leave()
					open = append(open[:i], open[i+1:]...)
				}
			}
			check()
		}
		for _, o := range open {
			o.h.leave()
		}
		if r.held.Load() != 0 || r.sum != 0 || len(r.by) != 0 {
			rt.Fatalf("%d held, %d by strangers, %v", r.held.Load(), r.sum, r.by)
		}
	})
}

// TestUnpackHolds: while a body is unpacked no more is held than what is packed,
// what is unpacked, and a buffer that grows.
func TestUnpackHolds(t *testing.T) {
	var b strings.Builder
	for i := range 30_000 { // so that gzip makes about a third of it
		sum := sha256.Sum256([]byte(strconv.Itoa(i)))
		fmt.Fprintf(&b, `{"a":"%x"}`, sum)
	}
	text := b.String()
	wire := []byte(packed(text))
	h := &hold{of: new(atomic.Int64), most: int64(len(text)) + 64<<10} // the packed bytes are held by who read them
	h.users.Store(1)
	if body, err := unpack(wire, DefaultBody, h); err != nil || len(body) != len(text) {
		t.Errorf("%d of %d bytes: %v", len(body), len(text), err)
	}
	h.leave()
	h = &hold{of: new(atomic.Int64), most: int64(len(text)) / 2}
	if _, err := unpack(wire, DefaultBody, h); !errors.Is(err, errFull) {
		t.Errorf("without room: %v", err)
	}
}

// TestConditionsAreTold: a renewed certificate that cannot be used, and senders
// that wait for a connection, are seen at the source.
func TestConditionsAreTold(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := certificate(t, dir, 1)
	told := make(chan sources.Condition, 64)
	r := begin(t, Config{Cert: cert, Key: key, Token: "t"}, func(l *listener) {
		l.most.conns = 2
		l.Report(func(c sources.Condition) { told <- c })
	})
	await := func(what string, ok func(reason string) bool) {
		t.Helper()
		for end := time.After(patience); ; {
			select {
			case c := <-told:
				if c.State != event.SourceLive {
					t.Fatalf("%+v", c)
				}
				if ok(c.Reason) {
					return
				}
			case <-end:
				t.Fatalf("nobody was told that %s", what)
			}
		}
	}
	if err := os.WriteFile(cert, []byte("half of it"), 0o600); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(cert, later, later); err != nil {
		t.Fatal(err)
	}
	await("the certificate is broken", func(s string) bool {
		return strings.Contains(s, "the renewed certificate "+filepath.Join(dir, "c.pem")) && strings.Contains(s, "the one before it stays in use, which ends ")
	})
	certificate(t, dir, 2)
	if err := os.Chtimes(cert, later.Add(time.Minute), later.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	await("it is well again", func(s string) bool { return s == "" })
	for range 3 {
		c, err := net.Dial("tcp", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
	}
	await("connections are taken", func(s string) bool { return strings.Contains(s, "all 2 connections were taken 1 times") })
}
