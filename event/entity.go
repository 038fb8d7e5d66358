package event

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// EntityKind is what kind of thing an entity is. Its number enters fingerprints of
// alerts, so a new kind goes to the end.
type EntityKind uint8

// The kinds of entity.
const (
	EntityUser EntityKind = iota
	EntityIP
	EntityHost
	EntityKey       // access key id, ssh key fingerprint
	EntitySession   // login session, role session, kubectl exec
	EntityContainer // by the first 12 digits of its id
	EntityWorkload  // service account or workload
	EntityBucket
	EntityRequest // request or trace id
	EntityHash
	EntityOther    // any other value a rule groups by; no field yields it and no key pivots on it
	EntityPod      // "namespace/name"
	EntityDomain   // a name asked for or reached
	EntityRole     // a cloud role or a group, by name or ARN
	EntityResource // any other object of an orchestrator: "namespace/type/name" or "type/name"
	endOfKinds
)

var entityNames = [...]string{
	"user", "ip", "host", "key", "session", "container", "workload", "bucket", "request", "hash", "value",
	"pod", "domain", "role", "resource",
}

// String returns the kind's name as the filter language and JSON spell it.
func (k EntityKind) String() string {
	if k >= endOfKinds {
		return entityNames[EntityOther]
	}
	return entityNames[k]
}

// Letter returns the key that follows p to pivot on this kind; 0 has none.
func (k EntityKind) Letter() rune {
	if k >= endOfKinds {
		return 0
	}
	return [...]rune{'u', 'i', 'h', 'k', 's', 'c', 'w', 'b', 'q', 'x', 0, 'c', 0, 'w', 'c'}[k]
}

// EntityKinds returns every kind that fields yield, in the order they are shown.
func EntityKinds() []EntityKind {
	var out []EntityKind
	for _, f := range entityFields {
		if !slices.Contains(out, f.kind) {
			out = append(out, f.kind)
		}
	}
	return out
}

// Role is what the entity did in the event.
type Role uint8

// The roles of an entity. Their numbers enter fingerprints of alerts.
const (
	RoleActor Role = iota
	RoleTarget
	RoleObserver // where it was seen, such as the host that logged
	RoleSource   // where the actor came from
	RoleJoined   // not in the record itself: found by joining it with others
	endOfRoles
)

// Entity is somebody or something an event is about.
type Entity struct {
	Kind  EntityKind `json:"kind"`
	Role  Role       `json:"role"`
	Value string     `json:"value"`
}

// The fields that joining records adds to an event; no record brings them. They are
// there only for records in memory.
const (
	FieldSession = "session.joined" // the session the record belongs to; its id names host or account
	FieldBehind  = "user.behind"    // who is behind a role session or an exec, as other records show it
	FieldDoubt   = "joined.doubt"   // why the join is only probable; absent where it is certain
)

// entityFields maps field names to entities; the order is the order of Entities.
var entityFields = []struct {
	name string
	kind EntityKind
	role Role
}{
	{"user.name", EntityUser, RoleActor},
	{"source.user.name", EntityUser, RoleActor},
	{"user.target.name", EntityUser, RoleTarget},
	{"user.effective.name", EntityUser, RoleTarget},
	{"destination.user.name", EntityUser, RoleTarget},
	{FieldBehind, EntityUser, RoleJoined},
	{"source.ip", EntityIP, RoleSource},
	{"destination.ip", EntityIP, RoleTarget},
	{"host.name", EntityHost, RoleObserver},
	{"source.user.key", EntityKey, RoleActor},
	{"cloud.access_key", EntityKey, RoleActor},
	{"responseElements.credentials.accessKeyId", EntityKey, RoleTarget},
	{"responseElements.accessKey.accessKeyId", EntityKey, RoleTarget},
	{FieldSession, EntitySession, RoleJoined},
	{"session.id", EntitySession, RoleActor},
	{"container.id", EntityContainer, RoleTarget},
	{"orchestrator.resource.name", EntityPod, RoleTarget},
	{"service.account", EntityWorkload, RoleActor},
	{"user.roles", EntityRole, RoleActor},
	{"userIdentity.sessionContext.sessionIssuer.arn", EntityRole, RoleActor},
	{"requestParameters.roleArn", EntityRole, RoleTarget},
	{"bucket.name", EntityBucket, RoleTarget},
	{"source.domain", EntityDomain, RoleSource},
	{"destination.domain", EntityDomain, RoleTarget},
	{"dns.question.name", EntityDomain, RoleTarget},
	{"url.domain", EntityDomain, RoleTarget},
	{"trace.id", EntityRequest, RoleActor},
	{"http.request.id", EntityRequest, RoleActor},
	{"file.hash.sha256", EntityHash, RoleTarget},
	{"file.hash.sha1", EntityHash, RoleTarget},
	{"file.hash.md5", EntityHash, RoleTarget},
}

// entityPlace is the place of a field's name in entityFields.
var entityPlace = func() map[string]uint8 {
	m := map[string]uint8{}
	for i, f := range entityFields {
		m[f.name] = uint8(i)
	}
	return m
}()

// entitySyms is entityPlace by symbol: the place plus one, 0 for other names.
var entitySyms = func() []uint8 {
	var out []uint8
	for i, f := range entityFields {
		s := int(Intern(f.name))
		for len(out) <= s {
			out = append(out, 0)
		}
		out[s] = uint8(i + 1)
	}
	return out
}()

