package sources

import (
	"bytes"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"bartizan/event"
)

// KubectlOptions say which logs of a Kubernetes cluster to follow. One of Selector
// and Target is needed.
type KubectlOptions struct {
	Program   string        // "" is kubectl
	Context   string        // "" is the current one
	Namespace string        // "" is that of the context
	Selector  string        // labels of pods: "app=gateway,tier in (web)"
	Target    string        // "deploy/gateway", "pod/gateway-0", or the name of a pod
	Container string        // "" is all of them
	Since     time.Duration // how far back to begin without a position; 0 is now
}

// Names as Kubernetes allows them (RFC 1123 subdomain; labels), and never a flag.
var (
	kubeName     = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`)
	kubeTarget   = regexp.MustCompile(`^([a-z]{1,40}/)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`)
	kubeContext  = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.:/@-]{0,252}$`)
	kubeSelector = regexp.MustCompile(`^[A-Za-z0-9!(][A-Za-z0-9_./=!, ()-]{0,511}$`)
)

// Check says in one sentence what is wrong with the options.
func (o KubectlOptions) Check() error {
	for _, c := range []struct {
		what, value string
		fits        *regexp.Regexp
	}{
		{"context", o.Context, kubeContext},
		{"namespace", o.Namespace, kubeName},
		{"selector", o.Selector, kubeSelector},
		{"target", o.Target, kubeTarget},
		{"container", o.Container, kubeName},
	} {
		if c.value != "" && !c.fits.MatchString(c.value) {
			return fmt.Errorf("%s = %.80q is none that Kubernetes allows", c.what, c.value)
		}
	}
	if (o.Selector == "") == (o.Target == "") {
		return fmt.Errorf("logs of a cluster need either a selector (\"app=gateway\") or a target (\"deploy/gateway\")")
	}
	return nil
}

// Kubectl returns the logs of pods as a source, followed by kubectl, one record per
// line. A position is the stamp of the newest record: what has that stamp may come
// twice after a restart; a line of a slower pod with an older stamp that arrives only
// after the restart is left out.
// It fails at once where kubectl is not there.
func Kubectl(name string, o KubectlOptions) Opened {
	c := &command{id: event.SourceID("kubectl:" + name), clock: SystemClock{}, pos: kubectlStamp}
	c.argv = func(from Position) ([]string, error) { return o.argv(from) }
	return Opened{Info{ID: c.id, Kind: "kubectl", Name: name, Live: true}, c}
}

// argv builds the command line. It goes to no shell.
func (o KubectlOptions) argv(from Position) ([]string, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	program := o.Program
	if program == "" {
		program = "kubectl"
	}
	path, err := exec.LookPath(program)
	if err != nil {
		return nil, fmt.Errorf("%s is not there (%w): install it, or leave the source out", program, err)
	}
	argv := []string{path, "logs", "--follow", "--timestamps", "--prefix", "--max-log-requests=50"}
	add := func(flag, value string) {
		if value != "" {
			argv = append(argv, flag+"="+value)
		}
	}
	add("--context", o.Context)
	add("--namespace", o.Namespace)
	if add("--container", o.Container); o.Container == "" {
		argv = append(argv, "--all-containers")
	}
	switch {
	case from != "":
		if _, err := time.Parse(time.RFC3339Nano, string(from)); err != nil {
			return nil, fmt.Errorf("position %.60q is no stamp of a cluster's log: start without it", string(from))
		}
		add("--since-time", string(from))
		add("--tail", "-1")
	case o.Since > 0:
		add("--since", fmt.Sprintf("%ds", int64(o.Since.Seconds())))
		add("--tail", "-1") // with a selector it is 10 otherwise
	default:
		add("--tail", "0")
	}
	add("--selector", o.Selector)
	if o.Target != "" {
		argv = append(argv, "--", o.Target)
	}
	return argv, nil
}

// kubectlStamp takes the newest stamp of the open batch: pods are not in order.
func kubectlStamp(o *outbox, _ FrameState) Position {
	var newest time.Time
	for i := range o.cargo.records {
		raw := o.cargo.records[i].Raw
		end := bytes.IndexByte(raw[:min(len(raw), 700)], ']')
		if end < 0 || raw[0] != '[' || len(raw) < end+2 {
			continue
		}
		word, _, _ := strings.Cut(string(raw[end+2:min(len(raw), end+42)]), " ")
		if t, err := time.Parse(time.RFC3339Nano, word); err == nil && t.After(newest) {
			newest = t
		}
	}
	if newest.IsZero() {
		return o.kept
	}
	if at := newest.UTC().Format(time.RFC3339Nano); o.kept == "" || laterStamp(newest, o.kept) {
		o.kept = Position(at)
	}
	return o.kept
}

func laterStamp(t time.Time, than Position) bool {
	old, err := time.Parse(time.RFC3339Nano, string(than))
	return err != nil || t.After(old)
}
