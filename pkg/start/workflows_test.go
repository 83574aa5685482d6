package start

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/source"
)

// made are the configs in testdata/ci and what else their workflows are made
// of. make lint runs actionlint on what is written there.
var made = map[string]CI{
	"chain":   {Main: "main", Version: "v1.2.3", Revision: "0123456789abcdef0123456789abcdef01234567"},
	"plain":   {Main: "master", Version: "v1.2.3"},
	"app":     {Main: "release/2.x", Version: "v0.0.0-20260105090000-0123456789ab"},
	"regions": {Main: "main", Version: "v1.2.3-rc.1"},
	// The first environment has gates: its commit comes in by a request.
	"reviewed": {Main: "main", Version: "v1.2.3"},
}

func loadConfig(t *testing.T, dir string) *config.Config {
	t.Helper()
	disk, err := source.OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files, file := source.New(disk), "sluice.yaml"
	if _, err := files.Stat(file); errors.Is(err, fs.ErrNotExist) {
		file = "deploy/shop.yaml"
	}
	cfg, err := config.Load(files, file)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestWorkflows(t *testing.T) {
	for name, ci := range made {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join("testdata", "ci", name)
			ci.Config = loadConfig(t, dir)
			all, err := GitHubActions(ci)
			if err != nil {
				t.Fatal(err)
			}
			for file, data := range all {
				hardened(t, file, data)
			}
			pipeline, err := GitLabCI(ci)
			if err != nil {
				t.Fatal(err)
			}
			maps.Copy(all, pipeline)
			for _, file := range slices.Sorted(maps.Keys(all)) {
				golden(t, filepath.Join(dir, filepath.FromSlash(file)), all[file])
			}
		})
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (UPDATE_GOLDEN=1 writes it):\n%s", file, diff)
	}
}

// workflow is as much of one as has to be held.
type workflow struct {
	On          map[string]any    `yaml:"on"`
	Permissions map[string]string `yaml:"permissions"`
	Concurrency map[string]any    `yaml:"concurrency"`
	Jobs        map[string]struct {
		If          string            `yaml:"if"`
		Permissions map[string]string `yaml:"permissions"`
		Concurrency map[string]any    `yaml:"concurrency"`
		Steps       []struct {
			Uses string            `yaml:"uses"`
			Run  string            `yaml:"run"`
			With map[string]string `yaml:"with"`
			Env  map[string]string `yaml:"env"`
		} `yaml:"steps"`
	} `yaml:"jobs"`
}

// hardened holds what makes a workflow safe: no permission that a job does not
// name, actions by commit, no credentials left on disk, no text of an event in
// a shell, and nothing of anybody's request run with a token that can write.
func hardened(t *testing.T, file string, data []byte) {
	t.Helper()
	var w workflow
	if err := yaml.Unmarshal(data, &w); err != nil {
		t.Fatalf("%s: %v\n%s", file, err, data)
	}
	if w.Permissions == nil || len(w.Permissions) > 0 {
		t.Errorf("%s: permissions are %v, want none for all jobs", file, w.Permissions)
	}
	for name, job := range w.Jobs {
		if w.Concurrency == nil && job.Concurrency == nil {
			t.Errorf("%s: %s has no concurrency", file, name)
		}
		writes := slices.Contains(slices.Collect(maps.Values(job.Permissions)), "write")
		if _, foreign := w.On["pull_request"]; foreign && writes {
			t.Errorf("%s: %s writes, and runs for requests", file, name)
		}
		if _, foreign := w.On["issue_comment"]; foreign && !strings.Contains(job.If, "author_association") {
			t.Errorf("%s: %s runs for anybody's comment", file, name)
		}
		if strings.Contains(job.If, "pull_request_target") && !strings.Contains(job.If, "head.repo.full_name == github.repository") {
			t.Errorf("%s: %s runs for the requests of forks", file, name)
		}
		if _, foreign := w.On["issue_comment"]; foreign && (len(job.Steps) == 0 || !strings.Contains(job.Steps[0].Run, `"permission": ?"(admin|write)"`)) {
			t.Errorf("%s: %s runs for the comments of who may only read", file, name)
		}
		for _, s := range job.Steps {
			_, at, _ := strings.Cut(s.Uses, "@")
			if s.Uses != "" && !strings.HasPrefix(s.Uses, "./") && len(at) != 40 {
				t.Errorf("%s: %s is not pinned by its commit", file, s.Uses)
			}
			if strings.HasPrefix(s.Uses, "actions/checkout@") && s.With["persist-credentials"] != "false" {
				t.Errorf("%s: %s leaves the token in .git/config", file, name)
			}
			if strings.Contains(s.Run, "${{") {
				t.Errorf("%s: %s puts an expression into a shell: %s", file, name, s.Run)
			}
			if strings.HasPrefix(s.With["ref"], "${{") {
				t.Errorf("%s: %s checks out what an event names", file, name)
			}
			for variable, value := range s.Env {
				if !writes && strings.Contains(value, "token") {
					t.Errorf("%s: %s gives %s to a job that only reads", file, name, variable)
				}
			}
		}
	}
}

// TestOwnWorkflows holds this project's own workflows to the same.
func TestOwnWorkflows(t *testing.T) {
	files, err := filepath.Glob("../../.github/workflows/*.yml")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		hardened(t, file, data)
	}
}

// TestNothingMovesByItself: an environment that asks for no approval is
// promoted when somebody says so, never by the clock.
func TestNothingMovesByItself(t *testing.T) {
	ci := made["chain"]
	ci.Config = loadConfig(t, "testdata/ci/chain")
	files, err := GitHubActions(ci)
	if err != nil {
		t.Fatal(err)
	}
	var w workflow
	if err := yaml.Unmarshal(files[".github/workflows/promote.yml"], &w); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(w.Jobs["promote-staging"].If, "schedule") {
		t.Error("staging asks for no approval, and is promoted by the clock")
	}
	if !strings.Contains(w.Jobs["promote-production"].If, "schedule") {
		t.Error("production does not come in after its approval")
	}
}

// TestNumbersAreText: a branch is not shortened to a number on its way.
func TestNumbersAreText(t *testing.T) {
	ci := made["chain"]
	ci.Config, ci.Main = loadConfig(t, "testdata/ci/chain"), "1.10"
	files, err := GitHubActions(ci)
	if err != nil {
		t.Fatal(err)
	}
	for file, data := range files {
		var w struct {
			On   map[string]struct{ Branches []any }
			Jobs map[string]struct {
				Steps []struct{ With map[string]any }
			}
		}
		if err := yaml.Unmarshal(data, &w); err != nil && !strings.Contains(file, "promote") {
			t.Fatal(err)
		}
		for name, job := range w.Jobs {
			for _, s := range job.Steps {
				if ref := s.With["ref"]; ref != nil && ref != "1.10" {
					t.Errorf("%s: %s checks out %v", file, name, ref)
				}
			}
		}
	}
}

// TestNamesThatAreNoText: what would be more than text in YAML, in a pattern
// or in a shell is refused.
func TestNamesThatAreNoText(t *testing.T) {
	ci := made["plain"]
	ci.Config = loadConfig(t, "testdata/ci/plain")
	for _, main := range []string{"a'b", "x$(id)", "-f", "a b", "a\nb", "feature/*", "a+b", ""} {
		ci.Main = main
		for _, make := range []func(CI) (map[string][]byte, error){GitHubActions, GitLabCI} {
			var list finding.List
			if _, err := make(ci); !errors.As(err, &list) || len(list) != 1 {
				t.Errorf("branch %q: %v, want one finding", main, err)
			}
		}
	}
}
