package branch

import (
	"context"
	"strings"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/tree"
)

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
	Healed  []Healed             // branches that had left the line and are taken in
	Edits   []Edit               // by hand, overwritten
	Adopted []string             // branches that sluice did not write and does now
	Untold  []string             // branches that may have left the line: the history is not here

	spec spec
}

// Changed counts an environment's objects that differ from the branch.
type Changed struct {
	Environment string `json:"environment"`
	Objects     int    `json:"objects"`
}

type spec struct {
	base    repo.ID // tree that everything else is taken over from
	changes []repo.Change
	parents []repo.ID
	author  repo.Signature
	commit  repo.Signature
	message string
	signer  *repo.Signer
}

// Options are the words that change what is refused, and how the commit is made.
type Options struct {
	AllowUnrelatedSource bool
	Adopt                bool         // take over branches that sluice did not write
	DiscardEdits         bool         // overwrite what was edited by hand
	Signer               *repo.Signer // nil: the commit is not signed
}

// Plan gives the next commit of a chain whose environments were rendered from
// source. It refuses what would lose somebody's work.
func Plan(ctx context.Context, r *repo.Repo, heads []Head, environments []*tree.Environment, p tree.Provenance, source *repo.Commit, o Options) (*Next, error) {
	return Begin(ctx, r, heads, p.Renderer.Sluice, o).Plan(ctx, r, environments, p, source, o)
}

// Plan is the Plan of the package for what was found at Begin. It serves once.
func (s *Start) Plan(ctx context.Context, r *repo.Repo, environments []*tree.Environment, p tree.Provenance, source *repo.Commit, o Options) (*Next, error) {
	heads := s.heads
	root := heads[0]
	next := &Next{Root: root.Environment, Tip: root.Tip, local: root.Local, spec: spec{signer: o.Signer}}
	for i, h := range heads {
		if i > 0 && h.Tip != "" || h.there {
			continue
		}
		if err := CheckMovable(r, h.Environment.Branch); err != nil {
			return nil, err
		}
	}
	if s.err != nil {
		return nil, s.err
	}
	l := s.line
	unrelated := false
	if l.from.Provenance != nil {
		how, err := checkSource(ctx, r, l.from, source.ID, o)
		if err != nil {
			return nil, err
		}
		if how == older {
			next.Outcome = Superseded
			return next, nil
		}
		unrelated = how == apart
		if err := checkConfig(r, l.from, source.ID, p.Source.Config); err != nil {
			return nil, err
		}
	}
	for _, h := range heads {
		if h.Tip == "" {
			next.Made = append(next.Made, h.Environment)
		}
	}
	if err := l.carry(ctx, r, environments, o); err != nil {
		return nil, err
	}
	return next, next.compose(ctx, r, l, unrelated, environments, p, source)
}

// compose fills in the commit, unless nothing changed.
func (n *Next) compose(ctx context.Context, r *repo.Repo, l *line, unrelated bool, environments []*tree.Environment, p tree.Provenance, source *repo.Commit) error {
	n.Outcome, n.Untold = Committed, l.untold
	have, err := r.TreeFiles(l.parent.Tree)
	if err != nil {
		return err
	}
	differ := false
	for _, env := range environments {
		differences, err := env.Compare(have)
		if err != nil {
			return err
		}
		differ = differ || len(differences) > 0
		n.Changed = append(n.Changed, Changed{Environment: env.Name, Objects: countObjects(differences)})
	}
	recorded := l.from.Provenance
	gone := removed(recorded, environments)
	if !differ && len(gone) == 0 && recorded != nil && sameNames(recorded, environments) && len(l.strays) == 0 && len(l.edits) == 0 && !l.unsaid {
		n.Outcome = Unchanged
		return nil
	}
	n.report(l)
	if err := l.readTaken(environments); err != nil {
		return err
	}
	dirs, err := tree.Branch(p, environments, func(environment, app string) (*tree.Record, error) {
		if unrelated || l.records == nil {
			return nil, nil // a record of a history that may soon be gone proves nothing
		}
		return tree.ReadRecord(l.records.files, environment, app)
	})
	if err != nil {
		return err
	}
	for _, dir := range gone {
		dirs[dir] = nil
	}
	for _, env := range environments {
		if len(env.Taken) == 0 {
			continue
		}
		delete(dirs, env.Path)
		changes, err := partly(have, env)
		if err != nil {
			return err
		}
		n.spec.changes = append(n.spec.changes, changes...)
	}
	for dir, files := range dirs {
		c := repo.Change{Path: dir, Files: filesOf(files)}
		if dir == tree.Dir {
			c.Files = append(c.Files, takenRecords(environments)...)
		}
		n.spec.changes = append(n.spec.changes, c)
	}
	n.spec.base, n.spec.changes = l.parent.Tree, append(n.spec.changes, l.outside...)
	return n.sign(ctx, r, l, environments, p, source)
}

// report copies what is said of the other branches.
func (n *Next) report(l *line) {
	n.Edits, n.Adopted = l.edits, l.adopted
	for _, s := range l.strays {
		if s.tip != rootID {
			n.Healed = append(n.Healed, Healed{Environment: s.Head.Environment, Commit: s.tip, How: s.How, Content: s.Content})
		}
	}
}

// sign fills in parents, people, dates and message.
func (n *Next) sign(ctx context.Context, r *repo.Repo, l *line, environments []*tree.Environment, p tree.Provenance, source *repo.Commit) error {
	parents, err := l.parents(ctx, r)
	if err != nil {
		return err
	}
	when := source.Committer.When
	for _, id := range parents {
		parent := l.parent
		if id != parent.ID && id != rootID {
			if parent, err = r.Commit(id); err != nil {
				return err
			}
		}
		if parent.Committer.When.After(when) {
			when = parent.Committer.When
		}
	}
	if _, offset := when.Zone(); max(offset, -offset) >= 24*60*60 {
		when = when.UTC() // a source may hold a time zone that there is not: git fsck refuses it
	}
	n.spec.parents = parents
	n.spec.author, n.spec.commit = source.Author, r.Committer()
	n.spec.author.When, n.spec.commit.When = when, when
	name, objects := n.headline()
	n.spec.message = message(headline(name, objects), source.Message, l.says(), p, pins(environments))
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
		for _, t := range e.Taken {
			records = append(records, tree.AppRecord{App: t.App, Record: tree.Record{Pins: t.Pins}})
		}
	}
	return tree.Pins(records)
}
