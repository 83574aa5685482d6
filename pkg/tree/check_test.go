package tree

import (
	"strings"
	"testing"
)

func TestProvenanceThatSluiceNeverWrites(t *testing.T) {
	id := strings.Repeat("a", 40)
	good := func() *Provenance {
		return &Provenance{Source: Source{Commit: id, Config: "deploy/sluice.yaml"}, Environments: []EnvironmentRecord{
			{Name: "staging", Path: "staging", Tree: id}, {Name: "production", Path: "eu/production", RolledBackTo: id},
		}}
	}
	if err := good().check(); err != nil {
		t.Fatal(err)
	}
	for what, forge := range map[string]func(p *Provenance){
		"no commit":            func(p *Provenance) { p.Source.Commit = "" },
		"a revision":           func(p *Provenance) { p.Source.Commit = "main" },
		"config outside":       func(p *Provenance) { p.Source.Config = "../sluice.yaml" },
		"name with a slash":    func(p *Provenance) { p.Environments[0].Name = "../staging" },
		"no name":              func(p *Provenance) { p.Environments[0].Name = "" },
		"name twice":           func(p *Provenance) { p.Environments[1].Name = "staging" },
		"path outside":         func(p *Provenance) { p.Environments[0].Path = "../staging" },
		"absolute path":        func(p *Provenance) { p.Environments[0].Path = "/staging" },
		"the whole branch":     func(p *Provenance) { p.Environments[0].Path = "." },
		"the records":          func(p *Provenance) { p.Environments[0].Path = ".sluice" },
		"below the records":    func(p *Provenance) { p.Environments[0].Path = ".sluice/staging" },
		"path twice":           func(p *Provenance) { p.Environments[1].Path = "staging" },
		"path in another":      func(p *Provenance) { p.Environments[1].Path = "staging/x" },
		"path around another":  func(p *Provenance) { p.Environments[0].Path = "eu" },
		"tree that is none":    func(p *Provenance) { p.Environments[0].Tree = "HEAD" },
		"rolled back to a ref": func(p *Provenance) { p.Environments[1].RolledBackTo = "HEAD" },
	} {
		p := good()
		forge(p)
		if p.check() == nil {
			t.Errorf("%s: accepted", what)
		}
	}
}

func TestRecordThatSluiceNeverWrites(t *testing.T) {
	id := strings.Repeat("0", 40)
	good := func() *Record {
		return &Record{Commit: id, Inputs: []Input{{Path: "."}, {Path: "a/b.yaml", ID: id}}, Absent: []string{"c"}, Objects: []ObjectRecord{{File: "shop/configmap-a.yaml"}}}
	}
	if err := good().check("x"); err != nil {
		t.Fatal(err)
	}
	for what, forge := range map[string]func(r *Record){
		"commit":      func(r *Record) { r.Commit = "main" },
		"input":       func(r *Record) { r.Inputs[0].Path = "../passwd" },
		"absent path": func(r *Record) { r.Absent[0] = "/etc/passwd" },
		"file":        func(r *Record) { r.Objects[0].File = "../configmap-a.yaml" },
	} {
		r := good()
		forge(r)
		if err := r.check("x"); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
