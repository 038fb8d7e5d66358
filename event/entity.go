package event

import "fmt"

// EntityKind is what kind of thing an entity is; its letter is the pivot key.
type EntityKind uint8

// The kinds of entity, in the order they are shown.
const (
	EntityUser EntityKind = iota
	EntityIP
	EntityHost
	EntityKey       // access key id, ssh key fingerprint
	EntitySession   // login or role session
	EntityContainer // container or pod
	EntityWorkload  // service account, workload, role
	EntityBucket
	EntityRequest // request or trace id
	EntityHash
	EntityOther // any other value a rule groups by; no field yields it and no key pivots on it
)

var entityNames = [...]string{"user", "ip", "host", "key", "session", "container", "workload", "bucket", "request", "hash", "value"}

// String returns the kind's name as the filter language and JSON spell it.
func (k EntityKind) String() string { return entityNames[k] }

// Letter returns the key that follows p to pivot on this kind; 0 has none.
func (k EntityKind) Letter() rune {
	return [...]rune{'u', 'i', 'h', 'k', 's', 'c', 'w', 'b', 'q', 'x', 0}[k]
}

// Role is what the entity did in the event.
type Role uint8

// The roles of an entity.
const (
	RoleActor Role = iota
	RoleTarget
	RoleObserver // where it was seen, such as the host that logged
)

// Entity is somebody or something an event is about.
type Entity struct {
	Kind  EntityKind `json:"kind"`
	Role  Role       `json:"role"`
	Value string     `json:"value"`
}

// entityFields maps ECS names to entities; the order is the order of Entities.
var entityFields = []struct {
	name string
	kind EntityKind
	role Role
}{
	{"user.name", EntityUser, RoleActor},
	{"user.target.name", EntityUser, RoleTarget},
	{"source.ip", EntityIP, RoleActor},
	{"destination.ip", EntityIP, RoleTarget},
	{"host.name", EntityHost, RoleObserver},
	{"source.user.key", EntityKey, RoleActor},
	{"cloud.access_key", EntityKey, RoleActor},
	{"session.id", EntitySession, RoleActor},
	{"container.id", EntityContainer, RoleTarget},
	{"orchestrator.resource.name", EntityContainer, RoleTarget},
	{"service.account", EntityWorkload, RoleActor},
	{"user.roles", EntityWorkload, RoleActor},
	{"bucket.name", EntityBucket, RoleTarget},
	{"trace.id", EntityRequest, RoleActor},
	{"http.request.id", EntityRequest, RoleActor},
	{"file.hash.sha256", EntityHash, RoleTarget},
}

// EntityFields returns the field names that yield entities of kind k, for pivots.
func EntityFields(k EntityKind) []string {
	var out []string
	for _, f := range entityFields {
		if f.kind == k {
			out = append(out, f.name)
		}
	}
	return out
}

// Entities appends the event's entities to dst, without doubles and without
// empty values or "-".
func (e *Event) Entities(dst []Entity) []Entity {
	start := len(dst)
	for _, d := range entityFields {
		for i := range e.Fields {
			f := &e.Fields[i]
			if f.Name != d.name || f.Value.Str == "" || f.Value.Str == "-" || f.Value.Kind == KindObject {
				continue
			}
			dst = addEntity(dst, start, Entity{d.kind, d.role, f.Value.Str})
		}
	}
	return dst
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
	for i, n := range entityNames {
		if n == string(b) {
			*k = EntityKind(i)
			return nil
		}
	}
	return fmt.Errorf("there is no entity kind %q", b)
}

var roleNames = [...]string{"actor", "target", "observer"}

// MarshalText spells the role by its name.
func (r Role) MarshalText() ([]byte, error) { return []byte(roleNames[r]), nil }

// UnmarshalText reads a role's name.
func (r *Role) UnmarshalText(b []byte) error {
	for i, n := range roleNames {
		if n == string(b) {
			*r = Role(i)
			return nil
		}
	}
	return fmt.Errorf("there is no role %q", b)
}
