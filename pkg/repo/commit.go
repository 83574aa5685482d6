package repo

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// Signature is a person and a time. The time keeps its zone.
type Signature struct {
	Name  string
	Email string
	When  time.Time
}

// Commit is one commit as its object says it.
type Commit struct {
	ID        ID
	Tree      ID
	Parents   []ID
	Author    Signature
	Committer Signature
	Message   string
}

// Subject is the first line of the message.
func (c *Commit) Subject() string {
	s, _, _ := strings.Cut(strings.TrimLeft(c.Message, "\n"), "\n")
	return strings.TrimSpace(s)
}

// Commit reads the commit with this id.
func (r *Repo) Commit(id ID) (*Commit, error) {
	data, err := r.readKind(id, plumbing.CommitObject)
	if err != nil {
		return nil, err
	}
	c, err := parseCommit(data)
	if err != nil {
		return nil, fmt.Errorf("reading commit %s: %w", id, err)
	}
	c.ID = id
	return c, nil
}

// readKind reads an object that must be of one type.
func (r *Repo) readKind(id ID, want plumbing.ObjectType) ([]byte, error) {
	kind, data, err := r.objects.read(id, noLimit)
	if err != nil {
		return nil, err
	}
	if kind != want {
		return nil, &KindError{ID: id, Want: want.String(), Kind: kind.String()}
	}
	return data, nil
}

func parseCommit(data []byte) (*Commit, error) {
	c := &Commit{}
	for {
		line, rest, ok := bytes.Cut(data, []byte{'\n'})
		if !ok {
			return nil, errors.New("its header has no end")
		}
		data = rest
		if len(line) == 0 {
			break
		}
		key, value, _ := strings.Cut(string(line), " ")
		var err error
		switch key {
		case "tree":
			c.Tree, err = parseID(value)
		case "parent":
			var parent ID
			parent, err = parseID(value)
			c.Parents = append(c.Parents, parent)
		case "author":
			c.Author, err = parseSignature(value)
		case "committer":
			c.Committer, err = parseSignature(value)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	if c.Tree == "" || c.Committer == (Signature{}) {
		return nil, errors.New("it has no tree or no committer")
	}
	c.Message = string(data)
	return c, nil
}

func parseID(s string) (ID, error) {
	if id := ID(s); id.valid() {
		return id, nil
	}
	return "", fmt.Errorf("%q is not an object id", s)
}

// parseSignature reads "Name <email> seconds zone". Old tools wrote odd ones, so
// a missing time is the epoch rather than an error.
func parseSignature(s string) (Signature, error) {
	open, end := strings.Index(s, "<"), strings.LastIndex(s, ">")
	if open < 0 || end < open {
		return Signature{}, fmt.Errorf("%q names nobody", s)
	}
	sig := Signature{Name: strings.TrimSpace(s[:open]), Email: s[open+1 : end], When: time.Unix(0, 0).UTC()}
	fields := strings.Fields(s[end+1:])
	if len(fields) == 0 {
		return sig, nil
	}
	seconds, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return sig, nil
	}
	sig.When = time.Unix(seconds, 0).UTC()
	if len(fields) > 1 {
		sig.When = sig.When.In(parseZone(fields[1]))
	}
	return sig, nil
}

func parseZone(s string) *time.Location {
	n, err := strconv.Atoi(s)
	if err != nil || n <= -10000 || n >= 10000 || n == 0 {
		return time.UTC
	}
	return time.FixedZone("", (n/100*60+n%100)*60)
}

// cleanIdent takes out of a name or address what would break the line that it
// is written to, and what git drops at its ends.
func cleanIdent(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r == '<' || r == '>' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	return strings.Trim(s, " .,:;\"'\\")
}

// format is the line of a commit or reflog.
func (s Signature) format() (string, error) {
	name, email := cleanIdent(s.Name), cleanIdent(s.Email)
	if name == "" {
		name = email
	}
	if name == "" {
		return "", errors.New("a signature without a name and an address")
	}
	if s.When.IsZero() || s.When.Unix() < 0 {
		return "", fmt.Errorf("the signature of %q has no time that git can hold", name)
	}
	_, offset := s.When.Zone()
	sign := '+'
	if offset < 0 {
		sign, offset = '-', -offset
	}
	minutes := offset / 60
	return fmt.Sprintf("%s <%s> %d %c%02d%02d", name, email, s.When.Unix(), sign, minutes/60, minutes%60), nil
}

// CommitSpec is what a new commit is made of.
type CommitSpec struct {
	Tree      ID
	Parents   []ID
	Author    Signature
	Committer Signature
	Message   string // ends up with exactly one newline at its end
}

func (s CommitSpec) encode() ([]byte, error) {
	var b bytes.Buffer
	if !s.Tree.valid() {
		return nil, fmt.Errorf("making a commit: tree %q is not an object id", s.Tree)
	}
	fmt.Fprintf(&b, "tree %s\n", s.Tree)
	for i, p := range s.Parents {
		if !p.valid() {
			return nil, fmt.Errorf("making a commit: parent %q is not an object id", p)
		}
		for _, q := range s.Parents[:i] {
			if p == q {
				return nil, fmt.Errorf("making a commit: parent %s twice", p)
			}
		}
		fmt.Fprintf(&b, "parent %s\n", p)
	}
	author, err := s.Author.format()
	if err != nil {
		return nil, fmt.Errorf("making a commit: author: %w", err)
	}
	committer, err := s.Committer.format()
	if err != nil {
		return nil, fmt.Errorf("making a commit: committer: %w", err)
	}
	message := strings.ToValidUTF8(s.Message, "\ufffd")
	if strings.ContainsRune(message, 0) {
		return nil, errors.New("making a commit: the message holds a NUL byte")
	}
	fmt.Fprintf(&b, "author %s\ncommitter %s\n\n%s\n", author, committer, strings.TrimRight(message, "\n"))
	return b.Bytes(), nil
}
