package edit

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/inject/conduit"
)

var indents = regexp.MustCompile(`(?m)^( *)(- )?`)

// forms are ways to write the same document.
var forms = map[string]func(string) string{
	"as it is": func(s string) string { return s },
	"CRLF":     func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
	"no final newline": func(s string) string {
		if strings.HasSuffix(s, "- |\n          two\n          lines\n") {
			return s // a block's last line break counts
		}
		return strings.TrimSuffix(s, "\n")
	},
	"blank lines":     func(s string) string { return "\n" + s + "\n  \n" },
	"separator, end":  func(s string) string { return "--- # first\n" + s + "...\n# last\n" },
	"byte order mark": func(s string) string { return "\ufeff" + s },
	"wide": func(s string) string {
		return strings.ReplaceAll(indents.ReplaceAllString(s, "$1$1$2"), "- ", "-   ")
	},
	"dashes indented": func(s string) string {
		var b bytes.Buffer
		enc := yaml.NewEncoder(&b)
		enc.SetIndent(4)
		if err := enc.Encode(parsed(s)); err != nil {
			return err.Error()
		}
		return b.String()
	},
}

// TestInject holds that an injected proxy can be taken out to the byte, for
// each release and each way to write an object.
func TestInject(t *testing.T) {
	paths, err := filepath.Glob("../inject/conduit/testdata/objects/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no objects: %v", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for name, form := range forms {
			t.Run(filepath.Base(path)+"/"+name, func(t *testing.T) {
				for _, version := range conduit.Releases() {
					injectAndBack(t, version, form(string(text)))
				}
			})
		}
	}
}

func injectAndBack(t *testing.T, version, text string) {
	t.Helper()
	in, err := conduit.New(config.Conduit{Version: version})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if r, err := in.Inject(tree); err != nil || r.Status != conduit.Injected && r.Status != conduit.Skipped {
		t.Fatalf("%s: %+v, %v", version, r, err)
	}
	out, extent, err := Document([]byte(text), tree)
	if err != nil || extent != Exact {
		t.Fatalf("%s: %v, %v", version, extent, err)
	}
	if json.Valid([]byte(text)) && !json.Valid(out) {
		t.Errorf("%s: not JSON any more: %s", version, out)
	}
	if left := without(out, []byte(text)); left != "" {
		t.Errorf("%s: line %q is gone from\n%s", version, left, out)
	}
	back, err := parse(out)
	if err != nil {
		t.Fatal(err)
	}
	conduit.Strip(back)
	got, extent, err := Document(out, back)
	if err != nil || extent != Exact {
		t.Fatalf("%s: back: %v, %v", version, extent, err)
	}
	if diff := cmp.Diff(text, string(got)); diff != "" {
		t.Errorf("%s: %s", version, diff)
	}
}

// without gives the first comment line of old that is not in text.
func without(text, old []byte) string {
	for line := range strings.Lines(string(old)) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") && !strings.Contains(string(text), line) {
			return line
		}
	}
	return ""
}

// TestReplace holds that an upgrade of the proxy changes only the values that
// differ.
func TestReplace(t *testing.T) {
	const text = "kind: Pod\napiVersion: v1\nmetadata: {name: x}\nspec:\n  containers:\n  - name: x # app\n    image: x\n"
	inject := func(text, version string) string {
		in, err := conduit.New(config.Conduit{Version: version})
		if err != nil {
			t.Fatal(err)
		}
		tree := parsed(text)
		if _, err := in.Inject(tree); err != nil {
			t.Fatal(err)
		}
		out, extent, err := Document([]byte(text), tree)
		if err != nil || extent != Exact {
			t.Fatal(extent, err)
		}
		return string(out)
	}
	first := inject(text, "v0.3.0")
	noted := strings.Replace(first, "  - name: conduit-proxy\n", "  - name: conduit-proxy # ours\n", 1)
	want := strings.ReplaceAll(inject(text, "v0.3.1"), "  - name: conduit-proxy\n", "  - name: conduit-proxy # ours\n")
	if diff := cmp.Diff(want, inject(noted, "v0.3.1")); diff != "" {
		t.Error(diff)
	}
}
