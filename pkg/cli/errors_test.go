package cli

import (
	"fmt"
	"io/fs"
	"testing"
)

// Root may do anything, so that no session sees this everywhere.
func TestHintWhereNothingMayBeWritten(t *testing.T) {
	err := fmt.Errorf("writing objects: %w", &fs.PathError{Op: "open", Path: "x", Err: fs.ErrPermission})
	if hint(err) == "" {
		t.Errorf("%v: no hint", err)
	}
}
