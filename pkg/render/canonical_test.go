package render

import (
	"fmt"
	"testing"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/provider"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/sluice-dev/sluice/pkg/manifest"
)

// Scalars as kustomize reads and prints them.
var scalars = []string{
	`v`, `"v"`, `''`, `~`, `null`, `""`, `true`, `True`, `FALSE`, `"true"`, `no`, `"no"`, `on`, `y`, `0`, `-0`, `+1`, `1`, `007`, `0777`, `0o17`, `0x1F`, `0b101`,
	`1_000`, `1.0`, `1.10`, `1e3`, `1E3`, `.5`, `-1.5e-7`, `1e21`, `1e400x`, `9007199254740993`, `9223372036854775807`, `18446744073709551615`, `123456789012345678901234567890`,
	`2024-02-29`, `2024-02-29T10:11:12Z`, `2024-02-29 10:11:12.5 +2`, `12:30`, `1:2:3`, `=`, `"<<"`, `!!str 12`, `!!str true`, `!!int "3"`, `!!float 3`, `!!bool "true"`, `!!binary aGVsbG8=`,
	"|\n    a\n    b\n", ">-\n    a\n    b\n", `"a\tb\u00e9\x1b"`, `[]`, `{}`, `[1, [2, {a: 3}]]`, `{b: 1, a: [x, "y"]}`, `"1e3"`, `"0x1"`, `"2024-02-29"`, `é`, `- `, `.inf`, `.nan`,
	`{A}`, `[a, , b]`, `{A: }`, ">\n  0\n   00\n", `2e19`, `20000000000000000000`, `!!binary 0000`,
	"|+\n\n \n#0\n",
}

// The short way to an object's values ends where kustomize's own long one does.
func TestCanonicalIsWhatKustomizePrints(t *testing.T) {
	for _, s := range scalars {
		checkCanonical(t, []byte(fmt.Sprintf("apiVersion: v1\nkind: X\nmetadata: {name: a}\nv: %s\n", s)))
	}
}

func FuzzCanonical(f *testing.F) {
	for _, s := range scalars {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var n yaml.Node
		if len(data) > 200 || yaml.Unmarshal(data, &n) != nil {
			return
		}
		checkCanonical(t, []byte(fmt.Sprintf("apiVersion: v1\nkind: X\nmetadata: {name: a}\nv: %s\n", data)))
	})
}

func checkCanonical(t *testing.T, doc []byte) {
	t.Helper()
	rs, err := provider.NewDefaultDepProvider().GetResourceFactory().SliceFromBytes(doc)
	if err != nil || len(rs) != 1 {
		return
	}
	want, werr := rs[0].AsYAML()
	p := packer{}
	gerr := p.canonical(&rs[0].RNode)
	if werr != nil {
		return // refused by kustomize: what we make of it never counts
	}
	if gerr != nil {
		t.Logf("%q: refused: %v", doc, gerr)
		return
	}
	u := unpacker{b: p.b}
	n := u.node(maxDepth + 1)
	if u.err != nil || len(u.b) > 0 {
		t.Fatalf("%q: %v, %d bytes left", doc, u.err, len(u.b))
	}
	got, err := manifest.EncodeNode(n)
	if err != nil {
		t.Fatal(err)
	}
	var a, b any
	if err := sigsyaml.Unmarshal(want, &a); err != nil {
		t.Fatal(err)
	}
	if err := sigsyaml.Unmarshal(got, &b); err != nil {
		t.Fatalf("%q: %v\n%s", doc, err, got)
	}
	if show(a) != show(b) {
		t.Errorf("%q: kustomize prints %s, this gives %s", doc, show(a), show(b))
	}
}
