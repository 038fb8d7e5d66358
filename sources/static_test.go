package sources

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"

	"bartizan/event"
)

// bzipped is "one\ntwo\nthree\n", made with bzip2.
const bzipped = "\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59\x08\x7b\x7d\xd7\x00\x00\x04\xc1\x80\x00\x10\x02\x41\x94\x80\x20\x00\x31\x0c\x08\x21\xa3\xd4\xc8\x85\x47\x32\x38\xa8\xf1\x77\x24\x53\x85\x09\x00\x87\xb7\xdd\x70"

// packers compress text in every format that can be written here.
var packers = map[string]func(io.Writer) (io.WriteCloser, error){
	"gzip": func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
	"zstd": func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1)) },
	"xz":   func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) },
	"lz4":  func(w io.Writer) (io.WriteCloser, error) { return lz4.NewWriter(w), nil },
}

var extOf = map[string]string{"gzip": ".gz", "zstd": ".zst", "xz": ".xz", "lz4": ".lz4"}

// pack compresses a file as log rotation does: the copy has its time.
func (f folder) pack(kind, from, to string) {
	f.t.Helper()
	fi, err := os.Stat(f.path(from))
	f.do(err)
	text, err := os.ReadFile(f.path(from))
	f.do(err)
	f.do(os.WriteFile(f.path(to), pack(f.t, kind, string(text)), 0o644))
	f.do(os.Chtimes(f.path(to), fi.ModTime(), fi.ModTime()))
	f.remove(from)
}

func pack(t tester, kind, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := packers[kind](&b)
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// readStatic reads a file of these bytes to its end.
func readStatic(t *testing.T, data []byte, from Position) *session {
	t.Helper()
	d := newFolder(t)
	d.do(os.WriteFile(d.path("log"), data, 0o644))
	s := begin(t, NewStatic(d.path("log"), "", nil), from)
	if err := s.wait(); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStaticPlainAndCompressed(t *testing.T) {
	const text = "one\ntwo\nthree\n"
	files := map[string][]byte{"plain": []byte(text), "bzip2": []byte(bzipped)}
	for kind := range packers {
		files[kind] = pack(t, kind, text)
	}
	for kind, data := range files {
		if kind != "plain" && Compression(data) != kind {
			t.Errorf("%s is taken for %q", kind, Compression(data))
		}
		s := readStatic(t, data, "")
		s.expect("one", "two", "three")
		s.expectNoLoss()
		if s.recs[2].Ref.Offset != 8 || s.recs[2].Line != 3 {
			t.Errorf("%s: third line at %+v", kind, s.recs[2])
		}
		readStatic(t, data, "stream1 l:4:2:0").expect("two", "three")
	}
}

func TestGzipOfSeveralMembers(t *testing.T) {
	readStatic(t, append(pack(t, "gzip", "one\ntw"), pack(t, "gzip", "o\n")...), "").expect("one", "two")
}

func TestStaticWithoutLastLineEnd(t *testing.T) {
	readStatic(t, []byte("one\nend"), "").expect("one", "end")
}

func TestDamagedFilesSayWhatIsMissing(t *testing.T) {
	whole := pack(t, "gzip", noise(200<<10))
	s := readStatic(t, whole[:len(whole)/2], "")
	if len(s.lines) == 0 {
		t.Error("nothing of the undamaged part was delivered")
	}
	s.expectLost("cannot be read beyond byte")
	readStatic(t, []byte("\x1f\x8bnonsense"), "").expectLost("damaged at its beginning")
	readStatic(t, []byte("\xfd7zXZ\x00"), "").expectLost("damaged at its beginning")
}

func TestBombIsStopped(t *testing.T) {
	for kind := range packers {
		if kind == "lz4" {
			continue // its format cannot exceed 255 to 1 by much, and costs as little
		}
		s := readStatic(t, pack(t, kind, strings.Repeat("all the same in every line of it\n", 1<<20)), "")
		s.expectLost("more than 100 times")
		if n := len(s.lines) * 33; n < freeOutput-1<<20 || n > freeOutput+1<<20 {
			t.Errorf("%s: %d bytes were delivered before the cap of %d", kind, n, freeOutput)
		}
	}
}

// TestXZMemory changes the dictionary size in a block header.
func TestXZMemory(t *testing.T) {
	data := pack(t, "xz", "one\n")
	at := bytes.Index(data[12:], []byte{0x21, 1}) + 14
	for prop, refused := range map[byte]bool{22: false, 30: false, 31: true, 32: true, 39: true, 40: true} {
		data[at] = prop
		r, err := Decompress(bytes.NewReader(data))
		if err == nil {
			_ = r.Close()
		}
		if got := err != nil && strings.Contains(err.Error(), "MiB of memory"); got != refused {
			t.Errorf("dictionary size %d: %v", prop, err)
		}
	}
}

// noise is n bytes of lines that do not compress well.
func noise(n int) string {
	rng := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for b.Len() < n {
		fmt.Fprintf(&b, "%x %x\n", rng.Uint64(), rng.Uint64())
	}
	return b.String()
}

func FuzzDecompress(f *testing.F) {
	for kind := range packers {
		f.Add(pack(f, kind, "one\ntwo\n"))
	}
	f.Add([]byte(bzipped))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Decompress(bytes.NewReader(data))
		if err != nil {
			return
		}
		defer func() { _ = r.Close() }()
		n, _ := io.Copy(io.Discard, io.LimitReader(r, 32<<20)) // damage is fine, a panic is not
		if n > freeOutput+1<<20 && n > int64(len(data)+1)*maxRatio*2 {
			t.Fatalf("%d bytes came out of %d", n, len(data))
		}
	})
}

