package agent

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"bartizan/agent/agentpb"
	"bartizan/agent/certs"
)

// looked is all replies of one search.
type looked struct {
	lines    []string
	streams  []string
	progress *agentpb.SearchProgress
	end      *agentpb.SearchEnd
}

func (s *site) search(conn *grpc.ClientConn, req *agentpb.SearchRequest) (out looked, err error) {
	s.t.Helper()
	call, err := agentpb.NewAgentClient(conn).Search(soon(s.t), req)
	must(s.t, err)
	for {
		r, err := call.Recv()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		if out.end != nil {
			s.t.Error("there is a reply behind the end")
		}
		for _, m := range r.GetMatches() {
			out.lines, out.streams = append(out.lines, string(m.GetRaw())), append(out.streams, m.GetStream())
		}
		if r.GetProgress() != nil {
			out.progress = r.GetProgress()
		}
		out.end = r.GetEnd()
	}
}

func packed(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	must(t, err)
	must(t, w.Close())
	return b.String()
}

const (
	oldLine = "2026-11-01T02:00:00Z web-1 sshd[1]: Failed password for root from 203.0.113.9 port 1 ssh2\n"
	midLine = "2026-11-10T02:00:00Z web-1 sshd[1]: Failed password for admin from 203.0.113.9 port 2 ssh2\n"
	newLine = "2026-11-20T02:00:00Z web-1 sshd[1]: Accepted password for root from 203.0.113.9 port 3 ssh2\n"
	benign  = "2026-11-20T03:00:00Z web-1 sshd[1]: Accepted password for ann from 198.51.100.7 port 4 ssh2\n"
)

// searchable is an agent with a log of three generations and a file beside it
// that no pattern names.
func searchable(t *testing.T, conf func(*Config)) *site {
	s := newSite(t, conf)
	s.write("auth.log", newLine+benign)
	s.write("auth.log.1", midLine)
	s.write("auth.log.2.gz", packed(t, oldLine))
	s.write("secret.txt", newLine)
	s.write("secret.txt.1", newLine)
	must(t, os.WriteFile(filepath.Join(filepath.Dir(s.logs), "outside"), []byte(newLine), 0o600))
	s.server.catalog.scan()
	return s
}

// TestSearchFindsEveryGeneration: what was rotated and compressed is searched, what
// no pattern names is not, and the reply says how far back the agent can see.
func TestSearchFindsEveryGeneration(t *testing.T) {
	s := searchable(t, nil)
	got, err := s.search(s.dial(""), &agentpb.SearchRequest{Query: "source.ip: 203.0.113.9"})
	must(t, err)
	slices.Sort(got.lines)
	if want := []string{oldLine, midLine, newLine}; strings.Join(got.lines, "\n")+"\n" != strings.Join(want, "") {
		t.Errorf("it found %q", got.lines)
	}
	if slices.ContainsFunc(got.streams, func(id string) bool { return id != "logs/auth.log" }) {
		t.Errorf("records are said to be of %q", got.streams)
	}
	if p := got.progress; p.GetDone() != p.GetTotal() || p.GetDone() == 0 || time.Unix(0, p.GetOldest()).UTC().Format(time.DateOnly) != "2026-11-01" {
		t.Errorf("the last progress is %v", p)
	}
	if got.end.GetStop() != agentpb.SearchEnd_COMPLETE || len(got.end.GetProblems()) > 0 {
		t.Errorf("the end is %v", got.end)
	}
}

