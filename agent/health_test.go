package agent

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bartizan/agent/agentpb"
	"bartizan/event"
	"bartizan/sources"
	"bartizan/sources/parse"
)

// aHost makes the files that a probe reads.
func aHost(t *testing.T, files map[string]string) *probe {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		must(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o600))
	}
	return &probe{
		root: root, host: "web-1", now: func() time.Time { return time.Unix(1_700_000_000, 0) },
		run: func(context.Context) ([]byte, error) {
			return []byte("nginx.service loaded failed failed A web server\n"), nil
		},
	}
}

func utmpEntry(kind uint16, user, line, host string) string {
	b := make([]byte, utmpSize())
	binary.NativeEndian.PutUint16(b, kind)
	copy(b[utmpLineAt:], line)
	copy(b[utmpUserAt:], user)
	copy(b[utmpHostAt:], host)
	return string(b)
}

// hexOf writes an address as /proc/net does on this machine.
func hexOf(words ...uint32) string {
	out := ""
	for _, w := range words {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], w)
		out += fmt.Sprintf("%08X", binary.NativeEndian.Uint32(b[:]))
	}
	return out
}

func TestHealth(t *testing.T) {
	p := aHost(t, map[string]string{
		"proc/loadavg":  "0.50 0.25 0.10 1/200 4242\n",
		"proc/mounts":   "proc /proc proc rw 0 0\n/dev/vda1 / ext4 rw 0 0\n/dev/vda1 /again ext4 rw 0 0\n/dev/vdb /no\\040such ext4 rw 0 0\n",
		"proc/net/tcp":  "  sl  local_address rem_address   st\n   0: " + hexOf(0x7f000001) + ":0016 00000000:0000 0A 0\n   1: " + hexOf(0x7f000001) + ":0017 00000000:0000 01 0\n",
		"proc/net/udp6": "  sl  local_address\n   0: " + hexOf(0, 0, 0, 1) + ":0035 00000000000000000000000000000000:0000 07 0\n",
		"var/run/utmp":  utmpEntry(2, "reboot", "~", "6.1") + utmpEntry(utmpUser, "ann", "pts/0", "203.0.113.9") + "cut short",
	})
	raw, err := p.take(t.Context())
	must(t, err)
	var v vitals
	must(t, json.Unmarshal(raw, &v))
	if fmt.Sprint(v.Load) != "[0.5 0.25 0.1]" || fmt.Sprint(v.Listening) != "[tcp 127.0.0.1:22 udp [::1]:53]" || fmt.Sprint(v.Users) != "[ann pts/0 203.0.113.9]" || fmt.Sprint(v.Failed) != "[nginx.service]" {
		t.Errorf("health is %s", raw)
	}
	if len(v.Disks) != 1 || v.Disks[0].Path != "/" || v.Disks[0].Used < 0 || v.Disks[0].Used > 100 {
		t.Errorf("disks are %+v", v.Disks)
	}
	var e event.Event
	parse.NewRegistry(parse.Options{}).Stream(sources.Info{Format: "json"}).Parse(&sources.Record{Raw: raw}, &parse.Slab{}, &e)
	if e.Text("host.name") != "web-1" || e.Time.Unix() != 1_700_000_000 || e.Flags&event.FlagNoTime != 0 {
		t.Errorf("it is read as %s of %q", e.Time, e.Text("host.name"))
	}
}

// TestHealthIsBounded: a host where everything is wrong or without end still has
// records of a sane size.
func TestHealthIsBounded(t *testing.T) {
	socket := "   0: " + hexOf(0x7f000001) + ":%04X 00000000:0000 0A 0\n"
	var sockets, logins strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&sockets, socket, i)
		logins.WriteString(utmpEntry(utmpUser, strings.Repeat("\xff", 32), strings.Repeat("\x1b", 32), strings.Repeat("h", 256)))
	}
	p := aHost(t, map[string]string{
		"proc/loadavg": "x 1e99 -1", "proc/mounts": "\n /dev/x\n/dev/x /dev/x /dev/x\n",
		"proc/net/tcp": sockets.String() + "1: zz:zz 0 0A\n2: 00:1 0 0A\n3: 0A\n", "var/run/utmp": logins.String(),
	})
	p.run = func(context.Context) ([]byte, error) {
		return []byte(strings.Repeat("unit.service failed\n\n", 100_000)), nil
	}
	raw, err := p.take(t.Context())
	must(t, err)
	var v vitals
	must(t, json.Unmarshal(raw, &v))
	if len(raw) > 256<<10 || len(v.Listening) != maxHealthList || v.More["listening"] != 5000-maxHealthList || len(v.Failed) != maxHealthList || len(v.Users) != maxHealthList || v.Load != nil {
		t.Errorf("%d bytes, %d sockets, %d units, %d users, left out %v", len(raw), len(v.Listening), len(v.Failed), len(v.Users), v.More)
	}
}

// TestHealthIsAStream: a console reads it like any other stream, when it is on.
func TestHealthIsAStream(t *testing.T) {
	for _, every := range []time.Duration{0, time.Hour} {
		s := newSite(t, func(c *Config) { c.Health = every })
		s.server.catalog.scan()
		conn := s.dial("")
		list, err := agentpb.NewAgentClient(conn).ListStreams(soon(t), &agentpb.ListStreamsRequest{})
		must(t, err)
		if on := len(list.GetStreams()) == 1; on != (every > 0) {
			t.Errorf("with %s the streams are %v", every, list)
		}
		call := s.open(conn, &agentpb.Open{Stream: healthID, TailBytes: 100, Cursor: "1"})
		if every == 0 {
			if _, err := call.Recv(); err == nil {
				t.Error("what is not on can be read")
			}
			continue
		}
		if lines := received(t, call, 1); !strings.Contains(lines[0], `"name":"web-1"`) {
			t.Errorf("it is %q", lines)
		}
	}
}
