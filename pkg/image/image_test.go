package image

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// One value changes where it stands; every other byte is as it was.
func TestChange(t *testing.T) {
	digest := "sha256:" + strings.Repeat("1", 64)
	for _, c := range []struct{ name, before, from, to, after string }{
		{"a manifest", "# top\nspec:\n  containers:\n  - name: a   # first\n    image:   'a:v1'  # why\n\n  - {name: b}\n", "a:v1", "a:v2", "# top\nspec:\n  containers:\n  - name: a   # first\n    image:   'a:v2'  # why\n\n  - {name: b}\n"},
		{"no end of line", "image: a:v1", "a:v1", "x/a:v1@" + digest, "image: x/a:v1@" + digest},
		{"windows lines", "a: 1\r\n---\r\nimage: \"a\"\r\n# end\r\n", "a", "a:v2", "a: 1\r\n---\r\nimage: \"a:v2\"\r\n# end\r\n"},
		{"JSON", "{\n\t\"image\": \"a:v1\",\n\t\"b\": [ 1,2 ]\n}", "a:v1", "a:v2", "{\n\t\"image\": \"a:v2\",\n\t\"b\": [ 1,2 ]\n}"},
		{"an operation", "- {op: test, path: /spec/image, value: a:v1}\n- op: replace\n  path: /spec/image\n  value: a:v1 # x\n", "a:v1", "a:v2", "- {op: test, path: /spec/image, value: a:v1}\n- op: replace\n  path: /spec/image\n  value: a:v2 # x\n"},
		{"a tag", "images:\n-   newTag: v1 # t\n    name: a\n", "a:v1", "a:v2", "images:\n-   newTag: v2 # t\n    name: a\n"},
		{"a number is text", "images: [{name: a, newTag: v1}]\n", "a:v1", "a:1.10", "images: [{name: a, newTag: \"1.10\"}]\n"},
		{"a new name", "images:\n- name: a\n  newTag: v1 # t\nb: 1\n", "a:v1", "x/a:v2", "images:\n- name: a\n  newTag: v2 # t\n  newName: x/a\nb: 1\n"},
		{"another name", "images:\n- name: a\n  newName: x/a\n  newTag: v1\n", "x/a:v1", "z/a:v1", "images:\n- name: a\n  newName: z/a\n  newTag: v1\n"},
		{"tag to digest", "images:\n- name: a\n  newTag: v1\n", "a:v1", "a@" + digest, "images:\n- name: a\n  digest: " + digest + "\n"},
		{"both to a tag", "images:\n- name: a\n  newTag: v1\n  digest: " + digest + "\n", "a:v1@" + digest, "a:v2", "images:\n- name: a\n  newTag: v2\n"},
		{"tag to both", "images:\n- name: a\n  newTag: v1\n", "a:v1", "a:v2@" + digest, "images:\n- name: a\n  newTag: v2\n  digest: " + digest + "\n"},
		{
			"a patch as text", "patches:\n- patch: |\n      spec:\n        - image: a:v1   # x\n\n        - b\n  target: {kind: A}\n", "a:v1", "a:v2",
			"patches:\n- patch: |\n      spec:\n        - image: a:v2   # x\n\n        - b\n  target: {kind: A}\n",
		},
		{
			"operations as text", "patches:\n  - patch: |-  # two\n      - op: replace\n        path: /image\n        value: a:v1\n", "a:v1", "a:v2",
			"patches:\n  - patch: |-  # two\n      - op: replace\n        path: /image\n        value: a:v2\n",
		},
		{
			"windows lines as text", "patches:\r\n- patch: |\r\n    a: 1\r\n    image: a:v1\r\n  target: {kind: A}\r\n", "a:v1", "a:v2",
			"patches:\r\n- patch: |\r\n    a: 1\r\n    image: a:v2\r\n  target: {kind: A}\r\n",
		},
		{"in a List", "kind: List\nitems:\n- kind: Pod\n  spec: {containers: [{image: a:v1}]}\n", "a:v1", "a:v2", "kind: List\nitems:\n- kind: Pod\n  spec: {containers: [{image: a:v2}]}\n"},
		{"a byte order mark", "\ufeffimage: a:v1\n", "a:v1", "a:v2", "\ufeffimage: a:v2\n"},
		{"JSON as text", "patches:\n- patch: '[{\"op\": \"add\", \"path\": \"/image\", \"value\": \"a:v1\"}]'  # x\n", "a:v1", "a:v2", "patches:\n- patch: '[{\"op\": \"add\", \"path\": \"/image\", \"value\": \"a:v2\"}]'  # x\n"},
		{"legacy patches", "patchesStrategicMerge:\n- |\n  image: a:v1\n", "a:v1", "a:v2", "patchesStrategicMerge:\n- |\n  image: a:v2\n"},
	} {
		sites := Scan("k.yaml", []byte(c.before))
		if len(sites) != 1 {
			t.Errorf("%s: %d sites: %v", c.name, len(sites), sites)
			continue
		}
		got, err := Change([]byte(c.before), []Edit{{Site: sites[0], From: Parse(c.from), To: Parse(c.to)}})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if d := cmp.Diff(c.after, string(got)); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
		// The line that a site names is the line that changes.
		was, is := strings.Split(c.before, "\n"), strings.Split(string(got), "\n")
		if line := sites[0].Line - 1; line >= len(is) || was[line] == is[line] && c.name != "another name" {
			t.Errorf("%s: line %d did not change", c.name, line+1)
		}
	}
}

