package parse

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"bartizan/event"
	"bartizan/sources"
)

// TestCloudCorpus reads the events that others test their rules for cloud services
// with and holds how many are taken for what they are. Such events are cut down to
// what a rule looks at, so some lack what tells their log.
func TestCloudCorpus(t *testing.T) {
	f, err := os.Open(filepath.Join(corpus(t, "panther-tests"), "inline_tests.public.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	want := map[string]struct {
		formats []string
		percent int
	}{
		"AWS.CloudTrail":                {[]string{"cloudtrail"}, 95},
		"AWS.GuardDuty":                 {[]string{"guardduty"}, 100},
		"AWS.SecurityFindingFormat":     {[]string{"securityhub"}, 100},
		"AWS.WAFWebACL":                 {[]string{"aws-waf"}, 100},
		"Azure.Audit":                   {[]string{"entra-signin", "entra-audit", "entra-risk"}, 100},
		"Azure.MonitorActivity":         {[]string{"azure-activity", "azure-resource", "k8saudit"}, 100},
		"Duo.Administrator":             {[]string{"duo"}, 100},
		"Duo.Authentication":            {[]string{"duo"}, 100},
		"GCP.AuditLog":                  {[]string{"gcpaudit"}, 80},
		"GSuite.ActivityEvent":          {[]string{"workspace"}, 90},
		"GitHub.Audit":                  {[]string{"github"}, 95},
		"Microsoft365.Audit.SharePoint": {[]string{"m365"}, 100},
		"Okta.SystemLog":                {[]string{"okta"}, 95},
		"OneLogin.Events":               {[]string{"onelogin"}, 100},
	}
	right, all := map[string]int{}, map[string]int{}
	s := testRegistry().Stream(sources.Info{})
	var slab Slab
	in := bufio.NewScanner(f)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var line struct {
			Types []string        `json:"log_types"`
			Event json.RawMessage `json:"event"`
		}
		if err := json.Unmarshal(in.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if len(line.Types) != 1 || len(line.Event) < 3 || line.Event[0] != '{' {
			continue
		}
		kind := line.Types[0]
		slab.Reset()
		var e event.Event
		s.Parse(&sources.Record{Raw: line.Event, Seen: seen}, &slab, &e)
		checkEvent(t, &e, line.Event)
		if all[kind]++; slices.Contains(want[kind].formats, e.FormatName) {
			right[kind]++
		}
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	for kind, w := range want {
		t.Logf("%s: %d of %d are %v", kind, right[kind], all[kind], w.formats)
		if right[kind]*100 < all[kind]*w.percent {
			t.Errorf("%s: %d of %d are %v, want %d %%", kind, right[kind], all[kind], w.formats, w.percent)
		}
	}
}
