package repo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/sluice-dev/sluice/pkg/refname"
)

// maxOffered keeps the answers to what is offered below what a pipe holds.
const maxOffered = 256

// offer lists commits that are here for the server to build on: the tips, and
// ever fewer of what lies behind them.
func (f *fetching) offer(have []ID) ([]ID, error) {
	r := f.remote.repo
	w := r.newWalk()
	for _, id := range have {
		if len(w.seen) < maxOffered/2 {
			if err := w.push(id, fromB, true); err != nil {
				return nil, err
			}
		}
	}
	var ids []ID
	tips, gap, next := len(w.seen), 1, 0
	for n := 0; w.queue.Len() > 0 && len(ids) < maxOffered; n++ {
		if err := f.ctx.Err(); err != nil {
			return nil, err
		}
		id := w.queue[0].id
		if n < 4*tips || n >= next {
			ids = append(ids, id)
			if n >= 4*tips {
				next = n + gap
				gap *= 2
			}
		}
		if f.shallow[id] {
			w.queue[0].commit = &Commit{ID: id, Committer: w.queue[0].commit.Committer}
		}
		if err := w.next(); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// readAcks reads what the server knows of the offer, up to the pack.
func readAcks(p *packets) error {
	for {
		text, _, err := p.line()
		if err != nil {
			return err
		}
		fields := strings.Fields(text)
		switch {
		case text == "NAK", len(fields) == 2 && fields[0] == "ACK":
			return nil
		case len(fields) == 3 && fields[0] == "ACK":
		default:
			return errNotGit
		}
	}
}

// tips lists where the repository's refs stand, each commit once, in order of id.
func (r *Repo) tips() ([]ID, error) {
	refs, err := r.readPacked()
	if err != nil {
		return nil, err
	}
	ids := map[ID]bool{}
	for _, id := range refs {
		ids[id] = true
	}
	root := filepath.Join(r.commonDir, "refs")
	err = filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if errors.Is(err, os.ErrNotExist) {
				return nil
			}
			return err
		}
		name, relErr := filepath.Rel(r.commonDir, path)
		if relErr != nil || refname.Check(filepath.ToSlash(name)) != nil {
			return nil // a lock
		}
		// A broken ref is somebody else's trouble: it only cannot be built on.
		if got, err := r.readLooseRef(filepath.ToSlash(name)); err == nil && got.id != "" {
			ids[got.id] = true
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing refs: %w", err)
	}
	if got, err := r.readLooseRef("HEAD"); err == nil && got.id != "" {
		ids[got.id] = true
	}
	commits := map[ID]bool{}
	for id := range ids {
		if c, err := r.peel(id); err == nil {
			commits[c] = true
		}
	}
	return sortedIDs(commits), nil
}

func sortedIDs(set map[ID]bool) []ID {
	ids := make([]ID, 0, len(set))
	for id := range set {
		ids = append(ids, id)
	}
	sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] })
	return ids
}
