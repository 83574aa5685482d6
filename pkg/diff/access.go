package diff

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/manifest"
)

const rbacGroup = "rbac.authorization.k8s.io"

// access tells where RBAC allows more than before: rules that no rule before
// covers, subjects that had no such binding, a binding to another role.
func access(o *Object, before, after *yaml.Node) []Note {
	if o.Group != rbacGroup || after == nil {
		return nil
	}
	switch o.Kind {
	case "Role", "ClusterRole":
		return widerRules(before, after)
	case "RoleBinding", "ClusterRoleBinding":
		return widerBinding(before, after)
	}
	return nil
}

// rule is one rule of a role; resource names that are empty stand for all.
type rule struct{ groups, resources, names, urls, verbs []string }

func rules(n *yaml.Node) []rule {
	var out []rule
	list := manifest.Field(n, "rules")
	if list == nil {
		return nil
	}
	for _, r := range list.Content {
		out = append(out, rule{
			groups: values(r, "apiGroups"), resources: values(r, "resources"), names: values(r, "resourceNames"),
			urls: values(r, "nonResourceURLs"), verbs: values(r, "verbs"),
		})
	}
	return out
}

func values(n *yaml.Node, key string) []string {
	var out []string
	if f := manifest.Field(n, key); f != nil {
		for _, v := range f.Content {
			out = append(out, v.Value)
		}
	}
	return out
}

// maxRequests bounds what one rule is taken apart into.
const maxRequests = 1 << 14

// widerRules gives what a role allows and did not allow before, one note for
// each resource or URL.
func widerRules(before, after *yaml.Node) []Note {
	var out []Note
	had := rules(before)
	for i, r := range rules(after) {
		path := fmt.Sprintf("rules[%d]", i)
		if len(r.groups)*len(r.resources)*max(1, len(r.names))*len(r.verbs)+len(r.urls)*len(r.verbs) > maxRequests {
			out = append(out, Note{Kind: Access, Path: path, Text: "too large to tell what it allows beyond what was allowed before"})
			continue
		}
		names := r.names
		if len(names) == 0 {
			names = []string{""}
		}
		for _, group := range r.groups {
			for _, resource := range r.resources {
				for _, name := range names {
					one := func(verb string) rule {
						return rule{groups: []string{group}, resources: []string{resource}, names: []string{name}, verbs: []string{verb}}
					}
					if verbs := uncovered(r.verbs, had, one); len(verbs) > 0 {
						out = append(out, Note{Kind: Access, Path: path, Text: "newly allows " + strings.Join(verbs, ", ") + " on " + resourceName(group, resource, name)})
					}
				}
			}
		}
		for _, url := range r.urls {
			one := func(verb string) rule { return rule{urls: []string{url}, verbs: []string{verb}} }
			if verbs := uncovered(r.verbs, had, one); len(verbs) > 0 {
				out = append(out, Note{Kind: Access, Path: path, Text: "newly allows " + strings.Join(verbs, ", ") + " on URL " + url})
			}
		}
	}
	if a, b := manifest.Field(before, "aggregationRule"), manifest.Field(after, "aggregationRule"); b != nil && (a == nil || !equal(a, b)) {
		out = append(out, Note{Kind: Access, Path: "aggregationRule", Text: "takes over the rules of other roles: what it allows cannot be told from here"})
	}
	return out
}

func uncovered(verbs []string, had []rule, one func(verb string) rule) []string {
	var out []string
	for _, v := range verbs {
		if want := one(v); !slices.ContainsFunc(had, func(r rule) bool { return covers(r, want) }) {
			out = append(out, v)
		}
	}
	return out
}

// covers tells whether a rule allows a request of one verb on one thing.
func covers(r, want rule) bool {
	holds := func(list []string, value string) bool {
		return slices.Contains(list, value) || slices.Contains(list, "*")
	}
	if !holds(r.verbs, want.verbs[0]) {
		return false
	}
	if len(want.urls) > 0 {
		return slices.ContainsFunc(r.urls, func(u string) bool {
			prefix, star := strings.CutSuffix(u, "*")
			return u == want.urls[0] || star && strings.HasPrefix(want.urls[0], prefix)
		})
	}
	_, sub, _ := strings.Cut(want.resources[0], "/")
	return holds(r.groups, want.groups[0]) &&
		(holds(r.resources, want.resources[0]) || sub != "" && slices.Contains(r.resources, "*/"+sub)) &&
		(len(r.names) == 0 || want.names[0] != "" && slices.Contains(r.names, want.names[0]))
}

func resourceName(group, resource, name string) string {
	if group != "" {
		resource += "." + group
	}
	if name != "" {
		resource += " " + name
	}
	return resource
}

// widerBinding tells who gets a role that they did not have by this binding.
func widerBinding(before, after *yaml.Node) []Note {
	role := func(n *yaml.Node) string { return text(n, "roleRef", "kind") + " " + text(n, "roleRef", "name") }
	had := map[string]bool{}
	if before != nil && role(before) == role(after) {
		for _, s := range subjects(before) {
			had[s] = true
		}
	}
	var out []Note
	for _, s := range subjects(after) {
		if !had[s] {
			out = append(out, Note{Kind: Access, Path: "subjects", Text: s + " gets " + role(after)})
		}
	}
	return out
}

func subjects(n *yaml.Node) []string {
	var out []string
	list := manifest.Field(n, "subjects")
	if list == nil {
		return nil
	}
	for _, s := range list.Content {
		name := text(s, "name")
		if ns := text(s, "namespace"); ns != "" {
			name = ns + "/" + name
		}
		out = append(out, text(s, "kind")+" "+name)
	}
	return out
}
