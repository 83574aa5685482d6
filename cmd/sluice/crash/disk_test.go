//go:build crash && linux && amd64

package crash

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// TestDiskFails: a disk that is full or broken at any call gives an error that says
// so, unless everything landed, and breaks nothing.
func TestDiskFails(t *testing.T) {
	for _, s := range scenarios(t) {
		t.Run(s.name, func(t *testing.T) {
			var at []plan
			for _, p := range points(s.events, 60) {
				for _, how := range []plan{
					{errno: syscall.EIO},
					{errno: syscall.ENOSPC},
					{errno: syscall.ENOSPC, sticky: true}, // it stays full
				} {
					if !p.only && how.errno == syscall.ENOSPC || !full && how.errno == syscall.ENOSPC && !how.sticky {
						continue // to read needs no space
					}
					how.n, how.only = p.n, p.only
					at = append(at, how)
				}
			}
			beside(len(at), func(i int) {
				err := s.in(i, func(dir string) error {
					p := at[i]
					p.dir = dir
					r, events, err := s.run(dir, p)
					if err != nil {
						return err
					}
					if err := s.endured(dir, r, p); err != nil {
						return fmt.Errorf("%w\n%v\nlast calls: %v", err, r, tail(events, 8))
					}
					return nil
				})
				if err != nil {
					t.Errorf("%v: %v", at[i], err)
				}
			})
			t.Logf("%d faults", len(at))
		})
	}
}

// endured checks a repository after a run that had a failing disk.
func (s *scenario) endured(dir string, r result, p plan) error {
	if err := s.intact(dir); err != nil {
		return err
	}
	done, err := s.landed(dir)
	switch {
	case err != nil:
		return err
	case r.code == 0 && !done:
		return fmt.Errorf("it ended well, and the branches have not moved")
	case r.code != 0 && strings.TrimSpace(r.stderr) == "":
		return fmt.Errorf("it failed without a word")
	case r.code != 0 && done && !strings.Contains(r.stderr, "moved"):
		return fmt.Errorf("the branches moved, and the message does not say so")
	case r.code > 4 || strings.Contains(r.stderr, "goroutine"):
		return fmt.Errorf("it crashed")
	}
	return s.again(dir)
}
