package branch

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/repo"
)

// untilMoved is a context that is interrupted as soon as the branch stands.
type untilMoved struct {
	context.Context
	r *repo.Repo
}

func (c untilMoved) Err() error {
	if _, err := c.r.Branch("env/staging"); err == nil {
		return context.Canceled
	}
	return nil
}

// An interruption after the branches have moved is too late to be one: Apply
// says what it did.
func TestApplyInterruptedLate(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("git", "init", "-q", dir).CombinedOutput(); err != nil {
		t.Fatalf("git init: %v\n%s", err, out)
	}
	r, err := repo.Open(dir, repo.EnvFrom(func(name string) string {
		return map[string]string{"HOME": dir, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": filepath.Join(dir, "none")}[name]
	}))
	if err != nil {
		t.Fatal(err)
	}
	staging := config.Environment{Name: "staging", Branch: "env/staging", Path: "staging"}
	next := &Next{Outcome: Unchanged, Root: staging, Made: []config.Environment{staging}}
	moves, err := Apply(untilMoved{t.Context(), r}, r, []*Next{next}, epoch.When)
	if err != nil || len(moves) != 1 || len(moves[0]) != 1 || moves[0][0].After != rootID {
		t.Errorf("moves %v, error %v", moves, err)
	}
}
