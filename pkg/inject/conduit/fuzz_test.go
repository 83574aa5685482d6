package conduit

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/config"
)

// FuzzInject holds the laws over any YAML: no panic; twice is once; a new pin
// replaces the old; strip gives back.
func FuzzInject(f *testing.F) {
	for i, text := range seeds(f) {
		f.Add(text, uint8(i), uint8(7*i), i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, text string, first, second uint8, tls bool) {
		doc, ok := stable(text)
		if !ok {
			return
		}
		a, b := pick(t, first, tls), pick(t, second, !tls)
		original := clone(doc)
		obj := doc.Content[0]

		r, err := a.Inject(obj)
		if err != nil || r.Status == Skipped {
			if !equal(original.Content[0], obj) {
				t.Fatal("changed although not injected")
			}
			return
		}
		once := encode(t, doc)
		if r, err = a.Inject(obj); err != nil || r.Status != Unchanged || encode(t, doc) != once {
			t.Fatalf("twice is not once: %+v, %v", r, err)
		}
		read, ok := stable(once)
		if !ok {
			t.Fatalf("not readable: %s", once)
		}
		if r, err = a.Inject(read.Content[0]); err != nil || r.Status != Unchanged {
			t.Fatalf("twice is not once in a file: %+v, %v\n%s", r, err, once)
		}
		if unmeshed(original.Content[0]) {
			alone := clone(original)
			if r, err := b.Inject(alone.Content[0]); err == nil && r.Status != Skipped {
				after := clone(doc)
				if _, err := b.Inject(after.Content[0]); err != nil || encode(t, after) != encode(t, alone) {
					t.Fatalf("%s after %s is not %[1]s alone: %v", b.label(), a.label(), err)
				}
			}
			if !Strip(obj) || encode(t, doc) != encode(t, original) {
				t.Fatalf("strip gives\n%s\nfor\n%s", encode(t, doc), encode(t, original))
			}
		}
		if Strip(obj); Strip(obj) {
			t.Fatal("stripped twice")
		}
	})
}

func seeds(f *testing.F) []string {
	texts := []string{
		theirs, theirsBefore, web, head, pod("hostNetwork: true"),
		annotated("linkerd.io/created-by: linkerd/cli v18.9.1", "{name: a}, {name: linkerd-proxy, ports: [{name: linkerd-proxy}]}"),
	}
	files := objects(f)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		texts = append(texts, files[name])
	}
	return texts
}

func pick(t *testing.T, n uint8, tls bool) *Injector {
	version := Releases()[int(n)%len(Releases())]
	c := config.Conduit{Version: version}
	if rel, _ := releaseOf(version); tls && rel >= v050 {
		c.TLS = ptr("optional")
	}
	return injector(t, c)
}

// stable parses a document that the YAML library itself writes and reads
// again without a change; not every one is.
func stable(text string) (*yaml.Node, bool) {
	if len(text) > 1<<16 {
		return nil, false
	}
	var doc yaml.Node
	if yaml.Unmarshal([]byte(text), &doc) != nil || len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, false
	}
	out, ok := safely(&doc)
	if !ok {
		return nil, false
	}
	var again yaml.Node
	if yaml.Unmarshal([]byte(out), &again) != nil || len(again.Content) != 1 || !equal(doc.Content[0], again.Content[0]) {
		return nil, false
	}
	return &doc, true
}

// safely encodes; the library panics over some nodes that it parsed itself.
func safely(n *yaml.Node) (out string, ok bool) {
	defer func() { ok = recover() == nil && ok }()
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	err := e.Encode(n)
	return b.String(), err == nil
}

// unmeshed tells whether an object holds nothing that strip could take for
// the injection's: no word of the mesh, no empty map or list, no null.
func unmeshed(n *yaml.Node) bool {
	if n.Kind == yaml.ScalarNode {
		return !isNull(n) && !strings.Contains(n.Value, "conduit") && !strings.Contains(n.Value, "linkerd")
	}
	for _, c := range n.Content {
		if !unmeshed(c) {
			return false
		}
	}
	return n.Kind == yaml.AliasNode || len(n.Content) > 0
}
