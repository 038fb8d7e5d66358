package parse

import (
	"strings"

	"bartizan/event"
)

var logBitbucket = event.LogSource{Product: "bitbucket", Service: "audit"}

// Names of Bitbucket Data Center's audit log ("Audit log integrations" in its
// documentation).
var (
	bbAction   = known("auditType.action")
	bbCategory = known("auditType.category")
	bbAuthor   = known("author.name")
	bbSource   = known("source")
	bbSeconds  = known("timestamp.epochSecond")
	bbAffected = known("affectedObjects.name")
	bbNode     = known("node")
)

var bitbucketShape = shape{
	times: []name{known("timestamp"), bbSeconds, known("creationDate")},
	aliases: []pair{
		{ecsUser, bbAuthor},
		{ecsUserID, known("author.id")},
		{ecsAction, bbAction},
		{ecsResource, bbAffected},
		{ecsURL, known("system")},
		{ecsHost, bbNode},
	},
}

func isBitbucket(p *pass) bool {
	return p.has(bbAction) != nil && p.has(bbCategory) != nil && (p.has(bbAuthor) != nil || p.has(bbSource) != nil || p.has(bbSeconds) != nil)
}

// readBitbucket reads one entry of the audit log of Bitbucket Data Center; Jira's
// and Confluence's have the same shape.
func readBitbucket(p *pass) {
	p.endNative()
	if f := p.has(bbSource); f != nil && f.Value.Kind == event.KindString { // behind proxies there are several
		end := strings.IndexByte(f.Value.Str, ',')
		if end < 0 {
			end = len(f.Value.Str)
		}
		if isAddr(f.Value.Str[:end]) {
			p.aliasPart(ecsSrcIP, f.Value, 0, end)
		}
	}
	p.shape(&bitbucketShape)
	ok := !strings.Contains(p.value(bbAction), "fail") && !strings.HasPrefix(p.value(bbAction), "Unauthorized")
	if !ok {
		p.e.Level = event.LevelWarning
	}
	p.outcome(ok)
	p.e.Message = p.compose(p.value(bbAuthor), p.value(bbCategory), p.value(bbAction), p.value(bbAffected), p.value(ecsSrcIP))
}
