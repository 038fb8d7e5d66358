package ui

import (
	"fmt"
	"testing"

	"bartizan/detect"
)

// lackingWorld is a world in which logs do not arrive.
type lackingWorld struct {
	*world
	gaps  []Gap
	early int
}

func (w lackingWorld) Gaps() ([]Gap, int) { return w.gaps, w.early }

func lacking() (*world, lackingWorld) {
	w := library(story())
	rules := []*detect.Rule{{ID: "r1", Title: "Many ports of one host tried by one address", Severity: detect.High}, {ID: "r2", Title: "A connection\x1b[2J refused", Severity: detect.Low}}
	return w, lackingWorld{world: w, gaps: []Gap{
		{
			ID: "vpc-flow", Where: "account 111122223333", Names: []string{"111122223333"}, Log: "VPC flow logs",
			Why: "CloudTrail of the account arrives, no flow log does (1204 records looked at, over 4 h)", Mend: "aws ec2 create-flow-logs --resource-type VPC --resource-ids VPC --traffic-type ALL",
			Then: "Once for every VPC.", Lacking: "2 rules can never match: Many ports of one host tried by one address, A connection refused", Rules: rules,
		},
		{
			ID: "auditd", Where: "hosts web-1, web-2, web-3 and 2 more", Names: []string{"web-1", "web-2", "web-3", "web-4"}, More: 1, Log: "the audit log (auditd)",
			Why: "logins of the host arrive, no audit record does", Mend: "apt-get install auditd", Lacking: "no loaded rule needs it",
		},
	}}
}

// TestNotArriving: the sources screen names what is missing, Enter says all of it.
func TestNotArriving(t *testing.T) {
	for _, z := range sizes {
		for name, keys := range map[string]string{"gaps": "6 G", "gap": "6 G k enter"} {
			t.Run(fmt.Sprintf("%s-%dx%d", name, z.w, z.h), func(t *testing.T) {
				w, l := lacking()
				d := newDriver(t, w, func(o *Options) { o.Live = l })
				d.attach(z.w, z.h)
				d.press(keys)
				checkShape(t, d, z.w, z.h)
				golden(t, fmt.Sprintf("testdata/%s-%dx%d.txt", name, z.w, z.h), d.screen())
			})
		}
	}
}

func TestNotArrivingOpens(t *testing.T) {
	w, l := lacking()
	d := newDriver(t, w, func(o *Options) { o.Live = l })
	d.attach(120, 40)
	d.press("6 G")
	d.sees("hosts web-1, web-2, web-3 and 2 more", "no rule", "2 rules")
	d.press("enter")
	d.sees("web-1, web-2, web-3, web-4 and 1 more")
	d.press("[ k enter")
	d.sees("aws ec2 create-flow-logs", "Once for every VPC.", "A connection␛[2J refused")
	page, text := d.c.places.now().(*tablePage), ""
	for i, line := range page.lines {
		if line.field == "mend" {
			page.list.To(int64(i))
			text = d.copies("copy-field")
		}
	}
	if text != l.gaps[0].Mend {
		t.Errorf("y f gives %q", text)
	}
	d.press("G enter")
	d.sees("rule: A connection")
	l.gaps = nil
	d = newDriver(t, w, func(o *Options) { o.Live = l })
	d.press("6")
	d.sees("nothing that is known to be missing")
	l.early = 3
	d = newDriver(t, w, func(o *Options) { o.Live = l })
	d.attach(120, 40)
	d.press("6")
	d.sees("3 wanted logs not seen yet")
}
