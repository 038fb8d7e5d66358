package parse

import "bartizan/event"

// What image scanners found: Trivy's JSON report and Grype's, a report per record
// or one finding per record as `jq -c` and operators take them apart. A list keeps
// all its values, so that a rule finds every vulnerability of a report.

var (
	tvArtifact = known("ArtifactName")
	tvResults  = known("Results")
	tvID       = known("Results.Vulnerabilities.VulnerabilityID")
	tvSeverity = known("Results.Vulnerabilities.Severity")
	tvMisconf  = known("Results.Misconfigurations.Severity")
	tvSecret   = known("Results.Secrets.Severity")
	tvOneID    = known("VulnerabilityID")
	tvPackage  = known("PkgName")
	tvOneLevel = known("Severity")
	tvCreated  = known("CreatedAt")
	tvCRKind   = known("report.vulnerabilities.vulnerabilityID")
	tvCRLevel  = known("report.vulnerabilities.severity")
	tvCRTime   = known("report.updateTimestamp")
	gyMatches  = known("matches")
	gyTool     = known("descriptor.name")
	gyID       = known("matches.vulnerability.id")
	gySeverity = known("matches.vulnerability.severity")
	gyOneID    = known("vulnerability.id")
	gyOneLevel = known("vulnerability.severity")
	gyArtifact = known("artifact.name")
	gyTime     = known("descriptor.timestamp")

	ecsVulnerability = known("vulnerability.id")
	ecsSeverity      = known("vulnerability.severity")
	ecsPackage       = known("package.name")
)

// findingsEach are lists; findingsAliases are about the whole report.
var findingsEach = []pair{
	{ecsVulnerability, tvID},
	{ecsVulnerability, tvOneID},
	{ecsVulnerability, tvCRKind},
	{ecsVulnerability, gyID},
	{ecsRule, tvID},
	{ecsRule, tvOneID},
	{ecsRule, tvCRKind},
	{ecsRule, gyID},
	{ecsRule, gyOneID},
	{ecsRule, known("Results.Misconfigurations.ID")},
	{ecsRule, known("Results.Secrets.RuleID")},
	{ecsSeverity, tvSeverity},
	{ecsSeverity, tvOneLevel},
	{ecsSeverity, tvCRLevel},
	{ecsSeverity, gySeverity},
	{ecsPackage, known("Results.Vulnerabilities.PkgName")},
	{ecsPackage, tvPackage},
	{ecsPackage, known("report.vulnerabilities.resource")},
	{ecsPackage, known("matches.artifact.name")},
	{ecsPackage, gyArtifact},
}

var findingsAliases = []pair{
	{ecsImage, tvArtifact},
	{ecsImage, known("source.target.userInput")},
	{ecsImage, known("report.artifact.repository")},
	{ecsNamespace, known("metadata.namespace")},
	{ecsResource, known("metadata.labels.trivy-operator.resource.name")},
}

var (
	logTrivy = event.LogSource{Product: "trivy"}
	logGrype = event.LogSource{Product: "grype"}
)

func isTrivy(p *pass) bool {
	return p.has(tvArtifact) != nil && (p.has(tvResults) != nil || p.has(tvCreated) != nil) ||
		p.has(tvOneID) != nil && p.has(tvPackage) != nil || p.has(tvCRKind) != nil
}

func isGrype(p *pass) bool {
	return p.value(gyTool) == "grype" || p.has(gyID) != nil && p.has(gyMatches) != nil ||
		p.has(gyOneID) != nil && p.has(gyOneLevel) != nil && p.has(gyArtifact) != nil
}

func readFindings(p *pass) {
	p.endNative()
	for _, n := range [...]name{tvCreated, tvCRTime, gyTime} {
		if f := p.has(n); f != nil && p.timeValue(f.Value) {
			break
		}
	}
	found := p.gravest(tvSeverity, tvOneLevel, tvCRLevel, gySeverity, gyOneLevel, tvMisconf, tvSecret)
	for i := range findingsEach {
		p.aliasEach(findingsEach[i].to, findingsEach[i].from)
	}
	p.aliases(findingsAliases)
	about := p.value(ecsImage)
	if about == "" {
		about = p.value(ecsResource)
	}
	p.e.Message = p.compose(about, p.value(ecsRule), p.value(ecsPackage), found)
}

// gravest sets the level by the worst finding and returns its word.
func (p *pass) gravest(from ...name) string {
	worst := ""
	p.e.Level = event.LevelInfo
	for _, n := range from {
		i := int(p.slots[n.slot])
		for ; i > 0 && i <= p.native; i++ {
			f := &p.fields[i-1]
			if f.Sym != n.sym || f.Name != n.text {
				continue
			}
			if l := findingLevel(f.Value.Str); l > p.e.Level || worst == "" {
				p.e.Level, worst = max(l, p.e.Level), f.Value.Str
			}
		}
	}
	return worst
}

// findingLevel reads CVSS's words in either spelling.
func findingLevel(s string) event.Level {
	switch s {
	case "CRITICAL", "Critical":
		return event.LevelCritical
	case "HIGH", "High":
		return event.LevelError
	case "MEDIUM", "Medium":
		return event.LevelWarning
	}
	return event.LevelNotice
}
