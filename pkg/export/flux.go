package export

import (
	"path"
	"strings"

	"github.com/sluice-dev/sluice/pkg/config"
)

type named struct {
	Name string `yaml:"name"`
}

type gitRepository struct {
	Interval  string    `yaml:"interval"`
	Ref       branchRef `yaml:"ref"`
	SecretRef *named    `yaml:"secretRef,omitempty"`
	Suspend   bool      `yaml:"suspend,omitempty"`
	URL       string    `yaml:"url"`
}

type branchRef struct {
	Branch string `yaml:"branch"`
}

type kustomization struct {
	DependsOn          []named    `yaml:"dependsOn,omitempty"`
	HealthChecks       []Workload `yaml:"healthChecks,omitempty"`
	Interval           string     `yaml:"interval"`
	Path               string     `yaml:"path"`
	Prune              bool       `yaml:"prune"`
	ServiceAccountName string     `yaml:"serviceAccountName,omitempty"`
	SourceRef          sourceRef  `yaml:"sourceRef"`
	Suspend            bool       `yaml:"suspend,omitempty"`
	TargetNamespace    string     `yaml:"targetNamespace,omitempty"`
	Timeout            string     `yaml:"timeout"`
}

type sourceRef struct {
	Kind string `yaml:"kind"`
	Name string `yaml:"name"`
}

// Flux gives a GitRepository for each environment's branch and a
// Kustomization for each app in it, as YAML documents. nil options are the
// defaults.
func (p *Project) Flux(options *config.Flux) ([][]byte, error) {
	if options == nil {
		options = &config.Flux{}
	}
	namespace := or(options.Namespace, "flux-system")
	var all []object
	for _, e := range p.Environments {
		source := name(p.Name, e.Name)
		sync := e.Syncs["flux"]
		git := gitRepository{Interval: or(options.SourceInterval, "1m"), Ref: branchRef{e.Branch}, Suspend: e.Suspended && sync == "", URL: p.Repository}
		if options.Secret != "" {
			git.SecretRef = &named{options.Secret}
		}
		all = append(all, object{"source.toolkit.fluxcd.io/v1", "GitRepository", meta{Name: source, Namespace: namespace}, git})
		if sync != "" {
			k := kustomization{
				Interval: or(options.Interval, "10m"), Path: "./" + sync, Prune: true,
				SourceRef: sourceRef{"GitRepository", source}, Timeout: or(options.Timeout, "5m"),
			}
			all = append(all, object{"kustomize.toolkit.fluxcd.io/v1", "Kustomization", meta{Name: name(p.Name, e.Name, path.Base(sync)), Namespace: namespace}, k})
		}
		for _, a := range e.Apps {
			k := kustomization{
				HealthChecks: a.Workloads, Interval: or(options.Interval, "10m"), Path: "./" + a.Path, Prune: true,
				SourceRef: sourceRef{"GitRepository", source}, Suspend: a.Suspended,
				TargetNamespace: a.Namespace, Timeout: or(options.Timeout, "5m"),
			}
			for _, on := range a.DependsOn {
				k.DependsOn = append(k.DependsOn, named{name(p.Name, e.Name, on)})
			}
			if a.Namespace != "" {
				k.ServiceAccountName = strings.NewReplacer("{app}", a.Name, "{namespace}", a.Namespace).Replace(options.ServiceAccount)
			}
			all = append(all, object{"kustomize.toolkit.fluxcd.io/v1", "Kustomization", meta{Name: name(p.Name, e.Name, a.Name), Namespace: namespace}, k})
		}
	}
	return encode(all)
}
