package falco_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"bartizan/detect"
	"bartizan/detect/falco"
	"bartizan/event"
	"bartizan/sources"
	"bartizan/sources/parse"
)

var registry = parse.NewRegistry(parse.Options{Now: func() time.Time { return time.Unix(1_700_000_000, 0) }, Zone: time.UTC})

// events parses records one per line as the engine does, in that format where one is
// given; each is a clone.
func events(t testing.TB, format string, src []byte) []*event.Event {
	t.Helper()
	stream := registry.Stream(sources.Info{ID: "file:test", Format: format})
	var out []*event.Event
	for _, line := range bytes.Split(bytes.TrimSpace(src), []byte("\n")) {
		var slab parse.Slab
		var e event.Event
		stream.Parse(&sources.Record{Raw: line}, &slab, &e)
		out = append(out, e.Clone())
	}
	return out
}

// eventOf is the Kubernetes audit event of one record.
func eventOf(raw []byte) *event.Event {
	var slab parse.Slab
	var e event.Event
	registry.Stream(sources.Info{ID: "file:test", Format: "k8saudit"}).Parse(&sources.Record{Raw: raw}, &slab, &e)
	return e.Clone()
}

// hits counts the rules that hit, by name.
func hits(rules []*detect.Rule, list []*event.Event) map[string]int {
	m := detect.NewSet(rules).NewMatcher()
	out := map[string]int{}
	for _, e := range list {
		for _, r := range m.Match(e, nil) {
			out[r.Title]++
		}
	}
	return out
}

// renamed are the lists and rules that the official files call otherwise since the
// cases were written: one rule for roles and cluster roles became two.
var renamed = strings.NewReplacer(
	"falco_sensitive_mount_images", "k8s_audit_sensitive_mount_images",
	"falco_privileged_images", "k8s_audit_privileged_images",
	"falco_hostnetwork_images", "k8s_audit_hostnetwork_images",
	"K8s Role/Clusterrolebinding", "K8s ClusterRoleBinding",
	"K8s Role/Clusterrole", "K8s ClusterRole",
)

type k8sCase struct {
	Case   string
	Trace  string
	Detect bool
	Counts map[string]int
	Rules  []string
}

// load reads the rule files of a case in order, as one namespace.
func (c *k8sCase) load(t *testing.T, root string) detect.Loaded {
	t.Helper()
	files := fstest.MapFS{}
	for i, name := range c.Rules {
		old := strings.Contains(strings.Join(c.Rules, " "), "engine_v4_k8s") // those rules have the old names
		name = strings.Replace(name, "<falco rules>", "falco-rules/rules", 1)
		name = strings.Replace(name, "<k8saudit plugin rules>", "falco-rules/plugins-repo/k8saudit/rules", 1)
		if strings.HasPrefix(name, "rules/") {
			name = "falco-tests/test/" + name
		}
		src, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(name, "trust_nginx") {
			if old { // the old rules name two lists that no file defines any more
				src = append([]byte("- list: falco_sensitive_mount_images\n  items: []\n- list: falco_hostnetwork_images\n  items: []\n"), src...)
			} else {
				src = []byte(renamed.Replace(string(src)))
			}
		}
		files[fmt.Sprintf("%02d.yaml", i)] = &fstest.MapFile{Data: src}
	}
	return falco.Load(files, ".")
}

// TestK8sAuditCases runs Falco's own cases over Kubernetes audit events. Falco
// stops at the first rule that hits; here every rule that holds does, so other
// rules may hit too where a hit is expected.
func TestK8sAuditCases(t *testing.T) {
	root := corpus(t, "")
	src, err := os.ReadFile(filepath.Join(root, "falco-tests/k8s_audit_cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []k8sCase
	if err := json.Unmarshal(src, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) != 39 {
		t.Fatalf("%d cases, want 39", len(cases))
	}
	for _, c := range cases {
		loaded := c.load(t, root)
		for _, r := range loaded.Refused {
			t.Errorf("%s: refused %v", c.Case, r)
		}
		raw, err := os.ReadFile(filepath.Join(root, "falco-tests/test", c.Trace))
		if err != nil {
			t.Fatal(err)
		}
		got := hits(loaded.Rules, events(t, "", raw))
		for name, n := range c.Counts {
			name = renamed.Replace(name)
			if got[name] != n {
				t.Errorf("%s: %s hit %d times, want %d; hits %v", c.Case, name, got[name], n, got)
			}
		}
		if !c.Detect && len(got) > 0 {
			t.Errorf("%s: hits %v, want none", c.Case, got)
		}
	}
}