// EntityFields returns the field names that yield entities of kind k, for pivots.
func EntityFields(k EntityKind) []string {
	var out []string
	for _, f := range entityFields {
		if f.kind == k || k == EntityResource && f.kind == EntityPod {
			out = append(out, f.name)
		}
	}
	return out
}

// EntityOfField returns the kind and the role a field's value usually has.
func EntityOfField(name string) (EntityKind, Role, bool) {
	i, ok := entityPlace[name]
	if !ok {
		return EntityOther, RoleActor, false
	}
	return entityFields[i].kind, entityFields[i].role, true
}

// MaxEntityFields bounds how many fields of one event yield entities.
const MaxEntityFields = 64

// entityAt is a field that yields an entity.
type entityAt struct {
	place uint8
	field int32
}

// Entities appends the event's entities to dst, without doubles and without
// empty values or "-"; a field that is there several times yields each. Values of
// pods and other objects are qualified by their namespace, ids of containers cut.
func (e *Event) Entities(dst []Entity) []Entity {
	var room [MaxEntityFields]entityAt
	at := room[:0]
	for i := range e.Fields {
		f := &e.Fields[i]
		if p, ok := placeOf(f); ok && len(at) < cap(at) && nameable(&f.Value) {
			at = append(at, entityAt{p, int32(i)})
		}
	}
	slices.SortStableFunc(at, func(a, b entityAt) int { return int(a.place) - int(b.place) })
	start := len(dst)
	for _, a := range at {
		d := &entityFields[a.place]
		if n, ok := e.entity(Entity{d.kind, d.role, e.Fields[a.field].Value.Str}); ok {
			dst = addEntity(dst, start, n)
		}
	}
	return dst
}

func placeOf(f *Field) (uint8, bool) {
	if f.Sym != 0 {
		if int(f.Sym) >= len(entitySyms) || entitySyms[f.Sym] == 0 {
			return 0, false
		}
		return entitySyms[f.Sym] - 1, true
	}
	p, ok := entityPlace[f.Name]
	return p, ok
}

func nameable(v *Value) bool {
	return v.Str != "" && v.Str != "-" && v.Kind != KindObject && v.Kind != KindNull
}

// everybody are groups that every account of a cluster is in: they name nobody.
var everybody = []string{"system:authenticated", "system:unauthenticated", "system:serviceaccounts"}

// entity finishes one: its kind may depend on other fields of the event, and some
// values name nothing.
func (e *Event) entity(n Entity) (Entity, bool) {
	switch n.Kind {
	case EntityPod:
		return e.object(n), true
	case EntityContainer:
		n.Value = ContainerID(n.Value)
		return n, n.Value != "host" // Falco's word for "in no container"
	case EntityRole:
		return n, !slices.Contains(everybody, n.Value)
	case EntityDomain:
		if n.Role == RoleTarget && e.LogSource.Category == "webserver" {
			n.Role = RoleObserver // the name of the site that logged
		}
		_, err := netip.ParseAddr(n.Value)
		return n, err != nil && !strings.HasSuffix(n.Value, ".amazonaws.com") // no address, nor a service that called
	}
	return n, true
}

// object names something in a cluster by its namespace, and by its type unless it
// is a pod.
func (e *Event) object(n Entity) Entity {
	kind := strings.ToLower(e.Text("orchestrator.resource.type"))
	if kind != "" && kind != "pod" && kind != "pods" {
		n.Kind, n.Value = EntityResource, kind+"/"+n.Value
	}
	if ns := e.Text("orchestrator.namespace"); ns != "" && ns != "-" {
		n.Value = ns + "/" + n.Value
	}
	return n
}

// shortID is how many digits of a container's id runtimes and Falco show.
const shortID = 12

// ContainerID cuts a container's id, with or without "containerd://" before it, to
// the 12 digits everybody has of it. What is no such id stays as it is.
func ContainerID(s string) string {
	id := s
	if i := strings.Index(s, "://"); i >= 0 {
		id = s[i+3:]
	}
	if len(id) < shortID {
		return s
	}
	for i := range shortID {
		if c := id[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return s
		}
	}
	return id[:shortID]
}

func addEntity(dst []Entity, start int, n Entity) []Entity {
	for _, have := range dst[start:] {
		if have.Kind == n.Kind && have.Value == n.Value {
			return dst
		}
	}
	return append(dst, n)
}

// MarshalText spells the kind by its name.
func (k EntityKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a kind's name.
func (k *EntityKind) UnmarshalText(b []byte) error {
	i := slices.Index(entityNames[:], string(b))
	if i < 0 {
		return fmt.Errorf("there is no entity kind %q", b)
	}
	*k = EntityKind(i)
	return nil
}

var roleNames = [...]string{"actor", "target", "observer", "source", "joined"}

// String returns the role's name as JSON spells it.
func (r Role) String() string {
	if r >= endOfRoles {
		return "unknown"
	}
	return roleNames[r]
}

// MarshalText spells the role by its name.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a role's name.
func (r *Role) UnmarshalText(b []byte) error {
	i := slices.Index(roleNames[:], string(b))
	if i < 0 {
		return fmt.Errorf("there is no role %q", b)
	}
	*r = Role(i)
	return nil
}
