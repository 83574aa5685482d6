package manifest

import (
	"fmt"

	"github.com/sluice-dev/sluice/pkg/finding"
)

// Duplicates reports every object that stands in the sets more than once,
// with both places.
func Duplicates(sets ...Set) finding.List {
	var list finding.List
	first := map[ID]Origin{}
	for _, set := range sets {
		for _, o := range set {
			at, double := first[o.ID]
			if double && at.File == o.Origin.File && at.Doc == o.Origin.Doc && at.Line == o.Origin.Line {
				list.Add(o.Origin.File, o.Origin.Line, fmt.Sprintf("%s comes in twice: two entries lead to this file", o.ID), "take one of them off kubectlApply")
				continue
			}
			if double {
				list.Add(o.Origin.File, o.Origin.Line, fmt.Sprintf("%s is already defined in %s", o.ID, at), "keep one of the two")
				continue
			}
			first[o.ID] = o.Origin
		}
	}
	return list
}

// clusterScoped are Kubernetes' own kinds that live outside namespaces, as
// Kind.group: a namespace given to one of them does not make it another object.
var clusterScoped = map[string]bool{
	"Namespace.": true, "Node.": true, "PersistentVolume.": true, "ComponentStatus.": true,
	"ClusterRole.rbac.authorization.k8s.io":                         true,
	"ClusterRoleBinding.rbac.authorization.k8s.io":                  true,
	"CustomResourceDefinition.apiextensions.k8s.io":                 true,
	"APIService.apiregistration.k8s.io":                             true,
	"MutatingWebhookConfiguration.admissionregistration.k8s.io":     true,
	"ValidatingWebhookConfiguration.admissionregistration.k8s.io":   true,
	"MutatingAdmissionPolicy.admissionregistration.k8s.io":          true,
	"MutatingAdmissionPolicyBinding.admissionregistration.k8s.io":   true,
	"ValidatingAdmissionPolicy.admissionregistration.k8s.io":        true,
	"ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io": true,
	"StorageClass.storage.k8s.io":                                   true,
	"CSIDriver.storage.k8s.io":                                      true,
	"CSINode.storage.k8s.io":                                        true,
	"VolumeAttachment.storage.k8s.io":                               true,
	"VolumeAttributesClass.storage.k8s.io":                          true,
	"PriorityClass.scheduling.k8s.io":                               true,
	"RuntimeClass.node.k8s.io":                                      true,
	"IngressClass.networking.k8s.io":                                true,
	"IPAddress.networking.k8s.io":                                   true,
	"ServiceCIDR.networking.k8s.io":                                 true,
	"FlowSchema.flowcontrol.apiserver.k8s.io":                       true,
	"PriorityLevelConfiguration.flowcontrol.apiserver.k8s.io":       true,
	"CertificateSigningRequest.certificates.k8s.io":                 true,
	"ClusterTrustBundle.certificates.k8s.io":                        true,
	"PodSecurityPolicy.policy":                                      true,
	"PodSecurityPolicy.extensions":                                  true,
	"DeviceClass.resource.k8s.io":                                   true,
	"ResourceSlice.resource.k8s.io":                                 true,
	"StorageVersion.internal.apiserver.k8s.io":                      true,
	"StorageVersionMigration.storagemigration.k8s.io":               true,
}

// Namespaced tells whether an object is of one of Kubernetes' own kinds that
// live in namespaces.
func Namespaced(id ID) bool {
	return OwnGroup(id.Group) && !clusterScoped[id.Kind+"."+id.Group]
}

// ownGroups are the API groups of Kubernetes itself.
var ownGroups = map[string]bool{
	"": true, "admissionregistration.k8s.io": true, "apiextensions.k8s.io": true, "apiregistration.k8s.io": true,
	"apps": true, "authentication.k8s.io": true, "authorization.k8s.io": true, "autoscaling": true, "batch": true,
	"certificates.k8s.io": true, "coordination.k8s.io": true, "discovery.k8s.io": true, "events.k8s.io": true,
	"extensions": true, "flowcontrol.apiserver.k8s.io": true, "internal.apiserver.k8s.io": true,
	"networking.k8s.io": true, "node.k8s.io": true, "policy": true, "rbac.authorization.k8s.io": true,
	"resource.k8s.io": true, "scheduling.k8s.io": true, "settings.k8s.io": true, "storage.k8s.io": true,
	"storagemigration.k8s.io": true,
}

// OwnGroup tells whether an API group is one of Kubernetes itself, which file
// names and messages leave out. The core group is "".
func OwnGroup(group string) bool { return ownGroups[group] }