func TestSearchLimits(t *testing.T) {
	s := searchable(t, nil)
	s.write("big.log", strings.Repeat(newLine, 5000))
	s.server.catalog.scan()
	conn := s.dial("")
	at := func(day int) int64 { return time.Date(2026, 11, day, 0, 0, 0, 0, time.UTC).UnixNano() }
	for _, c := range []struct {
		name  string
		ask   *agentpb.SearchRequest
		lines int
		stop  agentpb.SearchEnd_Stop
	}{
		{"of matches", &agentpb.SearchRequest{Query: "*", MaxMatches: 7}, 7, agentpb.SearchEnd_MATCHES},
		{"of bytes", &agentpb.SearchRequest{Query: "*", MaxBytes: uint64(3*len(newLine) - 10)}, 3, agentpb.SearchEnd_BYTES},
		{"of streams", &agentpb.SearchRequest{Query: "*", Streams: []string{"logs/auth.log"}}, 4, agentpb.SearchEnd_COMPLETE},
		{"of time, from", &agentpb.SearchRequest{Query: "*", Streams: []string{"logs/auth.log"}, From: at(20)}, 2, agentpb.SearchEnd_COMPLETE},
		{"of time, to", &agentpb.SearchRequest{Query: "*", Streams: []string{"logs/auth.log"}, To: at(15)}, 2, agentpb.SearchEnd_COMPLETE},
		{"many replies", &agentpb.SearchRequest{Query: "root"}, 5002, agentpb.SearchEnd_COMPLETE},
	} {
		got, err := s.search(conn, c.ask)
		if err != nil || len(got.lines) != c.lines || got.end.GetStop() != c.stop {
			t.Errorf("%s: %d lines, %v, %v", c.name, len(got.lines), got.end, err)
		}
	}
}

// TestHostileSearches: a console cannot ask its way out of the patterns.
func TestHostileSearches(t *testing.T) {
	s := searchable(t, nil)
	must(t, os.Symlink(filepath.Join(filepath.Dir(s.logs), "outside"), filepath.Join(s.logs, "link.log")))
	must(t, os.Symlink(filepath.Join(filepath.Dir(s.logs), "outside"), filepath.Join(s.logs, "auth.log.3")))
	must(t, os.Link(filepath.Join(filepath.Dir(s.logs), "outside"), filepath.Join(s.logs, "auth.log.4")))
	must(t, os.Chmod(s.logs, 0o777)) // anybody may have put the second name there
	s.server.catalog.scan()
	conn := s.dial("")
	many := make([]string, agentpb.MaxStreams+1)
	for _, c := range []struct {
		name string
		ask  *agentpb.SearchRequest
		code codes.Code
	}{
		{"a path for an id", &agentpb.SearchRequest{Query: "*", Streams: []string{filepath.Join(s.logs, "secret.txt")}}, codes.NotFound},
		{"a way up", &agentpb.SearchRequest{Query: "*", Streams: []string{"logs/../outside"}}, codes.NotFound},
		{"a rotated name", &agentpb.SearchRequest{Query: "*", Streams: []string{"logs/auth.log.1"}}, codes.NotFound},
		{"too many ids", &agentpb.SearchRequest{Query: "*", Streams: many}, codes.InvalidArgument},
		{"a query that reads files", &agentpb.SearchRequest{Query: "user in @/etc/passwd"}, codes.InvalidArgument},
		{"a query about what only consoles know", &agentpb.SearchRequest{Query: "root and not source.own: true"}, codes.InvalidArgument},
		{"a malformed query", &agentpb.SearchRequest{Query: "((("}, codes.InvalidArgument},
		{"a huge query", &agentpb.SearchRequest{Query: strings.Repeat("x", agentpb.MaxFilter+1)}, codes.InvalidArgument},
		{"times beyond reason", &agentpb.SearchRequest{Query: "*", From: 1 << 62, To: -1 << 62, MaxSeconds: 1<<32 - 1, MaxMatches: 1<<32 - 1, MaxBytes: 1<<64 - 1}, codes.OK},
	} {
		got, err := s.search(conn, c.ask)
		if status.Code(err) != c.code || len(got.lines) > 0 {
			t.Errorf("%s: %q, %v", c.name, got.lines, err)
		}
	}
	got, err := s.search(conn, &agentpb.SearchRequest{Query: "*", Streams: []string{"logs/link.log"}})
	if err != nil || len(got.lines) > 0 || len(got.end.GetProblems()) != 1 || !strings.HasPrefix(got.end.GetProblems()[0], "logs/link.log was not searched: ") {
		t.Errorf("a stream that leads out: %q, %v, %v", got.lines, got.end, err)
	}
	got, err = s.search(conn, &agentpb.SearchRequest{Query: "*"})
	must(t, err)
	if len(got.lines) != 4 {
		t.Errorf("with links beside it the log has %d lines: %q", len(got.lines), got.lines)
	}
	if p := got.end.GetProblems(); len(p) != 2 || !strings.Contains(p[0], "auth.log.4") || !strings.Contains(p[1], "link.log") {
		t.Errorf("the problems are %q", p)
	}
}

