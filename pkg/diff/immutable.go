package diff

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// fixed are the fields that the API server refuses to change, by kind and
// group: fields at or below one of under, but for those at or below one of but.
// Source: the validation of updates in Kubernetes' own API server.
var fixed = map[string]struct{ under, but []string }{
	"Deployment.apps":  {under: []string{"spec.selector"}},
	"ReplicaSet.apps":  {under: []string{"spec.selector"}},
	"DaemonSet.apps":   {under: []string{"spec.selector"}},
	"StatefulSet.apps": {under: []string{"spec"}, but: []string{"spec.replicas", "spec.ordinals", "spec.template", "spec.updateStrategy", "spec.revisionHistoryLimit", "spec.persistentVolumeClaimRetentionPolicy", "spec.minReadySeconds"}},
	"Job.batch":        {under: []string{"spec.template", "spec.selector", "spec.completions", "spec.completionMode", "spec.podFailurePolicy", "spec.successPolicy", "spec.backoffLimitPerIndex", "spec.managedBy"}},
	"Pod.":             {under: []string{"spec"}, but: []string{"spec.activeDeadlineSeconds", "spec.terminationGracePeriodSeconds", "spec.tolerations"}},

	"PersistentVolumeClaim.": {under: []string{"spec"}, but: []string{"spec.resources.requests", "spec.volumeAttributesClassName"}},
	"Secret.":                {under: []string{"type"}},

	"RoleBinding.rbac.authorization.k8s.io":         {under: []string{"roleRef"}},
	"ClusterRoleBinding.rbac.authorization.k8s.io":  {under: []string{"roleRef"}},
	"StorageClass.storage.k8s.io":                   {under: []string{"provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"}},
	"PriorityClass.scheduling.k8s.io":               {under: []string{"value", "preemptionPolicy"}},
	"IngressClass.networking.k8s.io":                {under: []string{"spec.controller"}},
	"RuntimeClass.node.k8s.io":                      {under: []string{"handler"}},
	"CustomResourceDefinition.apiextensions.k8s.io": {under: []string{"spec.group", "spec.scope", "spec.names.plural", "spec.names.kind"}},
}

// podImage is the one field of a pod's containers that may change.
var podImage = regexp.MustCompile(`^spec\.(containers|initContainers)\[name=[^\]]+\]\.image$`)

// immutable names the changed fields that the API server will refuse. A
// renamed object is a new one to the server.
func immutable(o *Object, before *yaml.Node) []Note {
	if o.Status != Changed {
		return nil
	}
	var out []Note
	for _, f := range o.Fields {
		if f.Op != Reordered && isFixed(o, before, f) {
			out = append(out, Note{Kind: Immutable, Path: f.Path, Text: "the API server refuses this change of a " + o.Kind + ": the object has to be deleted and made anew"})
		}
	}
	return out
}

func isFixed(o *Object, before *yaml.Node, f Field) bool {
	kind := o.Kind + "." + o.Group
	switch {
	case kind == "Pod." && podImage.MatchString(f.Path):
		return false
	case kind == "Service." && (f.Path == "spec.clusterIP" || atOrBelow(f.Path, "spec.clusterIPs")):
		return f.Op == FieldChanged || f.Op == FieldAdded && text(before, "spec", "type") != "ExternalName"
	case kind == "ConfigMap." || kind == "Secret.":
		if text(before, "immutable") == "true" && (f.Path == "immutable" || atOrBelow(f.Path, "data") || atOrBelow(f.Path, "stringData") || atOrBelow(f.Path, "binaryData")) {
			return true
		}
	}
	rule := fixed[kind]
	for _, p := range rule.but {
		if atOrBelow(f.Path, p) {
			return false
		}
	}
	for _, p := range rule.under {
		if atOrBelow(f.Path, p) {
			return true
		}
	}
	return false
}

func atOrBelow(path, above string) bool {
	rest, ok := strings.CutPrefix(path, above)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}
