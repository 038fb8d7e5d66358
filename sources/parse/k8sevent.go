package parse

import "bartizan/event"

// Kubernetes events (core/v1 and events.k8s.io/v1 in its API reference), one object
// per record, bare or as eventrouter and kubernetes-event-exporter wrap them.

// kubeEvent are the names of one shape.
type kubeEvent struct {
	reason, message, kind, when name
	aliases                     []pair
}

var (
	keType     = known("type")
	keAPI      = known("apiVersion")
	keKind     = known("kind")
	keTimes    = knownAll("lastTimestamp", "eventTime", "series.lastObservedTime", "deprecatedLastTimestamp", "firstTimestamp", "metadata.creationTimestamp")
	keTimesIn  = knownAll("event.lastTimestamp", "event.eventTime", "event.firstTimestamp", "event.metadata.creationTimestamp")
	keTypeIn   = known("event.type")
	keObject   = kubeEventOf("", "involvedObject", "message")
	keRegard   = kubeEventOf("", "regarding", "note")
	keWrapped  = kubeEventOf("event.", "involvedObject", "message")
	logKubeEv  = event.LogSource{Product: "kubernetes", Category: "application", Service: "events"}
	keVersions = [...]string{"v1", "events.k8s.io/v1", "events.k8s.io/v1beta1", ""}
)

func kubeEventOf(prefix, object, message string) kubeEvent {
	at := func(s string) name { return known(prefix + s) }
	return kubeEvent{at("reason"), at(message), at(object + ".kind"), at("metadata.creationTimestamp"), []pair{
		{ecsAction, at("reason")},
		{ecsNamespace, at(object + ".namespace")},
		{ecsResource, at(object + ".name")},
		{ecsHost, at("source.host")},
		{ecsHost, at("deprecatedSource.host")},
		{ecsHost, at("reportingInstance")},
		{ecsProvider, at("source.component")},
		{ecsProvider, at("reportingComponent")},
		{ecsProvider, at("reportingController")},
		{ecsEventID, at("metadata.uid")},
	}}
}

// kubeEventOfRecord returns the shape of a record, nil when it is none.
func kubeEventOfRecord(p *pass) *kubeEvent {
	for _, k := range [...]*kubeEvent{&keObject, &keRegard, &keWrapped} {
		if p.has(k.reason) != nil && p.has(k.kind) != nil {
			return k
		}
	}
	return nil
}

func isKubeEvent(p *pass) bool {
	if p.has(keType) == nil && p.has(keTypeIn) == nil || kubeEventOfRecord(p) == nil {
		return false
	}
	kind, version := p.value(keKind), p.value(keAPI)
	if kind != "" && kind != "Event" {
		return false
	}
	for _, v := range keVersions {
		if v == version {
			return true
		}
	}
	return false
}

// kubeResources are the plural names that audit records have, by kind.
var kubeResources = map[string]string{
	"Pod": "pods", "Node": "nodes", "Deployment": "deployments", "ReplicaSet": "replicasets", "DaemonSet": "daemonsets",
	"StatefulSet": "statefulsets", "Job": "jobs", "CronJob": "cronjobs", "Service": "services", "Ingress": "ingresses",
	"Secret": "secrets", "ConfigMap": "configmaps", "Namespace": "namespaces", "PersistentVolumeClaim": "persistentvolumeclaims",
	"HorizontalPodAutoscaler": "horizontalpodautoscalers", "ServiceAccount": "serviceaccounts",
}

// readKubeEvent reads an event; Warning is what Kubernetes calls a problem.
func readKubeEvent(p *pass) {
	k := kubeEventOfRecord(p)
	if k == nil {
		readGeneric(p)
		return
	}
	p.endNative()
	for _, list := range [...][]name{keTimes, keTimesIn} {
		for _, n := range list {
			if f := p.has(n); f != nil && p.timeValue(f.Value) {
				break
			}
		}
	}
	p.e.Level = event.LevelInfo
	for _, n := range [...]name{keType, keTypeIn} {
		if p.value(n) == "Warning" {
			p.e.Level = event.LevelWarning
		}
	}
	p.e.Message = p.compose(p.value(k.reason), p.value(k.message))
	p.aliases(k.aliases)
	if plural, ok := kubeResources[p.value(k.kind)]; ok {
		p.aliasWord(ecsResType, plural)
	} else {
		p.alias(ecsResType, k.kind)
	}
}