func TestTailPosition(t *testing.T) {
	d := newFolder(t)
	var lines []string
	for i := range 20000 {
		lines = append(lines, fmt.Sprintf("line %d", i))
	}
	d.add("log", strings.Join(lines, "\n")+"\n")
	for n, want := range map[int64]int{0: 0, 1: 0, 10: 0, 11: 1, 15: 1, 22: 2, 100_000: 9090, 1 << 40: 20000} {
		pos, err := TailPosition(d.path("log"), n)
		d.do(err)
		s := begin(t, NewFile(d.path("log"), FileOptions{}), pos)
		s.state(event.SourceLive)
		s.expect(lines[len(lines)-want:]...)
		if want > 0 && want < 20000 && s.recs[0].Line != 0 {
			t.Errorf("a line from the middle has number %d", s.recs[0].Line)
		}
		d.add("log", fmt.Sprintf("more %d\n", n))
		s.expect(append(lines[len(lines)-want:len(lines):len(lines)], fmt.Sprintf("more %d", n))...)
		s.stop()
		d.do(os.WriteFile(d.path("log"), []byte(strings.Join(lines, "\n")+"\n"), 0o644))
	}
	if _, err := TailPosition(d.path("missing"), 5); err == nil {
		t.Error("the tail of a missing file was found")
	}
}

func TestFraming(t *testing.T) {
	for head, want := range map[string]Mode{
		"":                                 ModeLines,
		"Nov  4 11:00:00 a line\n":         ModeLines,
		"\x00\x00\xEF\xBB\xBF[{\"a\":1}":   ModeArray,
		"{\"Records\":[{\"a\":1}":          ModeEnvelope,
		"{\"a\":1,\n\"b\":2}\n{\"a\":2}\n": ModeObjects,
	} {
		if got := Framing([]byte(head)); got != want {
			t.Errorf("%q is %c, want %c", head, got, want)
		}
	}
}

func TestTailPositionOfJSON(t *testing.T) {
	d := newFolder(t)
	d.add("objects", "{\n\"a\":1\n}\n{\n\"a\":2\n}\n{\n\"a\":3\n}\n")
	pos, err := TailPosition(d.path("objects"), 24)
	d.do(err)
	begin(t, NewFile(d.path("objects"), FileOptions{}), pos).expect("{\n\"a\":2\n}", "{\n\"a\":3\n}")
	d.add("array", `[{"a":1},{"a":2}]`)
	pos, err = TailPosition(d.path("array"), 5)
	d.do(err)
	begin(t, NewFile(d.path("array"), FileOptions{}), pos).expect(`{"a":1}`, `{"a":2}`)
}

func FuzzPositions(f *testing.F) {
	f.Add("file1 1:2:3:4:0011223344556677:0011223344556677:l:5:6:7:true:8")
	f.Add("stream1 l:1:2:3")
	f.Fuzz(func(t *testing.T, p string) {
		if marks, err := parseFilePosition(Position(p)); err == nil && len(marks) > 0 {
			again, err := parseFilePosition(filePosition(marks))
			if err != nil || fmt.Sprint(again) != fmt.Sprint(marks) {
				t.Fatalf("%q: %v became %v (%v)", p, marks, again, err)
			}
		}
		if s, err := parseStreamPosition(Position(p), ModeLines); err == nil && p != "" {
			again, err := parseStreamPosition(streamPosition(s), ModeLines)
			if err != nil || again != s {
				t.Fatalf("%q: %v became %v (%v)", p, s, again, err)
			}
		}
	})
}

func TestForeignPositionsAreRefused(t *testing.T) {
	d := newFolder(t)
	d.add("log", "one\n")
	for _, p := range []Position{"stream1 l:1:1:1", "file1 1:2:3", "file1 a:2:3:4:5:6:l:5:6:7:true:8", "s=1;i=2"} {
		if err := begin(t, NewFile(d.path("log"), FileOptions{}), p).wait(); err == nil || !strings.Contains(err.Error(), "start without it") {
			t.Errorf("%q: %v", p, err)
		}
	}
}
