package release

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/manifest"
)

const template = `# ${value}
plain: ${value}
half: a-${value}-b
single: '${value}'
double: "${value}"
literal: |
  ${value}
  end
flow: ["${value}", {k: "${value}"}]
key:
  ${value}: 1
$${value}: literal
`

// Whatever a value holds, it stays what it stands in: nothing of it is read.
func TestValuesStayValues(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	values := []string{
		"", " ", "x", "1", "-1", "007", "1.20", "1e3", "0x1f", "true", "yes", "null", "~", "2026-01-05", "<<", "*a", "&a b", "!t x", "- a", "? a",
		"a: b", "a #b", "# a", "{a: b}", "[a", "'", `"`, `\`, "%a", "@a", "`a", "---", "...", "| a", "> a", "${value}", "$${value}", "é", "🦫", "a,b", "a]", "a}",
	}
	letters := []rune("ab1 -:#{}[],&*!|>'\"%@`~?=$.\\é")
	for range 200 {
		var b strings.Builder
		for range 1 + r.IntN(12) {
			b.WriteRune(letters[r.IntN(len(letters))])
		}
		values = append(values, b.String())
	}
	for _, value := range values {
		if strings.ContainsFunc(value, func(c rune) bool { return !unicode.IsPrint(c) }) {
			t.Fatalf("the test has the value %q", value)
		}
		texts := map[string]string{"sluice.yaml": "clusters: []\n", "template/a.yaml": template}
		files, cfg := repository(t, texts)
		made, err := Create(files, cfg, Template{Name: "c", From: "template", Values: map[string]string{"value": value}})
		if err != nil {
			t.Fatalf("%q: %v", value, err)
		}
		docs, err := manifest.Documents("a.yaml", made.Files["c/a.yaml"])
		if err != nil {
			t.Fatalf("%q: %v\n%s", value, err, made.Files["c/a.yaml"])
		}
		n := docs[0].Node
		tag := "!!str"
		switch {
		case value == "true":
			tag = "!!bool"
		case wholeNumber.MatchString(value):
			tag = "!!int"
		}
		for at, want := range map[string][2]string{
			"plain": {tag, value}, "half": {"!!str", "a-" + value + "-b"}, "single": {"!!str", value}, "double": {"!!str", value},
			"literal": {"!!str", value + "\nend\n"}, "${value}": {"!!str", "literal"},
		} {
			if got := manifest.Field(n, at); got == nil || got.Tag != want[0] || got.Value != want[1] {
				t.Errorf("%q: %s is %v, want %q\n%s", value, at, got, want, made.Files["c/a.yaml"])
			}
		}
		flow, key := manifest.Field(n, "flow"), manifest.Field(n, "key")
		if flow.Content[0].Value != value || flow.Content[0].Tag != "!!str" || flow.Content[1].Content[1].Value != value || key.Content[0].Value != value {
			t.Errorf("%q:\n%s", value, made.Files["c/a.yaml"])
		}
		if len(n.Content) != 16 || !strings.HasPrefix(string(made.Files["c/a.yaml"]), "# ${value}\n") {
			t.Errorf("%q:\n%s", value, made.Files["c/a.yaml"])
		}
	}
}

// A cluster that was made is one that the config takes, in whichever form its
// list is.
func TestAdd(t *testing.T) {
	for before, want := range map[string]string{
		"kubectlApply: [a]\n":                           "kubectlApply: [a]\nclusters:\n- name: c\n  release: v1.0.0\n",
		"clusters:\n# a list\n- name: b # one\n":        "clusters:\n# a list\n- name: b # one\n- name: c\n  release: v1.0.0\n",
		"clusters: [{name: b}] # one\n":                 "clusters: [{name: b}, {name: c, release: v1.0.0}] # one\n",
		"clusters:\n- {name: b}\n\nkubectlApply: [a]\n": "clusters:\n- {name: b}\n- {name: c, release: v1.0.0}\n\nkubectlApply: [a]\n",
		"clusters:\nkubectlApply: [a]\r\n":              "",
	} {
		got, err := Add([]byte(before), config.Cluster{Name: "c", Release: "v1.0.0"})
		if err != nil {
			t.Fatalf("%q: %v", before, err)
		}
		if want != "" && string(got) != want {
			t.Errorf("%q gives\n%s\nwant\n%s", before, got, want)
		}
		files, _ := repository(t, map[string]string{"sluice.yaml": "clusters: []\n"})
		cfg, err := config.Load(files.With(map[string][]byte{"sluice.yaml": got}), "sluice.yaml")
		if err != nil {
			t.Fatalf("%q: %v", got, err)
		}
		if _, _, ok := cfg.Cluster("c"); !ok {
			t.Errorf("%q has no cluster c", got)
		}
	}
}

