package http

import (
	"encoding/json"
	"sync/atomic"
	"testing"
)

// FuzzSplit: the parts of a body are JSON objects in order, and all that stands
// between them is punctuation.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{alert, alert + "\n" + sidekick, "[" + alert + "," + sidekick + "]", "[]", "{}{}", "\xef\xbb\xbf{}", "[{}]x", `[{"a":[1,{"b":"]"}]}]`, "", "1", "[[", "{\"a\":\"\\u0000\xff\"}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		parts, err := split(body)
		if err != nil {
			return
		}
		at := 0
		for _, p := range parts {
			if p.from < at || p.to <= p.from || p.to > len(body) {
				t.Fatalf("part %+v after %d of %d", p, at, len(body))
			}
			if raw := body[p.from:p.to]; raw[0] != '{' || !json.Valid(raw) {
				t.Fatalf("part %q", raw)
			}
			for _, c := range body[at:p.from] {
				switch c {
				case ' ', '\t', '\r', '\n', ',', '[', 0xef, 0xbb, 0xbf:
				default:
					t.Fatalf("%q was passed over", body[at:p.from])
				}
			}
			at = p.to
		}
	})
}

// FuzzUnpack: what is unpacked stays within the bound.
func FuzzUnpack(f *testing.F) {
	f.Add([]byte(packed(alert)), int64(1000))
	f.Add([]byte(packed("")), int64(0))
	f.Fuzz(func(t *testing.T, wire []byte, limit int64) {
		if limit < 0 || limit > MaxBody {
			return
		}
		h := &hold{of: new(atomic.Int64), most: 2 * MaxBody}
		if body, err := unpack(wire, limit, h); err == nil && int64(len(body)) > limit {
			t.Fatalf("%d bytes, %d allowed", len(body), limit)
		}
	})
}
