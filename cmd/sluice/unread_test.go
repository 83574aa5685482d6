package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestWhatIsTheSameIsNotRead takes the objects of everything that did not
// change away, and commits: nothing asks for them. Of the source these are all
// directories and files but the way to what changed, of the branch the apps'
// directories and, where nothing changed at all, their records. So what a
// second commit costs does not grow with what is in them.
func TestWhatIsTheSameIsNotRead(t *testing.T) {
	bin, dir := build(t), t.TempDir()
	git(t, dir, "init", "-q", "-b", "main")
	config := "environments: [{name: a}, {name: b, promotedFrom: a}]\napps:\n"
	const apps = 12
	for i := range apps {
		name := fmt.Sprintf("app-%02d", i)
		config += fmt.Sprintf("- {name: %s, kubectlApply: [\"apps/%[1]s/{env}\"]}\n", name)
		for file, text := range map[string]string{
			"base/kustomization.yaml": "resources: [settings.yaml]\n", "base/settings.yaml": configMapOf(name, "1"),
			"a/kustomization.yaml": "resources: [../base]\n", "b/kustomization.yaml": "resources: [../base]\nnameSuffix: -b\n",
		} {
			at := filepath.Join(dir, "apps", name, file)
			if err := os.MkdirAll(filepath.Dir(at), 0o777); err != nil {
				t.Fatal(err)
			}
			put(t, at, text)
		}
	}
	put(t, filepath.Join(dir, "sluice.yaml"), config)
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-q", "-m", "one")
	run := func(want string) {
		t.Helper()
		cmd := exec.Command(bin, "-v", "commit")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), want) {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	run("committed: ")

	put(t, filepath.Join(dir, "apps/app-07/base/settings.yaml"), configMapOf("app-07", "2"))
	git(t, dir, "commit", "-qam", "two")
	read := objects{t: t, dir: dir, keep: map[string]bool{}}
	read.loose()
	for _, commit := range []string{"HEAD", "HEAD~"} {
		read.needs(commit, "sluice.yaml", "apps/app-07")
	}
	read.needs("env/a", ".sluice", "a/kustomization.yaml", "b/kustomization.yaml", "a/app-07", "b/app-07")
	back := read.hide("HEAD", "HEAD~", "env/a")
	run("committed: a 1 object, b 1 object changed")
	back()

	read.keep = map[string]bool{}
	read.loose()
	read.needs("HEAD", "sluice.yaml")
	read.needs("env/a", ".sluice/provenance.yaml", ".sluice/a/", ".sluice/b/", "a/", "b/")
	back = read.hide("HEAD", "env/a")
	run("unchanged: ")
	back()
	git(t, dir, "fsck", "--strict")
	run("unchanged: ")
}

// objects are those of a repository, a file each.
type objects struct {
	t    *testing.T
	dir  string
	keep map[string]bool
}

// loose unpacks all objects.
func (o *objects) loose() {
	packs, err := filepath.Glob(filepath.Join(o.dir, ".git/objects/pack/*.pack"))
	if err != nil {
		o.t.Fatal(err)
	}
	for _, pack := range packs {
		data, err := os.ReadFile(pack)
		if err != nil {
			o.t.Fatal(err)
		}
		for _, file := range []string{pack, strings.TrimSuffix(pack, ".pack") + ".idx"} {
			if err := os.Remove(file); err != nil {
				o.t.Fatal(err)
			}
		}
		cmd := exec.Command("git", "-C", o.dir, "unpack-objects", "-q")
		cmd.Stdin = strings.NewReader(string(data))
		if out, err := cmd.CombinedOutput(); err != nil {
			o.t.Fatalf("%v\n%s", err, out)
		}
	}
}

// needs keeps the objects at paths of a commit and on the way there, and what
// lies below, unless a path ends in a slash.
func (o *objects) needs(commit string, paths ...string) {
	o.keep[git(o.t, o.dir, "rev-parse", commit+"^{tree}")] = true
	for line := range strings.Lines(git(o.t, o.dir, "ls-tree", "-r", "-t", commit)) {
		entry, at, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		for _, p := range paths {
			if strings.HasPrefix(p, at+"/") || p == at || !strings.HasSuffix(p, "/") && strings.HasPrefix(at, p+"/") {
				o.keep[strings.Fields(entry)[2]] = true
			}
		}
	}
}

// hide takes what is not kept of commits away, and gives what brings it back.
func (o *objects) hide(commits ...string) (back func()) {
	all := ""
	for _, commit := range commits {
		all += git(o.t, o.dir, "ls-tree", "-r", "-t", commit) + "\n"
	}
	var hidden []string
	for line := range strings.Lines(all) {
		id := strings.Fields(line)[2]
		at := filepath.Join(o.dir, ".git/objects", id[:2], id[2:])
		if o.keep[id] {
			continue
		}
		if err := os.Rename(at, at+".hidden"); err == nil {
			hidden = append(hidden, at)
		}
	}
	if len(hidden) < 40 {
		o.t.Fatalf("%d objects are hidden: that proves little", len(hidden))
	}
	return func() {
		for _, at := range hidden {
			if err := os.Rename(at+".hidden", at); err != nil {
				o.t.Fatal(err)
			}
		}
	}
}
