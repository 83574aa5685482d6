package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestIncrementalIsFull edits a source at random and holds what commit gives
// against what commit --full gives from the same branches: the same exit
// status, the same words and the same commits.
func TestIncrementalIsFull(t *testing.T) {
	s := &edited{t: t, bin: build(t), dir: t.TempDir(), rng: rand.New(rand.NewPCG(uint64(number(t, "SLUICE_SEED", 1)), 0))}
	git(t, s.dir, "init", "-q", "-b", "main")
	s.write("base/kustomization.yaml", "resources: [web.yaml]\n")
	s.write("base/web.yaml", deploymentOf("web"))
	s.config = map[string]string{"conduit": "{version: v0.3.1}", "environments": twoEnvironments, "include": "[teams/*/app.yaml]", "export": exportTo("flux: {}")}
	s.write("teams/one/settings.yaml", configMapOf("team", "1"))
	s.write("teams/one/app.yaml", "kubectlApply: [settings.yaml]\n")
	for i := range 6 {
		s.app(fmt.Sprintf("app-%d", i))
	}
	s.write("crds/widget.yaml", widgets("string"))
	s.write("app-0/gadget.yaml", gadgets("string"))
	s.write("app-1/widgets.yaml", "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {size: small}\n---\napiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: g}\nspec: {size: small}\n")
	s.config["validate"] = "{crds: [crds/widget.yaml]}"
	steps, taken, failed := number(t, "SLUICE_STEPS", 60), 0, 0
	good := ""
	for i := range steps {
		what := "the first"
		if i > 0 {
			what = s.edit()
		}
		s.write("sluice.yaml", s.yaml())
		git(t, s.dir, "add", "-A")
		git(t, s.dir, "commit", "-q", "--allow-empty", "-m", what)
		if i%3 == 2 { // what git remembers of who made the tips is no more
			if err := os.RemoveAll(filepath.Join(s.dir, ".git", "logs")); err != nil {
				t.Fatal(err)
			}
		}
		before := s.refs()
		some := s.commit()
		s.reset(before)
		all := s.commit("--full")
		if some.text != all.text {
			t.Fatalf("step %d, %s: incremental:\n%s\nfull:\n%s", i, what, some.text, all.text)
		}
		taken += some.taken
		t.Logf("%d: %s: %d taken over of %d\n%s", i, what, some.taken, some.taken+some.rendered, some.text)
		if !strings.HasPrefix(all.text, "0\n") {
			failed++
			git(t, s.dir, "read-tree", "--reset", "-u", good)
			git(t, s.dir, "clean", "-qffd") // a submodule's files stay without it
			s.undo()
		} else {
			good = git(t, s.dir, "rev-parse", "HEAD")
		}
		if s.rng.IntN(6) == 0 && strings.HasPrefix(all.text, "0\n") {
			git(t, s.dir, "update-ref", "refs/heads/env/b", "refs/heads/env/a")
		}
	}
	if taken < 4*steps || failed == 0 || failed > steps/2 {
		t.Errorf("%d apps taken over, %d of %d steps failed: that proves little", taken, failed, steps)
	}
}

func exportTo(engines string) string {
	return "{into: env, repository: \"https://git.example/shop\", " + engines + "}"
}

const twoEnvironments = "[{name: a}, {name: b, promotedFrom: a}]"

// edited is a source that is edited at random.
type edited struct {
	t        *testing.T
	bin, dir string
	rng      *rand.Rand
	config   map[string]string
	apps     []string
	last     []string // the apps before the last edit
	lastKeys map[string]string
	made     int
}

func deploymentOf(name string) string {
	return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name + "}\nspec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: main, image: web:1}]}\n"
}

func configMapOf(name, value string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {value: %q}\n", name, value)
}

func definitionOf(kind, plural, size string) string {
	return fmt.Sprintf("apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: %s.example.com}\nspec:\n  group: example.com\n  scope: Namespaced\n  names: {kind: %s, plural: %[1]s}\n  versions:\n  - name: v1\n    served: true\n    storage: true\n    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: %[3]s}}}}}}\n", plural, kind, size)
}

func widgets(size string) string { return definitionOf("Widget", "widgets", size) }
func gadgets(size string) string { return definitionOf("Gadget", "gadgets", size) }

