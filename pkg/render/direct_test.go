package render

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path"
	"reflect"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
)

// tree is files in memory as a worker sees them.
func tree(all map[string]string) *files {
	f := &files{known: map[string]answer{".": {kind: leadsToDir, real: "."}}, data: map[string][]byte{}}
	for name, text := range all {
		name = path.Clean(name)
		f.known[name] = answer{kind: leadsToFile, real: name}
		f.data[name] = []byte(text)
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			f.known[dir] = answer{kind: leadsToDir, real: dir}
		}
	}
	f.ask = func(string) (answer, error) { return answer{kind: leadsNowhere}, nil }
	return f
}

// quiet keeps the library's warnings about old fields from the output.
func quiet(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stderr
	os.Stderr = null
	t.Cleanup(func() { os.Stderr = before; null.Close() })
}

// bothWays builds a directory in the short way and by the library, and says
// whether the short way did it.
func bothWays(t *testing.T, d *direct, all map[string]string, dir string) bool {
	t.Helper()
	req := request{objects: 1 << 20, output: 1 << 30}
	short, err := d.build(tree(all), dir)
	if err != nil {
		return false
	}
	got, ours := packResult(short, req)
	d.schemas.whole()
	m, err := byTheLibrary(tree(all), dir)
	if err != nil {
		t.Fatalf("the library says %v, the short way builds\n%s", err, archive(all))
	}
	want, theirs := packResult(m.Resources(), req)
	if !bytes.Equal(want, got) || (ours == nil) != (theirs == nil) {
		text, _ := m.AsYaml()
		built := ""
		for _, r := range short {
			text, _ := r.AsYAML()
			built += "---\n" + string(text)
		}
		t.Fatalf("the library builds\n%s\nthe short way builds\n%s\nfrom\n%s", text, built, archive(all))
	}
	return true
}

// byTheLibrary builds as the library does, whose panics are errors too.
func byTheLibrary(fs *files, dir string) (m resmap.ResMap, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("a panic: %v", r)
		}
	}()
	opts := krusty.MakeDefaultOptions()
	opts.Reorder = krusty.ReorderOptionUnspecified
	opts.PluginConfig = types.DisabledPluginConfig()
	return krusty.MakeKustomizer(opts).Run(fs, path.Join(mount, dir))
}

func archive(all map[string]string) string {
	var b strings.Builder
	for name, text := range all {
		fmt.Fprintf(&b, "-- %s --\n%s", name, text)
	}
	return b.String()
}

// The library's own test inputs that need none of its plugins and schemas give
// the same bytes in the short way, and most of them take it.
func TestShortWayOnTheLibrarysInputs(t *testing.T) {
	quiet(t)
	cases, _ := krustyCases(t, krustyModule(t))
	d, err := newDirect()
	if err != nil {
		t.Fatal(err)
	}
	short, all := 0, 0
	for _, c := range cases {
		if text := strings.ToLower(archive(c.files)); strings.Contains(text, "openapi") || strings.Contains(text, "crds") || reasonFor(c.name) != "" {
			continue
		}
		all++
		if bothWays(t, d, c.files, path.Clean(c.dir)) {
			short++
		}
	}
	t.Logf("%d of %d", short, all)
	if short < 150 {
		t.Errorf("only %d of %d builds took the short way", short, all)
	}
}

// maker makes kustomizations whose objects refer to each other by names that
// the kustomizations change.
type maker struct {
	r     *rand.Rand
	files map[string]string
	made  int
}

func (m *maker) pick(all ...string) string { return all[m.r.IntN(len(all))] }
func (m *maker) maybe(text string) string  { return m.pick(text, "", "") }

