package config

import (
	"fmt"
	"path"
	"sort"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// files is a source of configs.
type files map[string]string

func (f files) ReadFile(p string) ([]byte, error) { return []byte(f[p]), nil }

func (f files) Glob(pattern string) ([]string, error) {
	var found []string
	for p := range f {
		if ok, err := path.Match(pattern, p); err != nil || ok {
			found = append(found, p)
		}
	}
	sort.Strings(found)
	return found, nil
}

func TestLoadRefuses(t *testing.T) {
	const apply = "kubectlApply: [a.yaml]\n"
	for name, tc := range map[string]struct{ in, want string }{
		"empty":               {"# nothing\n", "sluice.yaml:1: the config is empty"},
		"two documents":       {apply + "---\na: 1\n", "sluice.yaml:3: a second document: a config is one"},
		"duplicate key":       {apply + apply, `sluice.yaml:2: key "kubectlApply" is already there in line 1`},
		"unknown key":         {"kubectApply: [a]\n", `sluice.yaml:1: unknown key "kubectApply"`},
		"unknown nested":      {apply + "environments:\n- name: a\n  promoteFrom: b\n", `sluice.yaml:4: environments[0] unknown key "promoteFrom"`},
		"scalar for list":     {"environments: []\nkubectlApply: a.yaml\n", "sluice.yaml:2: kubectlApply has to be a list, it is text"},
		"map for text":        {"kubectlApply:\n- {a: b}\n", "sluice.yaml:2: kubectlApply[0] unknown key \"a\""},
		"number for text":     {apply + "conduit: {version: 0.3}\n", "sluice.yaml:2: conduit.version has to be text, it is the number 0.3"},
		"text for number":     {apply + "conduit:\n  version: v0.3.1\n  proxyUid: root\n", "sluice.yaml:4: conduit.proxyUid has to be a whole number, it is text"},
		"text for boolean":    {apply + "allowEmpty: maybe\n", "sluice.yaml:2: allowEmpty has to be true or false, it is text"},
		"null entry":          {"kubectlApply:\n- a.yaml\n-\n", "sluice.yaml:3: kubectlApply[1] is empty"},
		"two at once":         {"kubectlApply: 1\nconduit: 2\n", "sluice.yaml:1: kubectlApply has to be a list, it is the number 1\nsluice.yaml:2: conduit has to be a mapping, it is the number 2"},
		"nothing to apply":    {"kubectlApply:\n", "sluice.yaml:1: nothing to apply"},
		"no pin":              {apply + "conduitInject: [a.yaml]\n", "sluice.yaml:2: conduitInject without a pin: conduit.version is not set"},
		"pin without version": {apply + "conduit: {proxyUid: 1}\n", "sluice.yaml:2: conduit without a version"},
		"inject only":         {"conduit: {version: v0.3.1}\nconduitInject: [a.yaml]\n", "sluice.yaml:2: conduitInject selects from kubectlApply, which lists nothing"},
		"lists and apps":      {apply + "apps:\n- {name: a, kubectlApply: [b]}\n", "sluice.yaml:2: top-level kubectlApply and conduitInject do not go together with apps"},
		"absolute":            {"kubectlApply:\n- /etc/passwd\n", `sluice.yaml:2: path "/etc/passwd" is absolute`},
		"home":                {"kubectlApply:\n- ~/x\n", `sluice.yaml:2: path "~/x" is absolute`},
		"outside":             {"kubectlApply:\n- a/../../x\n", `sluice.yaml:2: path "a/../../x" leaves the repository`},
		"url":                 {"kubectlApply:\n- https://example.com/a.yaml\n", `sluice.yaml:2: path "https://example.com/a.yaml" is a remote one`},
		"scp":                 {"kubectlApply:\n- git@example.com:a/b\n", `sluice.yaml:2: path "git@example.com:a/b" is a remote one`},
		"github":              {"kubectlApply:\n- GitHub.com/a/b\n", `sluice.yaml:2: path "GitHub.com/a/b" is a remote one`},
		"variable":            {"kubectlApply:\n- $HOME/a.yaml\n", `sluice.yaml:2: path "$HOME/a.yaml" holds a variable: none are expanded`},
		"trailing space":      {"kubectlApply:\n- 'a.yaml '\n", `sluice.yaml:2: path "a.yaml " begins or ends with white space`},
		"NUL":                 {"kubectlApply:\n- \"a\\0b\"\n", `sluice.yaml:2: path "a\x00b" holds a control character or a backslash`},
		"backslash":           {"kubectlApply:\n- a\\b\n", `sluice.yaml:2: path "a\\b" holds a control character or a backslash`},
		"placeholder":         {"kubectlApply:\n- a/{Env}\n", `sluice.yaml:2: path "a/{Env}" holds {Env}`},
		"open placeholder":    {"kubectlApply:\n- a/{env\n", `sluice.yaml:2: path "a/{env" holds {env`},
		"empty path":          {"kubectlApply:\n- ''\n", `sluice.yaml:2: path "" is empty`},
		"environment name":    {apply + "environments:\n- name: ../x\n", `sluice.yaml:3: environment name "../x" is not a DNS label`},
		"environment twice":   {apply + "environments:\n- name: a\n- name: a\n  branch: b\n", `sluice.yaml:4: environment "a" is already there in line 3`},
		"provenance":          {apply + "environments:\n- name: provenance\n", "sluice.yaml:3: no environment can be named provenance: .sluice/provenance.yaml is taken"},
		"branch dash":         {apply + "environments:\n- name: a\n  branch: --upload-pack=x\n", `sluice.yaml:4: branch name "--upload-pack=x" begins with a dash`},
		"branch dots":         {apply + "environments:\n- name: a\n  branch: a/../b\n", `sluice.yaml:4: branch name "a/../b" contains ".."`},
		"branch refspec":      {apply + "environments:\n- name: a\n  branch: +a:b\n", `sluice.yaml:4: branch name "+a:b" contains ':'`},
		"branch twice":        {apply + "environments:\n- name: a\n- name: b\n  branch: env/a\n", `sluice.yaml:5: branch "env/a" is already that of environment "a", line 3`},
		"branch of requests":  {apply + "environments:\n- name: a\n- name: b\n  branch: sluice/promote/a\n", `sluice.yaml:5: branch "sluice/promote/a" is kept for pull requests: those below sluice/ are moved back and deleted`},
		"their directory":     {apply + "environments:\n- name: a\n  branch: sluice\n", `sluice.yaml:4: branch "sluice" is kept for pull requests: those below sluice/ are moved back and deleted`},
		"branch directory":    {apply + "environments:\n- name: a\n  branch: env\n- name: b\n", `sluice.yaml:5: branches "env/b" and "env" cannot both exist: one is a directory of the other, line 4`},
		"path":                {apply + "environments:\n- name: a\n  path: .sluice\n", `sluice.yaml:4: path ".sluice" cannot be a directory of the branch`},
		"path overlap":        {apply + "environments:\n- name: a\n- name: b\n  path: A/b\n", `sluice.yaml:5: path "A/b" overlaps with that of environment "a"`},
		"dangling promotion":  {apply + "environments:\n- name: staging\n- name: b\n  promotedFrom: stagin\n", `sluice.yaml:5: promotedFrom names "stagin", which is no environment`},
		"promotion of itself": {apply + "environments:\n- name: a\n  promotedFrom: a\n", "sluice.yaml:4: promotedFrom goes in a circle: a <- a"},
		"promotion circle":    {apply + "environments:\n- {name: a, promotedFrom: b}\n- {name: b, promotedFrom: a}\n", "sluice.yaml:3: promotedFrom goes in a circle: a <- b <- a\nsluice.yaml:4: promotedFrom goes in a circle: b <- a <- b"},
		"app twice":           {"apps:\n- {name: a, kubectlApply: [x]}\n- {name: a, kubectlApply: [z]}\n", `sluice.yaml:3: app "a" is already there in sluice.yaml:2`},
		"app name":            {"apps:\n- {name: A, kubectlApply: [x]}\n", `sluice.yaml:2: app name "A" is not a DNS label`},
		"app without lists":   {"apps:\n- {name: a}\n", `sluice.yaml:2: app "a" has nothing to apply`},
		"app environment":     {"apps:\n- {name: a, kubectlApply: [x], environments: [prod]}\n", `sluice.yaml:2: "prod" is no environment`},
		"app without pin":     {"apps:\n- name: a\n  kubectlApply: [x]\n  conduitInject: [x]\n", "sluice.yaml:4: conduitInject without a pin: conduit.version is not set"},
		"dangling dependency": {"apps:\n- {name: a, kubectlApply: [x], dependsOn: [b]}\n", `sluice.yaml:2: dependsOn names "b", which is no app`},
		"dependency circle":   {"apps:\n- {name: a, kubectlApply: [x], dependsOn: [a]}\n", "sluice.yaml:2: dependsOn goes in a circle: a <- a"},
		"revision":            {"apps:\n- {name: a, kubectlApply: [z], revision: {default: 3f2a}}\n", `sluice.yaml:2: revision "3f2a" is not a full commit id`},
		"revision nowhere":    {"apps:\n- {name: a, kubectlApply: [z], revision: {x: a123456789012345678901234567890123456789}}\n", `sluice.yaml:2: revision names "x", which is no environment`},
		"include nothing":     {"include: ['teams/*.yaml']\n", `sluice.yaml:1: include "teams/*.yaml" matches no file`},
		"include outside":     {"include: ['../*.yaml']\n", `sluice.yaml:1: path "../*.yaml" leaves the repository`},
		"secrets":             {apply + "secrets: maybe\n", `sluice.yaml:2: secrets is "maybe"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(files{"sluice.yaml": tc.in}, "sluice.yaml")
			if err == nil {
				t.Fatal("accepted")
			}
			if err.Error() != tc.want {
				t.Errorf("got  %s\nwant %s", err, tc.want)
			}
		})
	}
}

func TestSuggest(t *testing.T) {
	known := []string{"kubectlApply", "conduitInject", "conduit"}
	for key, want := range map[string]string{
		"kubectApply": `did you mean "kubectlApply"?`,
		"Conduit":     `did you mean "conduit"?`,
		"zzz":         "known keys: kubectlApply, conduitInject, conduit",
	} {
		if got := suggest(key, known); got != want {
			t.Errorf("%s: got %s, want %s", key, got, want)
		}
	}
}

func TestChainsAndUnits(t *testing.T) {
	c, err := Load(files{"deploy/sluice.yaml": `
conduit: {version: v0.3.1}
environments:
- name: qa
  promotedFrom: staging
- name: staging
- name: production
  branch: live
  path: live/prod
  promotedFrom: qa
- name: lab
apps:
- name: api
  dependsOn: [mesh]
  kubectlApply: ["../apps/api/{env}", web.yaml]
  conduitInject: [web.yaml]
- name: mesh
  kubectlApply: [mesh]
  conduit: {version: v0.3.0}
- name: extra
  kubectlApply: [extra]
  environments: [lab]
`}, "deploy/sluice.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var chains [][]string
	for _, chain := range c.Chains() {
		var names []string
		for _, e := range chain {
			names = append(names, e.Name+" "+e.Branch+" "+e.Path)
		}
		chains = append(chains, names)
	}
	want := [][]string{
		{"staging env/staging staging", "qa env/qa qa", "production live live/prod"},
		{"lab env/lab lab"},
	}
	if d := cmp.Diff(want, chains); d != "" {
		t.Error(d)
	}
	staging, _ := c.Environment("staging")
	units := c.Units(staging)
	at := func(text string, line int) Path { return Path{text, Place{"deploy/sluice.yaml", line}} }
	steps := func(paths ...Path) (list []Step) {
		for _, p := range paths {
			list = append(list, Step{Path: p})
		}
		return list
	}
	wantUnits := []Unit{
		{App: "mesh", Apply: steps(at("deploy/mesh", 18)), Inject: []Path{}, Pin: &Conduit{Version: "v0.3.0"}, PinPath: "apps[1].conduit"},
		{
			App: "api", DependsOn: []string{"mesh"}, Apply: steps(at("apps/api/staging", 15), at("deploy/web.yaml", 15)),
			Inject: []Path{at("deploy/web.yaml", 16)}, Pin: &Conduit{Version: "v0.3.1"}, PinPath: "conduit",
		},
	}
	if d := cmp.Diff(wantUnits, units); d != "" {
		t.Error(d)
	}
}

// What lies above the config could not be put into a working directory under
// its path.
func TestFilesAbove(t *testing.T) {
	source := files{"deploy/sluice.yaml": "kubectlApply:\n- {exec: {tool: mesh, files: [a.yaml, ../b.yaml]}}\ntools: [{name: mesh}]\n"}
	_, err := Load(source, "deploy/sluice.yaml")
	want := "deploy/sluice.yaml:2: path \"../b.yaml\" lies above this file: it could not be put into a working directory"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// An included file is an app named by its directory, with paths relative to
// it and findings that name it.
func TestInclude(t *testing.T) {
	source := files{
		"sluice.yaml":                "include: ['teams/*/sluice-app.yaml']\nconduit: {version: v0.3.1}\napps: [{name: mesh, kubectlApply: [mesh]}]\n",
		"teams/shop/sluice-app.yaml": "kubectlApply: [\"{env}/a.yaml\"]\nconduitInject: [../b.yaml]\ndependsOn: [mesh]\n",
		"teams/cart/sluice-app.yaml": "kubectlApply:\n- a.yaml\n",
	}
	c, err := Load(source, "sluice.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, u := range c.Units(c.Environments[0]) {
		for _, s := range u.Apply {
			got = append(got, fmt.Sprintf("%s applies %s of %s:%d", u.App, s.Text, s.File, s.Line))
		}
		for _, p := range u.Inject {
			got = append(got, fmt.Sprintf("%s injects %s of %s:%d with %s", u.App, p.Text, p.File, p.Line, u.Pin.Version))
		}
	}
	want := []string{
		"mesh applies mesh of sluice.yaml:3",
		"cart applies teams/cart/a.yaml of teams/cart/sluice-app.yaml:2",
		"shop applies teams/shop/default/a.yaml of teams/shop/sluice-app.yaml:1",
		"shop injects teams/b.yaml of teams/shop/sluice-app.yaml:2 with v0.3.1",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}

	source["teams/cart/sluice-app.yaml"] = "name: mine\nkubectlApply:\n- ../../../x\nenviroments: [prod]\n"
	_, err = Load(source, "sluice.yaml")
	wantErr := "teams/cart/sluice-app.yaml:1: an included app is named by its directory\nteams/cart/sluice-app.yaml:4: apps[1] unknown key \"enviroments\""
	if err == nil || err.Error() != wantErr {
		t.Errorf("got %v, want %s", err, wantErr)
	}
	source["teams/cart/sluice-app.yaml"] = "kubectlApply:\n- ../../../x\n"
	_, err = Load(source, "sluice.yaml")
	wantErr = "teams/cart/sluice-app.yaml:2: path \"../../../x\" leaves the repository"
	if err == nil || err.Error() != wantErr {
		t.Errorf("got %v, want %s", err, wantErr)
	}
}
