package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/sluice-dev/sluice/pkg/finding"
)

// trusted refuses to take addresses for tokens, and programs to run, from the
// config of somebody else's repository. Whoever made it may have laid a trap
// there; reading and rendering follow nothing that it says.
func (c *command) trusted(w *workspace) error {
	dir := c.foreign(w)
	if dir == "" {
		return nil
	}
	top := dir
	if w.root != "" {
		top = w.root
	}
	return &finding.Refusal{
		Text: fmt.Sprintf("%s belongs to another user, and its config would say where tokens are sent and which programs run", dir),
		Hint: "if you trust it, tell git so: git config --global --add safe.directory " + top,
	}
}

// noteOwner says that files will be written among those of somebody else.
func (c *command) noteOwner(w *workspace) {
	if dir := c.foreign(w); dir != "" {
		c.note("warning: %s belongs to another user, and what is written there now to you: its owner may be unable to change it", dir)
	}
}

func (c *command) foreign(w *workspace) string {
	return filepath.ToSlash(w.repo.ForeignOwner(os.Geteuid(), c.Env("SUDO_UID")))
}
