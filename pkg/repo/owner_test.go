package repo

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
)

func TestForeignOwner(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // it has no user ids
	}
	g := plain(t)
	home := t.TempDir()
	me := os.Geteuid()
	real, err := filepath.EvalSymlinks(g.dir)
	must(t, err)
	must(t, appendFile(filepath.Join(g.dir, ".git/config"), "[safe]\n\tdirectory = *\n")) // counts for nothing
	for _, c := range []struct {
		what   string
		config string
		uid    int
		sudo   string
		gitDir string
		want   bool
	}{
		{"mine", "", me, "", "", false},
		{"another's", "", me + 1, "", "", true},
		{"another's, and other directories are safe", "[safe]\n\tdirectory = /elsewhere\n\tdirectory = " + real + "x\n", me + 1, "", "", true},
		{"said to be safe", "[safe]\n\tdirectory = " + real + "\n", me + 1, "", "", false},
		{"in a safe directory", "[safe]\n\tdirectory = " + filepath.Dir(real) + "/*\n", me + 1, "", "", false},
		{"all are", "[safe]\n\tdirectory = *\n", me + 1, "", "", false},
		{"taken back", "[safe]\n\tdirectory = *\n\tdirectory =\n", me + 1, "", "", true},
		{"named by GIT_DIR", "", me + 1, "", filepath.Join(g.dir, ".git"), false},
		{"root for me", "", 0, strconv.Itoa(me), "", false},
		{"another's, who is no root", "", me + 1, strconv.Itoa(me), "", true},
	} {
		must(t, os.WriteFile(filepath.Join(home, ".gitconfig"), []byte(c.config), 0o666))
		r, err := Open(g.dir, Env{Home: home, GitDir: c.gitDir, ConfigNoSystem: true})
		must(t, err)
		if got := r.ForeignOwner(c.uid, c.sudo); (got != "") != c.want {
			t.Errorf("%s: %q", c.what, got)
		}
	}
}
