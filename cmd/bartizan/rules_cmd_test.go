package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/creack/pty"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/query"
)

// TestRulesEndWhenAsked holds that a person who ends a long work gets what is
// known by then.
func TestRulesEndWhenAsked(t *testing.T) {
	log := filepath.Join(t.TempDir(), "auth.log")
	if err := os.WriteFile(log, []byte("2026-11-03T09:14:02Z h sshd[1]: Failed password for root from 203.0.113.9 port 40022 ssh2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct{ args, want string }{
		{"rules bench --events 1000000000", "matching alone: "},
		{"rules bench " + log, "matching alone: "},
		{"rules coverage " + log, " fired on these logs"},
		{"rules backtest d9b3361b " + log, "no hit"},
		{"rules test", " rules with tests"},
	} {
		var out, said bytes.Buffer
		root := newRoot(&app{out: &out, err: &said})
		root.SetArgs(strings.Fields(c.args))
		if err := root.ExecuteContext(ctx); !errors.Is(err, errStopped) {
			t.Errorf("%s ends with %v", c.args, err)
		}
		if !strings.Contains(out.String(), c.want) {
			t.Errorf("%s prints %q", c.args, out.String())
		}
	}
}

func TestHistogram(t *testing.T) {
	for _, c := range []struct {
		name string
		days []backCount
		want string
	}{
		{"one day", []backCount{{"2026-11-03", 2, 0}}, "  2026-11-03       2 " + strings.Repeat("#", 50)},
		{"a gap and a share", []backCount{{"2026-11-03", 1, 0}, {"2026-11-05", 5, 5}}, "  2026-11-03       1 #####\n  2026-11-04       0\n  2026-11-05       5 " + strings.Repeat("#", 25) + strings.Repeat(".", 25)},
		{"a day that is none", []backCount{{"2026-11-03", 1, 0}, {"further days", 7, 0}}, "  2026-11-03       1 " + strings.Repeat("#", 50)},
		{"no day", []backCount{{"further days", 7, 0}}, ""},
	} {
		if got := strings.Join(histogram(c.days), "\n"); got != c.want {
			t.Errorf("%s:\n%s\nnot\n%s", c.name, got, c.want)
		}
	}
	long := histogram([]backCount{{"2016-01-01", 1, 0}, {"2026-11-03", 2, 0}})
	if len(long) > backRows || !strings.HasPrefix(long[0], "  2016-01-01       1 ") {
		t.Errorf("ten years take %d rows: %s", len(long), long[0])
	}
}

func TestRecordOf(t *testing.T) {
	dir := t.TempDir()
	odd := filepath.Join(dir, "odd:7")
	if err := os.WriteFile(odd, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		place, file string
		line        int64
	}{
		{"a.log:12", "a.log", 12},
		{"a.log", "a.log", 0},
		{"a.log:0", "a.log:0", 0},
		{"a.log:x", "a.log:x", 0},
		{":3", ":3", 0},
		{"-", "-", 0},
		{odd, odd, 0},
		{odd + ":2", odd, 2},
		{"a:b:3", "a:b", 3},
		{"a:99999999999999999999", "a:99999999999999999999", 0},
	} {
		if file, line := recordOf(c.place); file != c.file || line != c.line {
			t.Errorf("%s is record %d of %s", c.place, line, file)
		}
	}
}

func TestReadLogSource(t *testing.T) {
	for text, want := range map[string]event.LogSource{
		"product=aws,service=cloudtrail": {Product: "aws", Service: "cloudtrail"},
		"category=webserver":             {Category: "webserver"},
		"product=a, category=b":          {Product: "a", Category: "b"},
	} {
		if got, err := readLogSource(text); err != nil || got != want {
			t.Errorf("%s is %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "product", "product=", "colour=red", "product=a,product=b", ","} {
		if _, err := readLogSource(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestFindRules(t *testing.T) {
	all := []*detect.Rule{{ID: "ab12", Title: "Root shell"}, {ID: "ab13", Title: "Root"}, {ID: "Root", Title: "Named so"}}
	for name, want := range map[string]string{"ab1": "ab12 ab13", "ab13": "ab13", "Root": "Root", "root": "ab13", "root s": "ab12", "x": ""} {
		var got []string
		for _, r := range findRules(all, name) {
			got = append(got, r.ID)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q finds %q, not %q", name, got, want)
		}
	}
}

// TestUnfiltered holds that a rule loses exactly what filters put around it.
func TestUnfiltered(t *testing.T) {
	own := query.And{&query.Pred{Field: "a", Op: query.OpExists}, &query.Pred{Field: "b", Op: query.OpExists}}
	keep := query.Not{X: &query.Pred{Field: "c", Op: query.OpExists}}
	r := &detect.Rule{Cond: query.And{query.And{own, keep}, keep}, Filters: []string{"one", "two"}}
	if got := unfiltered(r); query.Print(got.Cond) != query.Print(own) || got.Filters != nil {
		t.Errorf("left is %s", query.Print(got.Cond))
	}
	odd := &detect.Rule{Cond: own[0], Filters: []string{"one"}}
	if got := unfiltered(odd); got != odd {
		t.Error("a rule whose filters cannot be found changed")
	}
}

// TestBackValuesAreBounded holds the cap on remembered values and days.
func TestBackValuesAreBounded(t *testing.T) {
	r := &backRule{values: map[string]map[string]int{}, others: map[string]int{}, days: map[string]*backDay{}}
	for i := range maxBackValues + 5 {
		r.count("x", strings.Repeat("a", i%7)+string(rune('a'+i%26))+strings.Repeat("b", i/26))
	}
	if got := len(r.values["x"]); got > maxBackValues || got+r.others["x"] < maxBackValues {
		t.Errorf("%d values are remembered, %d are others", got, r.others["x"])
	}
}

// TestSecretFieldsAreMaskedForPeople: on a terminal a value whose field's name says
// that it is a secret is hidden; a pipe gets all of it.
func TestSecretFieldsAreMaskedForPeople(t *testing.T) {
	ptmx, tty, err := pty.Open()
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _, _ = tty.Close(), ptmx.Close() })
	leaf := &detect.Tree{Op: "leaf", Field: "password", Seen: []string{"hunter2-hunter2"}}
	if got := (&app{out: tty}).seen(leaf); strings.Contains(got, "hunter2") || !strings.Contains(got, "masked:") {
		t.Errorf("a person sees %q", got)
	}
	if got := (&app{out: new(bytes.Buffer)}).seen(leaf); !strings.Contains(got, "hunter2-hunter2") {
		t.Errorf("a pipe gets %q", got)
	}
}

// TestCompletionsAreSafe: an id that would steer the shell's terminal is not offered.
func TestCompletionsAreSafe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "falco.yaml")
	rules := "- rule: \"evil \\e[2J\"\n  desc: d\n  condition: evt.type=open\n  output: o\n  priority: INFO\n- rule: good\n  desc: d\n  condition: evt.type=open\n  output: o\n  priority: INFO\n"
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	got, _ := (&app{out: new(bytes.Buffer), err: new(bytes.Buffer), rules: []string{file}}).completeRules(nil, nil, "")
	if all := strings.Join(got, "|"); !strings.Contains(all, "good") || strings.Contains(all, "\x1b") {
		t.Errorf("offered are %q", got)
	}
}

// FuzzMarked holds that no record can steer the terminal or leave its columns.
func FuzzMarked(f *testing.F) {
	f.Add([]byte("a\x1b[31mb\xff\xc2\x85 \u202e日本"), 3, 5)
	f.Add([]byte("e\u0301\u200d\U0001f469"), 0, 2)
	f.Fuzz(func(t *testing.T, raw []byte, from, to int) {
		marks := make([]bool, len(raw))
		mark(marks, query.Match{Pos: int32(from), End: int32(to)})
		var b strings.Builder
		w := newTable(&b, 3, 0)
		w.marked(raw, marks, 2)
		if err := w.flush(); err != nil {
			t.Fatal(err)
		}
		for _, l := range strings.Split(b.String(), "\n") {
			if strings.ContainsFunc(l, func(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x202e }) {
				t.Fatalf("%q lets %q through", raw, l)
			}
			if n := ansi.StringWidth(l); n > w.width {
				t.Fatalf("%q makes a line of %d columns: %q", raw, n, l)
			}
		}
	})
}
