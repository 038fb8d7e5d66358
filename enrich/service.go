package enrich

import "strings"

// The providers of clouds, as ECS spells them.
const (
	aws   = "aws"
	gcp   = "gcp"
	azure = "azure"
)

// serviceOf fills f for what stands where an address would: the name of a cloud's
// own service, or what a cloud writes instead of an address. It does not allocate.
func serviceOf(s string, f *address) bool {
	switch s {
	case "AWS Internal", "AWS Internal/":
		f.class, f.provider, f.service = classService, aws, "AWS Internal"
		return true
	case "gce-internal-ip", "private":
		f.class, f.local, f.provider = classPrivate, true, gcp
		return true
	}
	for _, d := range serviceDomains {
		name, ok := strings.CutSuffix(s, d.suffix)
		if !ok || name == "" {
			continue
		}
		if i := strings.LastIndexByte(name, '.'); i >= 0 {
			if d.alone {
				return false // a machine or a bucket, not the service itself
			}
			name = name[i+1:]
		}
		f.class, f.provider, f.service = classService, d.provider, name
		return true
	}
	return false
}

// serviceDomains are the names under which services of clouds call.
var serviceDomains = []struct {
	suffix, provider string
	alone            bool // only with one label before it
}{
	{".amazonaws.com", aws, true},
	{".amazonaws.com.cn", aws, true},
	{".aws.internal", aws, false},
	{".gserviceaccount.com", gcp, false},
}

// userClass is what kind of user a name stands for that no person has.
type userClass struct {
	class  string
	prefix string // of the name
	exact  bool   // and nothing after it
	words  string
}

var userClasses = []userClass{
	{"service account", "system:serviceaccount:", false, "a Kubernetes service account"},
	{"node", "system:node:", false, "a kubelet"},
	{"anonymous", "system:anonymous", true, "nobody who proved who they are"},
	{"anonymous", "system:unauthenticated", true, "nobody who proved who they are"},
	{"anonymous", "ANONYMOUS_PRINCIPAL", true, "nobody who proved who they are"},
	{"control plane", "eks:", false, "Amazon's part of a Kubernetes cluster"},
	{"control plane", "aks-service", true, "Azure's part of a Kubernetes cluster"},
	{"control plane", "system:", false, "another part of Kubernetes itself"},
	{"service role", "AWSServiceRoleFor", false, "a role that an AWS service made for itself"},
}

// userSuffixes are the same by how the name ends.
var userSuffixes = []userClass{
	{"service account", ".gserviceaccount.com", false, "a Google service account"},
	{"cloud service", ".amazonaws.com", false, "an AWS service"},
	{"app", "[bot]", false, "a GitHub app"},
}

// classOfUser returns the class of a user's name, "" for what may be a person.
func classOfUser(name string) string {
	for i := range userClasses {
		c := &userClasses[i]
		if strings.HasPrefix(name, c.prefix) && (!c.exact || len(name) == len(c.prefix)) {
			return c.class
		}
	}
	for i := range userSuffixes {
		if strings.HasSuffix(name, userSuffixes[i].prefix) {
			return userSuffixes[i].class
		}
	}
	return ""
}