func (m *maker) object() string {
	name, other := m.pick("a", "b", "c", "d", "e", "f", "g", "h"), m.pick("a", "b", "c", "d", "e", "gen", "other")
	meta := fmt.Sprintf("metadata:\n  name: %s\n%s%s", name, m.maybe("  namespace: "+m.pick("default", "one", "two")+"\n"),
		m.maybe("  annotations: {x: y}\n")+m.maybe("  labels: {app: "+name+"}\n"))
	pod := fmt.Sprintf("spec:\n      serviceAccountName: %s\n      containers:\n      - name: c\n        image: %s\n        envFrom:\n        - configMapRef: {name: %s}\n        - secretRef: {name: %s}\n      volumes:\n      - name: v\n        configMap: {name: %s}\n",
		other, m.pick("nginx:1", "registry.example/app", "app@sha256:00"), other, other, name)
	switch m.r.IntN(12) {
	case 0, 1:
		return "apiVersion: v1\nkind: ConfigMap\n" + meta + "data: {k: v}\n"
	case 2:
		return "apiVersion: v1\nkind: Secret\n" + meta + "stringData: {k: v}\n"
	case 3, 4:
		return "apiVersion: apps/v1\nkind: Deployment\n" + meta + "spec:\n  selector: {matchLabels: {app: " + name + "}}\n  template:\n    metadata: {labels: {app: " + name + "}}\n    " + pod
	case 5:
		return "apiVersion: v1\nkind: ServiceAccount\n" + meta
	case 6:
		return "apiVersion: v1\nkind: Service\n" + meta + "spec: {selector: {app: " + name + "}}\n"
	case 7:
		return fmt.Sprintf("apiVersion: rbac.authorization.k8s.io/v1\nkind: %s\n%ssubjects:\n- {kind: ServiceAccount, name: %s%s}\n- {kind: User, name: %s}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: %s, name: %s}\n",
			m.pick("RoleBinding", "ClusterRoleBinding"), meta, other, m.maybe(", namespace: "+m.pick("default", "one", "two", "three")), name, m.pick("Role", "ClusterRole"), other)
	case 8:
		return fmt.Sprintf("apiVersion: rbac.authorization.k8s.io/v1\nkind: %s\n%srules:\n- {apiGroups: [\"\"], resources: [secrets], resourceNames: [%s, %s], verbs: [get]}\n", m.pick("Role", "ClusterRole"), meta, name, other)
	case 9:
		return "apiVersion: networking.k8s.io/v1\nkind: Ingress\n" + meta + "spec:\n  defaultBackend: {service: {name: " + other + "}}\n  tls: [{secretName: " + other + "}]\n"
	case 10:
		return "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n" + meta + "spec:\n  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: " + other + "}\n"
	}
	return m.pick("apiVersion: v1\nkind: Namespace\nmetadata: {name: one}\n", "apiVersion: example.com/v1\nkind: Widget\n"+meta+"spec: {replicas: 2}\n",
		"apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\n"+meta+"webhooks:\n- name: w\n  clientConfig: {service: {name: "+other+", namespace: one}}\n")
}

func (m *maker) patch() string {
	target := m.pick("kind: Deployment", "kind: ConfigMap", "name: a", "kind: .*", "labelSelector: app=a", "namespace: one", "kind: Service, name: b")
	switch m.r.IntN(9) {
	default:
		return "- target: {" + target + "}\n  patch: |-\n    apiVersion: v1\n    kind: X\n    metadata: {name: x, labels: {patched: l}}\n"
	case 0:
		return "- target: {" + target + "}\n  patch: |-\n    - {op: add, path: /metadata/annotations, value: {p: q}}\n"
	case 1:
		return "- target: {" + target + "}\n  patch: |-\n    apiVersion: v1\n    kind: X\n    metadata: {name: x, annotations: {p: null, more: m}}\n"
	case 2:
		return "- patch: |-\n    {apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: 3}}\n"
	case 4:
		return "- target: {kind: Deployment}\n  options: {allowNameChange: true}\n  patch: |-\n    {apiVersion: apps/v1, kind: Deployment, metadata: {name: renamed}}\n"
	case 3:
		return "- patch: |-\n    {$patch: delete, apiVersion: v1, kind: ConfigMap, metadata: {name: " + m.pick("a", "b") + "}}\n"
	}
}

