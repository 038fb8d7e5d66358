package agent

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"bartizan/event"
	"bartizan/sources"
)

// healthID is the stream of the host's own state. It has no file: without a spool,
// what nobody reads is not kept.
const healthID = "health"

// The bounds on one record of health.
const (
	maxHealthList = 128     // entries of each list; more are counted
	maxHealthRead = 1 << 20 // bytes read of any file of the kernel
	unitsWithin   = 5 * time.Second
	leastHealth   = 10 * time.Second // between two records
)

// vitals is one record of health, as it is written.
type vitals struct {
	Time      time.Time      `json:"@timestamp"`
	Event     map[string]any `json:"event"`
	Host      map[string]any `json:"host"`
	Load      []float64      `json:"load,omitempty"` // over 1, 5 and 15 minutes
	Disks     []disk         `json:"disks,omitempty"`
	Failed    []string       `json:"failed_units,omitempty"`
	Listening []string       `json:"listening,omitempty"`
	Users     []string       `json:"logged_in,omitempty"`
	More      map[string]int `json:"left_out,omitempty"` // entries beyond the bound, by list
}

type disk struct {
	Path string `json:"path"`
	Used int    `json:"used_percent"`
	Free uint64 `json:"free_bytes"`
}

// probe looks at the host below root ("/" but in tests).
type probe struct {
	root string
	host string
	now  func() time.Time
	run  func(ctx context.Context) ([]byte, error) // lists failed units
}

func newProbe(host string, now func() time.Time) *probe {
	return &probe{root: "/", host: host, now: now, run: failedUnits}
}

// systemctls are the only programs an agent runs that its configuration does not name,
// and only for health.
var systemctls = []string{"/usr/bin/systemctl", "/bin/systemctl"}

func failedUnits(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, unitsWithin)
	defer cancel()
	for _, p := range systemctls {
		if _, err := os.Stat(p); err == nil {
			return exec.CommandContext(ctx, p, "list-units", "--failed", "--plain", "--no-legend", "--no-pager").Output()
		}
	}
	return nil, os.ErrNotExist
}

// take looks once. What cannot be found out is left out.
func (p *probe) take(ctx context.Context) ([]byte, error) {
	v := vitals{
		Time: p.now().UTC(), More: map[string]int{},
		Event: map[string]any{"kind": "metric", "module": "bartizan", "dataset": "bartizan.health"},
		Host:  map[string]any{"name": p.host},
	}
	v.Load = p.load()
	v.Disks = capped(p.disks(), "disks", v.More)
	v.Listening = capped(p.listening(), "listening", v.More)
	v.Users = capped(p.users(), "logged_in", v.More)
	if out, err := p.run(ctx); err == nil {
		v.Failed = capped(unitNames(out), "failed_units", v.More)
	}
	return json.Marshal(&v)
}

func capped[T any](list []T, name string, more map[string]int) []T {
	if n := len(list) - maxHealthList; n > 0 {
		more[name] = n
		return list[:maxHealthList]
	}
	return list
}

func (p *probe) read(name string) []byte {
	f, err := os.Open(filepath.Join(p.root, name))
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }() // opened for reading
	b, err := io.ReadAll(io.LimitReader(f, maxHealthRead))
	if err != nil {
		return nil
	}
	return b
}

// load reads /proc/loadavg, see proc(5).
func (p *probe) load() (out []float64) {
	words := strings.Fields(string(p.read("proc/loadavg")))
	for _, w := range words[:min(len(words), 3)] {
		n, err := strconv.ParseFloat(w, 64)
		if err != nil || n < 0 || n > 1e6 {
			return nil
		}
		out = append(out, n)
	}
	return out
}

// disks reads /proc/mounts for what lies on a device, each device once.
func (p *probe) disks() (out []disk) {
	known := map[string]bool{}
	for line := range strings.Lines(string(p.read("proc/mounts"))) {
		words := strings.Fields(line)
		if len(words) < 2 || !strings.HasPrefix(words[0], "/dev/") || known[words[0]] {
			continue
		}
		known[words[0]] = true
		var st unix.Statfs_t
		path := unescapeMount(words[1])
		if err := unix.Statfs(filepath.Join(p.root, path), &st); err != nil || st.Blocks == 0 {
			continue
		}
		used := st.Blocks - st.Bfree
		out = append(out, disk{
			Path: path, Free: st.Bavail * uint64(st.Bsize), //nolint:gosec // a block's size is never negative
			Used: int(100 * used / max(used+st.Bavail, 1)), //nolint:gosec // at most 100
		})
	}
	return out
}

