package render

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/source"
)

// cm is a ConfigMap file.
func cm(file, name string) string {
	return fmt.Sprintf("-- %s --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n", file, name)
}

func TestEntries(t *testing.T) {
	archive := cm("plain.yaml", "plain") + cm("d/b.yaml", "b") + cm("d/a.yml", "a") + cm("d/z/n.yaml", "nested") + cm("d/.hidden/h.yaml", "h") + cm("d/.h.yaml", "h") +
		cm("d/k/one.yaml", "one") + cm("d/k/unlisted.yaml", "unlisted") + "-- d/k/kustomization.yaml --\nnamePrefix: p-\nresources: [one.yaml]\n" +
		"-- d/README.md --\nhello\n-- d/sluice.yaml --\nkubectlApply: []\n-- d/c.json --\n{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"c\"}}\n" +
		"-- list.yaml --\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: l1}}\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: l2}}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: after}\n" +
		"-- link.yaml -> d/b.yaml --\n-- dirlink -> d/k --\n" + cm("[odd].yaml", "odd")
	cases := []struct {
		entries []string
		want    string
	}{
		{[]string{"plain.yaml"}, "plain@plain.yaml:1"},
		{[]string{"d"}, "a@d/a.yml:1 b@d/b.yaml:1 c@d/c.json:1 p-one@d/k/one.yaml:1 nested@d/z/n.yaml:1"},
		{[]string{"list.yaml"}, "l1@list.yaml:4 l2@list.yaml:5 after@list.yaml:7"},
		{[]string{"d/*.y*ml", "plain.yaml"}, "a@d/a.yml:1 b@d/b.yaml:1 plain@plain.yaml:1"},
		{[]string{"d/k"}, "p-one@d/k/one.yaml:1"},
		{[]string{"d/*/"}, "p-one@d/k/one.yaml:1 nested@d/z/n.yaml:1"},
		{[]string{"link.yaml"}, "b@d/b.yaml:1"},
		{[]string{"dirlink"}, "p-one@d/k/one.yaml:1"},
		{[]string{"[odd].yaml"}, "odd@[odd].yaml:1"},
		{[]string{"plain.yaml", "./plain.yaml"}, "plain@plain.yaml:1 plain@plain.yaml:1"},
	}
	p := newPool(t, Limits{})
	for _, c := range cases {
		if strings.HasSuffix(c.entries[0], "/") {
			c.entries = []string{"d/[kz]"}
		}
		set, err := render(t, p, archive, c.entries...)
		if err != nil {
			t.Errorf("%v: %v", c.entries, err)
			continue
		}
		var got []string
		for _, o := range set {
			got = append(got, o.ID.Name+"@"+o.Origin.String())
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%v:\n got %s\nwant %s", c.entries, s, c.want)
		}
		if set[0].Origin.Entry != c.entries[0] {
			t.Errorf("%v: entry is %q", c.entries, set[0].Origin.Entry)
		}
	}
}