// dir makes one kustomization and what it includes.
func (m *maker) dir(depth int, component bool) string {
	m.made++
	dir := fmt.Sprintf("d%d", m.made)
	var k strings.Builder
	if component {
		k.WriteString("apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n")
	}
	k.WriteString(m.maybe("namespace: "+m.pick("one", "two", "default")+"\n") + m.maybe("namePrefix: p-\n") + m.maybe("nameSuffix: -s\n") +
		m.maybe("commonLabels: {common: label}\n") + m.maybe("commonAnnotations: {common: note}\n") +
		m.maybe("labels:\n- pairs: {l: m}\n  includeSelectors: "+m.pick("true", "false")+"\n  includeTemplates: "+m.pick("true", "false")+"\n") +
		m.maybe("images:\n- {name: nginx, newTag: \"2\"}\n- {name: registry.example/app, digest: \"sha256:11\"}\n") +
		m.pick("", "", "", "", "", "replicas: [{name: a, count: 4}]\n") + m.maybe("generatorOptions: {disableNameSuffixHash: "+m.pick("true", "false")+", labels: {g: o}}\n") +
		m.maybe("configMapGenerator:\n- {name: gen, literals: [a=b], behavior: "+m.pick("create", "create", "merge")+"}\n") +
		m.maybe("secretGenerator:\n- {name: "+m.pick("gen", "other")+", literals: [a=b], options: {annotations: {s: t}}}\n"))
	if m.r.IntN(3) == 0 {
		k.WriteString("patches:\n" + m.patch() + m.maybe(m.patch()))
	}
	if m.r.IntN(20) == 0 {
		k.WriteString("patchesStrategicMerge:\n- |-\n  {apiVersion: v1, kind: Service, metadata: {name: a}, spec: {type: NodePort}}\n")
	}
	if m.r.IntN(20) == 0 {
		k.WriteString("patchesJson6902:\n- target: {group: apps, version: v1, kind: Deployment, name: b}\n  patch: '[{\"op\": \"add\", \"path\": \"/spec/replicas\", \"value\": 5}]'\n")
	}
	k.WriteString("resources:\n- r.yaml\n")
	var objects []string
	for range 1 + m.r.IntN(4) {
		objects = append(objects, m.object())
	}
	m.files[dir+"/r.yaml"] = strings.Join(objects, "---\n")
	if depth > 0 {
		for range m.r.IntN(3) {
			k.WriteString("- ../" + m.dir(depth-1, false) + "\n")
		}
		if m.r.IntN(3) == 0 {
			k.WriteString("components:\n- ../" + m.dir(0, true) + "\n")
		}
	}
	m.files[dir+"/kustomization.yaml"] = k.String()
	return dir
}

// Whatever the kustomizations do to names, namespaces and each other's
// references, the short way gives the library's bytes or leaves it to it.
func TestShortWayIsTheLibrarys(t *testing.T) {
	quiet(t)
	d, err := newDirect()
	if err != nil {
		t.Fatal(err)
	}
	short := 0
	for i := range uint64(400) {
		m := &maker{r: rand.New(rand.NewPCG(i, 0)), files: map[string]string{}}
		if bothWays(t, d, m.files, m.dir(2, false)) {
			short++
		}
	}
	t.Logf("%d of 400", short)
	if short < 60 {
		t.Errorf("only %d builds took the short way", short)
	}
}

const (
	bindings = `apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b, namespace: one}
subjects: [{kind: ServiceAccount, name: s, namespace: one}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}
`
	// Two objects of one name, which a namespace makes one and the same.
	pair = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: one}}\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: two}}\n"
)

