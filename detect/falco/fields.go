package falco

import (
	"strings"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/query"
)

// field says how one of Falco's fields is asked for in our events.
type field struct {
	alts  []alt
	list  bool   // several values; only in, intersects and exists are asked of them
	first bool   // Falco gives the first of several; see compiler.first
	repo  bool   // an image's name without tag and digest
	zero  bool   // Falco gives "" where it is missing
	why   string // not empty: it cannot be asked, and this is why
}

// alt is one way to the value: when holds, it is the text of path, or konst.
type alt struct {
	when  query.Node // nil: always
	path  string     // "": konst
	konst string
}

// family is the fields of one source of events.
type family struct {
	log    event.LogSource
	fields map[string]field
	arg    func(name, arg string) (field, bool) // fields with an argument; nil: none
}

func exists(path string) query.Node { return &query.Pred{Field: path, Op: query.OpExists} }

func equals(path, value string) query.Node {
	return &query.Pred{Field: path, Op: query.OpEqual, Value: value, Cased: true}
}

func native(p string) field { return field{alts: []alt{{path: p}}} }

// table reads lines of "field path", where the path may be followed by list, zero.
func table(lines string) map[string]field {
	out := map[string]field{}
	for _, line := range strings.Split(strings.TrimSpace(lines), "\n") {
		w := strings.Fields(line)
		f := native(w[1])
		for _, flag := range w[2:] {
			switch flag {
			case "list":
				f.list = true
			case "zero":
				f.zero = true
			case "first":
				f.first = true
			case "repo":
				f.repo = true
			}
		}
		out[w[0]] = f
	}
	return out
}

// unasked adds fields that are known but cannot be asked.
func unasked(fields map[string]field, why string, names ...string) {
	for _, n := range names {
		fields[n] = field{why: why}
	}
}

// families are the event sources whose rules are evaluated here, by Falco's name.
var families = map[string]*family{
	"k8s_audit":      k8sFamily(),
	"aws_cloudtrail": trailFamily(),
	"gcp_auditlog":   gcpFamily(),
	"okta":           oktaFamily(),
	"github":         githubFamily(),
	"json":           {},
}

func init() {
	families["gcp_audit"] = families["gcp_auditlog"]
}

// alertSource stands for alerts that Falco raised elsewhere: their fields are what
// its output named.
const (
	alertSource      = "\x00alert"
	outputFieldsPath = "output_fields."
)

// otherSources is the product in the log source of a rule that is for display
// only; the service is Falco's name of the source.
const otherSources = "falco"

// SourceOf returns Falco's name for the events a loaded rule is about: k8s_audit,
// aws_cloudtrail, gcp_auditlog, okta, github, json, syscall or what its file says.
func SourceOf(r *detect.Rule) string {
	if r.LogSource.Product == otherSources {
		return r.LogSource.Service
	}
	for _, name := range recordSources {
		if families[name].log == r.LogSource {
			return name
		}
	}
	return "json"
}

// recordSources are the sources with a log source of their own.
var recordSources = []string{"k8s_audit", "aws_cloudtrail", "gcp_auditlog", "okta", "github"}

// lookup finds a field as the rules of a source may use it; known is false for a
// field that Falco does not have there.
func lookup(source string, t *term) (f field, known bool) {
	if source == alertSource {
		name := term{field: t.field, arg: t.arg, hasArg: t.hasArg}
		return native(outputFieldsPath + name.String()), true
	}
	fam := families[source]
	if fam == nil {
		return field{why: "the source " + source + " is not read here"}, source != "syscall" || knownSyscall(t.field)
	}
	if t.hasArg && fam.arg != nil {
		if f, ok := fam.arg(t.field, t.arg); ok {
			return f, true
		}
	}
	if f, ok := fam.fields[t.field]; ok {
		if t.hasArg {
			return argued(f), true
		}
		return f, true
	}
	return general(source, t)
}

// argued is a list field with an index: Falco gives that one element, which the
// flat names here cannot tell from the others.
func argued(f field) field {
	if f.list {
		return field{why: "one element of a list cannot be asked for; leave the index out"}
	}
	return field{why: "the field takes no argument"}
}

const (
	whyMeta   = "it is about Falco's own stream of events, not about the record"
	whyObject = "only exists can be asked of a whole record"
)

// general knows the fields that every source of records has.
func general(source string, t *term) (field, bool) {
	name := t.field
	switch name {
	case "json.value", "jevt.value":
		if !t.hasArg {
			return field{why: "it needs a JSON pointer in brackets"}, true
		}
		return pointerField(t.arg), true
	case "json.obj", "jevt.obj", "json.rawtime", "jevt.rawtime", "jevt.time", "jevt.time.iso8601", "evt.num", "evt.time", "evt.rawtime":
		return field{alts: []alt{{konst: present}}, why: whyObject}, true
	case "evt.source":
		return field{alts: []alt{{konst: source}}}, true
	case "evt.type":
		return field{alts: []alt{{konst: "pluginevent"}}}, true
	case "evt.pluginname", "evt.plugininfo":
		return field{why: whyMeta}, true
	}
	if strings.HasPrefix(name, "evt.") && knownSyscall(name) {
		return field{why: whyMeta}, true
	}
	return field{}, false
}

// present marks a field that every record has and whose value is not asked for.
const present = "\x00present"

// pointerField is the value at a JSON pointer (RFC 6901) as one dotted path.
func pointerField(pointer string) field {
	if !strings.HasPrefix(pointer, "/") {
		return field{why: "the JSON pointer must begin with /"}
	}
	parts := strings.Split(pointer[1:], "/")
	for i, p := range parts {
		if _, isNumber := number(p); isNumber {
			return field{why: "the JSON pointer asks for one element of a list, which cannot be told from the others"}
		}
		parts[i] = unescapePointer(p)
	}
	return native(strings.Join(parts, "."))
}

func unescapePointer(p string) string {
	return strings.ReplaceAll(strings.ReplaceAll(p, "~1", "/"), "~0", "~")
}
