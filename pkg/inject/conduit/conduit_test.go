package conduit

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/config"
)

func ptr[T any](v T) *T { return &v }

func document(t testing.TB, text string) *yaml.Node {
	t.Helper()
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(text), &n); err != nil {
		t.Fatal(err)
	}
	return &n
}

func parse(t testing.TB, text string) *yaml.Node {
	t.Helper()
	return document(t, text).Content[0]
}

func encode(t testing.TB, n *yaml.Node) string {
	t.Helper()
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(n); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func injector(t testing.TB, c config.Conduit) *Injector {
	t.Helper()
	in, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// every gives an injector for each release, and with tls where there is one.
func every(t testing.TB) []*Injector {
	var all []*Injector
	for _, v := range Releases() {
		all = append(all, injector(t, config.Conduit{Version: v}))
		if rel, _ := releaseOf(v); rel >= v050 {
			all = append(all, injector(t, config.Conduit{Version: v, TLS: ptr("optional")}))
		}
	}
	return all
}

func (in *Injector) label() string {
	if in.settings.tls {
		return in.Version() + "+tls"
	}
	return in.Version()
}

// objects are the files of the corpus, by name.
func objects(t testing.TB) map[string]string {
	t.Helper()
	files, err := filepath.Glob("testdata/objects/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no objects: ", err)
	}
	texts := map[string]string{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		texts[strings.TrimSuffix(filepath.Base(f), ".yaml")] = string(b)
	}
	return texts
}

// inject injects a text; ok is false if the release leaves the object alone.
func inject(t testing.TB, in *Injector, text string) (out string, ok bool) {
	t.Helper()
	doc := document(t, text)
	r, err := in.Inject(doc.Content[0])
	if err != nil {
		t.Fatal(err)
	}
	return encode(t, doc), r.Status != Skipped
}

// normal is a text as the encoder writes it.
func normal(t testing.TB, text string) string {
	t.Helper()
	return encode(t, document(t, text))
}

func TestTwiceIsOnce(t *testing.T) {
	for name, text := range objects(t) {
		for _, in := range every(t) {
			once, ok := inject(t, in, text)
			if !ok {
				continue
			}
			doc := document(t, once)
			r, err := in.Inject(doc.Content[0])
			if err != nil {
				t.Fatal(name, err)
			}
			if r.Status != Unchanged || r.Replaced != in.Version() {
				t.Errorf("%s, %s: second injection is %v, replaced %q", name, in.label(), r.Status, r.Replaced)
			}
			if diff := cmp.Diff(normal(t, once), encode(t, doc)); diff != "" {
				t.Errorf("%s, %s: %s", name, in.label(), diff)
			}
		}
	}
}

// groups has a release of each kind of output.
var groups = []string{
	"v0.1.0", "v0.1.1", "v0.2.0", "v0.3.0", "v0.3.1", "v0.4.0", "v0.4.3", "v0.4.4", "v0.5.0",
	"v18.7.1", "v18.7.2", "v18.8.2", "v18.8.3", "stable-2.0.0",
}

func TestLastPinWins(t *testing.T) {
	all := []*Injector{
		injector(t, config.Conduit{Version: "v0.5.0", TLS: ptr("optional"), ProxyImage: ptr("example/proxy"), InitImage: ptr("example/init")}),
		injector(t, config.Conduit{Version: "v18.9.1", TLS: ptr("optional"), ImageTag: "latest"}),
	}
	for _, v := range groups {
		all = append(all, injector(t, config.Conduit{Version: v}))
	}
	for name, text := range objects(t) {
		alone := map[*Injector]string{}
		for _, in := range all {
			if out, ok := inject(t, in, text); ok {
				alone[in] = out
			}
		}
		for _, a := range all {
			for _, b := range all {
				if alone[a] == "" || alone[b] == "" {
					continue
				}
				doc := document(t, text)
				for _, in := range []*Injector{a, b} {
					if _, err := in.Inject(doc.Content[0]); err != nil {
						t.Fatal(name, err)
					}
				}
				if diff := cmp.Diff(alone[b], encode(t, doc)); diff != "" {
					t.Fatalf("%s: %s after %s differs from %[2]s alone:\n%[4]s", name, b.label(), a.label(), diff)
				}
			}
		}
	}
}

func TestStripGivesBack(t *testing.T) {
	for name, text := range objects(t) {
		for _, in := range every(t) {
			doc := document(t, text)
			if r, err := in.Inject(doc.Content[0]); err != nil || r.Status == Skipped {
				continue
			}
			injected := encode(t, doc)
			if version, ok := Detect(doc.Content[0]); !ok || version != in.Version() {
				t.Errorf("%s: detected %q, %t in what %s injected", name, version, ok, in.label())
			}
			if !Strip(doc.Content[0]) {
				t.Errorf("%s, %s: nothing to strip", name, in.label())
			}
			if diff := cmp.Diff(normal(t, text), encode(t, doc)); diff != "" {
				t.Errorf("%s, %s: %s", name, in.label(), diff)
			}
			if Strip(doc.Content[0]) {
				t.Errorf("%s, %s: stripped twice", name, in.label())
			}
			// The same by way of a file. The parser does not keep how deep a comment stood.
			again := document(t, injected)
			Strip(again.Content[0])
			if diff := cmp.Diff(flatComments(normal(t, text)), flatComments(encode(t, again))); diff != "" {
				t.Errorf("%s, %s, read again: %s", name, in.label(), diff)
			}
		}
	}
}

var commentIndent = regexp.MustCompile(`(?m)^ +#`)

func flatComments(text string) string { return commentIndent.ReplaceAllString(text, "#") }

// TestCanonical holds that what is added is in the form of a parsed object:
// tags on everything, no style but quotes where a reader could err.
func TestCanonical(t *testing.T) {
	var plain func(*yaml.Node)
	plain = func(n *yaml.Node) {
		n.Style, n.Line, n.Column = 0, 0, 0
		for _, c := range n.Content {
			plain(c)
		}
	}
	var check func(*yaml.Node)
	check = func(n *yaml.Node) {
		bare := yaml.Node{Kind: yaml.ScalarNode, Value: n.Value}
		switch {
		case n.Tag == "" || n.Anchor != "" || n.HeadComment+n.LineComment+n.FootComment != "":
			t.Errorf("not canonical: %+v", n)
		case n.Kind == yaml.ScalarNode && n.Tag != bare.ShortTag() && n.Style != yaml.DoubleQuotedStyle:
			t.Errorf("%q is a %s without quotes", n.Value, n.Tag)
		case n.Kind != yaml.ScalarNode && n.Style != 0:
			t.Errorf("has style: %+v", n)
		}
		for _, c := range n.Content {
			check(c)
		}
	}
	for _, in := range every(t) {
		n := parse(t, web)
		plain(n)
		if _, err := in.Inject(n); err != nil {
			t.Fatal(err)
		}
		check(n)
		styled := encode(t, n)
		plain(n)
		if diff := cmp.Diff(styled, encode(t, n)); diff != "" {
			t.Errorf("%s: %s", in.label(), diff)
		}
		if r, err := in.Inject(n); err != nil || r.Status != Unchanged {
			t.Errorf("%s: canonical form is %+v, %v", in.label(), r, err)
		}
	}
}
