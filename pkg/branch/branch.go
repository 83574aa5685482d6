// Package branch takes a chain's hydrated environments and the heads of its
// branches and gives the next hydrated commit: what it holds, its parents and
// its message. Nothing is written before Apply.
package branch

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// Head is where an environment's branch stands.
type Head struct {
	Environment config.Environment
	Tip         repo.ID // empty if there is no such branch, here or at origin
	Local       repo.ID // tip of the branch in this repository; empty in a clone that has origin's only
	// Provenance is what the tip says of itself; nil without a tip, on the
	// chain's root commit, and on a branch that sluice did not write.
	Provenance *tree.Provenance
	Foreign    bool  // sluice did not write the tip
	Damaged    error // why what the tip says of itself cannot be read
}

// Bare tells whether nothing has been hydrated onto the branch yet.
func (h Head) Bare() bool { return h.Provenance == nil && !h.Foreign && h.Damaged == nil }

// ReadHead reads where an environment's branch stands.
func ReadHead(r *repo.Repo, e config.Environment) (Head, error) {
	h := Head{Environment: e}
	var err error
	if h.Local, err = tip(r.Branch(e.Branch)); err != nil {
		return h, err
	}
	if h.Tip = h.Local; h.Local == "" {
		// A clone has the branches of its origin under other names.
		if h.Tip, err = tip(r.RemoteBranch("origin", e.Branch)); err != nil {
			return h, err
		}
	}
	if h.Tip == "" || h.Tip == rootID {
		return h, nil
	}
	files, err := r.Files(h.Tip)
	if err != nil {
		return h, err
	}
	h.Provenance, err = tree.ReadProvenance(files)
	if errors.Is(err, tree.ErrNoProvenance) {
		h.Foreign = true
	} else {
		h.Damaged = err
	}
	return h, nil
}

// tip takes a branch that is surely absent for an empty tip.
func tip(id repo.ID, err error) (repo.ID, error) {
	if errors.Is(err, repo.ErrNoBranch) {
		return "", nil
	}
	return id, err
}

// ReadHeads reads a chain's heads, in the chain's order.
func ReadHeads(r *repo.Repo, chain config.Chain) ([]Head, error) {
	heads := make([]Head, len(chain))
	for i, e := range chain {
		h, err := ReadHead(r, e)
		if err != nil {
			return nil, err
		}
		heads[i] = h
	}
	return heads, nil
}

// Outcome is what a commit came to.
type Outcome string

// What a commit can come to.
const (
	Committed  Outcome = "committed"
	Unchanged  Outcome = "unchanged"  // the branch holds exactly this already
	Superseded Outcome = "superseded" // the branch holds a newer source commit
)

// Next is a chain's next commit.
type Next struct {
	Outcome Outcome
	Root    config.Environment
	Tip     repo.ID // of the root's branch before; empty without one
	local   repo.ID // the same in this repository
	Changed []Changed
	Made    []config.Environment // whose branches have to be made

	spec spec
}

// Changed counts an environment's objects that differ from the branch.
type Changed struct {
	Environment string `json:"environment"`
	Objects     int    `json:"objects"`
}

type spec struct {
	dirs    map[string]tree.Files // nil takes the directory away
	base    repo.ID               // tree that everything else is taken over from
	parents []repo.ID
	author  repo.Signature
	commit  repo.Signature
	message string
	signer  *repo.Signer
}

// Options are the words that change what is refused, and how the commit is made.
type Options struct {
	AllowUnrelatedSource bool
	Signer               *repo.Signer // nil: the commit is not signed
}

// Plan gives the next commit of a chain whose environments were rendered from
// source. It refuses what would lose somebody's work.
func Plan(ctx context.Context, r *repo.Repo, heads []Head, environments []*tree.Environment, p tree.Provenance, source *repo.Commit, o Options) (*Next, error) {
	root := heads[0]
	next := &Next{Root: root.Environment, Tip: root.Tip, local: root.Local, spec: spec{signer: o.Signer}}
	for i, h := range heads {
		if h.Tip == "" {
			next.Made = append(next.Made, h.Environment)
		}
		if err := checkHead(r, h, i == 0 || h.Tip == ""); err != nil {
			return nil, err
		}
	}
	if err := checkLine(heads); err != nil {
		return nil, err
	}
	unrelated := false
	if root.Provenance != nil {
		how, err := checkSource(ctx, r, root, source.ID, o)
		if err != nil {
			return nil, err
		}
		if how == older {
			next.Outcome = Superseded
			return next, nil
		}
		unrelated = how == apart
		if err := checkConfig(r, root, source.ID, p.Source.Config); err != nil {
			return nil, err
		}
	}
	return next, next.compose(r, root, unrelated, environments, p, source)
}