func TestRecord(t *testing.T) {
	const before = "clusters:\n- {name: b, release: v1.0.0}\n- name: c # it\n  components:\n    x.yaml: 'v2.0.0'   # early\n  release: \"v1.0.0\" # all\n"
	cluster := config.Cluster{Name: "c", Release: "v1.0.0", Components: map[string]string{"x.yaml": "v2.0.0"}}
	for _, test := range []struct {
		to   string
		only []string
		want string
	}{
		{"v2.0.0", nil, "clusters:\n- {name: b, release: v1.0.0}\n- name: c # it\n  release: \"v2.0.0\" # all\n"},
		{"v3.0.0", []string{"x.yaml"}, strings.Replace(before, "'v2.0.0'", "'v3.0.0'", 1)},
		{"v3.0.0", []string{"y.yaml"}, strings.Replace(before, "# early\n", "# early\n    y.yaml: v3.0.0\n", 1)},
		{"v1.0.0", []string{"x.yaml"}, strings.Replace(before, "  components:\n    x.yaml: 'v2.0.0'   # early\n", "", 1)},
		{"v2.0.0", []string{"x.yaml"}, before},
	} {
		got, err := Record([]byte(before), cluster, test.to, test.only)
		if err != nil || string(got) != test.want {
			t.Errorf("to %s, only %v: %v\n%s\nwant\n%s", test.to, test.only, err, got, test.want)
		}
	}
	if got, err := Record([]byte(before), config.Cluster{Name: "d"}, "v1.0.0", nil); err == nil {
		t.Errorf("a cluster that is not there gives %q", got)
	}
}

// What clusters share through an anchor is theirs one by one: an upgrade of
// one says nothing of the others.
func TestRecordShared(t *testing.T) {
	cluster := config.Cluster{Name: "c", Release: "v1.0.0", Components: map[string]string{"x.yaml": "v2.0.0", "y.yaml": "v2.0.0"}}
	for before, want := range map[string]string{
		"clusters:\n- {name: c, release: &r v1.0.0}\n- {name: b, release: *r}\n":                                  "clusters:\n- {name: c, release: &r v2.0.0}\n- {name: b, release: v1.0.0}\n",
		"clusters:\n- {name: b, release: &r v1.0.0}\n- {name: c, release: *r}\n":                                  "clusters:\n- {name: b, release: &r v1.0.0}\n- {name: c, release: v2.0.0}\n",
		"clusters:\n- &b {name: b, release: v1.0.0}\n- {<<: *b, name: c}\n":                                       "clusters:\n- &b {name: b, release: v1.0.0}\n- {<<: *b, name: c, release: v2.0.0}\n",
		"clusters:\n- {name: c, <<: &s {release: v1.0.0}}\n- {name: b, <<: *s}\n":                                 "clusters:\n- {name: c, <<: &s {release: v1.0.0}, release: v2.0.0}\n- {name: b, <<: *s}\n",
		"clusters:\n- {name: b, components: &x {x.yaml: v2.0.0}}\n- {name: c, release: v1.0.0, components: *x}\n": "clusters:\n- {name: b, components: &x {x.yaml: v2.0.0}}\n- {name: c, release: v2.0.0}\n",
	} {
		if got, err := Record([]byte(before), cluster, "v2.0.0", nil); err != nil || string(got) != want {
			t.Errorf("%v\n%s\nwant\n%s", err, got, want)
		}
	}
	const before = "clusters:\n- {name: b, components: &x {x.yaml: v2.0.0, y.yaml: v2.0.0}}\n- {name: c, release: v1.0.0, components: *x}\n"
	const want = "clusters:\n- {name: b, components: &x {x.yaml: v2.0.0, y.yaml: v2.0.0}}\n- {name: c, release: v1.0.0, components: {x.yaml: v3.0.0, y.yaml: v2.0.0}}\n"
	if got, err := Record([]byte(before), cluster, "v3.0.0", []string{"x.yaml"}); err != nil || string(got) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
}
