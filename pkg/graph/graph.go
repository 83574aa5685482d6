// Package graph takes a config and gives what follows what in it: apps by
// dependsOn, environments by promotion. It writes the graph as text, Mermaid
// and DOT.
package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-dev/sluice/pkg/config"
)

// Graph is the apps and environments of a config.
type Graph struct {
	Environments []Environment `json:"environments"` // each after the one it is promoted from
	Apps         []App         `json:"apps"`         // in the order of the config
}

// Environment is an environment with its branch.
type Environment struct {
	Name         string `json:"name"`
	Branch       string `json:"branch"`
	Path         string `json:"path"`
	PromotedFrom string `json:"promotedFrom,omitempty"`
	Frozen       string `json:"frozen,omitempty"`
}

// App is an app with what has to be applied before it.
type App struct {
	Name         string   `json:"name"`
	DependsOn    []string `json:"dependsOn"`
	Environments []string `json:"environments"` // that it is in
}

// Of gives the graph of a config. The app of its top-level lists is not in it.
func Of(cfg *config.Config) *Graph {
	g := &Graph{Environments: []Environment{}, Apps: []App{}}
	in := map[string][]string{}
	for _, chain := range cfg.Chains() {
		for _, e := range chain {
			g.Environments = append(g.Environments, Environment{e.Name, e.Branch, e.Path, e.PromotedFrom, e.Frozen})
			for _, u := range cfg.Units(e) {
				in[u.App] = append(in[u.App], e.Name)
			}
		}
	}
	for _, a := range cfg.Apps {
		g.Apps = append(g.Apps, App{a.Name, append([]string{}, a.DependsOn...), append([]string{}, in[a.Name]...)})
	}
	return g
}

// everywhere tells whether an app is in all environments.
func (g *Graph) everywhere(a App) bool { return len(a.Environments) == len(g.Environments) }

// Rows gives the graph as lines of text, a cell a column.
func (g *Graph) Rows() [][]string {
	var rows [][]string
	for _, e := range g.Environments {
		said := []string{"environment", e.Name, e.Branch}
		if e.PromotedFrom != "" {
			said = append(said, "promoted from "+e.PromotedFrom)
		}
		if e.Frozen != "" {
			said[len(said)-1] += ", frozen: " + e.Frozen
		}
		rows = append(rows, said)
	}
	for _, a := range g.Apps {
		said := []string{"app", a.Name, "everywhere"}
		if !g.everywhere(a) {
			said[2] = "in " + strings.Join(a.Environments, ", ")
		}
		if len(a.DependsOn) > 0 {
			said = append(said, "after "+strings.Join(a.DependsOn, ", "))
		}
		rows = append(rows, said)
	}
	return rows
}

// label is what a node shows.
func (g *Graph) label(a App) string {
	if g.everywhere(a) {
		return a.Name
	}
	return a.Name + " (" + strings.Join(a.Environments, ", ") + ")"
}

// edge leads from what comes first to what follows it.
type edge struct{ from, to string }

// edges gives all edges, between the ids of nodes: the letter e or a and the
// place in its list, as names may hold what a syntax does not allow.
func (g *Graph) edges() (environments, apps []edge) {
	for i, e := range g.Environments {
		if from := slices.IndexFunc(g.Environments, func(o Environment) bool { return o.Name == e.PromotedFrom }); from >= 0 {
			environments = append(environments, edge{fmt.Sprint("e", from), fmt.Sprint("e", i)})
		}
	}
	for i, a := range g.Apps {
		for _, on := range a.DependsOn {
			from := slices.IndexFunc(g.Apps, func(o App) bool { return o.Name == on })
			apps = append(apps, edge{fmt.Sprint("a", from), fmt.Sprint("a", i)})
		}
	}
	return environments, apps
}

// Mermaid gives the graph as a Mermaid flowchart.
func (g *Graph) Mermaid() string {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	environments, apps := g.edges()
	part := func(title string, labels []string, id string, edges []edge, arrow string) {
		if len(labels) == 0 {
			return
		}
		fmt.Fprintf(&b, "  subgraph %s\n", title)
		for i, l := range labels {
			fmt.Fprintf(&b, "    %s%d[\"%s\"]\n", id, i, strings.ReplaceAll(l, `"`, "#quot;"))
		}
		for _, e := range edges {
			fmt.Fprintf(&b, "    %s %s %s\n", e.from, arrow, e.to)
		}
		b.WriteString("  end\n")
	}
	names, labels := g.labels()
	part("environments", names, "e", environments, "-->|promote|")
	part("apps", labels, "a", apps, "-->")
	return b.String()
}

// Dot gives the graph in the language of Graphviz.
func (g *Graph) Dot() string {
	var b strings.Builder
	b.WriteString("digraph sluice {\n  rankdir=LR;\n  node [shape=box];\n")
	environments, apps := g.edges()
	part := func(title string, labels []string, id string, edges []edge) {
		if len(labels) == 0 {
			return
		}
		fmt.Fprintf(&b, "  subgraph cluster_%s {\n    label=%q;\n", title, title)
		for i, l := range labels {
			fmt.Fprintf(&b, "    %s%d [label=%q];\n", id, i, l)
		}
		for _, e := range edges {
			fmt.Fprintf(&b, "    %s -> %s;\n", e.from, e.to)
		}
		b.WriteString("  }\n")
	}
	names, labels := g.labels()
	part("environments", names, "e", environments)
	part("apps", labels, "a", apps)
	b.WriteString("}\n")
	return b.String()
}

// labels gives what the nodes of the environments and of the apps show.
func (g *Graph) labels() (environments, apps []string) {
	for _, e := range g.Environments {
		environments = append(environments, e.Name)
	}
	for _, a := range g.Apps {
		apps = append(apps, g.label(a))
	}
	return environments, apps
}
