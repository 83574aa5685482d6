package repo

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/sluice-dev/sluice/pkg/refname"
)

// service is a git program on the other side.
type service string

const (
	uploadPack  service = "git-upload-pack"  // fetch
	receivePack service = "git-receive-pack" // push
)

// greeting is what a server says first: its refs and what it can do.
type greeting struct {
	refs map[string]ID
	have []ID // objects that it has, those of its alternates too
	caps map[string]string
}

func (g *greeting) can(name string) bool {
	_, ok := g.caps[name]
	return ok
}

// maxRefs bounds a greeting; a large forge repository shows a tenth of it.
const maxRefs = 1 << 20

// readGreeting reads protocol version 0 or 1, which every server speaks to a
// client that asks for no other.
func readGreeting(p *packets) (*greeting, error) {
	g := &greeting{refs: map[string]ID{}, caps: map[string]string{}}
	for n := 0; ; n++ {
		text, ok, err := p.line()
		if err != nil {
			if n > 0 {
				err = unexpected(err)
			}
			return nil, err
		}
		if !ok {
			return g, g.check()
		}
		if n > maxRefs {
			return nil, fmt.Errorf("the server has more than %d refs", maxRefs)
		}
		if n == 0 && text == "version 1" {
			n--
			continue
		}
		if err := g.add(text); err != nil {
			return nil, err
		}
	}
}

func (g *greeting) add(text string) error {
	text, caps, first := strings.Cut(text, "\x00")
	if first {
		for _, c := range strings.Fields(caps) {
			name, value, _ := strings.Cut(c, "=")
			if name == "symref" && !strings.HasPrefix(value, "HEAD:") {
				continue // there may be several, and only that one is of use
			}
			g.caps[name] = value
		}
	}
	if strings.HasPrefix(text, "shallow ") {
		return nil // the check for completeness after a fetch deals with it
	}
	hex, name, ok := strings.Cut(text, " ")
	if !ok {
		return errNotGit
	}
	id := ID(hex)
	if name == "capabilities^{}" && id == zeroID {
		return nil
	}
	if !id.valid() {
		if len(hex) == 64 && isHex(hex) {
			return errSHA256
		}
		return errNotGit
	}
	g.have = append(g.have, id)
	// Names that no ref can have are not passed on: they may become paths.
	if name == "HEAD" || refname.Check(name) == nil {
		g.refs[name] = id
	}
	return nil
}

var errSHA256 = errors.New("the remote stores objects under SHA-256 ids, which sluice does not read")

func (g *greeting) check() error {
	if format := g.caps["object-format"]; format != "" && format != "sha1" {
		return errSHA256
	}
	return nil
}

// wire is one conversation with one service. It has the form that HTTP gives
// it: a greeting, one request, one answer.
type wire interface {
	greeting() *packets
	// ask sends what write writes. sent says whether all of it was handed over.
	ask(write func(io.Writer) error) (answer *packets, sent func() bool, err error)
	// said is what the server says beside the protocol.
	said() string
	close() error
}
