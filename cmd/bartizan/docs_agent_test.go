package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"bartizan/config"
)

const agentDocs = "../../docs/agent/"

func readDoc(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(agentDocs + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// agentFlagsExist complains about flags that the agent does not have.
func agentFlagsExist(t *testing.T, where string, words []string) {
	t.Helper()
	c := newAgent(&app{})
	for _, w := range words {
		name, _, _ := strings.Cut(strings.TrimLeft(w, "-"), "=")
		switch {
		case !strings.HasPrefix(w, "-"):
		case strings.HasPrefix(w, "--") && c.Flags().Lookup(name) == nil, !strings.HasPrefix(w, "--") && c.Flags().ShorthandLookup(name) == nil:
			t.Errorf("%s: the agent has no flag %s", where, w)
		}
	}
}

// TestAgentUnit holds the systemd unit to the program's flags and the config file
// beside it to the program's keys.
func TestAgentUnit(t *testing.T) {
	_, rest, ok := strings.Cut(readDoc(t, "bartizan-agent.service"), "\nExecStart=/usr/local/bin/bartizan agent ")
	if !ok {
		t.Fatal("the unit starts no agent")
	}
	line, _, _ := strings.Cut(rest, "\n")
	agentFlagsExist(t, "bartizan-agent.service", strings.Fields(line))
	c, err := config.LoadAgent(agentDocs + "agent.toml")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Streams) == 0 || c.Certs != "/etc/bartizan/agent" {
		t.Errorf("agent.toml is %+v", c)
	}
	for _, want := range []string{`COPY bartizan /usr/local/bin/bartizan`, `ENTRYPOINT ["/usr/local/bin/bartizan", "agent"]`} {
		if !strings.Contains(readDoc(t, "Containerfile"), want) {
			t.Errorf("the Containerfile lacks %s", want)
		}
	}
}

// manifest is what the test looks at of a Kubernetes object.
type manifest struct {
	Kind string
	Data map[string]string
	Spec struct {
		Template struct {
			Spec struct {
				Containers []struct {
					Args         []string
					VolumeMounts []struct {
						Name      string
						MountPath string `yaml:"mountPath"`
						ReadOnly  bool   `yaml:"readOnly"`
					} `yaml:"volumeMounts"`
				}
				Volumes []struct{ Name string }
			}
		}
	}
}

// TestAgentDaemonSet: the config in the manifest is one the agent takes, and every
// path it names is mounted, read-only.
func TestAgentDaemonSet(t *testing.T) {
	var set, conf manifest
	for d := yaml.NewDecoder(bytes.NewReader([]byte(readDoc(t, "daemonset.yaml")))); ; {
		var m manifest
		if err := d.Decode(&m); err != nil {
			break
		}
		if m.Kind == "DaemonSet" {
			set = m
		} else {
			conf = m
		}
	}
	file := filepath.Join(t.TempDir(), "agent.toml")
	if err := os.WriteFile(file, []byte(conf.Data["agent.toml"]), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.LoadAgent(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Spec.Template.Spec.Containers) != 1 {
		t.Fatalf("the manifest is %+v", set)
	}
	pod := set.Spec.Template.Spec
	agentFlagsExist(t, "daemonset.yaml", pod.Containers[0].Args)
	mounted := func(path string) bool {
		for _, m := range pod.Containers[0].VolumeMounts {
			if m.ReadOnly && (path == m.MountPath || strings.HasPrefix(path, m.MountPath+"/")) {
				return true
			}
		}
		return false
	}
	paths := append([]string{c.Certs, "/etc/bartizan/agent.toml", "/var/log/pods"}, c.Roots...)
	for _, s := range c.Streams {
		paths = append(paths, s.Path)
	}
	for _, p := range paths {
		if !mounted(p) {
			t.Errorf("%s is not mounted", p)
		}
	}
	if len(pod.Volumes) != len(pod.Containers[0].VolumeMounts) {
		t.Errorf("%d volumes for %d mounts", len(pod.Volumes), len(pod.Containers[0].VolumeMounts))
	}
}
