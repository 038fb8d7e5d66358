package parse

import (
	"strings"

	"bartizan/event"
)

// The names of a GitHub audit log entry that we look at ("Audit log events for
// your organization" and "for your enterprise" in GitHub's documentation).
var (
	ghAction = known("action")
	ghActor  = known("actor")
	ghTime   = known("@timestamp")
	ghMade   = known("created_at")
	ghOrg    = known("org")
	ghRepo   = known("repo")
	ghUser   = known("user")
	ghTeam   = known("team")
	ghIP     = known("actor_ip")

	ghActorID = known("actor_id")
)

// ghMarks tell an entry from other JSON with an action and an actor.
var ghMarks = [...]name{ghOrg, ghRepo, known("business"), known("repository"), known("org_id"), known("_document_id")}

// ghTimes are the spellings of an entry's time: the API's and the stream's in
// milliseconds since 1970, and those of tools that renamed it.
var ghTimes = [...]name{ghTime, ghMade, known("at_sign_timestamp")}

var ghAliases = []pair{
	{ecsUser, ghActor},
	{ecsUserID, ghActorID},
	{ecsTarget, ghUser},
	{ecsAction, ghAction},
	{ecsEventID, known("_document_id")},
	{ecsUserAgent, known("user_agent")},
	{ecsGroup, ghTeam},
	{ecsRequestID, known("request_id")},
}

// ghCategories are actions that no other log has in this form; they are enough
// where an export kept only who did it to whom.
var ghCategories = [...]string{"org.", "team.", "business.", "repo.", "protected_branch.", "organization_role."}

// isGitHub knows an entry by an action of the form "category.event" and by what it
// was done to.
func isGitHub(p *pass) bool {
	action := p.value(ghAction)
	if !dotted(action) || p.has(ghActor) == nil && p.has(ghUser) == nil && p.has(ghActorID) == nil {
		return false
	}
	for _, m := range ghMarks {
		if p.has(m) != nil {
			return true
		}
	}
	if p.value(ghActor) == "" || p.value(ghUser) == "" {
		return false
	}
	for _, c := range ghCategories {
		if strings.HasPrefix(action, c) {
			return true
		}
	}
	return false
}

// dotted reports whether s is two or more words of lower-case letters, digits and
// underscores with dots between.
func dotted(s string) bool {
	dots, word := 0, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c-'a' < 26 || c-'0' <= 9 || c == '_':
			word++
		case c == '.' && word > 0:
			dots, word = dots+1, 0
		default:
			return false
		}
	}
	return dots > 0 && word > 0
}

// readGitHub reads one entry of an organization's or an enterprise's audit log as
// the API, an export and streaming write it.
func readGitHub(p *pass) {
	p.endNative()
	for _, k := range ghTimes {
		if f := p.has(k); f != nil && p.timeValue(f.Value) {
			break
		}
	}
	if f := p.has(ghIP); f != nil && isAddr(f.Value.Str) {
		p.alias(ecsSrcIP, ghIP)
	}
	p.aliases(ghAliases)
	p.e.Level = event.LevelInfo
	ok := !strings.Contains(p.value(ghAction), "fail")
	if !ok {
		p.e.Level = event.LevelWarning
	}
	p.outcome(ok)
	p.e.Message = p.compose(p.value(ghActor), p.value(ghAction), p.value(ghRepo), p.value(ghOrg), p.value(ghUser))
}
