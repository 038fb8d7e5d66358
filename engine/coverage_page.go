package engine

import (
	"fmt"
	"strings"
)

// CoveragePage is docs/coverage.md, made from the table of wanted logs.
func CoveragePage() string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Logs that do not arrive

Made from the table of wanted logs by `+"`go test ./engine -run CoveragePage -update`"+`; do not edit.

A rule whose log does not arrive is silent, and silence looks like peace. `+"`bartizan doctor [PATH…]`"+` and the sources
screen (6) therefore name what is missing, by account, bucket, mesh, cluster and host, how many loaded rules can match
nothing without it, and the setting that turns it on. The rules are counted as `+"`bartizan rules coverage`"+` judges them: by
what formats supply, with the missing log taken out.

What arrives is learned from the records themselves: of each source the first %d are looked at, then every %dth. What was
seen is certain; that something does not arrive is as certain as the number of records and the time it stands with. An
engine that just began says nothing about a place before it has seen %d minutes of it or listened for so long. At most %d
places are remembered. Hosts are known by the first label of their names; audit records without a name belong to the host
the engine runs on where its logins arrive, else to every host. A cluster has no name in its logs: each source of audit
events counts as one, and the logs of pods belong to whichever. Four or more buckets, meshes or hosts that lack the same
are told in one line.

| log | of | said when | turned on by |
|---|---|---|---|
`, lookAll, lookEvery, int(settleTime.Minutes()), maxPlaces)
	cell := func(s string) string {
		return strings.NewReplacer("|", "\\|", "{name}", "NAME", "{region}", "REGION").Replace(s)
	}
	for i := range wants {
		w := &wants[i]
		mend := "`" + cell(w.Mend) + "`"
		if strings.HasPrefix(w.Mend, "I") { // a sentence, no command
			mend = cell(w.Mend)
		}
		fmt.Fprintf(&b, "| %s (`%s`) | %s | %s | %s %s |\n", cell(w.Log), w.ID, w.Place, cell(w.Shown), mend, cell(w.Then))
	}
	return b.String()
}
