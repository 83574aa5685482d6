package release

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Whatever way an overlay has of deciding a value that the release sets is
// found, with its line.
func TestMasks(t *testing.T) {
	component := "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n"
	for _, test := range []struct {
		name    string
		overlay map[string]string
		want    []string
	}{
		{"nothing", nil, nil},
		{"the same value", map[string]string{"a.yaml": "kind: A\nspec: {size: 2}\n"}, nil},
		{"another field", map[string]string{"a.yaml": "kind: A\nspec: {other: 2}\n"}, nil},
		{"another kind", map[string]string{"a.yaml": "kind: B\nspec: {size: 3}\n"}, nil},
		{"another object", map[string]string{"a.yaml": "kind: A\nmetadata: {name: b}\nspec: {size: 3}\n"}, nil},
		{"the object", map[string]string{"deep/a.yaml": "kind: A\nmetadata: {name: a}\nspec:\n  size: 3\n"}, []string{"deep/a.yaml:4 spec.size 3 2"}},
		{"a second document", map[string]string{"a.yaml": "kind: B\n---\nkind: A\nspec: {size: 3}\n"}, []string{"a.yaml:4 spec.size 3 2"}},
		{"null", map[string]string{"a.yaml": "kind: A\nspec: {size: null}\n"}, []string{"a.yaml:2 spec.size  2"}},
		{"a directive", map[string]string{"a.yaml": "kind: A\nspec: {$patch: replace}\n"}, []string{"a.yaml:2 spec.size  2", "a.yaml:2 spec.list  [1]"}},
		{"a value round it", map[string]string{"a.yaml": "kind: A\nspec: none\n"}, []string{"a.yaml:2 spec.size none 2", "a.yaml:2 spec.list none [1]"}},
		{"a patch in the kustomization", map[string]string{"kustomization.yaml": component + "patches:\n- patch: |\n    kind: A\n    metadata: {name: a}\n    spec:\n      size: 3\n"}, []string{"kustomization.yaml:8 spec.size 3 2"}},
		{"one with a target", map[string]string{"kustomization.yaml": component + "patches:\n- target: {kind: A}\n  patch: |\n    kind: any\n    spec: {size: 3}\n"}, []string{"kustomization.yaml:7 spec.size 3 2"}},
		{"operations", map[string]string{"kustomization.yaml": component + "patches:\n- target: {kind: A, name: a}\n  patch: |-\n    - {op: test, path: /spec/size, value: 2}\n    - op: replace\n      path: /spec/size\n      value: 3\n"}, []string{"kustomization.yaml:7 spec.size 3 2"}},
		{"operations in a file", map[string]string{"kustomization.yaml": component + "patches:\n- target: {kind: A}\n  path: ops.yaml\n", "ops.yaml": "- {op: remove, path: /spec}\n"}, []string{"ops.yaml:1 spec.size  2", "ops.yaml:1 spec.list  [1]"}},
		{"an operation in a list", map[string]string{"kustomization.yaml": component + "patchesJson6902:\n- target: {kind: A}\n  path: ops.yaml\n", "ops.yaml": "- {op: add, path: /spec/list/-, value: 7}\n"}, []string{"ops.yaml:1 spec.list 7 [1]"}},
		{"an object in a file is read once", map[string]string{"kustomization.yaml": component + "patches:\n- path: a.yaml\n", "a.yaml": "kind: A\nspec: {size: 3}\n"}, []string{"a.yaml:2 spec.size 3 2"}},
		{"an older form", map[string]string{"kustomization.yaml": component + "patchesStrategicMerge:\n- a.yaml\n- |-\n  kind: A\n  spec: {size: 3}\n"}, []string{"kustomization.yaml:7 spec.size 3 2"}},
		{"what cannot be read", map[string]string{"a.yaml": "a: {\n", "kustomization.yaml": component + "patches:\n- {target: {kind: A}, path: ../../../../up.yaml}\n"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			texts := map[string]string{
				"sluice.yaml": "clusters: [{name: c}]\n", "c/x.yaml": "kind: A\nmetadata: {name: a}\nspec: {size: 1}\n",
				"releases/p/v2.0.0/base/x.yaml": "kind: A\nspec: {size: 2, list: [1], gone: null}\n",
			}
			for name, text := range test.overlay {
				texts["c/overlay/"+name] = text
			}
			files, cfg := repository(t, texts)
			up, err := Plan(files, cfg, Request{Cluster: "c", To: "v2.0.0"})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range up.Masks {
				got = append(got, fmt.Sprintf("%s:%d %s %s %s", strings.TrimPrefix(m.File, "c/overlay/"), m.Line, m.Field, m.Value, m.Hidden))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Values of a Secret do not come out of the overlay either.
func TestMaskOfSecret(t *testing.T) {
	files, cfg := repository(t, map[string]string{
		"sluice.yaml": "clusters: [{name: c}]\n", "c/x.yaml": "kind: Secret\nmetadata: {name: a}\ndata: {k: b25l}\n",
		"c/overlay/x.yaml": "kind: Secret\ndata: {k: dHdv}\n", "releases/p/v2.0.0/base/x.yaml": "kind: Secret\ndata: {k: dGhyZWU=}\n",
	})
	up, err := Plan(files, cfg, Request{Cluster: "c", To: "v2.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	said := fmt.Sprint(up.Changes, up.Masks)
	for _, value := range []string{"b25l", "dHdv", "dGhyZWU="} {
		if strings.Contains(said, value) {
			t.Errorf("%s shows a value", said)
		}
	}
}

// Values of a Secret are not told, wherever in an object it lies; a reference
// to one hides nothing.
func TestSecretsAreNotShown(t *testing.T) {
	secret := func(value string) string {
		return "{kind: Secret, metadata: {name: s}, stringData: {p: " + value + "}}"
	}
	list := func(value string) string { return "kind: List\nitems: [" + secret(value) + "]\n" }
	deep := func(value string) string { return "kind: A\nspec: {template: " + secret(value) + "}\n" }
	for _, test := range []struct{ name, own, older, newer, overlay string }{
		{"a list of them", list("hunter0"), list("hunter1"), list("hunter2"), list("hunter3")},
		{"one in an object", deep("hunter0"), deep("hunter1"), deep("hunter2"), deep("hunter3")},
		{"one that comes in", "kind: A\n", deep("hunter1"), deep("hunter2"), deep("hunter3")},
		{"one that stays", deep("hunter0"), deep("hunter1"), "kind: A\nspec: {other: 1}\n", "kind: A\n"},
	} {
		files, cfg := repository(t, map[string]string{
			"sluice.yaml": oneCluster, "c/x.yaml": test.own, "c/overlay/x.yaml": test.overlay,
			"releases/p/v1.0.0/base/x.yaml": test.older, "releases/p/v2.0.0/base/x.yaml": test.newer,
		})
		up, err := Plan(files, cfg, Request{Cluster: "c", To: "v2.0.0", Discard: true})
		if err != nil {
			t.Fatal(err)
		}
		if said := fmt.Sprint(up.Changes, up.Edits, up.Masks, up.Left); strings.Contains(said, "hunter") || !strings.Contains(said, hidden) {
			t.Errorf("%s: %s", test.name, said)
		}
	}
	reference, err := parse("x.yaml", []byte("kind: A\nref: {kind: Secret, name: b}\n"))
	if err != nil || reference.docs[0].secret {
		t.Errorf("a reference counts as a Secret: %v", err)
	}
}
