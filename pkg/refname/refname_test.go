package refname

import (
	"os/exec"
	"strings"
	"testing"
)

var good = []string{"main", "env/staging", "gitops.prod", "a.b/c-d", "äöü", "a@b", "x{y}", "feature/#12", "a/@"}

var bad = []string{
	"", "@", "/a", "a/", "a//b", "a.", "a..b", "a@{b", "a b", "a~b", "a^b", "a:b", "a?b", "a*b", "a[b", `a\b`,
	"a\x01b", "a\x7fb", "a\nb", ".a", "a/.b", "a.lock", "a.lock/b", "-a", "HEAD",
}

func TestCheckBranch(t *testing.T) {
	for _, name := range good {
		if err := CheckBranch(name); err != nil {
			t.Errorf("CheckBranch(%q) = %v", name, err)
		}
	}
	for _, name := range append(bad, "refs/heads/a", "a.LOCK", strings.Repeat("a", 251), strings.Repeat("a/", 501)+"a") {
		if err := CheckBranch(name); err == nil {
			t.Errorf("CheckBranch(%q) = nil", name)
		}
	}
}

// TestAsGit holds the tables to what git itself says.
func TestAsGit(t *testing.T) {
	accepts := func(name string) bool {
		return exec.Command("git", "check-ref-format", "--branch", name).Run() == nil
	}
	for _, name := range good {
		if !accepts(name) {
			t.Errorf("git refuses %q", name)
		}
	}
	for _, name := range bad {
		// git reads "@" as HEAD here and so accepts it.
		if name != "@" && accepts(name) {
			t.Errorf("git accepts %q", name)
		}
	}
}

func TestCheck(t *testing.T) {
	for name, ok := range map[string]bool{
		"refs/heads/a": true, "refs/heads/env/x": true, "refs/remotes/origin/a": true,
		"refs/heads": false, "heads/a": false, "refs/heads/": false, "refs/heads/../../config": false, "HEAD": false,
	} {
		if err := Check(name); (err == nil) != ok {
			t.Errorf("Check(%q) = %v", name, err)
		}
	}
}

func TestConflict(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{{"env", "env/x", true}, {"env/x", "env", true}, {"env", "environment", false}, {"env", "env", false}} {
		if got := Conflict(c.a, c.b); got != c.want {
			t.Errorf("Conflict(%q, %q) = %v", c.a, c.b, got)
		}
	}
}
