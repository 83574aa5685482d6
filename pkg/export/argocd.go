package export

import (
	"path"
	"strconv"

	"github.com/sluice-dev/sluice/pkg/config"
)

// inCluster is the cluster that Argo CD runs in, as its Applications name it.
const inCluster = "https://kubernetes.default.svc"

type application struct {
	Destination destination `yaml:"destination"`
	Project     string      `yaml:"project"`
	Source      argoSource  `yaml:"source"`
	SyncPolicy  *syncPolicy `yaml:"syncPolicy,omitempty"`
}

type destination struct {
	Namespace string `yaml:"namespace,omitempty"`
	Server    string `yaml:"server"`
}

type argoSource struct {
	Path           string `yaml:"path"`
	RepoURL        string `yaml:"repoURL"`
	TargetRevision string `yaml:"targetRevision"`
}

type syncPolicy struct {
	Automated automated `yaml:"automated"`
}

type automated struct {
	Prune    bool `yaml:"prune"`
	SelfHeal bool `yaml:"selfHeal"`
}

// ArgoCD gives an Application for each app in each environment, as YAML
// documents; sync waves follow the dependencies. A suspended one is not
// synchronized by itself. nil options are the defaults.
func (p *Project) ArgoCD(options *config.ArgoCD) ([][]byte, error) {
	if options == nil {
		options = &config.ArgoCD{}
	}
	var all []object
	for _, e := range p.Environments {
		if sync := e.Syncs["argocd"]; sync != "" {
			// Its Applications belong to where Argo CD is, not to the environment's cluster.
			namespace := or(options.Namespace, "argocd")
			all = append(all, object{"argoproj.io/v1alpha1", "Application", meta{Name: name(p.Name, e.Name, path.Base(sync)), Namespace: namespace}, application{
				Destination: destination{Namespace: namespace, Server: inCluster}, Project: or(options.Project, "default"),
				Source:     argoSource{Path: sync, RepoURL: p.Repository, TargetRevision: e.Branch},
				SyncPolicy: &syncPolicy{automated{Prune: true, SelfHeal: true}},
			}})
		}
		for _, a := range e.Apps {
			spec := application{
				Destination: destination{Namespace: a.Namespace, Server: or(options.Servers[e.Name], inCluster)},
				Project:     or(options.Project, "default"),
				Source:      argoSource{Path: a.Path, RepoURL: p.Repository, TargetRevision: e.Branch},
			}
			if !a.Suspended {
				spec.SyncPolicy = &syncPolicy{automated{Prune: true, SelfHeal: true}}
			}
			m := meta{Name: name(p.Name, e.Name, a.Name), Namespace: or(options.Namespace, "argocd")}
			if a.Wave > 0 {
				m.Annotations = map[string]string{"argocd.argoproj.io/sync-wave": strconv.Itoa(a.Wave)}
			}
			all = append(all, object{"argoproj.io/v1alpha1", "Application", m, spec})
		}
	}
	return encode(all)
}
