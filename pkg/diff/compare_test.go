package diff

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-dev/sluice/pkg/inject/conduit"
	"github.com/sluice-dev/sluice/pkg/manifest"
)

// side lays objects out as an environment's directory, in the app "web".
func side(t *testing.T, label, text string) Side {
	t.Helper()
	files := map[string][]byte{}
	var names []string
	if text != "" {
		set, err := manifest.Parse("test.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range set {
			data, err := manifest.Encode(o)
			if err != nil {
				t.Fatal(err)
			}
			file := strings.ToLower(o.ID.Kind) + "-" + o.ID.Name + ".yaml"
			if o.ID.Namespace != "" {
				file = o.ID.Namespace + "/" + file
			}
			files["web/"+file] = data
			names = append(names, "- "+file+"\n")
		}
		files["web/kustomization.yaml"] = []byte("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n" + strings.Join(names, ""))
	}
	return Side{Label: label, Files: Rendered(files), Path: "staging"}
}

func compare(t *testing.T, before, after string) *Report {
	t.Helper()
	return comparePair(t, Pair{Name: "staging", Before: side(t, "env/staging", before), After: side(t, "working tree", after)})
}

func comparePair(t *testing.T, p Pair) *Report {
	t.Helper()
	r, err := Compare(context.Background(), []Pair{p}, Options{Strip: conduit.Strip})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func quote(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strconv.IsPrint(r) {
			b.WriteRune(r)
		} else {
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		}
	}
	return b.String()
}