// What only reads like an image is found by its value, and not where an object
// says what it is.
func TestGuess(t *testing.T) {
	data := "apiVersion: v1\nkind: Deployment\nimage:\n  tag: v1\nargs: [TAG=v1, a:v1, v1x]\n"
	sites := Guess("v.yaml", []byte(data), []Reference{{Name: "a", Tag: "v1"}})
	var got []string
	for _, s := range sites {
		out, err := Change([]byte(data), []Edit{{Site: s, From: Parse("a:v1"), To: Parse("a:v2")}})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(out))
	}
	want := []string{
		strings.Replace(data, "tag: v1", "tag: v2", 1), strings.Replace(data, "TAG=v1", "TAG=v2", 1), strings.Replace(data, "a:v1", "a:v2", 1),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if _, err := Change([]byte(data), []Edit{{Site: sites[0], From: Parse("a:v1"), To: Parse("b:v1")}}); err == nil {
		t.Error("a tag without a name beside it took a name")
	}
	if _, err := Change([]byte(data), []Edit{{Site: sites[0], From: Parse("a:v1"), To: Parse("a@sha256:12")}}); err == nil {
		t.Error("a tag took a digest")
	}
}

func TestParse(t *testing.T) {
	for image, want := range map[string]Reference{
		"api":              {Name: "api"},
		"host:5000/api":    {Name: "host:5000/api"},
		"host:5000/api:v1": {Name: "host:5000/api", Tag: "v1"},
		"api:v1@sha256:12": {Name: "api", Tag: "v1", Digest: "sha256:12"},
		"host:5000/a@x":    {Name: "host:5000/a", Digest: "x"},
	} {
		if got := Parse(image); got != want {
			t.Errorf("%q: %v", image, got)
		}
	}
}

// FuzzChange holds for any text: what is changed back is the text again.
func FuzzChange(f *testing.F) {
	f.Add("images:\n- name: a\n  newTag: v1 # t\n")
	f.Add("patches:\n- patch: |\n    image: a:v1\n")
	f.Add("a: &x a:v1\nimage: *x\n---\nimage: 'b:v1'\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range Scan("f.yaml", []byte(text)) {
			once, err := Change([]byte(text), []Edit{{Site: s, To: Reference{Tag: "v7"}}})
			if err != nil {
				continue
			}
			twice, err := Change(once, []Edit{{Site: s, To: Reference{Tag: "v7"}}})
			if err != nil || string(twice) != string(once) {
				t.Fatalf("%q: again is not nothing: %q, %v", text, twice, err)
			}
		}
	})
}
