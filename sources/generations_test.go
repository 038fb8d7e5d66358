package sources

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"bartizan/event"
)

// losses returns what was said to be lost, in words.
func (s *stepper) losses() (all []string) {
	for _, sh := range s.sent {
		for _, r := range sh.lost {
			all = append(all, string(r.Raw))
		}
	}
	return all
}

// settle lets the directory come to rest and everything be read.
func (s *stepper) settle(t *testing.T, c *jumpClock) {
	t.Helper()
	s.step(t)
	wait(t, "the directory to come to rest", func() bool { _, ok := s.w.dirTime(); return ok })
	for range 4 {
		s.step(t)
		c.ahead += 2 * time.Second
	}
	s.step(t)
}

// shift renames every rotated log, plain or compressed, to the next number, and
// the log itself to log.1.
func shift(d folder, most int) {
	d.t.Helper()
	for i := most; i > 0; i-- {
		for _, ext := range []string{"", ".gz"} {
			if _, err := os.Lstat(d.path(fmt.Sprintf("log.%d%s", i, ext))); err == nil {
				d.rename(fmt.Sprintf("log.%d%s", i, ext), fmt.Sprintf("log.%d%s", i+1, ext))
			}
		}
	}
	d.rename("log", "log.1")
}

// generationCases are what happens between two looks, and what must come of it.
var generationCases = []struct {
	name string
	play func(d folder)
	want string // the lines behind "one", in order
	lost string // words of the one loss told, "" none
}{
	{"made, rotated and compressed", func(d folder) {
		shift(d, 9)
		d.add("log", "two\n")
		shift(d, 9)
		d.pack("gzip", "log.1", "log.1.gz")
		d.add("log", "three\n")
	}, "two three", ""},
	{"all of them compressed, ours too", func(d folder) {
		shift(d, 9)
		d.pack("gzip", "log.1", "log.1.gz")
		for _, l := range []string{"two\n", "three\n", "four\n"} {
			d.add("log", l)
			shift(d, 9)
			d.pack("gzip", "log.1", "log.1.gz")
		}
		d.add("log", "five\n")
	}, "two three four five", ""},
	{"compressed without keeping the times", func(d folder) {
		d.add("log", "more\n")
		for _, l := range []string{"two\n", "three\n"} {
			shift(d, 9)
			d.pack("gzip", "log.1", "log.1.gz")
			d.do(os.Chtimes(d.path("log.1.gz"), time.Time{}, time.Now()))
			d.add("log", l)
		}
	}, "more two three", ""},
	{"dated and compressed", func(d folder) {
		d.rename("log", "log-20260301")
		d.add("log", "two\n")
		d.rename("log", "log-20260302")
		d.pack("xz", "log-20260302", "log-20260302.xz")
		d.add("log", "three\n")
		d.rename("log", "log-20260303")
		d.pack("zstd", "log-20260303", "log-20260303.zst")
		d.add("log", "four\n")
	}, "two three four", ""},
	{"written while late writers make times misleading", func(d folder) {
		shift(d, 9)
		d.add("log", "two\n")
		shift(d, 9)
		d.add("log", "three\n")
		shift(d, 9)
		d.add("log", "four\n")
		d.do(os.Chtimes(d.path("log.2"), time.Time{}, time.Now().Add(time.Minute)))
	}, "two three four", ""},
	{"one of them deleted", func(d folder) {
		for _, l := range []string{"two\n", "three\n", "four\n"} {
			shift(d, 9)
			d.add("log", l)
		}
		d.remove("log.2")
	}, "three four", "1 generation"},
	{"so many that ours is deleted", func(d folder) {
		for _, l := range []string{"two\n", "three\n", "four\n", "five\n"} {
			shift(d, 2)
			_ = os.Remove(d.path("log.3"))
			d.add("log", l)
		}
	}, "three four five", "upper bound unknown"},
	{"compressed and damaged", func(d folder) {
		shift(d, 9)
		d.add("log", "two\n")
		shift(d, 9)
		d.remove("log.1")
		d.do(os.WriteFile(d.path("log.1.gz"), []byte("\x1f\x8b\x08 no gzip data"), 0o644))
		d.add("log", "three\n")
	}, "three", "cannot be decompressed"},
	{"copied, truncated and compressed again and again", func(d folder) {
		d.add("log", "more\n")
		for _, l := range []string{"two\n", "three\n", "4\n"} {
			d.copy("log", "log.0")
			shiftCopy(d)
			d.pack("gzip", "log.1", "log.1.gz")
			d.truncate("log")
			d.add("log", l)
		}
	}, "more two three 4", ""},
	{"copied and emptied, renamed, the copy compressed", func(d folder) {
		d.copy("log", "log.1")
		d.truncate("log")
		d.add("log", "two is longer than what was there before\n")
		shift(d, 9)
		d.pack("gzip", "log.2", "log.2.gz")
		d.add("log", "three\n")
	}, "two is longer than what was there before three", ""},
	{"the same without a successor", func(d folder) {
		d.add("log", "more\n")
		d.copy("log", "log.1")
		d.truncate("log")
		shift(d, 9)
		d.pack("gzip", "log.2", "log.2.gz")
	}, "more", ""},
}

