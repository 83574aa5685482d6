package repo

import (
	"fmt"
	"testing"
)

// BenchmarkCommit writes n new files in one commit, as a first hydration does.
func BenchmarkCommit(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			g := newGit(b)
			r := g.open()
			for round := 0; b.Loop(); round++ {
				files := make([]File, n)
				for i := range files {
					text := fmt.Appendf(nil, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c%d\ndata:\n", i)
					for k := range 30 {
						text = fmt.Appendf(text, "  key%d: value %d of round %d\n", k, i*k, round)
					}
					files[i] = File{Path: fmt.Sprintf("app%d/c%d.yaml", i%100, i), Data: text}
				}
				w := r.NewWriter()
				tree, err := w.Update("", []Change{{Path: "env", Files: files}})
				must(b, err)
				id, err := w.Commit(CommitSpec{Tree: tree, Author: who, Committer: who, Message: "x"})
				must(b, err)
				must(b, w.Flush(b.Context()))
				old, _ := r.Branch("x")
				must(b, r.UpdateRefs(b.Context(), move("x", old, id), who, "x"))
				must(b, w.Close())
			}
		})
	}
}

// BenchmarkRead opens a packed repository and reads all its files.
func BenchmarkRead(b *testing.B) {
	g := newGit(b)
	for i := range 5000 {
		g.write(fmt.Sprintf("apps/a%d/f%d.yaml", i%500, i), fmt.Sprintf("kind: ConfigMap\nmetadata:\n  name: c%d\n", i))
	}
	g.commit("x", "x")
	g.git("gc", "-q")
	for b.Loop() {
		r := g.open()
		_, id, err := r.Head()
		must(b, err)
		files, err := r.Files(id)
		must(b, err)
		for i := range 5000 {
			_, err := files.ReadFile(fmt.Sprintf("apps/a%d/f%d.yaml", i%500, i), 1<<20)
			must(b, err)
		}
	}
}
