package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/inject/program"
	"github.com/sluice-dev/sluice/pkg/release"
	"github.com/sluice-dev/sluice/pkg/repo"
)

// The exit statuses of every command.
const (
	exitDone        = 0   // done, whether something changed or not
	exitFound       = 1   // a difference or finding
	exitInput       = 2   // usage, config or manifest at fault
	exitRefused     = 3   // refused for safety
	exitRemote      = 4   // a remote or the forge failed
	exitInterrupted = 130 // interrupted
)

// report prints an error for people and gives the exit status. It is the only
// place where either is decided.
func (c *command) report(err error) int {
	var (
		findings finding.List
		one      finding.Finding
		refusal  *finding.Refusal
		edited   *branch.EditedError
		byHand   *release.EditedError
		use      *usageError
		asked    *checkFailed
		moved    *repo.MovedError
		missing  *repo.MissingObjectError
		locked   *repo.LockedError
		unknown  *repo.UnknownOutcomeError
		fetch    *program.FetchError
		closed   *gatesError
		answer   *forge.Error
		half     *halfwayError
	)
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errFound):
		return exitFound
	case errors.Is(err, errFaulty):
		return exitInput
	case errors.Is(err, errUnasked):
		return exitRemote
	case errors.As(err, &unknown):
		c.say(unknown.Error(), "run the command again: it makes the same commit, so that nothing is done twice")
		if errors.Is(err, context.Canceled) {
			return exitInterrupted
		}
		return exitRemote
	case errors.Is(err, context.Canceled) && errors.As(err, &half):
		c.say("interrupted: "+half.done, "run the command again: it goes on where it was")
		return exitInterrupted
	case errors.Is(err, context.Canceled):
		c.say("interrupted: nothing was changed that was not reported", "")
		return exitInterrupted
	case errors.As(err, &findings):
		for _, f := range findings {
			c.say(f.Error(), f.Hint)
		}
		return exitInput
	case errors.As(err, &one):
		c.say(err.Error(), one.Hint)
		return exitInput
	case errors.As(err, &refusal):
		c.say(err.Error(), refusal.Hint)
		if errors.As(err, &asked) {
			return exitFound
		}
		return exitRefused
	case errors.As(err, &closed):
		for _, g := range closed.closed {
			c.say(g.Text, g.Hint)
		}
		return exitRefused
	case errors.As(err, &edited):
		for _, e := range edited.Edits {
			c.say(e.String(), "")
			c.listEdit(e)
		}
		c.say("", edited.Hint())
		return exitRefused
	case errors.As(err, &byHand):
		c.say(byHand.Error(), "")
		c.listByHand(byHand.Edits)
		c.say("", byHand.Hint())
		return exitRefused
	case errors.As(err, &moved):
		c.say(err.Error(), "somebody else was faster: run the command again")
		return exitRefused
	case errors.As(err, &locked):
		c.say(err.Error(), locked.Hint())
		return exitRefused
	case errors.As(err, &missing):
		c.say(err.Error(), "fetch what is not here: git fetch --unshallow, or fetch-depth: 0 in actions/checkout")
		return exitRefused
	case errors.As(err, &fetch):
		c.say(err.Error(), fetchHint(fetch))
		return exitRemote
	case errors.As(err, &answer):
		c.say(err.Error(), answer.Hint)
		return exitRemote
	case errors.As(err, &use):
		for _, line := range strings.Split(err.Error(), "\n") {
			fmt.Fprintln(c.Err, escape(line))
		}
		fmt.Fprintln(c.Err, "hint: sluice --help, or sluice COMMAND --help")
		return exitInput
	}
	if text, isRemote := remoteHint(err); isRemote {
		c.saidBefore(err)
		c.say(err.Error(), text)
		return exitRemote
	}
	c.say(err.Error(), hint(err))
	return exitInput
}

// remoteHint says what to do about a remote that failed or turned a push down.
func remoteHint(err error) (hint string, isRemote bool) {
	var (
		failed     *repo.RemoteError
		auth       *repo.AuthError
		moved      *repo.RemoteMovedError
		declined   *repo.DeclinedError
		notForward *repo.NotForwardError
		unmade     *unmadeError
		guarded    *protectedError
	)
	switch {
	case errors.As(err, &unmade):
		return unmadeHint, true
	case errors.As(err, &guarded):
		return "the branch is protected: let the account that runs sluice push to it (no force is needed), or ask for the commit: sluice commit --pull-request", true
	case errors.As(err, &auth):
		return auth.Hint, true
	case errors.As(err, &moved):
		return "others push to it all the time: run the command again", true
	case errors.As(err, &notForward):
		return "the branch there has left its line: see what happened to it before anything is pushed", true
	case errors.As(err, &declined):
		return declinedHint(declined), true
	case errors.As(err, &failed) && failed.Hint == "":
		return fmt.Sprintf("nothing was changed there; see what git makes of it: git ls-remote %q", failed.URL), true
	case errors.As(err, &failed):
		return failed.Hint, true
	}
	return "", false
}