// TestProblemsAreCounted: what is beyond the bound on problems is said to be there.
func TestProblemsAreCounted(t *testing.T) {
	var many []error
	for i := range agentpb.MaxProblems + 4 {
		many = append(many, fmt.Errorf("problem %d", i))
	}
	got := problems(errors.Join(many[:3]...), many[3:])
	if last := got[len(got)-1]; len(got) != agentpb.MaxProblems || got[0] != "problem 0" || !strings.HasPrefix(last, "and 5 further files") {
		t.Errorf("of %d problems %q are told", len(many), got)
	}
	if got := problems(nil, nil); len(got) != 0 {
		t.Errorf("there are problems %q", got)
	}
}

// TestSearchesPerConsole: a console that takes nothing holds up neither other
// consoles nor, beyond its own bound, itself.
func TestSearchesPerConsole(t *testing.T) {
	s := searchable(t, nil)
	s.write("big.log", strings.Repeat(newLine, 20_000))
	s.server.catalog.scan()
	lazy, err := certs.IssueConsole(s.ca, "lazy", time.Now())
	must(t, err)
	held := s.dial(lazy)
	for range searchesPer {
		call, err := agentpb.NewAgentClient(held).Search(soon(t), &agentpb.SearchRequest{Query: "*"})
		must(t, err)
		_, err = call.Recv() // it has begun, and stays where it is
		must(t, err)
	}
	if _, err := s.search(held, &agentpb.SearchRequest{Query: "*"}); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("one more search of the same console: %v", err)
	}
	got, err := s.search(s.dial(""), &agentpb.SearchRequest{Query: "ann"})
	if err != nil || len(got.lines) != 1 {
		t.Errorf("another console got %q, %v", got.lines, err)
	}
}

// TestSearchSurvivesFileNames: names that are no text do not break the answers.
func TestSearchSurvivesFileNames(t *testing.T) {
	s := searchable(t, nil)
	name := "bad\xff\x1b[31m.log"
	must(t, os.Symlink("/etc/hostname", filepath.Join(s.logs, name)))
	s.server.catalog.scan()
	conn := s.dial("")
	list, err := agentpb.NewAgentClient(conn).ListStreams(soon(t), &agentpb.ListStreamsRequest{})
	if err != nil || len(list.GetStreams()) != 2 {
		t.Errorf("%v, %v", list, err)
	}
	if _, err := s.search(conn, &agentpb.SearchRequest{Query: "*"}); err != nil {
		t.Error(err)
	}
}

// FuzzSearchRequest: no request makes the agent panic, or read a file that no
// pattern names.
func FuzzSearchRequest(f *testing.F) {
	f.Add("*", "", int64(0), int64(0), uint32(0), uint64(0))
	f.Add("source.ip: 203.0.113.0/24 and /root|adm/", "logs/auth.log", int64(1), int64(-1), uint32(1), uint64(1))
	f.Add("a in @/etc/passwd", "../x", int64(1)<<62, int64(0), uint32(1)<<31, uint64(1)<<63)
	var s *Server
	f.Fuzz(func(t *testing.T, text, stream string, from, to int64, matches uint32, size uint64) {
		if s == nil {
			site := newSite(t, nil)
			s = site.server
		}
		req := &agentpb.SearchRequest{Query: text, From: from, To: to, MaxMatches: matches, MaxBytes: size, MaxSeconds: matches}
		if stream != "" {
			req.Streams = []string{stream}
		}
		got, err := s.searched(req)
		if err != nil {
			if c := status.Code(err); c != codes.InvalidArgument && c != codes.NotFound {
				t.Errorf("it was refused with %v", err)
			}
			return
		}
		if got.matches <= 0 || got.matches > agentpb.MaxSearchMatches || got.bytes <= 0 || got.bytes > agentpb.MaxSearchBytes || got.within <= 0 || got.within > agentpb.MaxSearchSeconds*time.Second {
			t.Errorf("the bounds are %d, %d, %s", got.matches, got.bytes, got.within)
		}
		for _, i := range got.infos {
			if e := s.catalog.find(got.names[i.ID]); e == nil || e.path != i.Path {
				t.Errorf("%s would be searched", i.Path)
			}
		}
	})
}
