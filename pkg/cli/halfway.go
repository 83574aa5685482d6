package cli

import (
	"errors"
	"strings"
)

// halfwayError is a run that ended when some of it had been done, which an
// interruption has to say. What it shows otherwise is why it ended.
type halfwayError struct {
	done string
	err  error
}

// halfway puts what was done before to an error; nothing of that is no error
// of this kind.
func halfway(done []string, err error) error {
	var half *halfwayError
	if errors.As(err, &half) {
		done = append(done, half.done)
	}
	if len(done) == 0 {
		return err
	}
	return &halfwayError{strings.Join(done, "; "), err}
}

func (e *halfwayError) Error() string { return e.err.Error() }

func (e *halfwayError) Unwrap() error { return e.err }