// written gives a report in every form.
func written(t *testing.T, r *Report) map[string]string {
	t.Helper()
	out := map[string]string{}
	for name, write := range map[string]func(*bytes.Buffer, Style) error{
		"text":     func(b *bytes.Buffer, s Style) error { return r.Text(b, s) },
		"markdown": func(b *bytes.Buffer, s Style) error { return r.Markdown(b, s) },
		"html":     func(b *bytes.Buffer, s Style) error { return r.HTML(b, s) },
	} {
		for _, full := range []bool{false, true} {
			var b bytes.Buffer
			if err := write(&b, Style{Escape: quote, Full: full}); err != nil {
				t.Fatal(err)
			}
			out[fmt.Sprintf("%s full=%t", name, full)] = b.String()
		}
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	out["json"] = string(data)
	return out
}

const cm = "{apiVersion: v1, kind: ConfigMap, metadata: {name: %s, namespace: shop}, data: {text: %s}}\n---\n"

func TestRenamedByHash(t *testing.T) {
	object := func(name, text string) string { return fmt.Sprintf(cm, name, text) }
	for name, c := range map[string]struct{ before, after, want string }{
		"one for one":             {object("a-bc4gd2t975", "x"), object("a-m97bt975g7", "z"), "renamed a-m97bt975g7 a-bc4gd2t975"},
		"no hash":                 {object("a-one", "x"), object("a-two", "z"), "removed a-one added a-two"},
		"not kustomize's letters": {object("a-abcdefghij", "x"), object("a-m97bt975g7", "z"), "removed a-abcdefghij added a-m97bt975g7"},
		"another stem":            {object("a-bc4gd2t975", "x"), object("b-m97bt975g7", "z"), "removed a-bc4gd2t975 added b-m97bt975g7"},
		"two of one stem": {
			object("a-bc4gd2t975", "x") + object("a-c4gd2t975b", "w"), object("a-m97bt975g7", "z"),
			"removed a-bc4gd2t975 removed a-c4gd2t975b added a-m97bt975g7",
		},
	} {
		var got []string
		for _, o := range compare(t, c.before, c.after).Environments[0].Objects {
			got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s", o.Status, o.Name, o.RenamedFrom)))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestFollowsRename(t *testing.T) {
	pod := "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: shop}, spec: {containers: [{name: c, envFrom: [{configMapRef: {name: %s}}]}], nodeName: %s}}\n"
	r := compare(t, fmt.Sprintf(cm+pod, "a-bc4gd2t975", "x", "a-bc4gd2t975", "n1"), fmt.Sprintf(cm+pod, "a-m97bt975g7", "z", "a-m97bt975g7", "n2"))
	var got []string
	for _, o := range r.Environments[0].Objects {
		for _, f := range o.Fields {
			got = append(got, f.Path+"|"+f.Follows)
		}
	}
	want := []string{
		"data.text|", "metadata.name|",
		"spec.containers[name=c].envFrom[0].configMapRef.name|ConfigMap shop/a-m97bt975g7", "spec.nodeName|",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Two environments hold the same objects in other namespaces.
func TestAcross(t *testing.T) {
	a, b := fmt.Sprintf(cm, "a-bc4gd2t975", "x"), strings.Replace(fmt.Sprintf(cm, "a-m97bt975g7", "z"), "shop", "shop-2", 1)
	p := Pair{Before: side(t, "", a), After: side(t, "", b)}
	if c := comparePair(t, p).Counts; c.Added != 1 || c.Removed != 1 {
		t.Errorf("within an environment: %s", c.Summary())
	}
	p.Across = true
	if c := comparePair(t, p).Counts; c.Renamed != 1 || c.Objects() != 1 {
		t.Errorf("across: %s", c.Summary())
	}
}

// Between environments nothing is going to be applied, so nothing is refused.
func TestAcrossWarnsOfNothing(t *testing.T) {
	deployment := "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {selector: {matchLabels: {a: %s}}}}\n---\n{apiVersion: v1, kind: Namespace, metadata: {name: %s}}\n"
	p := Pair{Before: side(t, "", fmt.Sprintf(deployment, "b", "d")), After: side(t, "", fmt.Sprintf(deployment, "c", "e"))}
	for _, across := range []bool{false, true} {
		p.Across = across
		notes := 0
		for _, o := range comparePair(t, p).Environments[0].Objects {
			notes += len(o.Notes)
		}
		if want := map[bool]int{false: 2, true: 0}[across]; notes != want {
			t.Errorf("across %t: %d notes, want %d", across, notes, want)
		}
	}
}

// A Secret that was made a ConfigMap by hand, in its file, shows neither.
func TestSecretMadeAnotherKind(t *testing.T) {
	side := func(text string) Side {
		return Side{Path: "e", Files: Rendered(map[string][]byte{"f.yaml": []byte(text)})}
	}
	p := Pair{Before: side("{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {a: " + hiddenValue + "}}"), After: side("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a: " + hiddenValue + "}}")}
	for form, text := range written(t, comparePair(t, p)) {
		if strings.Contains(text, "hunter2") || !strings.Contains(plainText(form, text), "Secret a -> ConfigMap a") {
			t.Errorf("%s:\n%.500s", form, text)
		}
	}
}

// A file that holds another object than before is one that went and one that came.
func TestAnotherObjectInTheFile(t *testing.T) {
	text := func(name string) Side {
		return Side{Files: Rendered(map[string][]byte{"f.yaml": []byte("{apiVersion: v1, kind: ConfigMap, metadata: {name: " + name + "}}")})}
	}
	if c := comparePair(t, Pair{Before: text("a"), After: text("b")}).Counts; c.Added != 1 || c.Removed != 1 || c.Unchanged != 0 {
		t.Errorf("%+v", c)
	}
}

const hiddenValue = "hunter2-hunter2"

// No writer has a Secret's value, in whatever field it stands, and equal
// values can be told to be equal.
func TestSecretsAreMasked(t *testing.T) {
	coded := base64.StdEncoding.EncodeToString([]byte(hiddenValue))
	secret := func(name, fields string) string {
		return "{apiVersion: v1, kind: Secret, metadata: {name: " + name + ", annotations: {kubectl.kubernetes.io/last-applied-configuration: '" + hiddenValue + name + "'}}, " + fields + "}\n---\n"
	}
	before := secret("a", "data: {k: "+coded+", gone: "+coded+", same: eA==}, type: Opaque") + secret("removed", "stringData: {k: "+hiddenValue+"}") +
		"{apiVersion: example.com/v1, kind: Secret, metadata: {name: custom}, spec: {list: [" + hiddenValue + "]}}\n"
	after := secret("a", "stringData: {k: "+hiddenValue+"2}, data: {moved: "+coded+", same: eA==}, type: x") + secret("added", "stringData: {k: \"other\\nline\", l: other, m: "+hiddenValue+"}, strange: {deep: [{x: "+hiddenValue+"}]}") +
		"{apiVersion: example.com/v1, kind: Secret, metadata: {name: custom}, spec: {list: [" + hiddenValue + "3]}}\n"
	r := compare(t, before, after)
	for name, text := range written(t, r) {
		for _, s := range []string{"hunter2", coded, coded[:12], "other"} {
			if strings.Contains(text, s) {
				t.Errorf("%s shows %q:\n%s", name, s, text)
			}
		}
	}
	o := r.Environments[0].Objects[0]
	if o.Name != "a" || len(o.Fields) == 0 {
		t.Fatalf("%+v", o)
	}
	values := map[string]string{}
	for _, f := range o.Fields {
		values[string(f.Op)+" "+f.Path] = f.side().Inline()
	}
	if values["removed data.gone"] == "" || values["removed data.gone"] != values["added data.moved"] || values["removed data.gone"] == values["added stringData.k"] {
		t.Errorf("a value that moved cannot be told from others: %v", values)
	}
	if values["changed type"] != "x" {
		t.Errorf("what is no value is masked: %v", values)
	}
}

// Binary values are a size and a hash, long ones the part that differs.
func TestLongAndBinary(t *testing.T) {
	object := func(long, data string) string {
		return "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {long: '" + long + "'}, binaryData: {b: " + base64.StdEncoding.EncodeToString([]byte(data)) + "}}"
	}
	x := strings.Repeat("é", 5000)
	r := compare(t, object(x+"one"+x, "\x00\x01"), object(x+"two"+x, "\x00\x02"))
	for form, text := range written(t, r) {
		if !strings.Contains(text, "(binary, 2 bytes, sha256 b413f47d13ee)") {
			t.Errorf("%s: %.2000s", form, text)
		}
		line := ""
		for l := range strings.Lines(text) {
			if strings.Contains(l, "data.long") || strings.Contains(l, "data<b>.long") {
				line = l
			}
		}
		full := strings.Contains(form, "true") || form == "json"
		if (len(line) > 10000) != full || !strings.Contains(line, "one") || !strings.Contains(line, "two") || !full && !strings.Contains(line, "(20003 bytes)") {
			t.Errorf("%s: %.1000s", form, line)
		}
	}
}

// A Secret that says the same in other words has no field to show, and is not
// passed over.
func TestFormOnly(t *testing.T) {
	p := Pair{Name: "e", Before: side(t, "", fmt.Sprintf(cm, "a", "x"))}
	files := map[string][]byte{"web/shop/configmap-a.yaml": []byte(strings.TrimSuffix(fmt.Sprintf(cm, "a", "x"), "---\n"))}
	p.After = Side{Files: Rendered(files)}
	r := comparePair(t, p)
	if o := r.Environments[0].Objects[0]; len(o.Notes) != 1 || o.Notes[0].Kind != Form {
		t.Errorf("%+v", o.Notes)
	}
}

// Files that are no objects: what is in them is not shown, since nobody knows
// what of it is secret; that they differ is.
func TestOtherFiles(t *testing.T) {
	list := "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n"
	p := Pair{Name: "e", Before: Side{Path: "e", Files: Rendered(map[string][]byte{
		"text.yaml": []byte("password: " + hiddenValue + "\n"), "same.txt": []byte("x"), "web/kustomization.yaml": []byte(list + "- a.yaml\n- b.yaml\n"),
		"odd/kustomization.yaml": []byte(list + "- a.yaml\n"), "lists/kustomization.yaml": []byte(list + "- a.yaml\n"),
	})}, After: Side{Path: "e", Files: Rendered(map[string][]byte{
		"bin.dat": {0, 1, 2}, "same.txt": []byte("x"), "web/kustomization.yaml": []byte(list + "- b.yaml\n- c.yaml\n- a.yaml\n"),
		"odd/kustomization.yaml": []byte(list + "- a.yaml\nsecretGenerator: [{name: " + hiddenValue + "}]\n"), "lists/kustomization.yaml": []byte(list + "- a.yaml\n- c.yaml\n"),
	})}}
	r := comparePair(t, p)
	var got []string
	for _, f := range r.Environments[0].Files {
		got = append(got, string(f.Status)+" "+f.File+": "+f.Text)
	}
	want := []string{
		"added e/bin.dat: nothing -> binary, 3 bytes",
		"changed e/odd/kustomization.yaml: holds more than a list of objects: 4 lines, not one Kubernetes object -> 5 lines, not one Kubernetes object",
		"removed e/text.yaml: 1 line, not one Kubernetes object -> nothing",
		"changed e/web/kustomization.yaml: the order in which objects are applied",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"e/lists/kustomization.yaml"}, r.Environments[0].Lists); d != "" {
		t.Error(d)
	}
	for name, text := range written(t, r) {
		if strings.Contains(text, "hunter2") {
			t.Errorf("%s shows what may be secret", name)
		}
		for _, f := range r.Environments[0].Files {
			if !strings.Contains(text, f.File) {
				t.Errorf("%s does not name %s", name, f.File)
			}
		}
		if !strings.Contains(text, "e/lists/kustomization.yaml") {
			t.Errorf("%s does not name what is folded", name)
		}
	}
}

// plainText takes the markup away, so that what is shown can be looked for.
func plainText(form, text string) string {
	switch {
	case strings.HasPrefix(form, "html"):
		var b strings.Builder
		for i, part := range strings.Split(text, "<") {
			if _, rest, ok := strings.Cut(part, ">"); ok && i > 0 {
				part = rest
			}
			b.WriteString(part)
		}
		return html.UnescapeString(b.String())
	case form == "json":
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			return err.Error()
		}
		return strings.Join(leaves(v), "\n")
	}
	return text
}

// leaves gives every text in a JSON value.
func leaves(v any) (all []string) {
	switch v := v.(type) {
	case string:
		return []string{quote(v)}
	case []any:
		for _, item := range v {
			all = append(all, leaves(item)...)
		}
	case map[string]any:
		for _, item := range v {
			all = append(all, leaves(item)...)
		}
	}
	return all
}