// shapes are kustomizations that chance does not make. What the library
// refuses, the short way has to leave to it.
var shapes = []struct {
	name  string
	files map[string]string
	short bool
}{
	// A namespace in which there is no object of the name is another thing than
	// one in which there is no object: only then is the current one looked at.
	{"a namespace without the name", map[string]string{
		"k/kustomization.yaml":     "resources: [../moved, x.yaml]\n",
		"k/x.yaml":                 "{apiVersion: v1, kind: ConfigMap, metadata: {name: x, namespace: one}}\n---\n" + bindings,
		"moved/kustomization.yaml": "namespace: one\nnamePrefix: p-\nresources: [s.yaml]\n",
		"moved/s.yaml":             "{apiVersion: v1, kind: ServiceAccount, metadata: {name: s, namespace: zero}}\n",
	}, true},
	{"a namespace that is new", map[string]string{
		"k/kustomization.yaml": "namespace: one\nnamePrefix: p-\nresources: [s.yaml]\n",
		"k/s.yaml":             "{apiVersion: v1, kind: ServiceAccount, metadata: {name: s, namespace: zero}}\n---\n" + strings.Replace(bindings, "namespace: one}\nsub", "namespace: zero}\nsub", 1),
	}, true},
	{"two become one by their namespace", map[string]string{"k/kustomization.yaml": "namespace: x\nresources: [a.yaml]\n", "k/a.yaml": pair}, false},
	{"one twice", map[string]string{"k/kustomization.yaml": "resources: [a.yaml, b.yaml]\n", "k/a.yaml": pair, "k/b.yaml": pair}, false},
	{"two become one by a patch", map[string]string{
		"k/kustomization.yaml": "resources: [a.yaml]\npatches:\n- target: {kind: ConfigMap}\n  options: {allowNameChange: true}\n  patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}'\n",
		"k/a.yaml":             "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}\n",
	}, false},
	{"an object for local use", map[string]string{
		"k/kustomization.yaml": "resources: [a.yaml]\n",
		"k/a.yaml":             "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, annotations: {config.kubernetes.io/local-config: \"true\"}}}\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}\n",
	}, false},
	{"a component as a resource", map[string]string{
		"k/kustomization.yaml": "resources: [../c]\n", "c/a.yaml": pair,
		"c/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [a.yaml]\n",
	}, false},
	{"a file elsewhere", map[string]string{"k/kustomization.yaml": "resources: [../a.yaml]\n", "a.yaml": pair}, false},
	{"a patch with a line separator", map[string]string{
		"k/kustomization.yaml": "resources: [a.yaml]\npatches:\n- target: {kind: ConfigMap}\n  patch: \"apiVersion: v1\\nkind: X\\nmetadata: {name: x}\\ndata: {k: 'a\\x85b'}\\n\"\n",
		"k/a.yaml":             "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n",
	}, true},
	{"strings that are hard to write", map[string]string{
		"k/kustomization.yaml": "resources: [a.yaml]\ncommonAnnotations: {a: \"x\\x85y\", b: \"\\n  a\\n b\", c: \"\\uFEFFx\", d: \"a \\n\\tb \", e: \"\\r\\n\", f: \"\\x07\"}\nnamePrefix: \"\\x85\"\n",
		"k/a.yaml":             "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n",
	}, true},
	{"a subject whose kind is no text", map[string]string{
		"k/kustomization.yaml": "resources: [a.yaml]\n", "k/a.yaml": strings.Replace(bindings, "kind: ServiceAccount", "kind: 5", 1),
	}, false},
	{"a subject in another group's binding", map[string]string{
		"k/kustomization.yaml": "resources: [a.yaml]\n", "k/a.yaml": strings.NewReplacer("kind: ServiceAccount", "kind: null", "rbac.authorization.k8s.io/v1", "example.com/v1").Replace(bindings),
	}, true},
	{"a group that is empty", map[string]string{
		"k/kustomization.yaml": "resources: [a.yaml]\n", "k/a.yaml": "{apiVersion: /v1, kind: Pod, metadata: {name: a}}\n",
	}, false},
	{"two paths in one", map[string]string{
		"k/kustomization.yaml": "resources: [\"../b - ../b\"]\n", "b - ../b/kustomization.yaml": "resources: [a.yaml]\n", "b - ../b/a.yaml": pair,
	}, false},
	{"a base above", map[string]string{
		"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": pair, "k/kustomization.yaml": "resources: [..]\n",
	}, false},
	{"itself", map[string]string{"k/kustomization.yaml": "resources: [a.yaml, .]\n", "k/a.yaml": pair}, false},
	{"an empty path", map[string]string{"k/kustomization.yaml": "resources: [a.yaml]\ncomponents: ['']\n", "k/a.yaml": pair}, false},
	{"a directory that looks remote", map[string]string{
		"k/kustomization.yaml": "resources: [github.com/a/b]\n", "k/github.com/a/b/kustomization.yaml": "resources: [a.yaml]\n", "k/github.com/a/b/a.yaml": pair,
	}, false},
	{"references of a binding that is bound anew", map[string]string{
		"k/kustomization.yaml": "namespace: one\nnamePrefix: p-\nresources: [a.yaml]\n",
		"k/a.yaml":             "{apiVersion: v1, kind: ServiceAccount, metadata: {name: s, namespace: one}}\n---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r}}\n---\n" + bindings,
	}, true},
	{"a ServiceAccount of another namespace", map[string]string{
		"k/kustomization.yaml": "namePrefix: p-\nresources: [a.yaml]\n",
		"k/a.yaml":             "{apiVersion: v1, kind: ServiceAccount, metadata: {name: s, namespace: two}}\n---\n" + strings.Replace(bindings, "name: s, namespace: one", "name: s, namespace: two", 1),
	}, true},
	{"notes like the library's own", map[string]string{
		"k/kustomization.yaml": "namePrefix: p-\nresources: [a.yaml]\n",
		"k/a.yaml":             "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, annotations: {config.kubernetes.io/origin: \"path: x\", alpha.config.kubernetes.io/transformations: \"[]\", internal.config.kubernetes.io/prefixes: q-, config.kubernetes.io/path: x, config.kubernetes.io/index: \"0\"}}}\n",
	}, true},
	{"an object marked as a chart's", map[string]string{
		"k/kustomization.yaml": "namespace: x\nresources: [a.yaml]\n",
		"k/a.yaml":             "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, annotations: {" + konfig.HelmGeneratedAnnotation + ": \"true\"}}}\n",
	}, false},
	{"a key of another type", map[string]string{"k/kustomization.yaml": "resources: [a.yaml]\n", "k/a.yaml": "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, annotations: {a: [b]}}}\n"}, true},
}