// declinedHint tells a rule of the forge from a hook that somebody wrote. The
// words are GitHub's, GitLab's and Gitea's.
func declinedHint(e *repo.DeclinedError) string {
	if protected(e) {
		return "the branch is protected: let the account that runs sluice push to it (no force is needed), for instance as a bypass actor of the rule"
	}
	text := strings.ToLower(e.Reason + " " + e.Said)
	if strings.Contains(text, "permission") || strings.Contains(text, "denied") {
		return "the account may not write there: in GitHub Actions say permissions: contents: write"
	}
	return "the server or one of its hooks decides about it: what it says stands above"
}

// protected tells whether a rule of the forge turned a push down.
func protected(e *repo.DeclinedError) bool {
	text := strings.ToLower(e.Reason + " " + e.Said)
	return slices.ContainsFunc([]string{"protected branch", "gh006", "gh013", "repository rule", "not allowed to push"}, func(word string) bool {
		return strings.Contains(text, word)
	})
}

// protectedError is a commit that may not be pushed, and may be asked for.
type protectedError struct{ error }

func (e *protectedError) Unwrap() error { return e.error }

// saidBefore shows what the server said of a push that it declined.
func (c *command) saidBefore(err error) {
	var declined *repo.DeclinedError
	if errors.As(err, &declined) {
		c.said(declined.Said)
	}
}

// onlyReflog turns a reflog that could not be written into a warning: the
// branches have moved.
func (c *command) onlyReflog(err error) error {
	var reflog *repo.ReflogError
	if errors.As(err, &reflog) {
		c.note("warning: %v", reflog)
		return nil
	}
	return err
}

// listEdit names what was edited by hand, an object or file a line.
func (c *command) listEdit(e branch.Edit) {
	for i, ch := range e.Changes {
		if i == maxEdits {
			fmt.Fprintf(c.Err, "  and %d more\n", len(e.Changes)-i)
			return
		}
		line := fmt.Sprintf("  %s %s", ch.Status, ch.File)
		if ch.Object != ch.File {
			line += " (" + ch.Object
			if what := images(ch); what != "" {
				line += ": " + what
			}
			line += ")"
		}
		fmt.Fprintln(c.Err, escape(line))
	}
}

// maxEdits is how many files of an edit by hand are named.
const maxEdits = 50

// unprintedError is a result that could not be written to stdout. It is an error
// as it is one to git, but what was done by then stays done.
type unprintedError struct {
	moved []string
	err   error
}

func unprinted(err error, moved []string) error {
	if err == nil {
		return nil
	}
	return &unprintedError{moved, err}
}

func (e *unprintedError) Error() string {
	if len(e.moved) == 0 {
		return "writing the output: " + e.err.Error()
	}
	return fmt.Sprintf("writing the output: %v; the branches had moved by then: %s", e.err, strings.Join(e.moved, "; "))
}

func (e *unprintedError) Unwrap() error { return e.err }

// say prints one error with its hint.
func (c *command) say(text, hint string) {
	if text != "" {
		fmt.Fprintln(c.Err, escape(text))
	}
	for i, line := range strings.Split(hint, "\n") {
		switch {
		case line == "":
		case i == 0:
			fmt.Fprintln(c.Err, c.paint(c.Err, cyan, "hint:")+" "+escape(line))
		default:
			fmt.Fprintln(c.Err, escape(line))
		}
	}
}

// fetchHint says what to do about a program that could not be had.
func fetchHint(err *program.FetchError) string {
	if err.Status == 404 || err.Status == 410 {
		return "the release is not there: look at the address in a browser, and pin one that is"
	}
	return "try again, or keep the program in the repository: the url of a tool can be a path"
}

// hint says what to do about an error that does not know it itself.
func hint(err error) string {
	var (
		unknown     *repo.UnknownRevisionError
		unsupported *repo.UnsupportedError
		broken      *repo.BrokenRefError
		unborn      *repo.UnbornError
		unsigned    *repo.SignError
		mute        *unprintedError
		byGit       *gitError
	)
	switch {
	case errors.As(err, &byGit):
		return "what git or one of its hooks says stands above; unless there is a commit all the same, the files are as they were"
	case errors.As(err, &unsigned):
		return unsigned.Hint
	case errors.As(err, &unsupported):
		return unsupported.Hint
	case errors.As(err, &broken):
		return broken.Hint
	case errors.As(err, &unborn):
		return "commit the source first: git add -A && git commit"
	case errors.Is(err, repo.ErrNoRemote):
		return "see which there are: git remote -v; name one with --remote, or add it: git remote add origin URL"
	case errors.As(err, &mute) && len(mute.moved) > 0:
		return "nothing has to be done again: sluice status shows where the branches are"
	case errors.Is(err, fs.ErrPermission):
		return "this account may not do that there: see who may with ls -l, and run it as one of those"
	case errors.Is(err, repo.ErrNotRepository):
		return "run it in a Git repository, or point at one with -C; sluice render works without"
	case errors.As(err, &unknown):
		return "name a branch, a tag or a commit id that git log shows; git fetch brings what is missing"
	}
	return ""
}
