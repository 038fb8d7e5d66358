package triage

import (
	"fmt"
	"math/bits"
	"net/netip"
	"strings"

	"bartizan/detect"
	"bartizan/event"
)

// severityWeight is what a severity alone is worth of the 100 points.
var severityWeight = [...]int{
	detect.Informational: 5, detect.Low: 15, detect.Medium: 35, detect.High: 58, detect.Critical: 75,
}

// tacticWeight is what an ATT&CK tactic adds: what is near the end of an
// intrusion counts more than what is near its beginning.
var tacticWeight = map[string]int{
	"impact": 8, "exfiltration": 8, "defense-evasion": 7, "credential-access": 6,
	"privilege-escalation": 6, "lateral-movement": 6, "command-and-control": 6, "persistence": 6,
	"execution": 5, "collection": 5, "initial-access": 4, "discovery": 2,
}

// maxBackgroundRisk keeps internet-wide noise below everything else.
const maxBackgroundRisk = 10

// riskPart is one reason of an alert's risk.
type riskPart struct {
	points int
	why    string
}

// RiskWhy explains an alert's risk: one sentence per part that added or took points.
func RiskWhy(a *Alert) []string {
	var out []string
	for _, p := range riskParts(a) {
		out = append(out, fmt.Sprintf("%+d %s", p.points, p.why))
	}
	if a.Background {
		out = append(out, fmt.Sprintf("at most %d because it is failures from public addresses only", maxBackgroundRisk))
	}
	return out
}

// rank sets the alert's Risk and Background from what else it holds.
func rank(a *Alert) {
	a.Background = isBackground(a)
	sum := 0
	for _, p := range riskParts(a) {
		sum += p.points
	}
	limit := 100
	if a.Background {
		limit = maxBackgroundRisk
	}
	a.Risk = max(0, min(sum, limit))
}

// riskParts lists what the risk is made of.
func riskParts(a *Alert) []riskPart {
	parts := []riskPart{{severityWeight[min(a.Severity, detect.Critical)], "severity " + min(a.Severity, detect.Critical).String()}}
	switch a.Outcome {
	case OutcomeBroken:
		parts = append(parts, riskPart{15, "a success after failures"})
	case OutcomeSuccess:
		parts = append(parts, riskPart{8, "it succeeded"})
	case OutcomeFailure:
		parts = append(parts, riskPart{-10, "every attempt failed"})
	}
	if name, w := worstTactic(a.Tags); w > 0 {
		parts = append(parts, riskPart{w, "tactic " + name})
	}
	if grown := min((bits.Len64(a.Count)-1)*2/3, 7); grown > 0 {
		parts = append(parts, riskPart{grown, fmt.Sprintf("%d hits", a.Count)})
	}
	if a.Criticality > 0 {
		parts = append(parts, riskPart{min(a.Criticality, 10), criticalityWords(a.Criticality)})
	}
	return parts
}

// criticalityWords says what the person's list of assets says of the most critical
// entity.
func criticalityWords(n int) string {
	switch {
	case n >= 10:
		return "a critical asset is involved"
	case n >= 7:
		return "an asset of high criticality is involved"
	case n >= 3:
		return "an asset of medium criticality is involved"
	}
	return "an asset of low criticality is involved"
}

// worstTactic finds the tactic among Sigma tags that weighs most.
func worstTactic(tags []string) (name string, weight int) {
	for _, t := range tags {
		n := strings.ReplaceAll(strings.TrimPrefix(t, "attack."), "_", "-")
		if w := tacticWeight[n]; w > weight {
			name, weight = n, w
		}
	}
	return name, weight
}

// isBackground reports whether the alert is what every host on the internet
// sees all day: failures only, at most medium, and from public addresses only.
func isBackground(a *Alert) bool {
	if a.Outcome != OutcomeFailure || a.Severity > detect.Medium {
		return false
	}
	found := false
	for _, e := range a.Entities {
		if e.Kind != event.EntityIP || e.Role != event.RoleActor && e.Role != event.RoleSource {
			continue
		}
		if !isPublic(e.Value) {
			return false
		}
		found = true
	}
	return found
}

var sharedSpace = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598, carrier-grade NAT

// isPublic reports whether s is an address that anyone on the internet can have.
func isPublic(s string) bool {
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return false
	}
	ip = ip.Unmap()
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !sharedSpace.Contains(ip)
}

// mergeOutcome folds the outcome of one more event into the alert's.
func mergeOutcome(old Outcome, word string) Outcome {
	switch {
	case word == "success" && (old == OutcomeFailure || old == OutcomeBroken):
		return OutcomeBroken
	case word == "success":
		return OutcomeSuccess
	case word == "failure" && old == OutcomeUnknown:
		return OutcomeFailure
	}
	return old
}
