package render

import (
	"context"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
)

// refusals are the builds that the library does and this package refuses on
// purpose, by what each of its findings says.
var refusals = map[string][]string{
	"no apiVersion":            {"TestTransfomersImageCustomConfig", "TestTransfomersImageDefaultConfig"},
	"holds no object":          {"TestEmptyList"},
	"is already there in line": {"TestGeneratorRepeatsInKustomization"},
	"leaves the repository":    {"TestNameReferenceDeploymentIssue3489"},
	// Names that begin with a dash, bases for a prefix to complete.
	"is not a lower-case DNS name": {"TestPrefixSuffix common", "TestPrefixSuffix common/service", "TestPrefixSuffix2 common"},
}

// unread are the builds whose inputs the walker cannot follow, and why.
var unread = map[string]string{
	"TestAccumulateResourcesErrors":   "paths of temporary directories",
	"TestGeneratorOverlaysBinaryData": "bytes made in a loop",
	"TestPluginEnvironment":           "builds a plugin",
	"TestPluginEnvironment#2":         "builds a plugin",
	"TestRemoteLoad_LocalProtocol":    "makes repositories with git",
	"TestRemoteLoad_RemoteProtocols":  "fetches from the network",
}

// The numbers of builds that come out the same, at least: as they are, and
// once their names are such as the API server takes.
const (
	wantEqual   = 632
	wantRespelt = 122
)

// TestKrusty puts the inputs of the library's own tests through a pool. What
// the library builds has to come out the same or be refused on purpose, and
// what the library refuses has to be refused.
func TestKrusty(t *testing.T) {
	cases, lost := krustyCases(t, krustyModule(t))
	if d := cmp.Diff(slices.Sorted(maps.Keys(unread)), lost); d != "" {
		t.Errorf("tests that could not be followed (-want +got)\n%s", d)
	}
	for _, c := range cases {
		if reasonFor(c.name) == "" && !strings.Contains(c.name, " ") {
			cases = append(cases, overlaid(c))
		}
	}
	k := newKrustyRun(t)
	t.Run("builds", func(t *testing.T) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				k.compare(t, c)
			})
		}
	})
	t.Logf("%d builds: %v", len(cases), k.count)
	done := 0
	for _, n := range k.count {
		done += n
	}
	if done < len(cases) {
		return // a part was asked for, or something is wrong already
	}
	if k.count[endEqual] < wantEqual || k.count[respelt] < wantRespelt {
		t.Errorf("want %d and %d at least", wantEqual, wantRespelt)
	}
	for reason, names := range refusals {
		for _, name := range names {
			if !k.refused[name] {
				t.Errorf("%s: not refused any more (%s)", name, reason)
			}
		}
	}
}

// krustyModule is where the library's source lies.
func krustyModule(t *testing.T) string {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kustomize/api").Output()
	module := strings.TrimSpace(string(out))
	if err != nil || module == "" {
		t.Fatalf("the source of sigs.k8s.io/kustomize/api is not here (%v): go mod download gets it", err)
	}
	return module
}

// overlaid gives a case as the base of an overlay that changes every object.
func overlaid(c krustyCase) krustyCase {
	out := krustyCase{name: c.name + "+overlay", dir: "overlay", files: map[string]string{}}
	for name, text := range c.files {
		out.files["base/"+name] = text
	}
	out.files["overlay/kustomization.yaml"] = `
namePrefix: p-
nameSuffix: -s
commonLabels: {common: "1"}
commonAnnotations: {common: b}
images: [{name: nginx, newTag: "9"}]
patches:
- target: {kind: .*}
  patch: |-
    apiVersion: v1
    kind: any
    metadata: {name: any, annotations: {more: "1"}}
resources: [../base/` + c.dir + "]\n"
	return out
}

// How a case can end.
const (
	endEqual  = "equal"
	respelt   = "equal with names in lower case"
	onPurpose = "refused on purpose"
	bothFail  = "both fail"
)

