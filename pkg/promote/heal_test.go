package promote

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// world is a repository with a chain of three, and what a model knows of it.
type world struct {
	t     *testing.T
	dir   string
	r     *repo.Repo
	cfg   *config.Config
	rand  *rand.Rand
	steps []string

	source repo.ID
	value  int             // what the source says now
	files  int             // made beside the environments' directories so far
	lives  map[string]bool // files that have to be on every branch in the end
	known  map[string]bool // states of directories and records that sluice wrote
}

type only string

func (f only) ReadFile(string) ([]byte, error) { return []byte(f), nil }
func (f only) Glob(string) ([]string, error)   { return nil, nil }

const chainOfThree = `
kubectlApply: [a.yaml]
environments:
- {name: staging}
- {name: qa, promotedFrom: staging}
- {name: production, promotedFrom: qa}
`

func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), rand: rand.New(rand.NewPCG(seed, 1)), lives: map[string]bool{}, known: map[string]bool{}}
	w.git("", "init", "-q", "-b", "main")
	var err error
	w.r, err = repo.Open(w.dir, repo.EnvFrom(func(name string) string {
		return map[string]string{"HOME": w.dir, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": filepath.Join(w.dir, "none")}[name]
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.r.Close() })
	if w.cfg, err = config.Load(only(chainOfThree), config.FileName); err != nil {
		t.Fatal(err)
	}
	w.edit()
	return w
}

// git runs git with fixed people and dates.
func (w *world) git(stdin string, args ...string) string {
	w.t.Helper()
	out, err := w.tryGit(stdin, args...)
	if err != nil {
		w.t.Fatalf("git %v: %v\n%s\nafter %s", args, err, out, strings.Join(w.steps, ", "))
	}
	return out
}

func (w *world) tryGit(stdin string, args ...string) (string, error) {
	cmd := exec.Command("git", append([]string{"-C", w.dir}, args...)...)
	const date = "2026-01-05T09:00:00Z"
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_AUTHOR_DATE="+date,
		"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com", "GIT_COMMITTER_DATE="+date, "GIT_INDEX_FILE="+filepath.Join(w.dir, "index.test"))
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (w *world) tip(e config.Environment) string {
	return w.git("", "rev-parse", "refs/heads/"+e.Branch)
}

// commitOn puts a commit on a branch.
func (w *world) commitOn(e config.Environment, message, tree string, parents ...string) {
	w.t.Helper()
	args := []string{"commit-tree", tree}
	for _, p := range parents {
		args = append(args, "-p", p)
	}
	w.git("", "update-ref", "refs/heads/"+e.Branch, w.git(message, args...))
}

// with gives the tree of a commit with one more file.
func (w *world) with(commit, file, text string) string {
	w.git("", "read-tree", commit)
	w.git("", "update-index", "--add", "--cacheinfo", "100644,"+w.git(text, "hash-object", "-w", "--stdin")+","+file)
	return w.git("", "write-tree")
}

// edit changes the source.
func (w *world) edit() {
	w.value++
	tree := w.git(fmt.Sprintf("100644 blob %s\ta.yaml\n", w.git(fmt.Sprint(w.value), "hash-object", "-w", "--stdin")), "mktree")
	args := []string{"commit-tree", tree}
	if w.source != "" {
		args = append(args, "-p", string(w.source))
	}
	w.source = repo.ID(w.git(fmt.Sprintf("Say %d\n", w.value), args...))
}

// state is what directories and records of a commit are.
func (w *world) state(commit string) string {
	return w.git("", "ls-tree", commit, "--", ".sluice", "staging", "qa", "production")
}

func (w *world) contains(commit, tip string) bool {
	_, err := w.tryGit("", "merge-base", "--is-ancestor", commit, tip)
	return err == nil
}

// commit hydrates the source onto the chain.
func (w *world) commit(o branch.Options) error {
	w.t.Helper()
	chain := w.cfg.Chains()[0]
	heads, err := branch.ReadHeads(w.r, chain)
	if err != nil {
		w.t.Fatal(err)
	}
	var environments []*tree.Environment
	for _, e := range chain {
		set, err := manifest.Parse("a.yaml", fmt.Appendf(nil, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {text: %s %d}\n", e.Name, w.value))
		if err != nil {
			w.t.Fatal(err)
		}
		env, err := tree.Lay(e.Name, e.Path, []tree.App{{Commit: string(w.source), Set: set}})
		if err != nil {
			w.t.Fatal(err)
		}
		environments = append(environments, env)
	}
	source, err := w.r.Commit(w.source)
	if err != nil {
		w.t.Fatal(err)
	}
	p := tree.Provenance{Source: tree.Source{Commit: string(w.source), Config: config.FileName}, Renderer: tree.Renderer{Sluice: "test", Kustomize: "none"}}
	next, err := branch.Plan(w.t.Context(), w.r, heads, environments, p, source, o)
	if err != nil {
		return err
	}
	if _, err := branch.Apply(w.t.Context(), w.r, []*branch.Next{next}, time.Unix(1, 0)); err != nil {
		w.t.Fatalf("%v\nafter %s", err, strings.Join(w.steps, ", "))
	}
	w.known[w.state("env/staging")] = true
	return nil
}

// checkCommit commits, without the word that discards edits first, and holds
// the outcome against the model.
func (w *world) checkCommit() {
	w.t.Helper()
	fail := func(format string, args ...any) {
		w.t.Helper()
		w.t.Fatalf(format+"\nafter %s", append(args, strings.Join(w.steps, ", "))...)
	}
	edited := false
	root, err := w.tryGit("", "rev-parse", "-q", "--verify", "refs/heads/env/staging")
	if err == nil {
		for i, e := range w.cfg.Environments {
			state := w.state(w.tip(e))
			edited = edited || state != "" && !w.known[state] && (i == 0 || !w.contains(w.tip(e), root))
		}
	}
	err = w.commit(branch.Options{})
	var refused *branch.EditedError
	if errors.As(err, &refused) != edited || err != nil && !edited {
		fail("somebody edited: %v, commit says %v", edited, err)
	}
	if edited {
		if err := w.commit(branch.Options{DiscardEdits: true}); err != nil {
			fail("discarding: %v", err)
		}
	}
	for _, e := range w.cfg.Environments {
		if !w.contains(w.tip(e), "env/staging") {
			fail("%s cannot be moved forward", e.Name)
		}
		if !strings.Contains(w.git("", "show", "env/staging:"+e.Path+"/configmap-a.yaml"), fmt.Sprintf("%s %d", e.Name, w.value)) {
			fail("%s is not what the source says", e.Name)
		}
	}
	for file := range w.lives {
		if _, err := w.tryGit("", "cat-file", "-e", "env/staging:"+file); err != nil {
			fail("%s is lost", file)
		}
	}
}

// promote moves an environment forward, if it can be.
func (w *world) promote(e config.Environment) error {
	p, err := Make(w.t.Context(), w.r, w.cfg, e, func(e config.Environment) (branch.Head, error) { return branch.ReadHead(w.r, e) }, "", "test")
	if err != nil || p.Outcome == Nothing {
		return err
	}
	return p.Merge(w.t.Context(), w.r, time.Unix(1, 0))
}

// button merges an environment's predecessor as a forge does. A conflict is
// nothing that a button resolves.
func (w *world) button(kind string, e config.Environment) {
	from, _ := w.cfg.Environment(e.PromotedFrom)
	base, head := w.tip(e), w.tip(from)
	if w.contains(head, base) {
		return
	}
	merged, err := w.tryGit("", "merge-tree", "--write-tree", "--allow-unrelated-histories", base, head)
	switch {
	case err != nil:
	case kind == "squash":
		w.commitOn(e, "Promote (#1)\n", merged, base)
	case kind == "merge":
		w.commitOn(e, "Merge pull request #1\n", merged, base, head)
	case w.contains(base, head):
		for _, c := range strings.Fields(w.git("", "rev-list", "--reverse", "--first-parent", base+".."+head)) {
			w.commitOn(e, w.git("", "log", "-1", "--format=%B", c), c+"^{tree}", w.tip(e))
		}
	}
}

// rollback takes an environment back to a commit of its branch.
func (w *world) rollback(e config.Environment) {
	w.t.Helper()
	commits := strings.Fields(w.git("", "rev-list", w.tip(e)))
	b, err := branch.PlanRollback(w.t.Context(), w.r, e, commits[w.rand.IntN(len(commits))], "test", branch.Options{DiscardEdits: w.rand.IntN(2) == 0})
	var refusal *finding.Refusal
	var edited *branch.EditedError
	if errors.As(err, &refusal) || errors.As(err, &edited) {
		return
	}
	if err == nil {
		err = b.Apply(w.t.Context(), w.r, time.Unix(1, 0))
	}
	if err != nil {
		w.t.Fatalf("%v\nafter %s", err, strings.Join(w.steps, ", "))
	}
	w.known[w.state(w.tip(e))] = true
}

func (w *world) step() {
	e := w.cfg.Environments[w.rand.IntN(3)]
	later := w.cfg.Environments[1+w.rand.IntN(2)]
	kinds := []string{"source", "commit", "promote", "promote", "squash", "rebase", "merge", "rollback", "hand edit", "revert", "other file"}
	kind := kinds[w.rand.IntN(len(kinds))]
	at := e
	if slices.Contains([]string{"promote", "squash", "rebase", "merge"}, kind) {
		at = later
	}
	w.steps = append(w.steps, kind+" "+at.Name)
	switch kind {
	case "source":
		w.edit()
	case "commit":
		w.checkCommit()
	case "promote":
		var refusal *finding.Refusal
		if err := w.promote(at); err != nil && !errors.As(err, &refusal) {
			w.t.Fatalf("%v\nafter %s", err, strings.Join(w.steps, ", "))
		}
	case "rollback":
		w.rollback(at)
	case "hand edit":
		if _, err := w.tryGit("", "cat-file", "-e", w.tip(at)+":"+at.Path); err == nil {
			w.commitOn(at, "By hand\n", w.with(w.tip(at), at.Path+"/configmap-a.yaml", fmt.Sprintf("by hand, step %d\n", len(w.steps))), w.tip(at))
		}
	case "revert":
		if parents := strings.Fields(w.git("", "log", "-1", "--format=%P", w.tip(at))); len(parents) == 1 && w.state(parents[0]) != "" && !w.losesFile(w.tip(at), parents[0]) {
			w.commitOn(at, "Revert\n", parents[0]+"^{tree}", w.tip(at))
		}
	case "other file":
		w.files++
		file := fmt.Sprintf("docs/%d.md", w.files)
		w.commitOn(at, "Explain\n", w.with(w.tip(at), file, file), w.tip(at))
		w.lives[file] = true
	default:
		w.button(kind, at)
	}
}

// losesFile tells whether a revert would take a file away that is to live.
func (w *world) losesFile(tip, parent string) bool {
	return w.git("", "ls-tree", "-r", tip, "--", "docs") != w.git("", "ls-tree", "-r", parent, "--", "docs")
}

// Whatever people do to the branches, the next commit can be promoted to all
// of them, and nothing is lost that nobody said to discard.
func TestHealing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, seed)
			w.checkCommit()
			for range 25 {
				w.step()
			}
			w.steps = append(w.steps, "the end")
			w.checkCommit()
			for _, e := range w.cfg.Environments[1:] {
				if err := w.promote(e); err != nil {
					t.Errorf("promoting %s in the end: %v\nafter %s", e.Name, err, strings.Join(w.steps, ", "))
				}
			}
			if out := w.git("", "fsck", "--strict", "--full", "--no-dangling", "--no-progress"); strings.TrimSpace(strings.TrimPrefix(out, "notice: HEAD points to an unborn branch (main)")) != "" {
				t.Error(out)
			}
		})
	}
}
