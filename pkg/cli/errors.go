package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/inject/program"
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
		use      *usageError
		asked    *checkFailed
		moved    *repo.MovedError
		missing  *repo.MissingObjectError
		locked   *repo.LockedError
		fetch    *program.FetchError
	)
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errFound):
		return exitFound
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
	case errors.As(err, &use):
		for _, line := range strings.Split(err.Error(), "\n") {
			fmt.Fprintln(c.Err, escape(line))
		}
		fmt.Fprintln(c.Err, "hint: sluice --help, or sluice COMMAND --help")
		return exitInput
	}
	c.say(err.Error(), hint(err))
	return exitInput
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

// say prints one error with its hint.
func (c *command) say(text, hint string) {
	fmt.Fprintln(c.Err, escape(text))
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
	)
	switch {
	case errors.As(err, &unsigned):
		return unsigned.Hint
	case errors.As(err, &unsupported):
		return unsupported.Hint
	case errors.As(err, &broken):
		return broken.Hint
	case errors.As(err, &unborn):
		return "commit the source first: git add -A && git commit"
	case errors.Is(err, repo.ErrNotRepository):
		return "run it in a Git repository, or point at one with -C; sluice render works without"
	case errors.As(err, &unknown):
		return "name a branch, a tag or a commit id that git log shows; git fetch brings what is missing"
	}
	return ""
}
