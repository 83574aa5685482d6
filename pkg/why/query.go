package why

import (
	"fmt"
	"path"
	"strings"

	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// Query names an object of an environment: by its file, or by kind and name.
type Query struct {
	File      string // on the branch, or relative to the environment's directory
	Kind      string // as kubectl takes it: Deployment, deployments, deploy
	Group     string // "apps" or "v1.apps"; empty: any
	Namespace string // empty: any
	Name      string
}

// ParseQuery reads KIND/NAME, KIND.GROUP/NAME or NAMESPACE/KIND/NAME.
// namespace is one that was given beside it.
func ParseQuery(text, namespace string) (Query, error) {
	parts := strings.Split(text, "/")
	q := Query{Namespace: namespace}
	switch {
	case len(parts) == 3 && namespace != "" && parts[0] != namespace:
		return q, fmt.Errorf("%q is in namespace %q, not in %q", text, parts[0], namespace)
	case len(parts) == 3:
		q.Namespace = parts[0]
	case len(parts) != 2:
		return q, fmt.Errorf("%q is not of the form KIND/NAME, KIND.GROUP/NAME or NAMESPACE/KIND/NAME", text)
	}
	q.Kind, q.Group, _ = strings.Cut(parts[len(parts)-2], ".")
	q.Name = parts[len(parts)-1]
	if q.Kind == "" || q.Name == "" || len(parts) == 3 && q.Namespace == "" {
		return q, fmt.Errorf("%q is not of the form KIND/NAME, KIND.GROUP/NAME or NAMESPACE/KIND/NAME", text)
	}
	return q, nil
}

// finds tells whether the query means an object that lies in dir.
func (q Query) finds(o tree.ObjectRecord, dir, app string) bool {
	if q.File != "" {
		within := path.Join(app, o.File)
		return q.File == within || q.File == path.Join(dir, within)
	}
	return q.Name == o.Name && (q.Namespace == "" || q.Namespace == o.Namespace) && q.ofKind(o.Kind) && q.ofGroup(o.APIVersion)
}

func (q Query) ofKind(kind string) bool {
	asked, kind := strings.ToLower(q.Kind), strings.ToLower(kind)
	if asked == kind || shortNames[asked] == kind {
		return true
	}
	stem, y := strings.CutSuffix(kind, "y")
	return asked == kind+"s" || asked == kind+"es" || y && asked == stem+"ies"
}

func (q Query) ofGroup(apiVersion string) bool {
	group := manifest.Group(apiVersion)
	version := strings.TrimPrefix(apiVersion, group+"/")
	return q.Group == "" || q.Group == group || q.Group == version+"."+group || q.Group == version && group == ""
}

// shortNames are those that the API server gives for Kubernetes' own kinds.
var shortNames = map[string]string{
	"cm": "configmap", "ep": "endpoints", "limits": "limitrange", "ns": "namespace", "no": "node",
	"pvc": "persistentvolumeclaim", "pv": "persistentvolume", "po": "pod", "rc": "replicationcontroller",
	"quota": "resourcequota", "sa": "serviceaccount", "svc": "service", "crd": "customresourcedefinition",
	"ds": "daemonset", "deploy": "deployment", "rs": "replicaset", "sts": "statefulset",
	"hpa": "horizontalpodautoscaler", "cj": "cronjob", "csr": "certificatesigningrequest",
	"ing": "ingress", "netpol": "networkpolicy", "pdb": "poddisruptionbudget", "pc": "priorityclass", "sc": "storageclass",
}
