package cli

import (
	"os"
	"os/exec"

	"github.com/spf13/cobra"

	"github.com/sluice-dev/sluice/pkg/repo"
)

// signFlags gives a verb that makes commits the flags to sign them.
func signFlags(cmd *cobra.Command, sign, unsigned *bool) {
	cmd.Flags().BoolVar(sign, "sign", false, "sign the commit with the key, format and program that git is configured to sign with")
	cmd.Flags().BoolVar(unsigned, "no-sign", false, "do not sign, also after an earlier --sign")
}

// signer gives what signs as git would here, nil if nothing is to be signed.
func (c *command) signer(w *workspace, sign bool) (*repo.Signer, error) {
	if !sign {
		return nil, nil
	}
	if err := c.trusted(w); err != nil {
		return nil, err
	}
	// The programs ask for passphrases and look for their agents as they do for git.
	return w.repo.Signer(repo.SignOptions{Environ: os.Environ(), Find: exec.LookPath, TempDir: os.TempDir()})
}
