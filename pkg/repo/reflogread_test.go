package repo

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Held reads a reflog as git writes it, and what is no entry of one as nothing.
func TestHeld(t *testing.T) {
	a, b, c := ID(strings.Repeat("a", 40)), ID(strings.Repeat("b", 40)), ID(strings.Repeat("c", 40))
	line := func(before, after ID) string {
		return string(before) + " " + string(after) + " Ada <ada@example.com> 1 +0000\tsluice promote\n"
	}
	for name, tt := range map[string]struct {
		log  string
		want []ID
	}{
		"none":           {"", nil},
		"made and moved": {line(zeroID, a) + line(a, b), []ID{b, a}},
		"a gap":          {line(zeroID, a) + line(b, c), []ID{c, b, a}},
		"back and forth": {line(a, b) + line(b, a), []ID{a, b, a}},
		"cut off":        {line(a, b) + string(b) + " ccc", []ID{b, a}},
		"junk":           {"x y z\n\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := &Repo{commonDir: t.TempDir()}
			at := filepath.Join(r.commonDir, "logs", "refs", "heads", "env")
			if err := os.MkdirAll(at, 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(at, "x"), []byte(tt.log), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := r.Held("refs/heads/env/x")
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("got %v, %v, want %v", got, err, tt.want)
			}
		})
	}
	r := &Repo{commonDir: t.TempDir()}
	if got, err := r.Held("refs/heads/env/y"); len(got) > 0 || err != nil {
		t.Errorf("without a log: %v, %v", got, err)
	}
}

// Moved finds the move to a commit wherever it stands in the log, with just
// the message.
func TestMoved(t *testing.T) {
	a, b := ID(strings.Repeat("a", 40)), ID(strings.Repeat("b", 40))
	r := &Repo{commonDir: t.TempDir()}
	if r.Moved("refs/heads/x", a, "ours") {
		t.Error("moved without a log")
	}
	at := filepath.Join(r.commonDir, "logs", "refs", "heads")
	if err := os.MkdirAll(at, 0o777); err != nil {
		t.Fatal(err)
	}
	who := " Ada ours <ada@example.com> 1 +0000\t"
	log := string(zeroID+" "+a) + who + "ours\n" + string(a+" "+b) + who + "ours, more\n" + string(b+" "+a) + who + "reset\njunk\n" + string(a+" "+b)
	if err := os.WriteFile(filepath.Join(at, "x"), []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		id   ID
		says []string
		want bool
	}{
		{a, []string{"ours"}, true},
		{a, []string{"other", "reset"}, true},
		{a, []string{"our"}, false},
		{a, nil, false},
		{b, []string{"ours"}, false},
		{b, []string{""}, false},
		{zeroID, []string{"ours"}, false},
		{"", []string{"ours"}, false},
	} {
		if got := r.Moved("refs/heads/x", tt.id, tt.says...); got != tt.want {
			t.Errorf("%s with %q: %v", tt.id, tt.says, got)
		}
	}
}
