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

// IntoEnvironments is the value of export.into by which the branches hold what
// engines follow them by.
const IntoEnvironments = "env"

// engines gives the engines that options are written for, even empty ones.
func (x *Export) engines() []string {
	var named []string
	if x.Flux != nil {
		named = append(named, "flux")
	}
	if x.ArgoCD != nil {
		named = append(named, "argocd")
	}
	if x.Kluctl != nil {
		named = append(named, "kluctl")
	}
	return named
}

// export checks what stands under export.
func (k *checker) export() {
	x := k.Export
	if x == nil {
		return
	}
	k.into()
	if _, rest, web := strings.Cut(x.Repository, "://"); web {
		authority, _, _ := strings.Cut(rest, "/")
		if at := strings.LastIndex(authority, "@"); at >= 0 && strings.Contains(authority[:at], ":") {
			// The text is not repeated.
			k.add("export.repository", "export.repository holds a password, and what is made of it is no Secret",
				"take it out, and keep it in a Secret in the cluster; export.flux.secret names Flux's")
		}
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

// into checks whether what the engines get can lie on the branches.
func (k *checker) into() {
	x, at := k.Export, "export.into"
	if x.Into == "" {
		return
	}
	if x.Into != IntoEnvironments {
		k.add(at, fmt.Sprintf("export.into is %q", x.Into), "write env, or leave it out")
		return
	}
	if x.Repository == "" {
		k.add(at, "export.into without export.repository: what is committed may not depend on the clone that it is made in",
			"say how the clusters reach the repository: repository: https://git.example/shop/config")
	}
	if len(x.engines()) == 0 {
		k.add(at, "export.into names no engine", "add flux: {}, argocd: {} or kluctl: {} under export:")
	}
	if len(k.Apps) == 0 {
		k.add(at, "export.into goes with apps: the top-level lists fill an environment's directory themselves", "move the top-level lists into an app of their own")
	}
	for _, u := range k.Exported() {
		if i := k.appIndex(u.App); i >= 0 {
			k.add(index("apps", i)+".name", fmt.Sprintf("app %q has the name of what export.into makes", u.App), "rename it")
		}
	}
	k.followed()
	for i, name := range x.Suspend {
		if x.Kluctl != nil && !strings.Contains(name, "/") {
			k.add(index("export.suspend", i), fmt.Sprintf("export.suspend: with export.into, kluctl would not see the end of it: nothing of %q would be applied any more", name),
				"suspend the KluctlDeployment in the cluster instead")
		}
	}
}

// followed checks that no two apps are followed by objects of one name, which
// end in those of environment and app. Each environment's lie on its own branch,
// so nobody else sees them side by side; in one cluster they would take turns.
func (k *checker) followed() {
	if k.Export.Flux == nil && k.Export.ArgoCD == nil {
		return // kluctl follows environments
	}
	seen := map[string][2]string{}
	for i, e := range k.Environments {
		for _, u := range k.All(e) {
			name := e.Name + "-" + u.App
			other, taken := seen[name]
			if !taken {
				seen[name] = [2]string{e.Name, u.App}
			} else if other[0] != e.Name {
				k.add(index("environments", i)+".name", fmt.Sprintf("with export.into, app %q of %q and app %q of %q would be followed by objects of one name, %s", other[1], other[0], u.App, e.Name, name),
					"rename one of the apps or environments")
			}
		}
	}
}

// labels checks names of objects, by their config paths.
func (k *checker) labels(names map[string]string) {
	for _, at := range slices.Sorted(maps.Keys(names)) {
		if name := names[at]; name != "" && !label().MatchString(name) {
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
