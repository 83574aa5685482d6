package tree

import (
	"encoding/hex"
	"io/fs"
	"math/rand/v2"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-dev/sluice/pkg/source"
)

// branchFiles is a Tree of files by path.
type branchFiles map[string]string

func (b branchFiles) Lookup(p string) (source.Entry, error) {
	if text, ok := b[p]; ok {
		id := object("blob", []byte(text))
		return source.Entry{Name: path.Base(p), Kind: source.File, ID: hex.EncodeToString(id[:])}, nil
	}
	return source.Entry{}, fs.ErrNotExist
}

func (b branchFiles) ReadDir(dir string) ([]source.Entry, error) {
	var all []source.Entry
	for p := range b {
		if path.Dir(p) == dir {
			all = append(all, source.Entry{Name: path.Base(p), Kind: source.File})
		}
	}
	return all, nil
}

func (b branchFiles) ReadFile(p string, _ int64) ([]byte, error) {
	if text, ok := b[p]; ok {
		return []byte(text), nil
	}
	return nil, fs.ErrNotExist
}

// A summary says what the record says, whether it is read by lines or as YAML,
// and a record that Records cannot read has none.
func TestSummaryIsTheRecord(t *testing.T) {
	whole := Record{
		Commit: EmptyTree, Config: "sha256:ab", Pins: []Pin{{"conduit", "v0.3.1"}}, Inputs: []Input{{"a/b.yaml", "0a"}, {"c", "0b"}},
		Absent: []string{"x", "y/z"}, Tree: "0c",
		Objects: []ObjectRecord{
			{File: "ns/pod-a.yaml", APIVersion: "v1", Kind: "Pod", Namespace: "ns", Name: "a", Source: "a/b.yaml", Injected: []Pin{{"conduit", "v0.3.1"}}, Images: []string{"i:1", "localhost:5000/j@sha256:ab"}},
			{File: "x", APIVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition", Name: "b", Source: "c"},
		},
	}
	odd, programs, empty := whole, whole, Record{Commit: EmptyTree, Config: "d", Inputs: []Input{}, Tree: EmptyTree, Objects: []ObjectRecord{}}
	odd.Inputs = []Input{{"with space: and colon", "0a"}, {"- dash", "1"}, {"null", "true"}}
	programs.Programs = []Program{{"tool", "v1", map[string]string{"linux/amd64": "ab"}}}
	for name, r := range map[string]Record{"whole": whole, "odd": odd, "programs": programs, "empty": empty} {
		data, err := encode(r)
		if err != nil {
			t.Fatal(err)
		}
		var lines Summary
		byLines := lines.scan(string(data))
		if byLines != (name == "whole" || name == "empty") {
			t.Errorf("%s: read by lines: %v", name, byLines)
		}
		files := branchFiles{RecordPath("dev", "app"): string(data)}
		got, err := Summaries(files, "dev")
		if err != nil || len(got) != 1 {
			t.Fatalf("%s: %v, %v", name, got, err)
		}
		want := Summary{App: "app", ID: got[0].ID, Config: r.Config, Tree: r.Tree, Pins: r.Pins, Absent: r.Absent, Defines: len(r.Objects) > 0}
		if want.Inputs = r.Inputs; len(r.Inputs) == 0 {
			want.Inputs = got[0].Inputs
		}
		if d := cmp.Diff(want, got[0]); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// Every line of a record left out, doubled or spoilt: the summary is read if
// and only if the record is, and says the same.
func TestSummaryOfSpoiltRecords(t *testing.T) {
	data, err := encode(Record{
		Commit: EmptyTree, Config: "d", Pins: []Pin{{"conduit", "v1"}}, Inputs: []Input{{"a", "0a"}}, Absent: []string{"x"}, Tree: "0c",
		Objects: []ObjectRecord{{File: "f", APIVersion: "v1", Kind: "Pod", Namespace: "ns", Name: "a", Source: "a", Injected: []Pin{{"conduit", "v1"}}, Images: []string{"i:1"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(data), "\n")
	for i, line := range lines[:len(lines)-1] {
		for _, in := range []string{"", line + line, " " + line, "<<<<<<< x\n" + line, strings.TrimSuffix(line, "\n") + " #\n", strings.TrimSuffix(line, "\n") + ":\n", "more: 1\n" + line, strings.Replace(line, ": ", ": ~", 1), strings.Replace(line, ": ", ": ../", 1), strings.Replace(line, "- ", "- /", 1), "\t" + line} {
			text := strings.Join(lines[:i], "") + in + strings.Join(lines[i+1:], "")
			files := branchFiles{RecordPath("dev", "app"): text}
			got, errS := Summaries(files, "dev")
			want, errR := Records(files, "dev")
			if (errS == nil) != (errR == nil) {
				t.Errorf("%q for line %d: %v, but %v", in, i, errS, errR)
				continue
			}
			if errS == nil && (got[0].Tree != want[0].Tree || got[0].Config != want[0].Config || !cmp.Equal(got[0].Pins, want[0].Pins) || !cmp.Equal(got[0].Inputs, want[0].Inputs) || !cmp.Equal(got[0].Absent, want[0].Absent)) {
				t.Errorf("%q for line %d: %+v, but %+v", in, i, got[0], want[0])
			}
		}
	}
}

// Whatever the values are: what a glance takes from a record that encode wrote
// is what the record says.
func TestGlanceIsTheSummary(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	word := func() string {
		parts := []string{"a", "b-c", "/", ".", "x.yaml", "tree: ", "\n", "- ", ": ", "'", "\"", "#", " ", "null", "1", "é", "{", "@", "kind: CustomResourceDefinition", "%", "~", "0x1", "inputs:"}
		var w strings.Builder
		for range 1 + rng.IntN(3) {
			if rng.IntN(2) == 0 {
				w.WriteString("p")
			}
			w.WriteString(parts[rng.IntN(len(parts))])
		}
		return w.String()
	}
	understood := 0
	for range 5000 {
		r := Record{Commit: EmptyTree, Config: "sha256:ab", Tree: EmptyTree, Inputs: []Input{}}
		for range rng.IntN(3) {
			r.Inputs = append(r.Inputs, Input{word(), EmptyTree})
		}
		for range rng.IntN(2) {
			r.Absent = append(r.Absent, word())
			r.Pins = append(r.Pins, Pin{word(), word()})
		}
		for range rng.IntN(2) {
			r.Objects = append(r.Objects, ObjectRecord{File: word(), APIVersion: "v1", Kind: []string{"Pod", definition, word()}[rng.IntN(3)], Name: word(), Source: word(), Images: []string{word()}})
		}
		data, err := r.encode()
		if err != nil {
			t.Fatal(err)
		}
		var got Summary
		if !got.glance(data) {
			continue
		}
		understood++
		want := Summary{Config: r.Config, Tree: r.Tree, Pins: r.Pins, Inputs: r.Inputs, Absent: r.Absent}
		for _, o := range r.Objects {
			want.Defines = want.Defines || o.Kind == definition
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("%s\n%s", data, d)
		}
	}
	if understood < 500 {
		t.Errorf("only %d records understood: that proves little", understood)
	}
}
