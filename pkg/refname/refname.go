// Package refname takes the name of a branch or ref and says whether git
// would accept it, and if not, why. It reads nothing.
package refname

import (
	"fmt"
	"strings"
)

// maxLen keeps "<name>.lock" and the reflog's path within what file systems
// take as one path; git has no limit of its own.
const maxLen = 1000

// maxPart keeps "<part>.lock" within the 255 bytes of one file name.
const maxPart = 250

// CheckBranch says what is wrong with a branch name as people write it
// ("env/staging", without refs/heads/), or nil.
func CheckBranch(name string) error {
	switch {
	case strings.HasPrefix(name, "-"):
		return fmt.Errorf("branch name %q begins with a dash", name)
	case name == "HEAD":
		return fmt.Errorf("branch name %q means the current commit to git", name)
	case strings.HasPrefix(name, "refs/"):
		return fmt.Errorf("branch name %q is given with refs/: leave refs/heads/ out", name)
	}
	if why := fault(name); why != "" {
		return fmt.Errorf("branch name %q %s", name, why)
	}
	return nil
}

// Check says what is wrong with a full ref name ("refs/heads/env/staging"), or
// nil.
func Check(name string) error {
	if !strings.HasPrefix(name, "refs/") || strings.Count(name, "/") < 2 {
		return fmt.Errorf("ref name %q does not begin with refs/heads/ or the like", name)
	}
	if why := fault(name); why != "" {
		return fmt.Errorf("ref name %q %s", name, why)
	}
	return nil
}

// fault applies the rules of git-check-ref-format(1), ".LOCK" in any case on
// top of them because some file systems fold case.
func fault(name string) string {
	switch {
	case name == "":
		return "is empty"
	case name == "@":
		return "means HEAD to git"
	case len(name) > maxLen:
		return fmt.Sprintf("is longer than %d bytes", maxLen)
	case strings.HasPrefix(name, "/") || strings.HasSuffix(name, "/") || strings.Contains(name, "//"):
		return "has an empty part between slashes"
	case strings.HasSuffix(name, "."):
		return "ends with a dot"
	case strings.Contains(name, ".."):
		return `contains ".."`
	case strings.Contains(name, "@{"):
		return `contains "@{"`
	}
	for i := 0; i < len(name); i++ {
		if c := name[i]; c < 0x20 || c == 0x7f {
			return fmt.Sprintf("contains the control byte 0x%02x", c)
		} else if strings.IndexByte(" ~^:?*[\\", c) >= 0 {
			return fmt.Sprintf("contains %q", c)
		}
	}
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case strings.HasPrefix(part, "."):
			return fmt.Sprintf("has a part that begins with a dot: %q", part)
		case strings.HasSuffix(strings.ToLower(part), ".lock"):
			return fmt.Sprintf("has a part that ends in .lock: %q", part)
		case len(part) > maxPart:
			return fmt.Sprintf("has a part longer than %d bytes", maxPart)
		}
	}
	return ""
}

// Conflict says whether two refs cannot exist beside each other because one
// would have to be a directory where the other is a file.
func Conflict(a, b string) bool {
	return strings.HasPrefix(b, a+"/") || strings.HasPrefix(a, b+"/")
}
