package repo

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/sluice-dev/sluice/pkg/refname"
)

// Resolve gives the commit that a revision names: HEAD, a branch, a tag, a ref,
// an id in full or its first four digits at least, each with ~n, ^n and ^{commit} after it.
// What cannot be told apart, and the rest of gitrevisions(7), is *UnknownRevisionError.
func (r *Repo) Resolve(rev string) (ID, error) {
	unknown := func(format string, args ...any) (ID, error) {
		return "", &UnknownRevisionError{Rev: rev, Why: fmt.Sprintf(format, args...)}
	}
	if rev == "" || strings.HasPrefix(rev, "-") {
		return unknown("not a revision")
	}
	base, steps := rev, ""
	if i := strings.IndexAny(rev, "~^"); i >= 0 {
		base, steps = rev[:i], rev[i:]
	}
	if i := strings.IndexAny(base, ":{ "); i >= 0 {
		return unknown("%q is not understood in a revision here", base[i])
	}
	id, err := r.base(rev, base)
	if err != nil {
		return "", err
	}
	if id, err = r.peel(id); err != nil {
		return "", err
	}
	for steps != "" {
		if id, steps, err = r.step(rev, id, steps); err != nil {
			return "", err
		}
	}
	return id, nil
}

// base resolves the name that a revision begins with.
func (r *Repo) base(rev, name string) (ID, error) {
	if name == "@" {
		name = "HEAD"
	}
	if id := ID(strings.ToLower(name)); id.valid() {
		return id, nil
	}
	if id, err := r.named(rev, name); id != "" || err != nil {
		return id, err
	}
	prefix := strings.ToLower(name)
	if len(prefix) < 4 || len(prefix) > 40 || !isHex(prefix) {
		return "", &UnknownRevisionError{Rev: rev, Why: "no branch, tag or commit of that name"}
	}
	return r.abbreviated(rev, prefix)
}

// named looks a name up where git does. A branch and a tag of one name are not
// told apart unless they are at the same commit.
func (r *Repo) named(rev, name string) (ID, error) {
	var found []string
	var ids []ID
	for _, format := range []string{"%s", "refs/%s", "refs/tags/%s", "refs/heads/%s", "refs/remotes/%s", "refs/remotes/%s/HEAD"} {
		full := fmt.Sprintf(format, name)
		if !strings.HasPrefix(full, "refs/") && !pseudoRef(full) || strings.HasPrefix(full, "refs/") && refname.Check(full) != nil {
			continue
		}
		id, err := r.resolveRef(full)
		if errors.Is(err, errNoRef) {
			if full == "HEAD" {
				_, _, err := r.Head()
				return "", err
			}
			continue
		}
		if err != nil {
			return "", err
		}
		found, ids = append(found, full), append(ids, id)
	}
	if len(ids) == 0 {
		return "", nil
	}
	for i, id := range ids {
		a, err := r.peel(ids[0])
		if err != nil {
			return "", err
		}
		if b, err := r.peel(id); err != nil {
			return "", err
		} else if a != b {
			return "", &UnknownRevisionError{Rev: rev, Why: fmt.Sprintf("it is both %s and %s: name one in full", found[0], found[i])}
		}
	}
	return ids[0], nil
}

// pseudoRef says whether a name is of the kind of HEAD and FETCH_HEAD, so that
// no other file in .git is read as a ref.
func pseudoRef(name string) bool {
	return name == "HEAD" || strings.HasSuffix(name, "_HEAD") && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == ""
}

// abbreviated finds the one commit, or tag of one, whose id begins so.
func (r *Repo) abbreviated(rev, prefix string) (ID, error) {
	if err := r.objects.refresh(); err != nil {
		return "", err
	}
	ids, err := r.objects.withPrefix(prefix)
	if err != nil {
		return "", err
	}
	var commits []ID
	for _, id := range ids {
		if _, err := r.peel(id); err == nil {
			commits = append(commits, id)
		}
	}
	switch len(commits) {
	case 0:
		return "", &UnknownRevisionError{Rev: rev, Why: "no branch, tag or commit of that name"}
	case 1:
		return commits[0], nil
	}
	return "", &UnknownRevisionError{Rev: rev, Why: fmt.Sprintf("%d commits begin so: give more digits", len(commits))}
}

// peel goes from a tag to its commit.
func (r *Repo) peel(id ID) (ID, error) {
	for range maxLinks {
		kind, data, err := r.objects.read(id, noLimit)
		if err != nil {
			return "", err
		}
		switch kind {
		case plumbing.CommitObject:
			return id, nil
		case plumbing.TagObject:
			line, _, _ := strings.Cut(string(data), "\n")
			target, ok := strings.CutPrefix(line, "object ")
			if id = ID(target); !ok || !id.valid() {
				return "", fmt.Errorf("reading a tag: it names no object")
			}
		default:
			return "", &UnknownRevisionError{Rev: string(id), Why: "it is a " + kind.String() + ", not a commit"}
		}
	}
	return "", &UnknownRevisionError{Rev: string(id), Why: "a tag of a tag of a tag"}
}

// step takes one ~n, ^n or ^{commit} from the front of steps.
func (r *Repo) step(rev string, id ID, steps string) (ID, string, error) {
	for _, word := range []string{"^{commit}", "^{}", "^0"} {
		if rest, ok := strings.CutPrefix(steps, word); ok && (word != "^0" || rest == "" || strings.ContainsAny(rest[:1], "~^")) {
			return id, rest, nil
		}
	}
	n := 1
	digits := len(steps) - 1 - len(strings.TrimLeft(steps[1:], "0123456789"))
	if digits > 0 {
		var err error
		if n, err = strconv.Atoi(steps[1 : 1+digits]); err != nil {
			return "", "", &UnknownRevisionError{Rev: rev, Why: "the number in it is too large"}
		}
	}
	rest := steps[1+digits:]
	if rest != "" && rest[0] != '~' && rest[0] != '^' {
		return "", "", &UnknownRevisionError{Rev: rev, Why: fmt.Sprintf("%q is not understood", steps)}
	}
	parent := n
	if steps[0] == '~' {
		parent = 1
	} else {
		n = 1
	}
	for range n {
		c, err := r.Commit(id)
		if err != nil {
			return "", "", err
		}
		if parent > len(c.Parents) {
			return "", "", &UnknownRevisionError{Rev: rev, Why: fmt.Sprintf("commit %s has no parent %d", id.Short(), parent)}
		}
		id = c.Parents[parent-1]
	}
	if _, err := r.Commit(id); err != nil {
		return "", "", err
	}
	return id, rest, nil
}
