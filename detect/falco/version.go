package falco

import (
	"fmt"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// EngineVersion is the version of Falco's rule engine whose language is read here.
const EngineVersion = "0.63.0"

const engineMinor = 63

// versionProblem refuses a whole file.
type versionProblem struct{ problem }

var semver = regexp.MustCompile(`^(\d{1,9})\.(\d{1,9})\.(\d{1,9})$`)

// checkVersion refuses a file that asks for a newer engine, or in words that
// cannot be read.
func (c *collector) checkVersion(root *yaml.Node) error {
	for _, n := range root.Content {
		if n = plain(n); n.Kind != yaml.MappingNode {
			continue
		}
		v := get(n, "required_engine_version")
		if v == nil {
			continue
		}
		if reason := versionReason(v); reason != "" {
			return &versionProblem{problem{v.Line, reason + "; nothing of this file is loaded"}}
		}
	}
	return nil
}

// versionReason says why the version is refused, "" when it is fine. A number
// alone is the minor version, as before versions had three parts.
func versionReason(v *yaml.Node) string {
	major, minor := 0, 0
	if m := semver.FindStringSubmatch(v.Value); m != nil {
		major, _ = strconv.Atoi(m[1]) // digits, at most nine
		minor, _ = strconv.Atoi(m[2])
	} else {
		n, err := strconv.Atoi(v.Value)
		if err != nil || n < 0 || v.Kind != yaml.ScalarNode {
			return fmt.Sprintf("required_engine_version %s is neither a number nor a version such as 0.57.0", quote(cut(v.Value, 40)))
		}
		minor = n
	}
	if major > 0 || minor > engineMinor {
		return fmt.Sprintf("the rules require engine version %s, but the engine here speaks %s", v.Value, EngineVersion)
	}
	return ""
}

// checkPlugins checks the form of required_plugin_versions; the fields of those
// plugins are read here without them, so the versions ask for nothing.
func checkPlugins(n *yaml.Node) error {
	if n.Kind != yaml.SequenceNode {
		return at(n, "required_plugin_versions must be a list of name and version")
	}
	for _, p := range n.Content {
		if p = plain(p); p.Kind != yaml.MappingNode {
			return at(p, "each required plugin must be a map with name and version")
		}
		for _, key := range []string{"name", "version"} {
			v := get(p, key)
			if v == nil {
				return at(p, "a required plugin has no %s; add it", key)
			}
			s, err := text(v, "the "+key+" of a plugin")
			if err != nil {
				return err
			}
			if key == "version" && !semver.MatchString(s) {
				return at(v, "the version %s of a plugin is not of the form 1.2.3", quote(cut(s, 40)))
			}
		}
		if alt := get(p, "alternatives"); alt != nil {
			if err := checkPlugins(alt); err != nil {
				return err
			}
		}
	}
	return nil
}
