package session

import (
	"container/list"
	"slices"
	"strings"
	"time"
	"unsafe"

	"bartizan/event"
)

// maxRole is how long a role session lasts at most (AWS STS, AssumeRole: 12 hours;
// GetSessionToken: 36).
const maxRole = 36 * int64(time.Hour)

// maxChain bounds how many roles one behind the other are followed.
const maxChain = 16

// caller is an identity as a record shows it (CloudTrail, userIdentity element).
type caller struct {
	kind      string // userIdentity.type
	name      string // of a user, a service or a federated subject
	account   string
	role      string // of an assumed role
	session   string // and its session's name
	key       string
	principal string
	source    string // the source identity, where it was set
	provider  string // of web identities
	instance  bool   // an instance's role
	delivered bool   // and the record says so, not only the session's name
	issued    issue  // of a role that is named like those of IAM Identity Center
}

// issue says whether a role is Identity Center's own: anybody may give a role such a
// name, but not the path that theirs have (IAM, reserved paths).
type issue uint8

const (
	issuedUnknown issue = iota // the record does not say
	issuedThere
	issuedElsewhere
)

const ssoPath = ":role/aws-reserved/sso.amazonaws.com/"

// credential is what somebody was given: keys of a role session, of a federated
// user or of a user's own session.
type credential struct {
	key       string
	principal string
	by        caller
	how       string // the call that gave it
	source    string
	t         int64
	place     *list.Element
}

const credentialBytes = int(unsafe.Sizeof(credential{})) + 3*128

func (c *credential) forget(x *Index) {
	x.stats.Credentials--
	if x.byKey[c.key] == c {
		delete(x.byKey, c.key)
	}
	without(x.byRole, c.principal, c)
}

// grants says whether a call gives out credentials for another session.
func grants(name string) bool {
	return strings.HasPrefix(name, "AssumeRole") || name == "SwitchRole" || name == "GetSessionToken" || name == "GetFederationToken"
}

// callerOf is who made the call of a CloudTrail record.
func callerOf(f *facts) caller {
	c := caller{
		kind: f.v[cType], name: f.v[cUserName], account: f.v[cAccount], role: f.v[cIssuer], key: f.v[cKey],
		principal: f.v[cPrincipal], source: f.v[cSource], provider: f.v[cProvider],
	}
	if _, after, ok := strings.Cut(f.v[cARN], ":assumed-role/"); ok {
		role, name, _ := strings.Cut(after, "/")
		c.session = name
		if c.role == "" {
			c.role = role
		}
	} else if _, name, ok := strings.Cut(c.principal, ":"); ok {
		c.session = name
	}
	switch c.kind {
	case "AWSService":
		c.name = f.v[cInvoked]
	case "Root":
		c.name = "root"
	case "IAMUser", "IdentityCenterUser", "FederatedUser":
		if c.name == "" {
			c.name = base(f.v[cARN])
		}
	}
	if c.account == "" {
		c.account = f.v[cIssuerAccount]
	}
	c.delivered = f.v[cEC2] != ""
	c.instance = c.delivered || instanceID(c.session)
	if arn := f.v[cIssuerARN]; strings.Contains(arn, ssoPath) {
		c.issued = issuedThere
	} else if arn != "" {
		c.issued = issuedElsewhere
	}
	return c
}