func (s *edited) write(name, text string) {
	at := filepath.Join(s.dir, name)
	if info, err := os.Lstat(at); err == nil && !info.Mode().IsRegular() {
		if err := os.RemoveAll(at); err != nil {
			s.t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(at), 0o777); err != nil {
		// A file is where the directory is to be.
		if err := errors.Join(os.Remove(filepath.Dir(at)), os.MkdirAll(filepath.Dir(at), 0o777)); err != nil {
			s.t.Fatal(err)
		}
	}
	put(s.t, at, text)
}

// app adds an app: plain files, and a kustomization of the common base.
func (s *edited) app(name string) {
	s.write(name+"/settings.yaml", configMapOf(name, "1"))
	s.write(name+"/own/kustomization.yaml", "namePrefix: "+name+"-\nresources: [../../base]\n")
	s.apps = append(s.apps[:len(s.apps):len(s.apps)], fmt.Sprintf("- {name: %s, kubectlApply: [%[1]s/*.yaml, %[1]s/own], conduitInject: [%[1]s/own]}\n", name))
}

func (s *edited) yaml() string {
	text := "allowEmpty: true\n"
	for _, key := range []string{"environments", "conduit", "validate", "secrets", "maxSkew", "export", "include"} {
		if s.config[key] != "" {
			text += key + ": " + s.config[key] + "\n"
		}
	}
	return text + "apps:\n" + strings.Join(s.apps, "")
}

func (s *edited) undo() { s.apps, s.config = s.last, s.lastKeys }

// edit makes one edit and names it.
func (s *edited) edit() string {
	s.last, s.lastKeys = append([]string{}, s.apps...), map[string]string{}
	for k, v := range s.config {
		s.lastKeys[k] = v
	}
	s.made++
	n, app, other := strconv.Itoa(s.made), fmt.Sprintf("app-%d", s.rng.IntN(6)), fmt.Sprintf("app-%d", s.rng.IntN(6))
	line := s.rng.IntN(len(s.apps))
	change := func(from, to string) {
		s.apps = append([]string{}, s.apps...)
		s.apps[line] = strings.Replace(s.apps[line], from, to, 1)
	}
	edits := []struct {
		what string
		do   func()
	}{
		{"nothing", func() {}},
		{"a file beside", func() { s.write("README", n) }},
		{"a value", func() { s.write(app+"/settings.yaml", configMapOf(app, n)) }},
		{"a comment", func() { s.write(app+"/settings.yaml", "# "+n+"\n"+configMapOf(app, "1")) }},
		{"another file", func() { s.write(app+"/more.yaml", configMapOf(app+"-more", n)) }},
		{"a file goes", func() { _ = os.Remove(filepath.Join(s.dir, app, "more.yaml")) }},
		{"a file is renamed", func() {
			_ = os.Rename(filepath.Join(s.dir, app, "more.yaml"), filepath.Join(s.dir, app, "other.yaml"))
		}},
		{"a mode", func() { _ = os.Chmod(filepath.Join(s.dir, app, "settings.yaml"), 0o777) }},
		{"a file is a link", func() {
			_ = os.Remove(filepath.Join(s.dir, app, "settings.yaml"))
			s.write("shared/"+app, configMapOf(app, "linked"))
			_ = os.Symlink("../shared/"+app, filepath.Join(s.dir, app, "settings.yaml"))
		}},
		{"a directory is a link", func() {
			_ = os.Rename(filepath.Join(s.dir, app, "own"), filepath.Join(s.dir, app, "moved"))
			_ = os.Symlink("moved", filepath.Join(s.dir, app, "own"))
		}},
		{"a link leads elsewhere", func() {
			s.write(app+"/apart/kustomization.yaml", "nameSuffix: -of-"+app+"\nresources: [../../base]\n")
			_ = os.RemoveAll(filepath.Join(s.dir, app, "own"))
			_ = os.Symlink([]string{"apart", "moved/../apart", "moved", "../" + other + "/apart"}[s.rng.IntN(4)], filepath.Join(s.dir, app, "own"))
		}},
		{"no link any more", func() {
			_ = os.RemoveAll(filepath.Join(s.dir, app, "own"))
			s.write(app+"/own/kustomization.yaml", "namePrefix: "+app+"-\nresources: [../../base]\n")
		}},
		{"a submodule", func() {
			at := filepath.Join(s.dir, app, "more.yaml")
			_ = os.RemoveAll(at)
			if s.rng.IntN(2) == 0 {
				git(s.t, s.dir, "init", "-q", at)
				git(s.t, at, "commit", "-q", "--allow-empty", "-m", n)
			}
		}},
		{"another case", func() {
			_ = os.Rename(filepath.Join(s.dir, app, "settings.yaml"), filepath.Join(s.dir, app, "Settings.yaml"))
		}},
		{"the case again", func() {
			_ = os.Rename(filepath.Join(s.dir, app, "Settings.yaml"), filepath.Join(s.dir, app, "settings.yaml"))
		}},
		{"another environment", func() {
			s.config["environments"] = []string{
				twoEnvironments, "[{name: a}, {name: b, promotedFrom: a}, {name: c, promotedFrom: b}]",
				"[{name: a}, {name: b, promotedFrom: a, path: bee}]", "[{name: a}, {name: d, promotedFrom: a, path: b}]",
				"[{name: a, path: b}, {name: b, path: a, promotedFrom: a}]", "[{name: a}, {name: b}]",
			}[s.rng.IntN(6)]
		}},
		{"an app in a file of its own", func() {
			s.write("teams/two/app.yaml", "kubectlApply: [settings.yaml]\n")
			s.write("teams/two/settings.yaml", configMapOf("two", n))
		}},
		{"an app's own file goes", func() { _ = os.RemoveAll(filepath.Join(s.dir, "teams", "two")) }},
		{"an app moves to a file of its own", func() {
			s.write("teams/"+app+"/app.yaml", "kubectlApply: [../../"+app+"/settings.yaml]\n")
			for i, a := range s.apps {
				if strings.HasPrefix(a, "- {name: "+app+",") {
					s.apps = append(append([]string{}, s.apps[:i]...), s.apps[i+1:]...)
					break
				}
			}
		}},
		{"an app moves back", func() {
			if _, err := os.Stat(filepath.Join(s.dir, "teams", app)); err == nil {
				_ = os.RemoveAll(filepath.Join(s.dir, "teams", app))
				s.apps = append(s.apps[:len(s.apps):len(s.apps)], fmt.Sprintf("- {name: %s, kubectlApply: [%[1]s/*.yaml, %[1]s/own], conduitInject: [%[1]s/own]}\n", app))
			}
		}},
		{"what a link leads to", func() { s.write("shared/"+app, configMapOf(app, n)) }},
		{"the common base", func() { s.write("base/web.yaml", strings.Replace(deploymentOf("web"), "web:1", "web:"+n, 1)) }},
		{"a second kustomization", func() { s.write(app+"/own/kustomization.yml", "resources: []\n") }},
		{"a label", func() {
			s.write(app+"/own/kustomization.yaml", "namePrefix: "+app+"-\nresources: [../../base]\ncommonAnnotations: {n: x"+n+"}\n")
		}},
		{"an object of another app", func() { s.write(app+"/copied.yaml", configMapOf(other, n)) }},
		{"a directory for a file", func() {
			s.write(app+"/copied.yaml/x", n)
		}},
		{"a definition in an app", func() { s.write("app-0/gadget.yaml", gadgets([]string{"string", "integer"}[s.rng.IntN(2)])) }},
		{"a definition beside", func() { s.write("crds/widget.yaml", widgets([]string{"string", "integer"}[s.rng.IntN(2)])) }},
		{"a custom resource", func() {
			s.write(app+"/gadget-of.yaml", "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: "+app+"}\nspec: {size: "+[]string{"small", "7"}[s.rng.IntN(2)]+"}\n")
		}},
		{"a pin", func() { s.config["conduit"] = "{version: v0.3." + strconv.Itoa(s.rng.IntN(2)) + "}" }},
		{"a pin of an app", func() { change("kubectlApply", "conduit: {version: v0.2.0}, kubectlApply") }},
		{"the pin of an app goes", func() { change("conduit: {version: v0.2.0}, ", "") }},
		{"which versions go together", func() { s.config["maxSkew"] = []string{"", "none"}[s.rng.IntN(2)] }},
		{"what is checked", func() {
			s.config["validate"] = []string{"{crds: [crds/widget.yaml]}", "{kubernetes: '1.33'}", ""}[s.rng.IntN(3)]
		}},
		{"an app's environments", func() { change("kubectlApply", "environments: [b], kubectlApply") }},
		{"an app's environments go", func() { change("environments: [b], ", "") }},
		{"what an app may hold", func() {
			change("kubectlApply", "allow: {kinds: ["+[]string{"Pod", "ConfigMap, Deployment"}[s.rng.IntN(2)]+"]}, kubectlApply")
		}},
		{"a new app", func() { s.app("new-" + n) }},
		{"an app goes", func() {
			if line > 1 {
				s.apps = append(append([]string{}, s.apps[:line]...), s.apps[line+1:]...)
			}
		}},
		{"the order", func() { s.apps = append(append([]string{}, s.apps[1:]...), s.apps[0]) }},
		{"what engines get", func() {
			s.config["export"] = []string{exportTo("flux: {}"), exportTo("flux: {interval: 3m}, argocd: {}"), exportTo("kluctl: {}"), ""}[s.rng.IntN(4)]
		}},
		{"a job", func() {
			spec := []string{"", "ttlSecondsAfterFinished: 60, "}[s.rng.IntN(2)]
			s.write(app+"/job.yaml", "apiVersion: batch/v1\nkind: Job\nmetadata: {name: "+app+"}\nspec: {"+spec+"template: {spec: {restartPolicy: Never, containers: [{name: main, image: job}]}}}\n")
		}},
		{"text like a template", func() { s.write(app+"/settings.yaml", configMapOf(app, "{{ "+n+" }}")) }},
		{"what comes first", func() {
			if line > 0 {
				first, _, _ := strings.Cut(strings.TrimPrefix(s.apps[0], "- {name: "), ",")
				change("kubectlApply", "dependsOn: ["+first+"], kubectlApply")
			}
		}},
		{"what came first", func() {
			if at := strings.Index(s.apps[line], "dependsOn: ["); at >= 0 {
				change(s.apps[line][at:at+strings.Index(s.apps[line][at:], "], ")+3], "")
			}
		}},
		{"an older revision", func() {
			change("kubectlApply", "revision: {a: "+strings.TrimSpace(git(s.t, s.dir, "rev-parse", "HEAD"))+"}, kubectlApply")
		}},
		{"no older revision", func() {
			if at := strings.Index(s.apps[line], "revision: {"); at >= 0 {
				change(s.apps[line][at:strings.Index(s.apps[line], "}, ")+3], "")
			}
		}},
	}
	e := edits[s.rng.IntN(len(edits))]
	e.do()
	return e.what + " of " + app
}

// result is how a run ended, as text, and how many apps it took over.
type result struct {
	text            string
	taken, rendered int
}

func (s *edited) commit(flags ...string) result {
	cmd := exec.Command(s.bin, append([]string{"-v", "commit"}, flags...)...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	_ = cmd.Run()
	r := result{text: fmt.Sprintf("%d\n%s", cmd.ProcessState.ExitCode(), out.String())}
	for line := range strings.Lines(errOut.String()) {
		_, counts, _ := strings.Cut(line, ": ")
		var rendered, taken int
		var apps string
		if n, _ := fmt.Sscanf(counts, "%d %s rendered, %d taken over", &rendered, &apps, &taken); n == 3 {
			r.taken, r.rendered = r.taken+taken, r.rendered+rendered
		} else if !strings.Contains(line, "not checked against") {
			r.text += line
		}
	}
	r.text += s.refs()
	return r
}

func (s *edited) refs() string {
	return git(s.t, s.dir, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads/env")
}

func (s *edited) reset(refs string) {
	for line := range strings.Lines(s.refs()) {
		git(s.t, s.dir, "update-ref", "-d", strings.Fields(line)[0])
	}
	for line := range strings.Lines(refs) {
		git(s.t, s.dir, append([]string{"update-ref"}, strings.Fields(line)...)...)
	}
}