// shiftCopy makes log.0 the newest of the rotated names.
func shiftCopy(d folder) {
	d.t.Helper()
	d.rename("log", "aside")
	d.rename("log.0", "log")
	shift(d, 9)
	d.rename("aside", "log")
}

// TestGenerationsBetweenLooks plays what happens to a log while nobody looks,
// with the newest generation read and with it only opened (nothing is taken).
func TestGenerationsBetweenLooks(t *testing.T) {
	for _, c := range generationCases {
		for _, frozen := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/frozen=%v", c.name, frozen), func(t *testing.T) {
				d := newFolder(t)
				d.add("log", "one\n")
				clock := &jumpClock{}
				s := newStepper(t, d.path("log"), FileOptions{Clock: clock, stat: clock.stat, Grace: time.Second}, "")
				defer s.close()
				s.look()
				if !frozen {
					s.read(t)
				}
				c.play(d)
				s.settle(t, clock)
				if got := s.got(); got != "one "+c.want {
					t.Errorf("%q came, want %q", got, "one "+c.want)
				}
				lost := s.losses()
				if c.lost == "" && len(lost) > 0 || c.lost != "" && (len(lost) != 1 || !strings.Contains(lost[0], c.lost)) {
					t.Errorf("told %q, want %q", lost, c.lost)
				}
			})
		}
	}
}

// TestFrozenForLong lets a log rotate more often than files are held open, half of
// the generations compressed, while nothing is looked at or taken.
func TestFrozenForLong(t *testing.T) {
	const most = 3 * maxGens
	d := newFolder(t)
	d.add("log", "0\n")
	s, c := stepped(t, d, FileOptions{})
	want := "0"
	for i := 1; i <= most; i++ {
		shift(d, most)
		if i%2 == 0 {
			d.pack("gzip", "log.1", "log.1.gz")
		}
		d.add("log", fmt.Sprintln(i))
		want += fmt.Sprint(" ", i)
	}
	for range most {
		s.step(t)
		c.ahead += time.Second
	}
	if got := s.got(); got != want {
		t.Errorf("%d of %d generations came: %q", len(strings.Fields(got)), most+1, got)
	}
	if lost := s.losses(); len(lost) > 0 {
		t.Errorf("told %q", lost)
	}
}

// TestTruncatedUnread truncates a log of which nothing was taken yet, or not all.
func TestTruncatedUnread(t *testing.T) {
	for _, c := range []struct {
		name         string
		read, copied bool
		regrown      string
		want         string
		told         int
		flags        event.Flags
	}{
		{"emptied", false, false, "", "", 1, event.FlagShrank},
		{"emptied and copied", false, true, "", "one two", 0, 0},
		{"regrown longer", false, false, "three is longer than all before it\n", "three is longer than all before it", 1, event.FlagShrank},
		{"regrown longer, copied", false, true, "three is longer than all before it\n", "one two three is longer than all before it", 0, 0},
		{"regrown to what was read", true, false, "six\n", "one six", 1, event.FlagShrank},
		{"the end is cut off", true, false, "one\n", "one", 1, event.FlagShrank},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newFolder(t)
			d.add("log", "one\n")
			clock := &jumpClock{}
			s := newStepper(t, d.path("log"), FileOptions{Clock: clock, stat: clock.stat, Grace: time.Second}, "")
			defer s.close()
			if c.read {
				s.step(t)
			}
			d.add("log", "two\n")
			s.look()
			if c.copied {
				d.copy("log", "log.1")
			}
			clock.ahead += time.Minute // the writer has been quiet
			d.do(os.WriteFile(d.path("log"), []byte(c.regrown), 0o644))
			s.settle(t, clock)
			if got := s.got(); got != c.want {
				t.Errorf("%q came, want %q", got, c.want)
			}
			if lost := s.losses(); len(lost) != c.told || s.flags() != c.flags {
				t.Errorf("told %q, flags %b", lost, s.flags())
			}
			if note := strings.Contains(s.last().Reason, "was copied and truncated"); note != c.copied {
				t.Errorf("it says %+v", s.last())
			}
		})
	}
}

// TestHalfRotated comes to look while a rotation is half done, because the program
// that rotates was held up: a number that is missing for a moment is no loss.
func TestHalfRotated(t *testing.T) {
	d := newFolder(t)
	d.add("log", "one\n")
	s, c := stepped(t, d, FileOptions{})
	rest := func() {
		c.rest = true
		s.step(t)
		c.rest = false
	}
	shift(d, 9)
	d.add("log", "two\n")
	s.step(t)
	rest()
	shift(d, 9)
	d.add("log", "three\n")
	d.rename("log.2", "log.3")
	d.rename("log.1", "log.2")
	rest()
	if s.w.gap == nil {
		t.Error("nothing is in doubt")
	}
	d.rename("log", "log.1")
	d.add("log", "four\n")
	c.ahead += 2 * time.Second
	s.step(t)
	rest()
	if got, lost := s.got(), s.losses(); got != "one two three four" || len(lost) > 0 || s.w.gap != nil {
		t.Errorf("%q came, told %q, in doubt %v", got, lost, s.w.gap != nil)
	}
}
