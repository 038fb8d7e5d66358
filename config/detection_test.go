package config

import (
	"slices"
	"testing"

	"github.com/BurntSushi/toml"
)

// TestListIsTOML: a list comes back from what shows it, whatever its values hold.
func TestListIsTOML(t *testing.T) {
	for _, l := range []List{
		{Values: []string{"plain", "quote \" and \\", "tab\tand\nline", "\x00\x01\x07\x1b[0m\x7f", "ünïcode ‹›", ""}},
		{File: "a\x07b\\c\".txt"},
	} {
		text, err := toml.Marshal(map[string]any{"l": l})
		if err != nil {
			t.Fatal(err)
		}
		var back struct {
			L List `toml:"l"`
		}
		if err := toml.Unmarshal(text, &back); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if back.L.File != l.File || !slices.Equal(back.L.Values, l.Values) {
			t.Errorf("%+v came back as %+v", l, back.L)
		}
	}
}

func FuzzQuoteTOML(f *testing.F) {
	f.Add("a\x00\"\\")
	f.Fuzz(func(t *testing.T, s string) {
		var v map[string]string
		if err := toml.Unmarshal([]byte("a = "+quoteTOML(s)), &v); err != nil || v["a"] != string([]rune(s)) {
			t.Fatalf("%q came back as %q: %v", s, v["a"], err)
		}
	})
}
