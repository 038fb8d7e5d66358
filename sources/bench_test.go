package sources

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/nxadm/tail"
)

// benchBytes is how much each benchmark reads; benchFile makes it once.
const benchBytes = 200 << 20

var benchPath string

// benchFile returns a log of benchBytes with lines of 60 to 400 bytes.
func benchFile(b *testing.B) (string, int) {
	b.Helper()
	if benchPath == "" {
		f, err := os.CreateTemp("", "bartizan-bench")
		if err != nil {
			b.Fatal(err)
		}
		benchPath = f.Name()
		w := bufio.NewWriterSize(f, 1<<20)
		for i, n := 0, 0; n < benchBytes; i++ {
			k, err := fmt.Fprintf(w, "2026-03-01T03:04:05.%06dZ web-%02d sshd-session[%d]: Failed password for invalid user u%d from 203.0.113.%d port %d ssh2 %s\n",
				i%1000000, i%20, i%32768, i%977, i%256, i%65536, bytes.Repeat([]byte("x"), i*37%300))
			if err != nil {
				b.Fatal(err)
			}
			n += k
		}
		if err := w.Flush(); err != nil {
			b.Fatal(err)
		}
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
	data, err := os.ReadFile(benchPath)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	return benchPath, bytes.Count(data, newline)
}

// drainBench runs src until n records came.
func drainBench(b *testing.B, src Source, n int) {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out := make(chan Batch)
	ended := make(chan error, 1)
	go func() { ended <- src.Run(ctx, "", out) }()
	for got := 0; got < n; {
		batch := <-out
		got += len(batch.Records)
		batch.Done(nil)
	}
	cancel()
	for {
		select {
		case batch := <-out:
			batch.Done(nil)
		case err := <-ended:
			if err != nil {
				b.Fatal(err)
			}
			return
		}
	}
}

func BenchmarkRead200MB(b *testing.B) {
	b.Cleanup(func() {
		if benchPath != "" {
			_ = os.Remove(benchPath)
			benchPath = ""
		}
	})
	b.Run("follower, nxadm option", func(b *testing.B) {
		path, n := benchFile(b)
		for b.Loop() {
			drainBench(b, NewFile(path, FileOptions{Follower: FollowerNxadm}), n)
		}
	})
	b.Run("follower", func(b *testing.B) {
		path, n := benchFile(b)
		for b.Loop() {
			drainBench(b, NewFile(path, FileOptions{}), n)
		}
	})
	b.Run("static", func(b *testing.B) {
		path, n := benchFile(b)
		for b.Loop() {
			drainBench(b, NewStatic(path, "", nil), n)
		}
	})
	b.Run("bufio.Scanner", func(b *testing.B) {
		path, n := benchFile(b)
		for b.Loop() {
			scanBench(b, path, n)
		}
	})
	b.Run("nxadm_tail", func(b *testing.B) {
		path, n := benchFile(b)
		for b.Loop() {
			tailBench(b, path, n)
		}
	})
}

func scanBench(b *testing.B, path string, n int) {
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	s := bufio.NewScanner(f)
	for s.Scan() {
		n--
	}
	if err := f.Close(); err != nil || n != 0 {
		b.Fatal(err, n)
	}
}

func tailBench(b *testing.B, path string, n int) {
	t, err := tail.TailFile(path, tail.Config{CompleteLines: true, Logger: tail.DiscardingLogger, Poll: true})
	if err != nil {
		b.Fatal(err)
	}
	for range t.Lines {
		n--
	}
	if n != 0 {
		b.Fatal(n)
	}
}

// BenchmarkJSONArray frames one line of 10 MB with 10,000 records in it.
func BenchmarkJSONArray(b *testing.B) {
	var doc bytes.Buffer
	doc.WriteString(`{"Records":[`)
	for i := range 10000 {
		if i > 0 {
			doc.WriteByte(',')
		}
		fmt.Fprintf(&doc, `{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/r%d/s"},"requestParameters":{"q":%q},"eventName":"GetObject"}`, i, bytes.Repeat([]byte("y"), 800))
	}
	doc.WriteString(`]}`)
	b.SetBytes(int64(doc.Len()))
	b.ReportAllocs()
	for b.Loop() {
		f := NewFramer(FrameState{})
		n := 0
		for data := doc.Bytes(); len(data) > 0; {
			k := copy(f.Space(), data)
			f.Commit(k)
			data = data[k:]
			for _, ok := f.Next(); ok; _, ok = f.Next() {
				n++
			}
		}
		f.Close()
		if n != 10000 {
			b.Fatal(n)
		}
	}
}
