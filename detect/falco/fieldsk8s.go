package falco

import (
	"strings"

	"bartizan/event"
	"bartizan/query"
)

const spec = "requestObject.spec"

// k8sFamily is the fields of the Kubernetes audit log (Falco's k8saudit plugin and
// its relatives for managed clusters). Templates of deployments are not pods there
// either.
func k8sFamily() *family {
	f := &family{log: event.LogSource{Product: "kubernetes", Service: "audit"}, fields: table(`
ka.auditid auditID
ka.stage stage
ka.auth.decision annotations.authorization.k8s.io/decision
ka.auth.reason annotations.authorization.k8s.io/reason
ka.auth.openshift.decision annotations.authentication.openshift.io/decision
ka.auth.openshift.username annotations.authentication.openshift.io/username
ka.user.name user.username
ka.user.groups user.groups list
ka.impuser.name impersonatedUser.username
ka.verb verb
ka.uri requestURI
ka.target.name objectRef.name
ka.target.namespace objectRef.namespace
ka.target.resource objectRef.resource
ka.target.subresource objectRef.subresource
ka.sourceips sourceIPs list
ka.useragent userAgent
ka.req.binding.role requestObject.roleRef.name
ka.req.configmap.name objectRef.name
ka.req.configmap.obj requestObject.data
ka.req.container.image requestObject.spec.containers.image first
ka.req.container.image.repository requestObject.spec.containers.image first repo
ka.req.pod.host_ipc requestObject.spec.hostIPC
ka.req.pod.host_network requestObject.spec.hostNetwork
ka.req.container.host_network requestObject.spec.hostNetwork
ka.req.pod.host_pid requestObject.spec.hostPID
ka.req.pod.run_as_user requestObject.spec.securityContext.runAsUser
ka.req.pod.run_as_group requestObject.spec.securityContext.runAsGroup
ka.req.pod.fs_group requestObject.spec.securityContext.fsGroup
ka.req.pod.supplemental_groups requestObject.spec.securityContext.supplementalGroups list
ka.req.pod.volumes.hostpath requestObject.spec.volumes.hostPath.path list
ka.req.pod.volumes.flexvolume_driver requestObject.spec.volumes.flexVolume.driver list
ka.req.role.rules.apiGroups requestObject.rules.apiGroups list
ka.req.role.rules.nonResourceURLs requestObject.rules.nonResourceURLs list
ka.req.role.rules.verbs requestObject.rules.verbs list
ka.req.role.rules.resources requestObject.rules.resources list
ka.req.service.type requestObject.spec.type
ka.resp.name responseObject.metadata.name
ka.response.code responseStatus.code
ka.response.reason responseStatus.reason`)}
	for _, kind := range []string{"containers", "initContainers", "ephemeralContainers"} {
		containerFields(f.fields, kind)
	}
	unasked(f.fields, "its values are whole objects", "ka.req.role.rules", "ka.req.binding.subjects", "ka.req.service.ports")
	unasked(f.fields, "it is worked out from several places of the record", "ka.req.pod.volumes.volume_type",
		"ka.req.pod.containers.eff_run_as_user", "ka.req.pod.containers.eff_run_as_group", "ka.req.pod.containers.host_port")
	unasked(f.fields, "it needs an argument in brackets", "ka.uri.param", "ka.req.volume.hostpath", "ka.req.binding.subject.has_name")
	unasked(f.fields, "the audit log does not name the cluster", "ka.cluster.name")
	privileged := equals(spec+".containers.securityContext.privileged", "true")
	f.fields["ka.req.container.privileged"] = whether(spec+".containers", privileged)
	f.arg = k8sArgument
	return f
}

// containerFields adds what is asked of each container of a pod. Falco reads
// ephemeral containers from the pod's spec too.
func containerFields(fields map[string]field, kind string) {
	for _, x := range [][2]string{
		{"image", "image"},
		{"image.repository", "image"},
		{"privileged", "securityContext.privileged"},
		{"allow_privilege_escalation", "securityContext.allowPrivilegeEscalation"},
		{"read_only_fs", "securityContext.readOnlyRootFilesystem"},
		{"run_as_user", "securityContext.runAsUser"},
		{"run_as_group", "securityContext.runAsGroup"},
		{"proc_mount", "securityContext.procMount"},
		{"add_capabilities", "securityContext.capabilities.add"},
	} {
		f := native(spec + "." + kind + "." + x[1])
		f.list, f.repo = true, x[0] == "image.repository"
		fields["ka.req.pod."+kind+"."+x[0]] = f
	}
}

// whether is "true" where all of the list's owner is there and x holds, "false"
// where only the owner is.
func whether(owner string, x query.Node) field {
	return field{alts: []alt{
		{when: query.And{exists(owner), x}, konst: "true"},
		{when: query.And{exists(owner), query.Not{X: x}}, konst: "false"},
	}}
}

func k8sArgument(name, arg string) (field, bool) {
	switch name {
	case "ka.uri.param":
		return field{why: "a parameter of the URI may be written in many ways; ask ka.uri"}, true
	case "ka.req.binding.subject.has_name":
		return field{alts: []alt{{konst: "true"}}}, true // what Falco itself answers, whatever the name
	case "ka.req.volume.hostpath":
		x := &query.Pred{Field: spec + ".volumes.hostPath.path", Op: query.OpEqual, Value: arg, Cased: true}
		if prefix, ok := strings.CutSuffix(arg, "*"); ok {
			x.Op, x.Value = query.OpPrefix, prefix
		}
		return whether(spec+".volumes", x), true
	}
	return field{}, false
}
