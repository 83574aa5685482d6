package program

import (
	"fmt"
	"net/http"
	"strings"
)

// MismatchError is a program that is not the pinned one. It was not run.
type MismatchError struct {
	Tool, Version, Platform string
	Want, Have              string // SHA-256 in hex
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("%s %s for %s has sha256 %s, pinned is %s", e.Tool, e.Version, e.Platform, e.Have, e.Want)
}

// PlatformError is a program that is not pinned for the platform.
type PlatformError struct {
	Tool, Version, Platform string
	Pinned                  []string // the platforms that are, sorted
}

func (e *PlatformError) Error() string {
	return fmt.Sprintf("%s %s is not pinned for %s, only for %s", e.Tool, e.Version, e.Platform, strings.Join(e.Pinned, ", "))
}

// FetchError is a program that could not be had. URL and text hold neither
// credentials nor a query.
type FetchError struct {
	Tool, Version string
	URL           string // or path in the repository
	Status        int    // of the answer; 0 if there was none or it was not the reason
	Err           error  // nil if Status is the reason
}

func (e *FetchError) Error() string {
	reason := fmt.Sprintf("status %d %s", e.Status, http.StatusText(e.Status))
	if e.Err != nil {
		reason = e.Err.Error()
	}
	return fmt.Sprintf("fetching %s %s from %s: %s", e.Tool, e.Version, e.URL, strings.TrimSpace(reason))
}

func (e *FetchError) Unwrap() error { return e.Err }

// RunError is a program that ran and did not do its job.
type RunError struct {
	Tool   string
	Reason string // for instance "exit status 3", "no output", "took longer than 60s"
	Stderr string // the end of what it wrote to standard error, as it wrote it
}

func (e *RunError) Error() string { return fmt.Sprintf("running %q: %s", e.Tool, e.Reason) }
