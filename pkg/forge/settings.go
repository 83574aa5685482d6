package forge

import "context"

// Inspector tells how a repository is set up, before anything is done to it.
// What whoever asks does not get to see is Unknown or Unread, and no error.
type Inspector interface {
	// Settings gives what holds for the whole repository.
	Settings(ctx context.Context) (Settings, error)
	// Protection gives the rules of one branch, which need not exist.
	Protection(ctx context.Context, branch string) (Protection, error)
	// Checks gives what has been reported on a commit.
	Checks(ctx context.Context, commit string) ([]Check, error)
}

// Fact is a yes or no that a forge may keep to itself.
type Fact string

// What a fact can be.
const (
	Unknown Fact = ""
	Yes     Fact = "yes"
	No      Fact = "no"
)

// FactOf gives a fact that the forge tells.
func FactOf(yes bool) Fact {
	if yes {
		return Yes
	}
	return No
}

// Settings is how a repository is set up.
type Settings struct {
	Archived   bool
	Requests   Fact     // there are pull requests
	Write      Fact     // whoever asks may write to it
	Lacks      []string // scopes and permissions that the token lacks, by the forge's names for them
	Unread     []string // what is not shown to whoever asks, and why
	Methods    []Method // what the merge button can do, as far as that is not the branch's to say
	Squash     Fact     // requests are squashed unless somebody says otherwise
	AutoDelete Fact     // the head branch of a merged request is deleted
}

// Method is a way in which a forge merges.
type Method string

// The ways to merge. All but FastForward make a commit of their own.
const (
	FastForward  Method = "fast-forward"
	MergeCommit  Method = "merge commit"
	SquashMerge  Method = "squash"
	AlwaysSquash Method = "squash always" // whatever a request says
	RebaseMerge  Method = "rebase"
	SemiLinear   Method = "rebase with a merge commit"
)

// Protection is what a forge does not let everybody do with a branch.
type Protection struct {
	Branch  string
	Exists  bool
	Rules   []Rule
	Unread  []string // which rules are not shown to whoever asks, and why
	Merge   Fact     // whoever asks may have the forge merge into it; Unknown where the forge does not say
	Methods []Method // what the merge button can do here; nil: what it can do in the repository
}

// Rule is one thing that a forge asks of what goes into a branch.
type Rule struct {
	Kind   RuleKind
	By     string // what says so: `ruleset "line"`
	Bypass Fact   // it does not hold for whoever asks
	Count  int    // of approvals
	Names  []string
}

// RuleKind is what a rule asks for.
type RuleKind string

// The kinds of rules.
const (
	Linear       RuleKind = "linear history"
	ByRequest    RuleKind = "pull requests"
	Approvals    RuleKind = "approvals"
	StatusChecks RuleKind = "status checks" // Names
	Signed       RuleKind = "signed commits"
	Restricted   RuleKind = "restricted updates" // only some may move it
	NoCreation   RuleKind = "no creation"
	NoDeletion   RuleKind = "no deletion"
	NoForce      RuleKind = "no force pushes"
	Queue        RuleKind = "a merge queue"
	Deployments  RuleKind = "deployments"
	Workflows    RuleKind = "workflows"
	Other        RuleKind = "another rule" // Names says which, in the forge's words
)
