package release

import (
	"fmt"
	"strings"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
)

// Request is an upgrade that somebody asks for.
type Request struct {
	Cluster string
	To      string   // the release
	Only    []string // names of the files to upgrade; empty: all

	Skip, Downgrade bool // releases may be left out, or gone back to
	Discard         bool // edits by hand may be lost
}

// Upgrade is what a request comes to. Nothing of it has been written.
type Upgrade struct {
	Cluster  string   `json:"cluster"`
	Provider string   `json:"provider"`
	From     string   `json:"from"` // the recorded release; empty if there is none
	To       string   `json:"to"`
	Only     []string `json:"only,omitempty"`

	Changes []Change `json:"changes"`
	Edits   []Edit   `json:"discarded"` // edits by hand that are lost
	Masks   []Mask   `json:"masked"`
	Left    []Left   `json:"left"`
	Absent  []string `json:"absent"` // files of the release that the cluster does not have

	// Files holds the text of every file that differs, the config included, by
	// slash path relative to the repository root, links followed.
	Files map[string][]byte `json:"-"`
}

// Place is a value of an object.
type Place struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Object string `json:"object"`
	Field  string `json:"field"`
}

// Change is a value that an upgrade changes. Empty stands for no value, text
// is as it is, everything else as in JSON.
type Change struct {
	Place
	Before string `json:"before"`
	After  string `json:"after"`
}

// Edit is a value that is not the one that the recorded release gave, and
// that the new release sets.
type Edit struct {
	Place
	From     string `json:"from"`     // the recorded release, of this file
	To       string `json:"to"`       // the new one
	Recorded string `json:"recorded"` // what the recorded release gave
	Present  string `json:"present"`
	New      string `json:"new"`
}

// Left is a value that the recorded release set and the new one does not: it
// stays as it is, and belongs to the cluster from now on.
type Left struct {
	Place
	Value string `json:"value"`
}

// EditedError refuses an upgrade that would lose edits by hand.
type EditedError struct {
	Cluster string
	Overlay string // directory of the cluster that edits belong into
	Edits   []Edit
}

func (e *EditedError) Error() string {
	if len(e.Edits) == 1 {
		return fmt.Sprintf("cluster %s: 1 value was edited by hand and would be overwritten", e.Cluster)
	}
	return fmt.Sprintf("cluster %s: %d values were edited by hand and would be overwritten", e.Cluster, len(e.Edits))
}

// Hint says how to go on.
func (e *EditedError) Hint() string {
	return fmt.Sprintf("to keep a value, put it into %s; to let the release have its way: --discard-edits", e.Overlay)
}

func newUpgrade(r Request, provider, from string) *Upgrade {
	return &Upgrade{
		Cluster: r.Cluster, Provider: provider, From: from, To: r.To, Only: r.Only,
		Changes: []Change{}, Edits: []Edit{}, Masks: []Mask{}, Left: []Left{}, Absent: []string{}, Files: map[string][]byte{},
	}
}

// UnknownCluster is the error of a name that is no cluster's.
func UnknownCluster(cfg *config.Config, name string) error {
	var names []string
	for _, c := range cfg.Clusters {
		names = append(names, c.Name)
	}
	hint := "clusters are listed under clusters:"
	if len(names) > 0 {
		hint = "there are " + strings.Join(names, ", ")
	}
	return finding.Finding{File: cfg.File(), Line: cfg.Line("clusters"), Text: fmt.Sprintf("no cluster is named %q", name), Hint: hint}
}
