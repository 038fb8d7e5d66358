package sources

import (
	"fmt"
	"os"
	"testing"
)

// TestFilledCopiedAndFilledAgain has the new current file filled, copied, emptied and
// filled again before it was read once and without a look in between.
func TestFilledCopiedAndFilledAgain(t *testing.T) {
	d := newFolder(t)
	d.add("log", "one\n")
	s, c := stepped(t, d, FileOptions{})
	shift(d, 9)
	d.add("log", "")
	s.step(t)
	d.add("log", "two\n")
	d.rename("log.1", "log.2")
	d.copy("log", "log.1")
	d.truncate("log")
	d.add("log", "three\n")
	s.read(t)
	s.settle(t, c)
	if got, lost := s.got(), s.losses(); got != "one two three" || len(lost) > 0 {
		t.Errorf("%q came, told %q", got, lost)
	}
}

// TestNeverAtRest rotates so often that the directory never comes to rest, and keeps
// so few files that the first is long deleted when it does. Some are compressed.
func TestNeverAtRest(t *testing.T) {
	for _, every := range []int{0, 1, 2} {
		t.Run(fmt.Sprintf("compressed %d", every), func(t *testing.T) {
			d := newFolder(t)
			d.add("log", "0\n")
			s, c := stepped(t, d, FileOptions{})
			want := "0"
			for i := 1; i <= 20; i++ {
				for _, ext := range []string{"", ".gz"} {
					_ = os.Remove(d.path("log.5" + ext)) // only one of them is there
				}
				shift(d, 4)
				d.add("log", fmt.Sprintln(i))
				held := d.open("log") // so that no inode is used twice
				defer func() { d.do(held.Close()) }()
				if i%2 == 0 { // the others are only found beside it
					s.step(t)
				}
				if every > 0 && i%every == 0 {
					d.pack("gzip", "log.1", "log.1.gz")
					s.step(t)
				}
				want += fmt.Sprint(" ", i)
				c.ahead += testGrace
			}
			s.settle(t, c)
			if got, lost := s.got(), s.losses(); got != want || len(lost) > 0 {
				t.Errorf("%q came, want %q, told %q", got, want, lost)
			}
		})
	}
}

// TestFoundLate misses an older file in one listing: it is read before the newer one
// found earlier, of which nothing was read yet.
func TestFoundLate(t *testing.T) {
	d := newFolder(t)
	d.add("log", "one\n")
	missed := ""
	c := &jumpClock{}
	s := newStepper(t, d.path("log"), FileOptions{Clock: c, stat: c.stat, list: func(dir string) ([]os.DirEntry, error) {
		all, err := os.ReadDir(dir)
		for i, e := range all {
			if e.Name() == missed {
				return append(all[:i:i], all[i+1:]...), err
			}
		}
		return all, err
	}}, "")
	defer s.close()
	s.step(t)
	for _, l := range []string{"two\n", "three\n", "four\n"} {
		shift(d, 9)
		d.add("log", l)
	}
	missed = "log.2"
	s.look()
	missed = ""
	s.look()
	s.settle(t, c)
	if got, lost := s.got(), s.losses(); got != "one two three four" || len(lost) > 0 {
		t.Errorf("%q came, told %q", got, lost)
	}
}

// TestCopyInTheMaking finds a new file and a copy of it that is not whole yet at the
// same look; then the file is emptied.
func TestCopyInTheMaking(t *testing.T) {
	d := newFolder(t)
	d.add("log", "one\n")
	s, c := stepped(t, d, FileOptions{})
	d.rename("log", "log.2")
	d.add("log", "two\ntoo\n")
	d.add("log.1", "two\n")
	s.look()
	d.add("log.1", "too\n")
	d.truncate("log")
	d.add("log", "three\n")
	s.settle(t, c)
	if got, lost := s.got(), s.losses(); got != "one two too three" || len(lost) > 0 {
		t.Errorf("%q came, told %q", got, lost)
	}
}

// TestFilledAgainAndCompressed has a log copied and emptied, filled again, renamed and
// compressed between two looks, while it is still held open.
func TestFilledAgainAndCompressed(t *testing.T) {
	d := newFolder(t)
	d.add("log", "one is longer\n")
	s, c := stepped(t, d, FileOptions{})
	d.copy("log", "log.2")
	d.truncate("log")
	d.add("log", "two\n")
	d.rename("log", "log.1")
	d.pack("gzip", "log.1", "log.1.gz")
	s.settle(t, c)
	if got, lost := s.got(), s.losses(); got != "one is longer two" || len(lost) > 0 {
		t.Errorf("%q came, told %q", got, lost)
	}
}

// TestEmptyInodeUsedAgain starts where the path names a new file that has the inode of
// an empty one from before: what was rotated since is news all the same.
func TestEmptyInodeUsedAgain(t *testing.T) {
	d := newFolder(t)
	d.add("log", "one\n")
	s, _ := stepped(t, d, FileOptions{})
	marks, err := parseFilePosition(s.sent[len(s.sent)-1].pos)
	d.do(err)
	d.add("log", "two\n")
	shift(d, 9)
	d.add("log", "three\n")
	shift(d, 9)
	d.remove("log.2") // the newest that is remembered
	d.add("log", "")
	fi, err := os.Stat(d.path("log"))
	d.do(err)
	empty := mark{id: statID(fi), epoch: 1, head: digestOf(nil), near: digestOf(nil), state: FrameState{Mode: ModeHead}, drained: true}
	c := &jumpClock{}
	again := newStepper(t, d.path("log"), FileOptions{Clock: c, stat: c.stat}, filePosition(append([]mark{empty}, marks...)))
	defer again.close()
	again.settle(t, c)
	if got, lost := again.got(), again.losses(); got != "three" || len(lost) != 1 {
		t.Errorf("%q came, told %q", got, lost)
	}
}
