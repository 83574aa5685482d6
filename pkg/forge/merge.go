package forge

import (
	"context"
	"fmt"
	"time"
)

// Merging is how a forge merges by itself.
type Merging struct {
	// At gives the commit that the base branch is at.
	At func(context.Context) (string, error)
	// Ready refuses before anything is asked for; nil where nothing can.
	Ready func(context.Context) error
	// Accept asks the forge to merge, once.
	Accept func(context.Context) error
	// Undecided tells whether the forge refuses only because it is still finding
	// out whether it can merge.
	Undecided func(ctx context.Context, refused error) bool
}

// MaxLooks bounds the tries to merge what a forge has not looked at yet, half
// a minute together.
const MaxLooks = 5

// FastForward lets a forge move the base branch to exactly one commit, and
// reads back that it did. Where the branch is counts, whatever was answered: an
// answer may be lost, and the request for it is repeated then.
func (t *Transport) FastForward(ctx context.Context, op Op, m Move, by Merging) error {
	moved := func(format, at, not string) error {
		return t.Moved(op, fmt.Sprintf(format, m.Branch, at, not))
	}
	at, err := by.At(ctx)
	switch {
	case err != nil:
		return err
	case at == m.New:
		return nil // an earlier run got this far
	case at != m.Old:
		return moved("%s is at %.10s, not at %.10s", at, m.Old)
	}
	if by.Ready != nil {
		if err := by.Ready(ctx); err != nil {
			return err
		}
	}
	for try := 0; ; try++ {
		refused := by.Accept(ctx)
		at, err := by.At(ctx)
		switch {
		case err == nil && at == m.New:
			return nil
		case refused == nil && err != nil:
			return err
		case refused == nil:
			return moved("%s is at %.10s afterwards, not at %.10s", at, m.New)
		case err == nil && at != m.Old:
			return moved("%s is at %.10s, not at %.10s", at, m.Old)
		case !by.Undecided(ctx, refused) || try == MaxLooks:
			return refused
		}
		if err := t.Sleep(ctx, time.Second<<try); err != nil {
			return err
		}
	}
}

// Moved is the error of what somebody else changed meanwhile.
func (t *Transport) Moved(op Op, said string) error {
	return &Error{Op: op.Doing, Host: t.Base.Host, Kind: Moved, Said: said, Hint: "somebody else was faster: run the command again"}
}
