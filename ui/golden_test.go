package ui

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden screens and docs/keys.md anew")

// golden compares text with a file under testdata, or writes it with -update.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; run go test ./ui -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s changed (run go test ./ui -update and look at the difference):\n%s", file, diff)
	}
}

var sizes = []struct{ w, h int }{{80, 24}, {120, 40}, {200, 50}, {60, 10}}

func TestGoldenScreens(t *testing.T) {
	for _, s := range []struct {
		name, keys, typed, then string
		plain                   bool
	}{
		{name: "home"},
		{name: "stream", keys: "tab k k k"},
		{name: "alert", keys: "enter"},
		{name: "entity", keys: "p i"},
		{name: "record", keys: "2 k k k k k k k k enter"},
		{name: "sources", keys: "6"},
		{name: "rules", keys: "7"},
		{name: "rule", keys: "7", typed: "/Many failed\n", then: "n enter"},
		{name: "condition", keys: "enter tab tab tab tab"},
		{name: "exception", keys: "x"},
		{name: "journal", keys: "t 9"},
		{name: "entities", keys: "3"},
		{name: "help", keys: "?"},
		{name: "palette", keys: ":", typed: "clo"},
		{name: "filter", keys: "f", typed: "user: root and not so"},
		{name: "filtered", keys: "f", typed: "user.name: root\n"},
		{name: "chord", keys: "a"},
		{name: "plain", keys: "tab", plain: true},
	} {
		for _, z := range sizes {
			t.Run(fmt.Sprintf("%s-%dx%d", s.name, z.w, z.h), func(t *testing.T) {
				d := newDriver(t, library(story()), func(o *Options) { o.Plain = s.plain })
				d.attach(z.w, z.h)
				d.press(s.keys)
				d.typed(strings.TrimSuffix(s.typed, "\n"))
				if strings.HasSuffix(s.typed, "\n") {
					d.press("enter")
				}
				d.press(s.then)
				checkShape(t, d, z.w, z.h)
				golden(t, fmt.Sprintf("testdata/%s-%dx%d.txt", s.name, z.w, z.h), d.screen())
			})
		}
	}
}

// checkShape fails when a frame has not exactly the size of the terminal.
func checkShape(t *testing.T, d *driver, w, h int) {
	t.Helper()
	lines := strings.Split(d.c.View().Content, "\n")
	if len(lines) != h {
		t.Errorf("%d lines in a terminal of %d", len(lines), h)
	}
	for i, l := range lines {
		if n := ansi.StringWidthWc(l); n > w {
			t.Errorf("line %d is %d wide in a terminal of %d: %q", i, n, w, l)
		}
	}
}

// No size may panic or overflow, on any screen.
func TestEverySize(t *testing.T) {
	for _, keys := range []string{"", "tab", "tab w", "enter", "p i", "2 enter", "6", "7", "7 j j j j j j j j j j enter", "x", "x enter", "9", "3", "?", ":", "f", "/", "a", "enter ;", "enter w"} {
		d := newDriver(t, library(story()), nil)
		d.press(keys)
		for _, z := range []struct{ w, h int }{{1, 1}, {1, 24}, {2, 2}, {3, 5}, {10, 3}, {17, 4}, {40, 8}, {60, 10}, {300, 100}, {79, 1}} {
			d.attach(z.w, z.h)
			checkShape(t, d, z.w, z.h)
		}
	}
}

// With --plain every sign of ours is ASCII.
func TestPlainIsASCII(t *testing.T) {
	for _, keys := range []string{"", "tab", "enter", "p i", "6", "7", "7 j j j j j j j j j j enter", "x", "9", "?", ":", "a", "tab f"} {
		d := newDriver(t, library(story()), func(o *Options) { o.Plain = true })
		d.press(keys)
		for _, r := range d.screen() {
			if r > '~' {
				t.Fatalf("after %q the screen has %q:\n%s", keys, r, d.screen())
			}
		}
	}
}
