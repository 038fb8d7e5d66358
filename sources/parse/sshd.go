package parse

import (
	"bytes"

	"bartizan/event"
)

// The native names we give to what sshd says.
var (
	fMethod      = known("method")
	fFingerprint = known("fingerprint")
	fKeyType     = known("key_type")
	fInvalidUser = known("invalid_user")
	fAuthing     = known("authenticating") // a peer that left before it was let in
	fPreauth     = known("preauth")
	fReason      = known("reason")
	fDstIP       = known("dst_ip")
	fDstPort     = known("dst_port")
	fTTY         = known("tty")
)

var authAliases = []pair{
	{ecsUser, fUser},
	{ecsSrcIP, fSrcIP},
	{ecsSrcPort, fSrcPort},
	{ecsDstIP, fDstIP},
	{ecsDstPort, fDstPort},
	{ecsSrcKey, fFingerprint},
	{ecsAction, fEvent},
}

// What an event of an authentication log means for its outcome.
const (
	neutral = iota
	succeeded
	failed
)

// phrase is a beginning of a message and how to read the rest of it.
type phrase struct {
	text    string
	event   string
	outcome uint8
	level   event.Level
	rest    func(p *pass, i int)
}

// sshPhrases are what OpenSSH's server says, by first letter; the first that fits
// wins, so longer ones stand before their beginnings.
var sshPhrases = byLetter([]phrase{
	{"Accepted key ", "accepted_key", neutral, event.LevelDebug, sshKey},
	{"Accepted certificate ", "accepted_certificate", neutral, event.LevelInfo, nil},
	{"Accepted ", "accepted_", succeeded, event.LevelInfo, sshAccepted},
	{"Address ", "reverse_mapping_failed", neutral, event.LevelWarning, sshAddress},
	{"Authentication refused: ", "authentication_refused", failed, event.LevelWarning, nil},
	{"Bad protocol version identification ", "bad_protocol", failed, event.LevelWarning, sshLastFrom},
	{"Bad packet length ", "bad_packet", failed, event.LevelWarning, nil},
	{"Certificate invalid: ", "certificate_invalid", failed, event.LevelWarning, nil},
	{"Close session: user ", "session_closed", neutral, event.LevelInfo, sshUserFrom},
	{"Connection closed by ", "connection_closed", neutral, event.LevelInfo, sshPeer},
	{"Connection reset by ", "connection_reset", neutral, event.LevelInfo, sshPeer},
	{"Connection from ", "connection", neutral, event.LevelInfo, sshConnection},
	{"Could not ", "error", neutral, event.LevelError, nil},
	{"Did not receive identification string from ", "no_identification", failed, event.LevelWarning, sshAddress},
	{"Disconnected from ", "disconnected", neutral, event.LevelInfo, sshPeer},
	{"Disconnecting: Too many authentication failures", "max_auth_exceeded", failed, event.LevelWarning, nil},
	{"Disconnecting: ", "disconnecting", neutral, event.LevelInfo, nil},
	{"Disconnecting ", "disconnecting", neutral, event.LevelWarning, sshPeer},
	{"Exiting on signal", "exiting", neutral, event.LevelNotice, nil},
	{"Failed ", "failed_", failed, event.LevelWarning, sshFailed},
	{"Illegal user ", "invalid_user", failed, event.LevelWarning, sshUserFrom},
	{"Invalid user ", "invalid_user", failed, event.LevelWarning, sshUserFrom},
	{"Magic value check failed ", "bad_protocol", failed, event.LevelWarning, sshLastFrom},
	{"Nasty PTR record ", "nasty_ptr", neutral, event.LevelWarning, nil},
	{"PAM ", "auth_failures", failed, event.LevelWarning, pamPairs},
	{"Postponed ", "postponed_", neutral, event.LevelInfo, sshFailed},
	{"Protocol major versions differ for ", "bad_protocol", failed, event.LevelWarning, sshAddress},
	{"ROOT LOGIN REFUSED FROM ", "root_login_refused", failed, event.LevelWarning, sshRoot},
	{"Received disconnect from ", "received_disconnect", neutral, event.LevelInfo, sshPeer},
	{"Received signal ", "received_signal", neutral, event.LevelNotice, nil},
	{"Server listening on ", "listening", neutral, event.LevelInfo, nil},
	{"Starting session: ", "session_started", neutral, event.LevelInfo, sshSession},
	{"Timeout before authentication for ", "timeout_preauth", failed, event.LevelWarning, sshTimeout},
	{"Timeout, client not responding from ", "timeout", neutral, event.LevelInfo, sshPeer},
	{"Too many authentication failures for ", "max_auth_exceeded", failed, event.LevelWarning, sshUserFrom},
	{"Unable to negotiate with ", "negotiation_failed", failed, event.LevelWarning, sshAddress},
	{"Unable to negotiate a key exchange method", "negotiation_failed", failed, event.LevelWarning, nil},
	{"User child is on pid", "session_child", neutral, event.LevelDebug, nil},
	{"User ", "user_not_allowed", failed, event.LevelWarning, sshUserFrom},
	{"banner exchange: Connection from ", "bad_protocol", failed, event.LevelWarning, sshAddress},
	{"drop connection #", "drop_connection", failed, event.LevelWarning, sshDrop},
	{"error: PAM: ", "pam_failure", failed, event.LevelWarning, sshPAM},
	{"error: maximum authentication attempts exceeded for ", "max_auth_exceeded", failed, event.LevelWarning, sshUserFrom},
	{"error: ", "error", neutral, event.LevelError, nil},
	{"fatal: Timeout before authentication for ", "timeout_preauth", failed, event.LevelWarning, sshTimeout},
	{"fatal: Unable to negotiate with ", "negotiation_failed", failed, event.LevelWarning, sshAddress},
	{"fatal: ", "fatal", neutral, event.LevelError, nil},
	{"input_userauth_request: invalid user ", "invalid_user", failed, event.LevelWarning, sshUserOnly},
	{"kex_exchange_identification: ", "bad_protocol", failed, event.LevelWarning, nil},
	{"maximum authentication attempts exceeded for ", "max_auth_exceeded", failed, event.LevelWarning, sshUserFrom},
	{"pam_", "", neutral, event.LevelInfo, nil},
	{"refused connect from ", "refused_connect", failed, event.LevelWarning, sshRefused},
	{"reverse mapping checking getaddrinfo for ", "reverse_mapping_failed", neutral, event.LevelWarning, sshReverse},
	{"ssh_dispatch_run_fatal: Connection from ", "fatal", neutral, event.LevelWarning, sshAddress},
	{"ssh_dispatch_run_fatal: ", "fatal", neutral, event.LevelWarning, nil},
	{"subsystem request for ", "subsystem_request", neutral, event.LevelInfo, sshSubsystem},
})