// compose fills in the commit, unless nothing changed.
func (n *Next) compose(r *repo.Repo, root Head, unrelated bool, environments []*tree.Environment, p tree.Provenance, source *repo.Commit) error {
	n.Outcome = Committed
	parent, err := n.parent(r)
	if err != nil {
		return err
	}
	n.spec.parents, n.spec.base = []repo.ID{parent.ID}, parent.Tree
	have, err := r.TreeFiles(parent.Tree)
	if err != nil {
		return err
	}
	differ := false
	for _, env := range environments {
		differences, err := tree.Compare(have, env.Path, env.Files)
		if err != nil {
			return err
		}
		differ = differ || len(differences) > 0
		n.Changed = append(n.Changed, Changed{Environment: env.Name, Objects: countObjects(differences)})
	}
	gone := removed(root.Provenance, environments)
	if !differ && len(gone) == 0 && root.Provenance != nil && sameNames(root.Provenance, environments) {
		n.Outcome = Unchanged
		return nil
	}
	n.spec.dirs, err = tree.Branch(p, environments, func(environment, app string) (*tree.Record, error) {
		if unrelated {
			return nil, nil // a record of a history that may soon be gone proves nothing
		}
		return tree.ReadRecord(have, environment, app)
	})
	if err != nil {
		return err
	}
	for _, dir := range gone {
		n.spec.dirs[dir] = nil
	}
	when := source.Committer.When
	if parent.Committer.When.After(when) {
		when = parent.Committer.When
	}
	if _, offset := when.Zone(); max(offset, -offset) >= 24*60*60 {
		when = when.UTC() // a source may hold a time zone that there is not: git fsck refuses it
	}
	n.spec.author, n.spec.commit = source.Author, r.Committer()
	n.spec.author.When, n.spec.commit.When = when, when
	name, objects := n.headline()
	n.spec.message = message(name, objects, source.Message, p, pins(environments))
	return nil
}

// headline is the first environment of the chain in which objects changed.
func (n *Next) headline() (name string, objects int) {
	for _, c := range n.Changed {
		if c.Objects > 0 {
			return c.Environment, c.Objects
		}
	}
	return n.Root.Name, 0
}

// parent gives the commit that the next one follows.
func (n *Next) parent(r *repo.Repo) (*repo.Commit, error) {
	if n.Tip == "" || n.Tip == rootID {
		return rootCommit(), nil
	}
	return r.Commit(n.Tip)
}

// removed gives the recorded directories that no environment has any more.
func removed(p *tree.Provenance, environments []*tree.Environment) []string {
	if p == nil {
		return nil
	}
	kept := map[string]bool{}
	for _, e := range environments {
		kept[e.Path] = true
	}
	var gone []string
	for _, e := range p.Environments {
		if !kept[e.Path] {
			gone = append(gone, e.Path)
		}
	}
	return gone
}

// sameNames tells whether the environments are those that are recorded: one
// under a new name needs its records under that name, also if no object changed.
func sameNames(p *tree.Provenance, environments []*tree.Environment) bool {
	recorded := map[string]string{}
	for _, e := range p.Environments {
		recorded[e.Path] = e.Name
	}
	for _, e := range environments {
		if recorded[e.Path] != e.Name {
			return false
		}
	}
	return true
}

func countObjects(differences []tree.Difference) int {
	n := 0
	for _, d := range differences {
		if !strings.HasSuffix(d.Path, "/kustomization.yaml") {
			n++
		}
	}
	return n
}

// pins gives every pin of the environments once, in order.
func pins(environments []*tree.Environment) []tree.Pin {
	var records []tree.AppRecord
	for _, e := range environments {
		records = append(records, e.Records...)
	}
	return tree.Pins(records)
}

// The root commit that all branches of all chains share. It is the same in
// every repository, so whoever makes it first makes the same one.
var epoch = repo.Signature{Name: "sluice", Email: "sluice@localhost", When: time.Unix(0, 0).UTC()}

const rootMessage = "Root of the environment branches\n"

func rootCommit() *repo.Commit {
	return &repo.Commit{ID: rootID, Tree: repo.EmptyTree, Author: epoch, Committer: epoch, Message: rootMessage}
}

// rootID is the id of the root commit; a test holds it against git's.
const rootID repo.ID = "4f73e05ca197043da2d5bd9009dac5a076d2d3f9"
