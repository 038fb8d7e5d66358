package parse

import (
	"strings"

	"bartizan/event"
)

var logGitHubHook = event.LogSource{Product: "github", Service: "webhook"}

// The names of a GitHub webhook's payload ("Webhook events and payloads" in
// GitHub's documentation) that we look at.
var (
	hookSender = known("sender.login")
	hookRepo   = known("repository.full_name")
	hookOrg    = known("organization.login")
	hookZen    = known("zen")
	hookID     = known("hook.id")
	hookMember = known("member.login")
	hookPusher = known("pusher.name")
	hookPushed = known("repository.pushed_at")
	hookRef    = known("ref")
	hookKey    = known("key.read_only")
	hookRun    = known("workflow_run.id")
	hookWhat   = known("action")
	hookType   = known("webhook_type") // as Falco's plugin calls it
)

var hookAliases = []pair{
	{ecsUser, hookSender},
	{ecsUserID, known("sender.id")},
	{ecsTarget, hookMember},
	{ecsAction, hookWhat},
	{ecsResource, hookRepo},
	{ecsURL, known("repository.html_url")},
}

// hookTimes are where some kinds of payload carry the time of what happened; that
// of a commit is its author's word.
var hookTimes = [...]name{known("workflow_run.updated_at"), known("hook.updated_at")}

// repositoryActions are the actions of the repository event, whose payload has
// nothing but the repository.
var repositoryActions = [...]string{"created", "deleted", "archived", "unarchived", "edited", "renamed", "transferred", "publicized", "privatized"}

// hookCommon are the members that a payload of any kind may have.
var hookCommon = [...]string{"action", "repository", "organization", "sender", "installation", "enterprise", "changes"}

func isGitHubHook(p *pass) bool {
	return p.has(hookSender) != nil && (p.has(hookRepo) != nil || p.has(hookOrg) != nil || p.has(hookID) != nil)
}

// readGitHubHook reads the payload of one webhook. Its kind stands in a header of
// the request, which no payload repeats: where whoever stored it added no
// webhook_type, it is told from the members for the kinds that have their own.
func readGitHubHook(p *pass) {
	p.endNative()
	for _, k := range hookTimes {
		if f := p.has(k); f != nil && p.timeValue(f.Value) {
			break
		}
	}
	if f := p.has(hookPushed); f != nil && p.has(hookPusher) != nil {
		p.timeValue(f.Value)
	}
	p.aliases(hookAliases)
	if p.has(hookType) == nil {
		p.aliasWord(hookType, p.hookKind())
	}
	p.e.Level = event.LevelInfo
	p.e.Message = p.compose(p.value(hookSender), p.value(hookType), p.value(hookWhat), p.value(hookRepo), p.value(hookMember))
}

// hookKind is the kind of event, "" where the payload does not tell.
func (p *pass) hookKind() string {
	acted := p.value(hookWhat) != ""
	switch {
	case p.has(hookZen) != nil && p.has(hookID) != nil:
		return "ping"
	case p.has(hookID) != nil && acted:
		return "meta"
	case p.has(hookRun) != nil && acted:
		return "workflow_run"
	case p.has(hookKey) != nil && acted:
		return "deploy_key"
	case p.has(hookMember) != nil && p.has(hookRepo) != nil && acted:
		return "member"
	case p.has(hookPusher) != nil && p.has(hookRef) != nil && !acted:
		return "push"
	case p.has(hookRepo) == nil || !p.onlyCommon():
		return ""
	case !acted:
		return "public"
	}
	for _, a := range repositoryActions {
		if p.value(hookWhat) == a {
			return "repository"
		}
	}
	return ""
}

// onlyCommon reports whether the payload is about nothing but its repository.
func (p *pass) onlyCommon() bool {
next:
	for i := 0; i < p.native; i++ {
		top, _, _ := strings.Cut(p.fields[i].Name, ".")
		for _, c := range hookCommon {
			if top == c {
				continue next
			}
		}
		return false
	}
	return true
}
