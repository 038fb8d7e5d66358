package event

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestSafeJSON holds that the text says the same and shows nothing hidden.
func TestSafeJSON(t *testing.T) {
	for _, s := range []string{"plain", "é✓ 日本", "a\u202eb", "\u009b31m", "x\u007fy", "tag\U000e0041end", "zero\u200bwidth", ""} {
		b, err := json.Marshal(map[string]string{"v": s})
		if err != nil {
			t.Fatal(err)
		}
		safe := SafeJSON(b)
		var back map[string]string
		if err := json.Unmarshal(safe, &back); err != nil || back["v"] != s {
			t.Errorf("%q became %s (%v)", s, safe, err)
		}
		for _, r := range string(safe) {
			if r == 0x7f || r > 0x7f && Hidden(r) {
				t.Errorf("%q still shows %U: %s", s, r, safe)
			}
		}
		if s == "plain" && !strings.Contains(string(safe), "plain") {
			t.Error("plain text changed")
		}
	}
}