func byLetter(list []phrase) (out [128][]phrase) {
	for _, s := range list {
		out[s.text[0]] = append(out[s.text[0]], s)
	}
	return out
}

// sshd reads a message of OpenSSH's server.
func (p *pass) sshd() {
	p.e.FormatName, p.e.LogSource = "sshd", logSSHD
	b := p.text
	if len(b) == 0 || b[0] >= 128 {
		return
	}
	for i := range sshPhrases[b[0]] {
		s := &sshPhrases[b[0]][i]
		if !prefix(b, s.text) {
			continue
		}
		if s.event == "" {
			p.pam()
			return
		}
		p.phrase(s)
		return
	}
	p.e.Level = event.LevelInfo
}

// phrase reads the rest of a message whose beginning is known and gives it its
// aliases.
func (p *pass) phrase(s *phrase) {
	p.e.Level = s.level
	if s.event[len(s.event)-1] != '_' { // else the method that follows completes it
		p.addWord(fEvent, s.event)
	}
	if s.rest != nil {
		s.rest(p, len(s.text))
	}
	if bytes.HasSuffix(p.text, bPreauth) {
		p.put(fPreauth, event.Value{Str: "true", Pos: -1, End: -1, Kind: event.KindBool})
	}
	p.endNative()
	p.aliases(authAliases)
	if s.outcome != neutral {
		p.outcome(s.outcome == succeeded)
	}
}

var (
	bPreauth = []byte("[preauth]")
	bFrom    = []byte(" from ")
)

// sshMethods maps "Failed X for" to the event's name; others are "failed_other".
var sshMethods = [...]struct{ method, event string }{
	{"password", "password"},
	{"publickey", "publickey"},
	{"none", "none"},
	{"keyboard-interactive/pam", "keyboard_interactive"},
	{"keyboard-interactive", "keyboard_interactive"},
	{"hostbased", "hostbased"},
	{"gssapi-with-mic", "gssapi"},
	{"gssapi-keyex", "gssapi"},
	{"pam", "pam"},
}

func methodEvent(verb, method string) string {
	for i, m := range sshMethods {
		if m.method == method {
			return sshEvents[verb][i]
		}
	}
	return sshEvents[verb][len(sshMethods)]
}

var sshEvents = func() map[string][]string {
	out := map[string][]string{}
	for _, verb := range []string{"accepted_", "failed_", "postponed_"} {
		for _, m := range sshMethods {
			out[verb] = append(out[verb], verb+m.event)
		}
		out[verb] = append(out[verb], verb+"other")
	}
	return out
}()
