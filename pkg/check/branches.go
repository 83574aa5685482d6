package check

import (
	"errors"
	"fmt"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/repo"
)

// Followed is where the branch stands that a cluster's engine follows for an
// environment. One that is not there is made by the next sluice commit.
type Followed struct {
	Environment string
	Branch      string
	Path        string
	At          repo.ID // empty: it is still to be made
}

// Branches gives the branches that engines follow, whichever those are, by
// where the branches were found.
func Branches(environments []config.Environment, tips branch.Tips) []Followed {
	out := make([]Followed, len(environments))
	for i, e := range environments {
		out[i] = Followed{Environment: e.Name, Branch: e.Branch, Path: e.Path, At: tips[e.Branch]}
	}
	return out
}

// Survey gives what a look at a chain's branches came to.
func Survey(s *branch.Survey) []Finding {
	var out []Finding
	for _, err := range s.Refused {
		out = append(out, refused(err)...)
	}
	for _, stray := range s.Strays {
		switch stray.How {
		case branch.Foreign, branch.Edited, branch.Newer: // among those refused
		default:
			e := stray.Head.Environment
			out = append(out, Finding{Advice, e.Branch, fmt.Sprintf("%s %s: nothing can be promoted to it before that is healed", e.Name, stray.What()), "the next sluice commit heals it"})
		}
	}
	for _, name := range s.Untold {
		out = append(out, Finding{Advice, name, "whether it has left the line cannot be told: the history is not here", "fetch it: git fetch --unshallow, or fetch-depth: 0 in actions/checkout"})
	}
	return out
}

func refused(err error) []Finding {
	var edited *branch.EditedError
	var refusal *finding.Refusal
	var missing *repo.MissingObjectError
	switch {
	case errors.As(err, &edited):
		var out []Finding
		for _, e := range edited.Edits {
			out = append(out, Finding{Problem, e.Environment.Branch, e.String(), edited.Hint()})
		}
		return out
	case errors.As(err, &refusal):
		return []Finding{{Problem, "", refusal.Text, refusal.Hint}}
	case errors.As(err, &missing):
		return []Finding{{Problem, "", err.Error(), "fetch what is not here: git fetch --unshallow, or fetch-depth: 0 in actions/checkout"}}
	}
	return []Finding{{Problem, "", err.Error(), ""}}
}

// Gates gives the environments whose gates nobody could open without a forge.
func Gates(environments []config.Environment) []Finding {
	var out []Finding
	for _, e := range environments {
		if e.Approvals > 0 || len(e.RequiredChecks) > 0 {
			out = append(out, Finding{
				Problem, e.Branch, fmt.Sprintf("environment %q asks for approvals or checks, and without a forge there is nobody to give them", e.Name),
				"give the repository an origin on a forge, or take approvals and requiredChecks out of the config",
			})
		}
	}
	return out
}
