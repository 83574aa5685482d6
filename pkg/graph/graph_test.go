package graph

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What stands in names cannot end a label.
func TestLabels(t *testing.T) {
	g := &Graph{Environments: []Environment{{Name: `a"b`}}}
	if d := cmp.Diff("flowchart LR\n  subgraph environments\n    e0[\"a#quot;b\"]\n  end\n", g.Mermaid()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff("digraph sluice {\n  rankdir=LR;\n  node [shape=box];\n  subgraph cluster_environments {\n    label=\"environments\";\n    e0 [label=\"a\\\"b\"];\n  }\n}\n", g.Dot()); d != "" {
		t.Error(d)
	}
}
