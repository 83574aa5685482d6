package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sluice-dev/sluice/pkg/config"
)

// TestConfigKeys holds the tables of config.md to the types: every key is
// there with its type, and no key that there is not.
func TestConfigKeys(t *testing.T) {
	want := map[string]string{}
	keys(reflect.TypeFor[config.Config](), "", map[reflect.Type]bool{}, want)
	have := readPage(t, "config.md").rows(t)
	for _, key := range slices.Sorted(maps.Keys(want)) {
		switch cells := have[key]; {
		case cells == nil:
			t.Errorf("config.md has no row for %s", key)
		case len(cells) != 3 || cells[0] != want[key]:
			t.Errorf("config.md: row %s is %q, its type is %s", key, cells, want[key])
		}
		delete(have, key)
	}
	for key := range have {
		t.Errorf("config.md has a row for %s, which is no key", key)
	}
}

// keys collects the keys below a type; a mapping that occurs twice is
// described once.
func keys(t reflect.Type, at string, seen map[reflect.Type]bool, into map[string]string) {
	seen[t] = true
	type below struct {
		t  reflect.Type
		at string
	}
	var mappings []below
	for i := range t.NumField() {
		f := t.Field(i)
		key := f.Tag.Get("yaml")
		if key == "" {
			continue
		}
		inner, separator := f.Type, "."
		switch inner.Kind() {
		case reflect.Pointer:
			inner = inner.Elem()
		case reflect.Slice:
			inner, separator = inner.Elem(), "[]."
		case reflect.Map:
			inner, separator = inner.Elem(), ".*."
		}
		if inner == reflect.TypeFor[config.Apply]() {
			inner, separator = reflect.TypeFor[config.Exec](), "[].exec."
		}
		into[at+key] = word(f.Type)
		if inner.Kind() == reflect.Struct && !seen[inner] {
			mappings = append(mappings, below{inner, at + key + separator})
		}
	}
	for _, m := range mappings {
		if !seen[m.t] {
			keys(m.t, m.at, seen, into)
		}
	}
}

// word is how the pages name a type.
func word(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[[]config.Apply]():
		return "list of paths or programs"
	case reflect.TypeFor[config.MaxSkew]():
		return "none, or list of pairs"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return word(t.Elem())
	case reflect.Map:
		return "mapping of text to " + word(t.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.Int64:
		return "number"
	case reflect.Uint32:
		return "port"
	case reflect.Struct:
		return "mapping"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.String {
			return "list of text"
		}
		return "list of " + word(t.Elem()) + "s"
	}
	return "text"
}