// unescapeMount undoes the octal escapes of proc_mounts(5).
func unescapeMount(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// listening reads the sockets of /proc/net that wait for others, see proc_net(5).
func (p *probe) listening() (out []string) {
	for _, t := range []struct{ name, state string }{{"tcp", "0A"}, {"tcp6", "0A"}, {"udp", "07"}, {"udp6", "07"}} {
		for line := range strings.Lines(string(p.read("proc/net/" + t.name))) {
			words := strings.Fields(line)
			if len(words) < 4 || words[3] != t.state {
				continue
			}
			if at, ok := socketAddr(words[1]); ok {
				out = append(out, strings.TrimSuffix(t.name, "6")+" "+at.String())
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// socketAddr reads "0100007F:0016": the address as words of 32 bits in the host's
// order, the port in hex.
func socketAddr(s string) (netip.AddrPort, bool) {
	host, port, ok := strings.Cut(s, ":")
	b, err := hex.DecodeString(host)
	n, portErr := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil || portErr != nil || len(b) != 4 && len(b) != 16 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(b); i += 4 {
		binary.NativeEndian.PutUint32(b[i:], binary.BigEndian.Uint32(b[i:]))
	}
	a, _ := netip.AddrFromSlice(b)
	return netip.AddrPortFrom(a.Unmap(), uint16(n)), true
}

// The parts of utmp(5) that are read; the rest of the record differs between
// machines.
const (
	utmpUser    = 7 // the type of a login
	utmpLineAt  = 8
	utmpUserAt  = 44
	utmpHostAt  = 76
	utmpHostEnd = 332
)

func utmpSize() int {
	if runtime.GOARCH == "arm64" {
		return 400 // its session and time have 64 bits
	}
	return 384
}

// users lists who is logged in: "ann pts/0 203.0.113.9".
func (p *probe) users() (out []string) {
	b := p.read("var/run/utmp")
	for size := utmpSize(); len(b) >= size; b = b[size:] {
		if binary.NativeEndian.Uint16(b) != utmpUser {
			continue
		}
		words := text(b[utmpUserAt:utmpHostAt]) + " " + text(b[utmpLineAt:utmpLineAt+32])
		out = append(out, strings.TrimSpace(words+" "+text(b[utmpHostAt:utmpHostEnd])))
	}
	slices.Sort(out)
	return out
}

// text is a field that ends with its first zero byte.
func text(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

func unitNames(out []byte) (names []string) {
	for line := range strings.Lines(string(out)) {
		if words := strings.Fields(line); len(words) > 0 {
			names = append(names, strings.ToValidUTF8(words[0], "\uFFFD"))
		}
	}
	return names
}

// pulse is health as a source: a record at once and then one every so often. A
// position is only the time of the last one, and nothing is made up for the time
// nobody read.
type pulse struct {
	probe *probe
	id    event.SourceID
	boot  uint64
	every time.Duration
}

// Run implements sources.Source.
func (s *pulse) Run(ctx context.Context, _ sources.Position, out chan<- sources.Batch) error {
	tick := time.NewTicker(s.every)
	defer tick.Stop()
	for {
		raw, err := s.probe.take(ctx)
		if err != nil {
			return fmt.Errorf("the host's health cannot be written: %w", err)
		}
		now := s.probe.now()
		b := sources.Batch{Source: s.id, Pos: sources.Position(strconv.FormatInt(now.Unix(), 10)), Done: func(error) {}}
		b.Records = []sources.Record{{Raw: raw, Seen: now, Ref: event.Ref{
			Source: s.id, Epoch: s.boot, Offset: max(now.UnixMicro(), 0), Len: int32(len(raw)), //nolint:gosec // lists are bounded
		}}}
		select {
		case out <- b:
		case <-ctx.Done():
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// health is the stream of this host's state; nil when it is not asked for, or a
// configured stream has its name.
func (s *Server) health() *entry {
	if s.cfg.Health <= 0 || s.catalog.find(healthID) != nil || s.findKept(healthID) != nil {
		return nil
	}
	return &entry{id: healthID, size: -1, conf: StreamConfig{Format: "json"}}
}

// find returns the stream of that id, nil when there is none.
func (s *Server) find(id string) *entry {
	if id == healthID {
		if e := s.health(); e != nil {
			return e
		}
	}
	if e := s.findKept(id); e != nil {
		return e
	}
	return s.catalog.find(id)
}

func (s *Server) pulse() *pulse {
	return &pulse{
		probe: newProbe(s.host, s.cfg.Now), id: healthID, boot: s.boot, every: max(s.cfg.Health, leastHealth),
	}
}
