package config

import (
	"strings"
	"time"

	"bartizan/sources"
)

const kindKubectl = "kubectl"

// kubectl says which logs of a cluster the source is, from since ago on.
func (s Source) kubectl(since time.Duration) sources.KubectlOptions {
	return sources.KubectlOptions{Context: s.Context, Namespace: s.Namespace, Selector: s.Selector, Target: s.Target, Container: s.Container, Since: since}
}

// kubectlName names the source by what it reads.
func (s Source) kubectlName() string {
	if s.Name != "" {
		return s.Name
	}
	parts := []string{s.Context, s.Namespace, s.Target, s.Selector, s.Container}
	return strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
}

func (s Source) checkKubectl(key string, add complain) {
	switch {
	case s.Kind == kindKubectl:
		if err := s.kubectl(0).Check(); err != nil {
			add(key, "%v", err)
		}
		return
	case s.Kind != "":
		add(key+".kind", "there is no kind %q; use kubectl, or one of path, command, fifo, journald, http and ssh", s.Kind)
		return
	}
	for _, c := range []struct{ name, value string }{
		{"selector", s.Selector}, {"target", s.Target}, {"namespace", s.Namespace}, {"container", s.Container}, {"context", s.Context},
	} {
		if c.value != "" {
			add(key+"."+c.name, "only a source with kind = %q has %s", kindKubectl, c.name)
		}
	}
}
