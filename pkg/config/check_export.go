package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// duration is what the engines' definitions take for one.
var duration = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`)

// export checks what stands under export.
func (k *checker) export() {
	x := k.Export
	if x == nil {
		return
	}
	k.labels(map[string]string{"export.name": x.Name})
	for i, name := range x.Suspend {
		env, app, within := strings.Cut(name, "/")
		if _, known := k.Environment(env); !known || within && k.appIndex(app) < 0 {
			k.add(index("export.suspend", i), fmt.Sprintf("export.suspend: %q is neither an environment nor ENV/APP", name), "name what is under environments: and apps:")
		}
	}
	if f := x.Flux; f != nil {
		k.labels(map[string]string{"export.flux.namespace": f.Namespace, "export.flux.secret": f.Secret})
		k.durations(map[string]string{"export.flux.interval": f.Interval, "export.flux.sourceInterval": f.SourceInterval, "export.flux.timeout": f.Timeout})
		k.labels(map[string]string{"export.flux.serviceAccount": strings.NewReplacer("{app}", "a", "{namespace}", "a").Replace(f.ServiceAccount)})
	}
	if a := x.ArgoCD; a != nil {
		k.labels(map[string]string{"export.argocd.namespace": a.Namespace, "export.argocd.project": a.Project})
		for _, env := range slices.Sorted(maps.Keys(a.Servers)) {
			if _, known := k.Environment(env); !known {
				k.add("export.argocd.servers."+env, fmt.Sprintf("export.argocd.servers: no environment is named %q", env), "name one that is under environments:")
			}
		}
	}
	if l := x.Kluctl; l != nil {
		k.labels(map[string]string{"export.kluctl.namespace": l.Namespace})
		k.durations(map[string]string{"export.kluctl.interval": l.Interval})
	}
}

// labels checks names of objects, by their config paths.
func (k *checker) labels(names map[string]string) {
	for _, at := range slices.Sorted(maps.Keys(names)) {
		if name := names[at]; name != "" && !label.MatchString(name) {
			k.add(at, fmt.Sprintf("%s %q is not a DNS label", at, name), "lower-case letters, digits and dashes, 63 at most")
		}
	}
}

func (k *checker) durations(values map[string]string) {
	for _, at := range slices.Sorted(maps.Keys(values)) {
		if v := values[at]; v != "" && !duration.MatchString(v) {
			k.add(at, fmt.Sprintf("%s %q is not a duration", at, v), "for instance 10m, 90s or 1h30m")
		}
	}
}
