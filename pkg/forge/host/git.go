package host

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Git is a real bare repository, read as files and changed by git.
type Git struct {
	Dir string
	// Lies, where it is not nil, has branches that the forge says have moved,
	// and that have not.
	Lies map[string]string

	parents map[string][]string // of every commit that was asked for
	depth   map[string]int      // longest way to a root
	loaded  string              // a commit whose history is in parents
}

// run gives git's output. Nobody's configuration counts, and dates are fixed.
func (g *Git) run(stdin string, args ...string) (string, error) {
	cmd := exec.Command("git", append([]string{"-C", g.Dir}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Env = []string{
		"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + g.Dir, "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C",
		"GIT_AUTHOR_NAME=Forge", "GIT_AUTHOR_EMAIL=forge@example.com", "GIT_AUTHOR_DATE=2026-01-05T09:00:00Z",
		"GIT_COMMITTER_NAME=Forge", "GIT_COMMITTER_EMAIL=forge@example.com", "GIT_COMMITTER_DATE=2026-01-05T09:00:00Z",
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// Branch gives the commit of a branch, and nothing if there is none.
func (g *Git) Branch(name string) string {
	if to := g.Lies[name]; to != "" {
		return to
	}
	// By way of files: a walk of many steps reads refs all the time.
	data, err := os.ReadFile(filepath.Join(g.Dir, "refs/heads", filepath.FromSlash(name)))
	if err == nil {
		return strings.TrimSpace(string(data))
	}
	packed, _ := os.ReadFile(filepath.Join(g.Dir, "packed-refs"))
	for line := range strings.Lines(string(packed)) {
		if id, ref, _ := strings.Cut(strings.TrimSpace(line), " "); ref == "refs/heads/"+name {
			return id
		}
	}
	return ""
}

// Update moves a branch that is at old to another commit, as git would: old is
// compared under the lock. Empty values stand for no branch. who gets into the
// reflog.
func (g *Git) Update(name, old, to, who string) error {
	if g.Lies != nil {
		g.Lies[name] = to
		return nil
	}
	ref := "refs/heads/" + name
	if to == "" {
		_, err := g.run("", "update-ref", "-m", who, "-d", ref, old)
		return err
	}
	if old == "" {
		old = strings.Repeat("0", 40)
	}
	_, err := g.run("", "update-ref", "--create-reflog", "-m", who, ref, to, old)
	return err
}

// Commit makes a commit on the tree of another one.
func (g *Git) Commit(tree, message string, parents ...string) (string, error) {
	args := []string{"commit-tree", tree + "^{tree}", "-m", message}
	for _, p := range parents {
		args = append(args, "-p", p)
	}
	id, err := g.run("", args...)
	if err == nil {
		g.learn(id, parents)
	}
	return id, err
}

// learn keeps the parents of a commit, if they are known.
func (g *Git) learn(id string, parents []string) {
	deepest := 0
	for _, p := range parents {
		if g.depth[p] == 0 {
			return
		}
		deepest = max(deepest, g.depth[p])
	}
	if g.parents == nil {
		g.parents, g.depth = map[string][]string{}, map[string]int{}
	}
	g.parents[id], g.depth[id] = parents, deepest+1
}

// Resolve gives the commit that a name stands for.
func (g *Git) Resolve(rev string) (string, error) {
	return g.run("", "rev-parse", "--verify", "-q", rev+"^{commit}")
}

// Contains tells whether commit is id or an ancestor of it.
func (g *Git) Contains(id, commit string) bool {
	if id == commit {
		return id != ""
	}
	if g.load(id) != nil || g.load(commit) != nil {
		return false
	}
	seen, next := map[string]bool{}, []string{id}
	for len(next) > 0 {
		at := next[len(next)-1]
		next = next[:len(next)-1]
		if at == commit {
			return true
		}
		if seen[at] || g.depth[at] <= g.depth[commit] {
			continue
		}
		seen[at] = true
		next = append(next, g.parents[at]...)
	}
	return false
}

// Parent gives the first parent of a commit, and nothing for a root.
func (g *Git) Parent(id string) string {
	if g.load(id) != nil || len(g.parents[id]) == 0 {
		return ""
	}
	return g.parents[id][0]
}

// load reads the history of a commit, as far as it is not known.
func (g *Git) load(id string) error {
	if _, known := g.parents[id]; known {
		return nil
	}
	if id == "" {
		return fmt.Errorf("no commit")
	}
	args := []string{"rev-list", "--parents", "--topo-order", id}
	if g.loaded != "" {
		args = append(args, "^"+g.loaded)
	}
	out, err := g.run("", args...)
	if err != nil {
		return err
	}
	lines := strings.Split(out, "\n")
	slices.Reverse(lines) // parents first
	for _, line := range lines {
		ids := strings.Fields(line)
		g.learn(ids[0], ids[1:])
	}
	g.loaded = id
	return nil
}