// instanceID tells the name that an EC2 instance's role session has.
func instanceID(s string) bool {
	if len(s) != 10 && len(s) != 19 || s[:2] != "i-" {
		return false
	}
	for _, c := range s[2:] {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func (c caller) own() caller {
	for _, s := range []*string{&c.kind, &c.name, &c.account, &c.role, &c.session, &c.key, &c.principal, &c.source, &c.provider} {
		*s = own(*s)
	}
	return c
}

func (c *caller) size() int {
	return len(c.kind) + len(c.name) + len(c.account) + len(c.role) + len(c.session) + len(c.key) + len(c.principal) + len(c.source) + len(c.provider)
}

// takeGrant learns who was given which credentials.
func (x *Index) takeGrant(e *event.Event) {
	var f facts
	f.read(e)
	key, principal := f.v[cNewKey], f.v[cNewPrincipal]
	by := callerOf(&f)
	if f.v[cName] == "SwitchRole" {
		principal, by = f.v[cPrincipal], switcher(f.v[cSwitchFrom])
	}
	if f.v[cError] != "" || key == "" && principal == "" || by.kind == "" || by.kind == "AWSService" {
		return // services take roles all day, and a service is no one to name
	}
	source := f.v[cNewSource]
	if source == "" {
		source = f.v[cAskedSource]
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if c := x.byKey[key]; c != nil && key != "" {
		if poorer(&c.by, &by) { // the account that was called knows less of the caller than its own
			old := c.by.size()
			c.by = by.own()
			x.grants.grow(x, c.place, c.by.size()-old)
		}
		return
	}
	c := &credential{key: own(key), principal: own(principal), by: by.own(), how: own(f.v[cName]), source: own(source), t: f.t}
	if key != "" {
		x.byKey[c.key] = c
	}
	if principal != "" {
		with(x.byRole, c.principal, c, maxSame)
	}
	x.stats.Credentials++
	c.place = x.grants.hold(x, c, credentialBytes+2*len(c.key)+2*len(c.principal)+len(c.source)+c.by.size())
}

// switcher is who switched role in the console, by ARN (CloudTrail, SwitchRole:
// additionalEventData.SwitchFrom).
func switcher(arn string) caller {
	part := strings.SplitN(arn, ":", 6)
	if len(part) < 6 {
		return caller{}
	}
	c := caller{account: part[4], kind: "IAMUser", name: base(part[5])}
	if rest, ok := strings.CutPrefix(part[5], "assumed-role/"); ok {
		c.kind, c.name = "AssumedRole", ""
		c.role, c.session, _ = strings.Cut(rest, "/")
	} else if part[5] == "root" {
		c.kind = "Root"
	}
	return c
}

// poorer says that a tells less about a caller than b.
func poorer(a, b *caller) bool { return a.kind == "AWSAccount" && b.kind != "AWSAccount" }

// given finds what the caller was given its credentials by, and why that is only
// probable: the name of a session is chosen by whoever assumes the role.
func (x *Index) given(c *caller, t int64) (g *credential, doubt string) {
	if g := x.byKey[c.key]; g != nil && c.key != "" {
		return g, ""
	}
	if c.principal == "" {
		return nil, ""
	}
	several := 0
	for _, o := range x.byRole[c.principal] {
		if o.t > t+slack || t-o.t > maxRole {
			continue
		}
		if g == nil || o.by.who() != g.by.who() {
			several++
		}
		if g == nil || o.t > g.t {
			g = o
		}
	}
	switch {
	case several > 1 || len(x.byRole[c.principal]) == maxSame: // a full list has forgotten some
		doubt = "several callers had a session of the name " + c.session
	case g != nil && c.key != "" && g.key != "":
		doubt = "nobody was seen being given this key; only the session's name is the same"
	}
	return g, doubt
}

// who tells one caller from another.
func (c *caller) who() string {
	return c.kind + "\x00" + c.account + "\x00" + c.name + "\x00" + c.role + "\x00" + c.session
}

// chain is how somebody came to act as a role, the first one first.
type chain struct {
	links  []caller
	behind string // who began it; "" where the log does not show it, or it was a machine
	how    string // the call or the mark it is known by
	doubt  string
}

// chainOf follows a caller to who began it. It is nil where there is nobody else.
func (x *Index) chainOf(c caller, t int64) *chain {
	if c.kind != "AssumedRole" && c.kind != "FederatedUser" && !strings.HasPrefix(c.key, "ASIA") {
		return nil
	}
	out := &chain{links: []caller{c}}
	var seen [maxChain]*credential
	for n := range maxChain {
		first := &out.links[0]
		g, doubt := x.given(first, t)
		if g == nil || slices.Contains(seen[:n], g) {
			break
		}
		seen[n] = g
		if out.doubt == "" {
			out.doubt = doubt
		}
		if g.source != "" && first.source == "" {
			first.source = g.source
		}
		out.how, t = g.how, g.t
		if g.how == "GetSessionToken" {
			out.links[0] = g.by // still the same user
			continue
		}
		out.links = append([]caller{g.by}, out.links...)
	}
	out.begun()
	if len(out.links) == 1 && out.behind == "" && !out.links[0].instance {
		return nil
	}
	return out
}

// begun says who stands at the beginning of the chain.
func (c *chain) begun() {
	first := &c.links[0]
	switch {
	case first.kind == "AssumedRole" && first.instance:
		c.how = "an instance's role"
		if !first.delivered && c.doubt == "" {
			c.doubt = "only the session's name says that it is an instance"
		}
	case first.sso():
		c.behind, c.how = first.session, "IAM Identity Center names the session after the user"
		if first.issued == issuedUnknown && c.doubt == "" {
			c.doubt = "only the role's name says that it is IAM Identity Center's"
		}
	case first.kind == "AssumedRole":
		for i := range c.links {
			if c.links[i].source != "" {
				c.behind, c.how = c.links[i].source, "the source identity of the session"
				return
			}
		}
	case first.kind == "AWSService" || first.kind == "AWSAccount" || first.kind == "Unknown":
	case len(c.links) > 1 || first.kind == "FederatedUser":
		c.behind = first.name
		if c.behind == "" {
			c.behind = first.session
		}
	}
}

// sso says whether the role is one that IAM Identity Center made.
func (c *caller) sso() bool {
	return c.kind == "AssumedRole" && c.issued != issuedElsewhere && strings.HasPrefix(c.role, "AWSReservedSSO_")
}

// words is one link as people say it: "alice (IAM user, 111122223333)".
func (c *caller) words() string {
	switch c.kind {
	case "AssumedRole":
		if c.instance {
			return "instance " + c.session + " with role " + c.role + in(c.account)
		}
		if c.sso() {
			return c.session + " with role " + c.role + in(c.account)
		}
		return "role " + c.role + in(c.account)
	case "AWSService":
		return "service " + c.name
	case "AWSAccount":
		return "somebody of account " + c.account
	case "IAMUser":
		return c.name + " (IAM user" + and(c.account) + ")"
	case "Root":
		return "root" + in(c.account)
	case "SAMLUser":
		return c.name + " (SAML)"
	case "WebIdentityUser":
		return c.name + " (web identity)"
	case "FederatedUser":
		return c.name + " (federated user" + and(c.account) + ")"
	}
	return c.name + " (" + c.kind + and(c.account) + ")"
}

func in(account string) string {
	if account == "" {
		return ""
	}
	return " (" + account + ")"
}

func and(account string) string {
	if account == "" {
		return ""
	}
	return ", " + account
}

// words is the chain from its beginning on.
func (c *chain) words() string {
	var b strings.Builder
	for i := range c.links {
		if i > 0 {
			b.WriteString(" -> ")
		}
		b.WriteString(c.links[i].words())
	}
	return b.String()
}
