package parse

import (
	"bytes"

	"bartizan/event"
)

// What kubectl puts before each line ("kubectl logs --prefix --timestamps").
var (
	kubePod       = known("pod")
	kubeContainer = known("container")
)

const kubectlHead = "[pod/"

func scoreKubectl(b []byte) (int, string) {
	if !prefix(b, kubectlHead) {
		return 0, "does not begin with [pod/"
	}
	if _, _, end := kubectlNames(b); end < 0 {
		return 0, "[pod/ but no pod, container and ] after it"
	}
	return 97, "[pod/name/container] as kubectl logs --prefix writes it"
}

// kubectlNames returns where the names of pod and container end; end is where the
// text begins, -1 where this is no such line.
func kubectlNames(b []byte) (pod, container, end int) {
	head := b[:min(len(b), 600)]
	i := len(kubectlHead)
	slash := bytes.IndexByte(head[min(i, len(head)):], '/')
	container = bytes.IndexByte(head, ']')
	if slash <= 0 || container < i+slash+2 || container+1 >= len(b) || b[container+1] != ' ' {
		return 0, 0, -1
	}
	return i + slash, container, container + 2
}

// readKubectl reads "[pod/name/container] stamp text" and the line inside it.
func readKubectl(p *pass) bool {
	b := p.text
	if !prefix(b, kubectlHead) {
		return false
	}
	pod, container, i := kubectlNames(b)
	if i < 0 {
		return false
	}
	p.add(kubePod, len(kubectlHead), pod)
	p.add(kubeContainer, pod+1, container)
	if to := word(b, i); to > i {
		if c, east, zoned, n := isoStamp(b[i:to]); zoned && n == to-i {
			p.at(c.utc(east))
			i = min(to+1, len(b))
		}
	}
	whole, off := p.text, p.off
	p.narrow(i, len(b))
	p.unwrap()
	p.text, p.off = whole, off
	p.alias(ecsResource, kubePod)
	p.alias(ecsContName, kubeContainer)
	if p.e.FormatName == "cri" { // nothing was recognised inside
		p.e.FormatName, p.e.LogSource = "kubectl", event.LogSource{}
	}
	return true
}
