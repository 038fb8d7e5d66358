package parse

import "bartizan/event"

var logOneLogin = event.LogSource{Product: "onelogin", Service: "onelogin.events"}

// Names of OneLogin's events ("Event Resource" in its API's documentation).
var (
	olType    = known("event_type_id")
	olActor   = known("actor_user_name")
	olActorID = known("actor_user_id")
	olUser    = known("user_name")
	olApp     = known("app_name")
	olNotes   = known("notes")
	olWhen    = known("event_timestamp")
	olAccount = known("account_id")
)

var oneLoginShape = shape{
	times: []name{olWhen, known("created_at")},
	from:  knownAll("ipaddr"),
	aliases: []pair{
		{ecsUser, olActor},
		{ecsUser, olUser},
		{ecsUserID, olActorID},
		{ecsTarget, olUser},
		{ecsEventID, known("uuid")},
		{ecsEventID, known("id")},
		{ecsAction, olType},
		{ecsService, olApp},
		{ecsUserAgent, known("user_agent")},
		{ecsRoles, known("role_name")},
		{ecsErrorText, known("error_description")},
	},
}

func isOneLogin(p *pass) bool {
	return p.has(olType) != nil && (p.has(olActor) != nil || p.has(olActorID) != nil || p.has(olUser) != nil || p.has(olAccount) != nil)
}

// oneLoginFailures are the types of events in which something was refused ("Event
// types" in its API's documentation): failed, locked and challenged sign-ins.
var oneLoginFailures = [...]float64{6, 9, 19, 532, 551, 553}

// readOneLogin reads one event.
func readOneLogin(p *pass) {
	p.shape(&oneLoginShape)
	ok := true
	if f := p.has(olType); f != nil {
		for _, n := range oneLoginFailures {
			ok = ok && f.Value.Num != n
		}
	}
	if !ok {
		p.e.Level = event.LevelWarning
	}
	p.outcome(ok)
	p.e.Message = p.compose(p.value(olActor), "event", p.value(olType), p.value(olUser), p.value(olApp), p.value(olNotes))
}
