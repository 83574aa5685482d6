package cli

import (
	"strings"
	"testing"
)

// TestCompletedVerbs holds the verbs whose arguments are completed to exist.
func TestCompletedVerbs(t *testing.T) {
	c := &command{}
	root := c.root()
	for name := range c.arguments() {
		if cmd, rest, err := root.Find(strings.Fields(name)); err != nil || len(rest) > 0 || cmd.ValidArgsFunction == nil {
			t.Errorf("there is no verb %q whose arguments are completed: %v", name, err)
		}
	}
}

func TestTypeable(t *testing.T) {
	for name, want := range map[string]bool{
		"main": true, "feature/x_1.2-b": true, "äöü": true, "a@b": true,
		"$(reboot)": false, "`x`": false, "a b": false, "-n": false, "a;b": false, "a'b": false, "a\x1b": false, "a\xff": false, "a|b": false, "*": false,
		"=ls": false, "a=b": true, "@args": false, "a,b": false, // to zsh, and to PowerShell
	} {
		if typeable(name) != want {
			t.Errorf("typeable(%q) = %t, want %t", name, !want, want)
		}
	}
}