func TestEntriesRefused(t *testing.T) {
	archive := cm("App/a.yaml", "a") + "-- k/kustomization.yaml --\nresources: [nope.yaml, gone.yaml]\n-- bad.yaml --\nkind: [\n-- empty/x.txt --\n\n" +
		"-- out.yaml -> /etc/passwd --\n-- w/l -> ../App --\n" + cm("w/a.yaml", "w") + "-- v/broken.yaml -> nowhere --\n" + cm("v/a.yaml", "v")
	cases := []struct{ entry, at, text, hint string }{
		{"app/A.yaml", "sluice.yaml:1", `"app/A.yaml" does not exist`, "did you mean App/a.yaml?"},
		{"nothing/*.yaml", "sluice.yaml:1", "matches nothing", ""},
		{"k/kustomization.yaml", "sluice.yaml:1", "is a kustomization", "k"},
		{"k", "k/kustomization.yaml:1", `"k/nope.yaml" does not exist`, ""},
		{"k", "k/kustomization.yaml:1", `"k/gone.yaml" does not exist`, ""},
		{"bad.yaml", "bad.yaml:", "not valid YAML", ""},
		{"empty", "sluice.yaml:1", "holds no manifests", ""},
		{"out.yaml", "sluice.yaml:1", "leaves the repository", ""},
		{"../x", "sluice.yaml:1", "leaves the repository", ""},
		{"/etc/passwd", "sluice.yaml:1", "absolute", ""},
		{"w", "sluice.yaml:1", "link to a directory", ""},
		{"v", "sluice.yaml:1", "does not exist through the symbolic link", ""},
	}
	p := newPool(t, Limits{})
	for _, c := range cases {
		_, err := render(t, p, archive, c.entry)
		ok := false
		for _, f := range findings(t, err) {
			ok = ok || strings.HasPrefix(f.Error(), c.at) && strings.Contains(f.Text, c.text) && strings.Contains(f.Hint, c.hint)
		}
		if !ok {
			t.Errorf("%s: %v", c.entry, findings(t, err))
		}
	}
	_, err := render(t, p, archive, "k", "bad.yaml", "nope")
	if list := findings(t, err); len(list) != 4 {
		t.Errorf("not all findings at once: %v", list)
	}
}

func TestRenderStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := newPool(t, Limits{}).Render(ctx, memory(cm("a.yaml", "a")+"-- kustomization.yaml --\nresources: [a.yaml]\n"), entries("."))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// A render's record names every file that mattered, and what must not appear.
func TestRenderIsRecorded(t *testing.T) {
	fs, inputs := memory(cm("base/a.yaml", "a") + "-- base/kustomization.yaml --\nresources: [a.yaml]\n-- o/kustomization.yml --\nresources: [../base]\nconfigMapGenerator: [{name: g, files: [f.txt]}]\n-- o/f.txt --\nx\n-- o/other --\n").Record()
	if _, err := newPool(t, Limits{}).Render(t.Context(), fs, entries("o")); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range inputs.Sorted() {
		got = append(got, fmt.Sprint(i.Path, " ", i.Kind))
	}
	want := []string{
		"base a directory", "base/Kustomization missing", "base/a.yaml a file", "base/kustomization.yaml a file", "base/kustomization.yml missing",
		"o a directory", "o/Kustomization missing", "o/f.txt a file", "o/kustomization.yaml missing", "o/kustomization.yml a file",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// What a Secret holds does not get into an error, by whatever way it fails.
func TestErrorsShowNoValues(t *testing.T) {
	secret := "-- o/s.yaml --\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2-value}\ndata: {other: aHVudGVyMi12YWx1ZQ==}\n"
	kusts := []string{
		"resources: [s.yaml]\npatches: [{target: {name: s}, patch: \"- {op: test, path: /stringData/password, value: other}\"}]",
		"resources: [s.yaml]\npatches: [{target: {name: s}, patch: \"- {op: add, path: /nope/x, value: hunter2-value}\"}]",
		"resources: [s.yaml]\npatches: [{target: {name: s}, patch: \"- {op: replace, path: /stringData, value: [hunter2-value]}\"}]\nnamePrefix: x-",
		"resources: [s.yaml, t.yaml]",
		"resources: [s.yaml]\nreplacements: [{source: {name: s, fieldPath: stringData.password}, targets: [{select: {name: s}, fieldPaths: [stringData.password.x.y]}]}]",
		"resources: [s.yaml]\nvalidators: [v.yaml]",
		"secretGenerator: [{name: g, literals: [hunter2-value]}]",
		"secretGenerator: [{name: g, literals: ['=hunter2-value']}]",
		"secretGenerator: [{name: g, envs: [e.env]}]",
		"secretGenerator: [{name: g, literals: [a=hunter2-value, a=hunter2-value]}]",
		"resources: [s.yaml]\nsecretGenerator: [{name: s, literals: [a=hunter2-value]}]",
		"resources: [s.yaml]\nsecretGenerator: [{name: other, behavior: merge, literals: [a=hunter2-value]}]",
		"resources: [s.yaml]\npatchesJson6902: [{target: {version: v1, kind: Secret, name: s}, patch: '[{\"op\": \"add\", \"path\": \"/x/y/z\", \"value\": \"hunter2-value\"}]'}]",
		"resources: [s.yaml]\nvars: [{name: V, objref: {apiVersion: v1, kind: Secret, name: s}, fieldref: {fieldpath: stringData}}]",
	}
	p := newPool(t, Limits{})
	for _, k := range kusts {
		archive := secret + strings.Replace(strings.TrimPrefix(secret, "-- o/s.yaml"), " --", "-- o/t.yaml --", 1) +
			"-- o/e.env --\nhunter2-value!!\n-- o/v.yaml --\napiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: p}\nprefix: x-\nfieldSpecs: [{path: metadata/name}]\n-- o/kustomization.yaml --\n" + k + "\n"
		_, err := render(t, p, archive, "o")
		if err == nil {
			t.Logf("builds: %s", k)
			continue
		}
		text := fmt.Sprintf("%q", findings(t, err))
		if strings.Contains(text, "hunter2") || strings.Contains(text, "aHVudGVyMi") {
			t.Errorf("%s\n%s", k, text)
		}
		if len(text) > 1000 || strings.Contains(text, "goroutine") {
			t.Errorf("%s: too long: %s", k, text)
		}
	}
}

func TestRedact(t *testing.T) {
	cases := []struct{ text, want string }{
		{"plain words", "plain words"},
		{"accumulating resources: accumulation err='accumulating resources from 'x': y': accumulating resources: accumulation err='z': deep cause", "deep cause"},
		{
			"accumulating resources: accumulation err='accumulating resources from '../b': '/src/b' must resolve to a file': accumulating resources: " +
				"accumulation err='accumulating resources from 'a.yaml': the cause': must build at directory: '/src/b/a.yaml': file is not directory",
			"accumulating resources from 'a.yaml': the cause",
		},
		{"one\ntwo", "one"},
		{"trouble configuring builtin X with config: `\npassword: p\n`: the cause", "trouble configuring builtin X: the cause"},
		{"unable to do {\"kind\":\"Secret\"}", "unable to do …"},
		{"object map[a:b]", "object …"},
		{"cannot decode `secret` into x", "cannot decode …"},
		{"at /src/app/x.yaml", "at app/x.yaml"},
		{"value topsecret shown", "value … shown"},
		{"esc \x1b[31m", "esc ?[31m"},
		{strings.Repeat("x", 1000), strings.Repeat("x", maxMessage) + " …"},
	}
	for _, c := range cases {
		if got := redact(c.text, []string{"", "a", "topsecret"}); got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}

// What SOPS has signed comes out byte for byte, or not at all.
func TestSigned(t *testing.T) {
	file := "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  z: ENC[AES256_GCM,data:x]\n  a: ENC[AES256_GCM,data:y]\nsops:\n  mac: ENC[x]\n"
	archive := "-- o/s.yaml --\n" + file + "-- o/kustomization.yaml --\n"
	p := newPool(t, Limits{})
	set := mustRender(t, p, archive+"resources: [s.yaml]\n", "o")
	got, err := manifest.Encode(set[0])
	if err != nil || string(got) != file {
		t.Errorf("%v\n%s", err, got)
	}
	_, err = render(t, p, archive+"resources: [s.yaml]\nnamespace: ns\n", "o")
	if f := findings(t, err)[0]; f.File != "o/s.yaml" || !strings.Contains(f.Text, "signed by SOPS") {
		t.Errorf("%v", f)
	}
}

func TestCloseEndsWorkers(t *testing.T) {
	p := newPool(t, Limits{})
	mustRender(t, p, cm("o/a.yaml", "a")+"-- o/kustomization.yaml --\nresources: [a.yaml]\n", "o")
	w := p.idle[0]
	p.Close()
	if w.cmd.ProcessState == nil {
		t.Error("a worker is still there")
	}
}

var _ source.Tree = memTree{}
