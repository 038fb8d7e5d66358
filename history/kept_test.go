package history

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"bartizan/event"
	"bartizan/query"
	"bartizan/sources"
	"bartizan/sources/parse"
)

// TestSearchOfWhatHasNoFile: a spool is searched like a file, by query and event time,
// and says what its caps took.
func TestSearchOfWhatHasNoFile(t *testing.T) {
	s := openSpool(t, t.TempDir())
	at := time.Now().UTC().Truncate(time.Second)
	for i := range 6 {
		stamp := at.Add(time.Duration(i-5) * time.Hour)
		keep(t, s, []sources.Record{{
			Raw: fmt.Appendf(nil, `{"time":%q,"n":"n%d","word":"odd%d"}`, stamp.Format(time.RFC3339), i, i%2), Seen: time.Now(),
			Ref: event.Ref{Epoch: 4, File: event.FileID{Ino: 9}, Offset: int64(i)},
		}})
	}
	keep(t, s, []sources.Record{{Raw: []byte("4 records are missing"), Seen: time.Now(), Lost: 4}})
	h := &History{
		Registry: parse.NewRegistry(parse.Options{Zone: time.UTC}), Sources: func() []sources.Info { return nil },
		Kept: func() []Kept { return []Kept{{sources.Info{ID: "http:x", Kind: "http", Name: "hook"}, s}} },
	}
	for _, c := range []struct {
		query    string
		from, to time.Time
		most     int
		want     string
		missing  bool
	}{
		{"*", time.Time{}, time.Time{}, 9, "n0 n1 n2 n3 n4 n5", true},
		{"word: odd1", time.Time{}, time.Time{}, 9, "n1 n3 n5", true},
		{"*", at.Add(-2 * time.Hour), at, 9, "n3 n4", true},
		{"*", time.Time{}, time.Time{}, 2, "n0 n1", false},
		{"nothing", time.Time{}, time.Time{}, 9, "", true},
	} {
		n, err := query.Parse(c.query)
		must(t, err)
		m, err := query.Compile(n)
		must(t, err)
		var got []string
		var done []float64
		err = h.Search(t.Context(), m, c.from, c.to, func(e *event.Event) bool {
			_, rest, _ := strings.Cut(string(e.Raw), `"n":"`)
			got = append(got, rest[:2])
			if e.Ref.Source != "http:x" || e.Ref.Epoch != 4 || e.Ref.File.Ino != 9 {
				t.Errorf("the reference is %+v", e.Ref)
			}
			return len(got) < c.most
		}, func(p float64) { done = append(done, p) })
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s found %q, want %q", c.query, got, c.want)
		}
		if missing := err != nil && strings.Contains(err.Error(), "4 records are missing"); missing != c.missing {
			t.Errorf("%s ended with %v", c.query, err)
		}
		if c.missing && !slices.Equal(done, []float64{1}) {
			t.Errorf("%s was %v done", c.query, done)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n, err := query.Parse("*")
	must(t, err)
	m, err := query.Compile(n)
	must(t, err)
	if err := h.Search(ctx, m, time.Time{}, time.Time{}, func(*event.Event) bool { return true }, func(float64) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("called off: %v", err)
	}
}

// TestFolderOf: no id leads out of the folder of all spools, and no two lead to one.
func TestFolderOf(t *testing.T) {
	seen := map[string]string{}
	for _, id := range []string{"", ".", "..", "a/b", "a%2Fb", "http:0.0.0.0:80", "../x", "\x00", "ü", "a", "A"} {
		name := FolderOf(id)
		if strings.ContainsAny(name, "/.\x00") || seen[name] != "" {
			t.Errorf("%q is %q, like %q", id, name, seen[name])
		}
		seen[name] = id
	}
}
