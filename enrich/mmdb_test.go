package enrich

import (
	"bytes"
	"encoding/binary"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mmdbWriter writes a MaxMind DB (format 2.0) with records of 24, 28 or 32 bits.
type mmdbWriter struct {
	bits  int
	nodes [][2]int // > 0: a node; 0: nothing; < 0: data at -n-1
	data  bytes.Buffer
	v4    bool // the tree is of IPv4 addresses only
}

func (w *mmdbWriter) insert(p netip.Prefix, v any) {
	at := -(w.data.Len() + 1)
	w.value(v)
	raw := p.Addr().As16()
	addr, length := raw[:], p.Bits()
	if p.Addr().Is4() {
		addr = make([]byte, 16)
		four := p.Addr().As4()
		copy(addr[12:], four[:])
		length += 96
	}
	if w.v4 {
		addr, length = addr[12:], length-96
	}
	if len(w.nodes) == 0 {
		w.nodes = append(w.nodes, [2]int{})
	}
	n := 0
	for i := range length {
		bit := addr[i/8] >> (7 - i%8) & 1
		if i == length-1 {
			w.nodes[n][bit] = at
			return
		}
		next := w.nodes[n][bit]
		if next <= 0 {
			w.nodes = append(w.nodes, [2]int{next, next})
			next = len(w.nodes) - 1
			w.nodes[n][bit] = next
		}
		n = next
	}
}

// value writes what a record or the description holds.
func (w *mmdbWriter) value(v any) {
	switch v := v.(type) {
	case string:
		w.control(2, len(v))
		w.data.WriteString(v)
	case int:
		w.control(6, 4)
		w.data.Write(binary.BigEndian.AppendUint32(nil, uint32(v)))
	case []any:
		w.control(11, len(v))
		for _, x := range v {
			w.value(x)
		}
	case map[string]any:
		w.control(7, len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			w.value(k)
			w.value(v[k])
		}
	}
}

func (w *mmdbWriter) control(kind, size int) {
	first, more := kind<<5, []byte(nil)
	if kind > 7 {
		first, more = 0, []byte{byte(kind - 7)}
	}
	switch {
	case size < 29:
		first |= size
	case size < 285:
		first |= 29
		more = append(more, byte(size-29))
	default:
		first |= 30
		more = binary.BigEndian.AppendUint16(more, uint16(size-285))
	}
	w.data.WriteByte(byte(first))
	w.data.Write(more)
}

// file returns the whole database.
func (w *mmdbWriter) file() []byte {
	var out bytes.Buffer
	for _, n := range w.nodes {
		var rec [2]uint64
		for i, to := range n {
			switch {
			case to > 0:
				rec[i] = uint64(to)
			case to == 0:
				rec[i] = uint64(len(w.nodes))
			default:
				rec[i] = uint64(len(w.nodes) + 16 - to - 1)
			}
		}
		var b [8]byte
		switch w.bits {
		case 24:
			binary.BigEndian.PutUint64(b[:], rec[0]<<40|rec[1]<<16)
			out.Write(b[:6])
		case 28:
			binary.BigEndian.PutUint64(b[:], (rec[0]&0xffffff)<<40|rec[0]>>24<<36|rec[1]>>24<<32|(rec[1]&0xffffff)<<8)
			out.Write(b[:7])
		default:
			binary.BigEndian.PutUint64(b[:], rec[0]<<32|rec[1])
			out.Write(b[:])
		}
	}
	out.Write(make([]byte, 16))
	out.Write(w.data.Bytes())
	out.WriteString(geoMark)
	version := 6
	if w.v4 {
		version = 4
	}
	meta := mmdbWriter{}
	meta.value(map[string]any{
		"binary_format_major_version": 2, "binary_format_minor_version": 0, "build_epoch": 1767225600, "database_type": "Test",
		"description": map[string]any{"en": "made by a test"}, "ip_version": version, "languages": []any{"en"},
		"node_count": len(w.nodes), "record_size": w.bits,
	})
	out.Write(meta.data.Bytes())
	return out.Bytes()
}

// mmdb makes a database of networks and what is known of them.
func mmdb(bits int, v4 bool, nets map[string]any) []byte {
	w := &mmdbWriter{bits: bits, v4: v4}
	for _, n := range slices.Sorted(maps.Keys(nets)) {
		w.insert(netip.MustParsePrefix(n), nets[n])
	}
	return w.file()
}

var (
	cityNets = map[string]any{
		"192.0.2.0/24": map[string]any{
			"country": map[string]any{"iso_code": "NL", "names": map[string]any{"en": "Netherlands"}}, "city": map[string]any{"names": map[string]any{"en": "Delft"}},
			"subdivisions": []any{map[string]any{"names": map[string]any{"en": "South Holland"}}},
		},
		"198.51.100.0/25": map[string]any{"registered_country": map[string]any{"iso_code": "SE"}},
		"2001:db8::/32":   map[string]any{"country": map[string]any{"iso_code": "PT"}},
	}
	asNets = map[string]any{
		"192.0.2.0/24":  map[string]any{"autonomous_system_number": 64500, "autonomous_system_organization": "Example Transit"},
		"2001:db8::/32": map[string]any{"autonomous_system_number": 64501},
	}
	flatNets = map[string]any{
		"192.0.2.0/24":   map[string]any{"country": "BE", "asn": "AS64502", "as_name": "Flat Networks", "city": "Ghent"},
		"203.0.113.0/24": map[string]any{"country": "IE", "country_name": "Ireland", "asn": "ASx"},
	}
)

// put writes a file into a folder of the test.
func put(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestGeoIP(t *testing.T) {
	for _, bits := range []int{24, 28, 32} {
		x, err := New(Options{GeoIP: []string{put(t, "city.mmdb", mmdb(bits, false, cityNets)), put(t, "asn.mmdb", mmdb(bits, false, asNets)), put(t, "flat.mmdb", mmdb(bits, true, flatNets))}})
		if err != nil {
			t.Fatalf("%d bits: %v", bits, err)
		}
		for _, c := range []struct{ addr, want string }{
			{"192.0.2.9", "NL Netherlands South Holland Delft 64500 Example Transit | city.mmdb of 2026-01-01 city.mmdb of 2026-01-01 city.mmdb of 2026-01-01 city.mmdb of 2026-01-01 asn.mmdb of 2026-01-01 asn.mmdb of 2026-01-01"},
			{"198.51.100.7", "SE | city.mmdb of 2026-01-01"},
			{"198.51.100.200", " | "},
			{"203.0.113.1", "IE Ireland | flat.mmdb of 2026-01-01 flat.mmdb of 2026-01-01"},
			{"2001:db8::7", "PT 64501 | city.mmdb of 2026-01-01 asn.mmdb of 2026-01-01"},
			{"2a00::1", " | "},
		} {
			var values, from []string
			for _, f := range x.About(eventWith("source.ip", c.addr)) {
				if strings.HasPrefix(f.Name, "source.geo") || strings.HasPrefix(f.Name, "source.as.") {
					values, from = append(values, f.Value), append(from, f.From)
				}
			}
			if got := strings.Join(values, " ") + " | " + strings.Join(from, " "); got != c.want {
				t.Errorf("%d bits, %s: %q, want %q", bits, c.addr, got, c.want)
			}
		}
	}
}

// TestBrokenGeoIP cuts and bends a database in every place: it is refused, or what it
// says is bounded, and nothing panics.
func TestBrokenGeoIP(t *testing.T) {
	whole := mmdb(24, false, cityNets)
	for i := range whole {
		ask(t, whole[:i])
		bent := bytes.Clone(whole)
		bent[i] ^= 0xff
		ask(t, bent)
	}
	if _, err := New(Options{GeoIP: []string{put(t, "x.mmdb", []byte("no database"))}}); err == nil || !strings.Contains(err.Error(), "is no MMDB file") {
		t.Errorf("a text was taken as a database: %v", err)
	}
}

// ask asks a database about a few addresses.
func ask(t testing.TB, b []byte) {
	g, err := newGeo("f.mmdb", b)
	if err != nil {
		return
	}
	for _, a := range []string{"192.0.2.9", "198.51.100.7", "2001:db8::1", "0.0.0.0", "255.255.255.255", "::"} {
		var f address
		g.fill(netip.MustParseAddr(a), &f)
		for _, s := range f.geo {
			if len(s.text) > maxText+3 {
				t.Fatalf("%d bytes for %s", len(s.text), a)
			}
		}
	}
}

func FuzzGeoIP(f *testing.F) {
	f.Add(mmdb(24, false, cityNets))
	f.Add(mmdb(28, false, asNets))
	f.Add(mmdb(32, true, flatNets))
	f.Fuzz(func(t *testing.T, b []byte) { ask(t, b) })
}
