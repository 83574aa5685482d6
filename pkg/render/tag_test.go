package render

import (
	"testing"

	"sigs.k8s.io/kustomize/api/provider"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/sluice-dev/sluice/pkg/manifest"
)

var taggable = []string{
	"apiVersion: v1\nkind: A\nmetadata:\n  name: a\n",
	"# c\n\n---\n# d\nkind: A\napiVersion: v1\nmetadata:\n    # e\n    name: a # f\n    annotations:\n        # g\n        x: y\n",
	"{apiVersion: v1, kind: A, metadata: {name: a}}\n---\n{kind: B, apiVersion: v1, metadata: {annotations: {b: c}, name: b}}",
	"{\n  \"apiVersion\": \"v1\",\n\t\"kind\": \"A\",\n  \"metadata\": {\n    \"name\": \"a\"\n  }\n}",
	"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: A\n  metadata:\n    name: a\n- {apiVersion: v1, kind: B, metadata: {name: b}}\n",
	"apiVersion: v1\r\nkind: A\r\nmetadata:\r\n  name: a\r\n",
	"apiVersion: v1\nkind: A\nmetadata:\n  ? name\n  : a\n",
	"apiVersion: v1\nkind: A\n\"metadata\":\n  'name': a\n",
	"apiVersion: v1\nkind: A\nmetadata:\n  é: x\n  name: a\n",
	"apiVersion: v1\nkind: A\nmetadata:\n  name: a\n  annotations: {}\n",
	"apiVersion: v1\nkind: A\nmetadata:\n  name: a\n  annotations:\n",
	"apiVersion: v1\nkind: A\nmetadata: &m\n  name: a\nspec: *m\n",
	"apiVersion: v1\nkind: A\nx: &x {a: b}\nmetadata:\n  <<: *x\n  name: a\n",
	"apiVersion: v1\nkind: A\nmetadata:\n  annotations: !!map\n    x: y\n  name: a\n",
	"--- \napiVersion: v1\nkind: A\nmetadata:\n  name: a\n...\n",
	"apiVersion: v1\nkind: A\nmetadata: {\n name: a }\n",
	"apiVersion: v1\nkind: A\nmetadata:\n  name: |-\n    a\n",
}

// A mark adds one annotation and changes nothing else, however a file is written.
func TestTagged(t *testing.T) {
	marked := 0
	for _, s := range taggable {
		if checkTagged(t, []byte(s)) {
			marked++
		}
	}
	if marked < 10 {
		t.Errorf("only %d files can be marked", marked)
	}
}

func FuzzTagged(f *testing.F) {
	for _, s := range taggable {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkTagged(t, data) })
}

func checkTagged(t *testing.T, data []byte) bool {
	t.Helper()
	r := read(useResource, "f.yaml", data)
	if len(r.findings) > 0 || r.tagged == nil {
		return false
	}
	factory := provider.NewDefaultDepProvider().GetResourceFactory()
	plain, err := factory.SliceFromBytes(data)
	if err != nil {
		return false
	}
	marked, err := factory.SliceFromBytes(r.tagged)
	if err != nil {
		t.Logf("kustomize refuses the marked file, so the build runs without marks: %v\n%s", err, r.tagged)
		return false
	}
	if len(plain) != len(marked) {
		t.Fatalf("%d objects, %d marked\n%s", len(plain), len(marked), r.tagged)
	}
	docs, err := manifest.Documents("f.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	for i := range plain {
		annotations := marked[i].GetAnnotations()
		m, ok := parseMark(annotations[tagAnnotation])
		if !ok || m.file != "f.yaml" || m.line == 0 || m.doc > docs[len(docs)-1].Index {
			t.Fatalf("mark %q\n%s", annotations[tagAnnotation], r.tagged)
		}
		delete(annotations, tagAnnotation)
		if err := marked[i].SetAnnotations(annotations); err != nil {
			t.Fatal(err)
		}
		if err := plain[i].SetAnnotations(plain[i].GetAnnotations()); err != nil {
			t.Fatal(err)
		}
		if a, b := value(t, plain[i]), value(t, marked[i]); a != b {
			t.Fatalf("%s\nbecame\n%s\nin\n%s", a, b, r.tagged)
		}
	}
	if r.rooted != nil {
		above, err := factory.SliceFromBytes(r.rooted)
		if err != nil || len(above) != len(plain) {
			t.Fatalf("%d objects, %d marked: %v\n%s", len(plain), len(above), err, r.rooted)
		}
		for i, o := range above {
			n := o.YNode()
			m, ok := parseMark(untag(n, tagAnnotation))
			if !ok || m.file != "f.yaml" {
				t.Fatalf("no mark\n%s", r.rooted)
			}
			if err := o.SetAnnotations(o.GetAnnotations()); err != nil {
				t.Fatal(err)
			}
			if a, b := value(t, plain[i]), value(t, o); a != b {
				t.Fatalf("%s\nbecame\n%s\nin\n%s", a, b, r.rooted)
			}
		}
	}
	return true
}

func value(t *testing.T, r interface{ AsYAML() ([]byte, error) }) string {
	text, err := r.AsYAML()
	if err != nil {
		return "" // not an object that kustomize can print
	}
	var v any
	if err := sigsyaml.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return show(v)
}