// krustyRun is what the cases share.
type krustyRun struct {
	pool *Pool
	idle oracles

	mu      sync.Mutex
	count   map[string]int
	refused map[string]bool
}

func newKrustyRun(t *testing.T) *krustyRun {
	k := &krustyRun{pool: newPool(t, Limits{}), idle: make(oracles, 2), count: map[string]int{}, refused: map[string]bool{}}
	t.Cleanup(k.idle.close)
	return k
}

func (k *krustyRun) end(c krustyCase, how string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.count[how]++
	if how == onPurpose {
		k.refused[c.name] = true
	}
}

// compare builds a case both ways. The library's tests like names in mixed
// case, which the API server would not take: those are respelt, for both.
func (k *krustyRun) compare(t *testing.T, c krustyCase) {
	how := endEqual
	for range 3 {
		want := k.idle.ask(t, c)
		got, err := k.render(t, c)
		switch {
		case want.Err != "" && err != nil && how == endEqual:
			t.Logf("both fail: %s", want.Err)
			k.end(c, bothFail)
			return
		case want.Err != "":
			t.Fatalf("the library fails: %s\nthis says: %v", want.Err, err)
		case err == nil:
			objects := []any{}
			for _, o := range want.Objects {
				objects = append(objects, exact(t, o))
			}
			same(t, fixManaged(objects), got)
			k.end(c, how)
			return
		}
		list := findings(t, err)
		if reason := reasonFor(c.name); reason != "" {
			for _, f := range list {
				if !strings.Contains(f.Text, reason) {
					t.Errorf("refused, not for %q: %v", reason, f)
				}
			}
			k.end(c, onPurpose)
			return
		}
		if c, how = respell(c, list), respelt; c.files == nil {
			t.Fatalf("refused: %v", err)
		}
	}
	t.Fatal("refused however it is spelt")
}

func reasonFor(name string) string {
	for reason, names := range refusals {
		if slices.Contains(names, name) {
			return reason
		}
	}
	return ""
}

var (
	misspelt = regexp.MustCompile(`^(?:metadata\.name|namespace) "(.*)" is not a (?:lower-case DNS name|DNS label)$`)
	mixed    = regexp.MustCompile(`\w*[A-Z_]\w*`)
)

// respell gives a case with the words in lower case that were not in names,
// wherever they stand. Without files, something else is wrong with it.
func respell(c krustyCase, list finding.List) krustyCase {
	var words []string
	for _, f := range list {
		m := misspelt.FindStringSubmatch(f.Text)
		if m == nil {
			return krustyCase{}
		}
		words = append(words, mixed.FindAllString(m[1], -1)...)
	}
	if len(words) == 0 {
		return krustyCase{}
	}
	any := regexp.MustCompile(`\b(` + strings.Join(words, "|") + `)\b`)
	lower := func(s string) string {
		return any.ReplaceAllStringFunc(s, func(w string) string {
			return strings.ReplaceAll(strings.ToLower(w), "_", "-")
		})
	}
	out := krustyCase{name: c.name, dir: lower(c.dir), files: map[string]string{}}
	for name, text := range c.files {
		out.files[lower(name)] = lower(text)
	}
	return out
}

// render gives what a pool makes of a case.
func (k *krustyRun) render(t testing.TB, c krustyCase) ([]any, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	dir := t.TempDir()
	for name, text := range c.files {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(full), 0o755), os.WriteFile(full, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	set, err := k.pool.Render(ctx, open(t, dir), entries(c.dir))
	if err != nil {
		return nil, err
	}
	return exactValues(t, set), nil
}

// exactValues gives objects as plain values, numbers as they are written.
func exactValues(t testing.TB, set manifest.Set) []any {
	t.Helper()
	all := []any{}
	for _, o := range set {
		text, err := manifest.Encode(o)
		if err != nil {
			t.Fatal(err)
		}
		j, err := sigsyaml.YAMLToJSON(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, exact(t, j))
	}
	return all
}
