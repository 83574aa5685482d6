package cli

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/propose"
	"github.com/sluice-dev/sluice/pkg/refname"
)

// proposal is what the command line of propose says.
type proposal struct {
	title, base string
	head        string // of the request, below proposals; empty for one made of the title
	path        string // directory that the files go to
	name        string // file that all of stdin goes to; empty for a file an object
	overwrite   bool
}

// proposals is where the branches of propose's requests are.
const proposals = "sluice/propose/"

func (c *command) proposeCommand() *cobra.Command {
	var p proposal
	cmd := &cobra.Command{
		Use: "propose --path DIR --title TITLE [FILE|DIR...]", Short: "Bring generated files into the source by pull request",
		Long: `Propose makes a branch of the source as the remote has it, with the files under
--path, and opens a pull request. Nothing here is touched.

Without arguments, or for -, it reads YAML from stdin. Each object becomes a file
of its own, KIND-NAME.yaml, with its comments; --name puts all of it into one. A
file goes by its name, a directory with all that is in it.

YAML is read strictly first. A Secret with readable values is refused unless the
config says secrets: allow. A file that is there with other content is not
overwritten without --overwrite. Running it again with the same title and path
brings the open request up to date.`,
		Example: `  kubectl gs template cluster --name peu01 | sluice propose --path clusters/peu01 --title "Add cluster peu01"
  sluice propose --path dashboards --title "Update the dashboards" --overwrite build/`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.check(args); err != nil {
				return err
			}
			return c.propose(cmd.Context(), p, args)
		},
	}
	cmd.Flags().StringVar(&p.path, "path", "", "the `DIR` of the repository that the files go to, from its root (. is the root)")
	cmd.Flags().StringVar(&p.title, "title", "", "the `TITLE` of the request and the commit")
	cmd.Flags().StringVar(&p.name, "name", "", "put all of stdin into the one file `FILE`")
	cmd.Flags().StringVar(&p.head, "head", "", "the request's branch is sluice/propose/`NAME` (default: made of title and path)")
	cmd.Flags().BoolVar(&p.overwrite, "overwrite", false, "replace files that are there with other content")
	baseFlag(cmd, &p.base)
	return cmd
}

// check finds mistakes in the command line.
func (p *proposal) check(args []string) error {
	if strings.TrimSpace(p.title) == "" || p.path == "" {
		return &usageError{errors.New("--path says where the files go and --title what they are for: give both")}
	}
	p.path = strings.TrimSuffix(strings.TrimPrefix(p.path, "./"), "/")
	if why := propose.Fault(p.path); why != "" && p.path != "." {
		return &usageError{fmt.Errorf("--path %q %s", p.path, why)}
	}
	if p.name != "" && !fromStdin(args) {
		return &usageError{errors.New("--name is for what comes from stdin; files keep their names")}
	}
	if why := propose.Fault(p.name); why != "" && p.name != "" {
		return &usageError{fmt.Errorf("--name %q %s", p.name, why)}
	}
	if p.head == "" {
		p.head = p.branch()
	}
	if err := refname.Check("refs/heads/" + proposals + p.head); err != nil {
		return &usageError{fmt.Errorf("--head: %w", err)}
	}
	return nil
}

// maxSlug is how much of a title goes into a branch's name, in bytes.
const maxSlug = 40

// branch names a branch after the title, for people, and after title and path,
// so that no other proposal has it.
func (p *proposal) branch() string {
	var b strings.Builder
	for _, r := range strings.ToLower(p.title) {
		letter := r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
		switch {
		case b.Len() >= maxSlug:
		case letter:
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	sum := sha256.Sum256([]byte(p.path + "\x00" + p.title))
	return strings.TrimLeft(fmt.Sprintf("%s-%x", strings.TrimRight(b.String(), "-"), sum[:4]), "-")
}

func (c *command) propose(ctx context.Context, p proposal, args []string) error {
	w, err := c.open()
	if err != nil {
		return err
	}
	cfg, err := w.anyConfig()
	if err != nil {
		return err
	}
	// All that is wrong with the input is told before anybody is asked anything.
	files, err := c.readProposal(p, args, cfg)
	if err != nil {
		return err
	}
	s, err := c.openSource(ctx, w, p.base)
	if err != nil {
		return err
	}
	request, err := s.propose(ctx, sourceChange{
		Head: proposals + p.head, Title: p.title, Files: files, Overwrite: p.overwrite,
		Intro: []forge.Markdown{forge.Markdownf("`sluice propose` asks for these files, which a program has made.")},
	})
	if err != nil {
		return err
	}
	return unprinted(c.print(request, func() error {
		for _, f := range request.Files {
			fmt.Fprintln(c.Out, escape(f.Status+" "+f.Path))
		}
		_, err := fmt.Fprintln(c.Out, escape(request.line()))
		return err
	}), nil)
}
