package export

import (
	"bytes"
	"fmt"
	"path"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
)

type kluctlDeployment struct {
	Interval string        `yaml:"interval"`
	Source   projectSource `yaml:"source"`
	Suspend  bool          `yaml:"suspend,omitempty"`
}

type projectSource struct {
	Git gitSource `yaml:"git"`
}

type gitSource struct {
	Path string    `yaml:"path"`
	Ref  branchRef `yaml:"ref"`
	URL  string    `yaml:"url"`
}

// Kluctl gives a KluctlDeployment for each environment, as YAML documents:
// kluctl has no dependencies between them, and applies an environment in the
// order of its kustomization. What it would take for a template is a finding.
// nil options are the defaults.
func (p *Project) Kluctl(options *config.Kluctl) ([][]byte, error) {
	if options == nil {
		options = &config.Kluctl{}
	}
	var all []object
	var list finding.List
	for _, e := range p.Environments {
		for _, file := range e.Files.Paths() {
			for _, mark := range []string{"{{", "{%", "{#"} {
				if bytes.Contains(e.Files[file], []byte(mark)) {
					list.Add(path.Join(e.Path, file), 0, fmt.Sprintf("holds %s on the branch, which kluctl would take for a template", mark),
						"use another engine, or keep such text out of the manifests")
					break
				}
			}
		}
		for _, a := range e.Apps {
			if a.Suspended && !e.Suspended {
				list.Add("", 0, fmt.Sprintf("app %q of %q cannot be suspended alone: kluctl follows an environment as a whole", a.Name, e.Name), "suspend the environment: export.suspend")
			}
		}
		spec := kluctlDeployment{
			Interval: or(options.Interval, "10m"), Suspend: e.Suspended,
			Source: projectSource{gitSource{Path: e.Path, Ref: branchRef{e.Branch}, URL: p.Repository}},
		}
		all = append(all, object{"gitops.kluctl.io/v1beta1", "KluctlDeployment", meta{Name: name(p.Name, e.Name), Namespace: or(options.Namespace, "kluctl-system")}, spec})
	}
	if err := list.Err(); err != nil {
		return nil, err
	}
	return encode(all)
}