const definition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, properties: {size: {type: integer, maximum: 9}}}}
`

// sources is what the examples of config.md are about.
func sources(s *shell) {
	deployment := "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec:\n  template:\n    spec:\n      containers:\n      - {name: api, image: api}\n"
	settings := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"
	for name, text := range map[string]string{
		"api/deployment.yaml": deployment,
		"api/service.yaml":    "apiVersion: v1\nkind: Service\nmetadata: {name: api}\n",
		"settings.yaml":       settings,
		"elsewhere.yaml":      strings.Replace(settings, "{name: settings}", "{name: elsewhere, namespace: kube-system}", 1),
		"list.json":           `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "list"}}`,
		"teams/a/b/c.yaml":    strings.Replace(settings, "settings", "c", 1),
		"plain/d.yml":         strings.Replace(settings, "settings", "d", 1),
		"exported.yaml": "apiVersion: v1\nkind: Secret\nmetadata:\n  name: password\n  annotations:\n" +
			"    kubectl.kubernetes.io/last-applied-configuration: '{\"data\":{\"password\":\"aHVudGVyMg==\"}}'\n",
		"secret.yaml":                            "apiVersion: v1\nkind: Secret\nmetadata: {name: password}\nstringData: {password: hunter2}\n",
		"host.yaml":                              strings.Replace(strings.Replace(deployment, "name: api", "name: host", 1), "      containers", "      hostNetwork: true\n      containers", 1),
		"broken.yaml":                            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: broken}\nspec: {}\n",
		"text.yaml":                              "just text\n",
		"typos.yaml":                             "apiVersion: v1\nkind: Service\nmetadata: {name: typos}\nspec:\n  ports:\n  - port: \"80\"\n    targetport: http\n",
		"old.yaml":                               "apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: old}\nspec: {replicas: 1}\n",
		"widget.yaml":                            "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec:\n  size: 12\n",
		"definitions/widgets.yaml":               definition,
		"empty/README.md":                        "Nothing to apply.\n",
		"nothing/kustomization.yaml":             "configMapGenerator: []\n",
		"base/deployment.yaml":                   strings.Replace(deployment, "name: api", "name: next", 1),
		"base/kustomization.yaml":                "resources: [deployment.yaml]\n",
		"overlays/staging/kustomization.yaml":    "resources: [../../base]\n",
		"overlays/production/kustomization.yaml": "resources: [../../base]\n",
		"untold/kustomization.yaml":              "resources: [two.yaml]\npatches:\n- {target: {name: api}, options: {allowNameChange: true}, patch: '- {op: replace, path: /metadata, value: {name: other}}'}\n",
		"untold/two.yaml":                        deployment + "---\n" + strings.Replace(deployment, "name: api", "name: web", 1),
		"../outside.yaml":                        settings,
		"linked/e.yaml":                          strings.Replace(settings, "settings", "e", 1),
	} {
		s.write(name, text)
	}
	for at, to := range map[string]string{"outside": "../outside.yaml", "linked/api": "../api"} {
		if err := os.Symlink(to, filepath.Join(s.dir, at)); err != nil {
			s.t.Fatal(err)
		}
	}
}

// TestConfigExamples renders every sluice.yaml of config.md. With a block of
// text behind it, it has to fail with those words; without one, to succeed.
func TestConfigExamples(t *testing.T) {
	s := newShell(t)
	sources(s)
	p := readPage(t, "config.md")
	for i := 0; i < len(p.blocks()); i++ {
		b := p.blocks()[i]
		if b.info != "yaml sluice.yaml" {
			continue
		}
		s.write("sluice.yaml", b.text)
		got := s.run("sluice render >/dev/null")
		if i+1 == len(p.blocks()) || p.blocks()[i+1].info != "text" {
			if got != "" {
				t.Errorf("%s:%d: the example fails: %s", p.path, b.first, got)
			}
			continue
		}
		findings, refused := strings.CutSuffix(got, "(exit status 2)\n")
		if !refused {
			t.Errorf("%s:%d: the example does not end with exit status 2: %s", p.path, b.first, got)
		}
		p.hold(t, p.blocks()[i+1], findings)
	}
}

// unshown are findings that no example on one machine can show.
var unshown = map[string]string{
	"is a Git submodule, which is not part of this repository's files": "needs a submodule",
	"lies above this file": "needs a config below the top of the repository",
}

// TestConfigFindings holds config.md to show every finding about the config.
func TestConfigFindings(t *testing.T) {
	var shown strings.Builder
	for _, b := range readPage(t, "config.md").blocks() {
		if b.info == "text" {
			shown.WriteString(b.text)
		}
	}
	for _, file := range []string{
		"config/config.go", "config/check.go", "config/forge.go", "config/decode.go", "config/forms.go", "config/check_tools.go", "config/check_validate.go", "config/check_export.go", "config/check_release.go", "config/notify.go",
		"hydrate/hydrate.go", "hydrate/policy.go", "hydrate/validate.go", "inject/inject.go", "inject/pins.go",
		"inject/conduit/options.go", "render/render.go",
	} {
		for _, pattern := range findings(t, filepath.Join("../pkg", filepath.FromSlash(file))) {
			if !regexp.MustCompile(pattern).MatchString(shown.String()) && !excused(pattern) {
				t.Errorf("config.md shows no finding like %s of pkg/%s", pattern, file)
			}
		}
	}
}

func excused(pattern string) bool {
	for text := range unshown {
		if strings.Contains(pattern, regexp.QuoteMeta(text)) {
			return true
		}
	}
	return false
}

// findings gives a pattern for the text of every finding that a file makes.
func findings(t *testing.T, file string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		at := len(call.Args) - 2 // the text stands before the hint
		switch name(call.Fun) {
		case "add", "bad", "Add":
		case "refuse":
			at = 2 // the format stands behind it
		default:
			return true
		}
		if at < 0 {
			return true
		}
		if p := pattern(call.Args[at]); strings.Trim(p, ".*") != "" {
			found = append(found, p)
		}
		return true
	})
	if len(found) == 0 {
		t.Fatalf("%s makes no finding", file)
	}
	return found
}

func name(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

var verb = regexp.MustCompile(`%[a-z]`)

// pattern matches what a text expression can give.
func pattern(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil {
			return verb.ReplaceAllString(regexp.QuoteMeta(text), ".*")
		}
	case *ast.BinaryExpr:
		return pattern(e.X) + pattern(e.Y)
	case *ast.CallExpr:
		if name(e.Fun) == "Sprintf" {
			return pattern(e.Args[0])
		}
	}
	return ".*"
}
