package cli

import (
	"testing"
)

func TestProposalBounds(t *testing.T) {
	r := &proposalReader{bytes: maxProposedBytes - 1}
	if err := r.add("a", []byte("a"), 0); err != nil {
		t.Error(err)
	}
	if err := r.add("b", []byte("b"), 0); err == nil {
		t.Error("one byte too many is taken")
	}
	r = &proposalReader{}
	for range maxProposedFiles {
		if err := r.add("a", nil, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.add("b", nil, 0); err == nil {
		t.Error("one file too many is taken")
	}
}

func TestProposalBranch(t *testing.T) {
	for title, want := range map[string]string{
		"Add cluster peu01": "add-cluster-peu01-8dc69ec1",
		"  Ünï -- code!  ":  "n-code-7cfcf5ce",
		"日本":                "a9f6efbf",
		"A very long title that says all that there is to be said of it": "a-very-long-title-that-says-all-that-the-ed6dd160",
	} {
		p := &proposal{title: title, path: "x"}
		if got := p.branch(); got != want {
			t.Errorf("branch of %q = %q, want %q", title, got, want)
		}
	}
}