func TestShortWayOnShapes(t *testing.T) {
	quiet(t)
	d, err := newDirect()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			if got := bothWays(t, d, s.files, "k"); got != s.short {
				t.Errorf("the short way: %t, want %t", got, s.short)
			}
		})
	}
}

// A kustomization with a field that the short way does not know is the
// library's.
func TestShortWayKnowsItsFields(t *testing.T) {
	d, err := newDirect()
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{
		"vars: [{name: A, objref: {apiVersion: v1, kind: ConfigMap, name: a}}]\n", "configurations: [c.yaml]\n", "crds: [c.yaml]\n", "openapi: {version: v1.20.4}\n",
		"generators: [g.yaml]\n", "transformers: [g.yaml]\n", "validators: [g.yaml]\n", "replacements: [{path: r.yaml}]\n", "sortOptions: {order: fifo}\n",
		"buildMetadata: [originAnnotations]\n", "helmCharts: [{name: c}]\n",
	} {
		all := map[string]string{"k/kustomization.yaml": "resources: [a.yaml]\n" + field, "k/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"}
		if _, err := d.build(tree(all), "k"); !errors.Is(err, errIndirect) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// Settings that are taken as they are are those that the library's encoder
// gives back as they are.
func FuzzSettings(f *testing.F) {
	for _, s := range []string{"a", "5", "1e3", "true", "No", "y", "null", ".", "..", "-", "--", "---", "...", "-1", ".5", "0x1f", "0b1", "0o7", "017", ".inf", "-.inf", ".NaN", "2001-01-01", "/", "a/b", "1.2.3", "e", strings.Repeat("a-", 49)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v := settings{
			Prefix: s, Suffix: s, Namespace: s, Labels: []types.Label{{Pairs: map[string]string{s: s, "l": s}, IncludeTemplates: true}},
			CommonLabels: map[string]string{s: s}, CommonAnnotations: map[string]string{"a": s, s: "b"},
			Replicas: []types.Replica{{Name: s, Count: 3}}, Images: []types.Image{{Name: s, NewName: s, NewTag: s, TagSuffix: s, Digest: s}},
		}
		if !v.survive() {
			return
		}
		if got, err := reread(v); err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%+v became %+v, %v", v, got, err)
		}
	})
}
