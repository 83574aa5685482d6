package start

import (
	"bytes"
	"embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
)

//go:embed templates
var templates embed.FS

// The actions that the workflows use, by commit.
const (
	checkout = "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2"
	setupGo  = "actions/setup-go@d35c59abb061a4a6fb18e82ac0862c26744d6ab5 # v5.5.0"
)

// CI is what workflows are made of.
type CI struct {
	Config   *config.Config
	Main     string // branch that the source is merged into
	Version  string // of sluice, as go install takes it: v1.2.3
	Revision string // commit of that release, in full; empty if it is not known
}

// GitHubActions gives the workflows for GitHub, by their paths in the
// repository. A name that cannot be written in one is in the finding.List
// that it returns.
func GitHubActions(ci CI) (map[string][]byte, error) {
	data, err := ci.data()
	if err != nil {
		return nil, err
	}
	files := map[string]string{".github/workflows/hydrate.yml": "hydrate.yml", ".github/workflows/verify.yml": "verify.yml"}
	if len(data.Promoted) > 0 {
		files[".github/workflows/promote.yml"] = "promote.yml"
	}
	return fill(files, data)
}

// GitLabCI gives the pipeline for GitLab, as GitHubActions does.
func GitLabCI(ci CI) (map[string][]byte, error) {
	data, err := ci.data()
	if err != nil {
		return nil, err
	}
	return fill(map[string]string{".gitlab-ci.yml": "gitlab-ci.yml"}, data)
}

// data is what the templates show.
type data struct {
	Main, Version, Revision string
	Checkout, SetupGo       string
	Flag                    string // " -f PATH" for a config that is not at the top
	Commit                  string // the command that hydrates
	Roots                   []string
	Asked                   bool     // a chain's root has gates: its commit comes in by a request too
	Direct                  []string // environments that are promoted from a chain's root, if its commit is just pushed
	Promoted                []string // all that a request is opened for
	Targets                 []string // their branches
	Reviewed                bool     // one of them asks for approvals
	App                     bool     // the config names a GitHub App
	Steps                   []step
}

// step is one environment's promotion.
type step struct {
	Name, Branch string
	Reviewed     bool     // it asks for approvals: without them nothing moves by itself
	Next         []string // what is promoted from it
}

// plain is text that means itself in YAML, in a pattern of GitHub's, in an
// expression and in a shell.
var plain = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_./-]*$`)

// data collects it, and refuses what would be more than text where it stands.
func (ci CI) data() (*data, error) {
	var bad finding.List
	cfg := ci.Config
	check := func(at, what, text string) {
		if !plain.MatchString(text) {
			place := cfg.Place(at)
			bad.Add(place.File, place.Line, fmt.Sprintf("%s %q cannot be written in a workflow", what, text), "use letters, digits, and . _ - / alone")
		}
	}
	d := &data{
		Main: ci.Main, Version: ci.Version, Revision: ci.Revision, Checkout: checkout, SetupGo: setupGo,
		App: cfg.Forge != nil && cfg.Forge.App != nil,
	}
	check("", "the branch", ci.Main)
	check("", "the version", strings.ReplaceAll(ci.Version, "+", ""))
	if file := cfg.File(); file != config.FileName {
		check("", "the config's path", file)
		d.Flag = " -f " + file
	}
	d.Asked = slices.ContainsFunc(cfg.Environments, func(e config.Environment) bool {
		return e.PromotedFrom == "" && (e.Approvals > 0 || len(e.RequiredChecks) > 0)
	})
	d.Commit = "sluice" + d.Flag + " commit --push"
	if d.Asked {
		d.Commit = "sluice" + d.Flag + " commit --pull-request"
	}
	for i, e := range cfg.Environments {
		check(fmt.Sprintf("environments[%d].branch", i), "the branch", e.Branch)
		if e.PromotedFrom == "" {
			d.Roots = append(d.Roots, e.Branch)
			if !d.Asked {
				continue
			}
		} else if from, _ := cfg.Environment(e.PromotedFrom); from.PromotedFrom == "" && !d.Asked {
			d.Direct = append(d.Direct, e.Name)
		}
		s := step{Name: e.Name, Branch: e.Branch, Reviewed: e.Approvals > 0}
		for _, next := range cfg.Environments {
			if next.PromotedFrom == e.Name {
				s.Next = append(s.Next, next.Name)
			}
		}
		d.Promoted, d.Targets = append(d.Promoted, e.Name), append(d.Targets, e.Branch)
		d.Reviewed = d.Reviewed || s.Reviewed
		d.Steps = append(d.Steps, s)
	}
	return d, bad.Err()
}

// fill makes files of templates.
func fill(files map[string]string, d *data) (map[string][]byte, error) {
	t, err := template.New("").Delims("[[", "]]").Funcs(template.FuncMap{
		"join":   strings.Join,
		"scalar": scalar,
		"list": func(items any) string { // a YAML list on one line
			all, ok := items.([]string)
			if one, is := items.(string); is && !ok {
				all = []string{one}
			}
			quoted := make([]string, len(all))
			for i, item := range all {
				quoted[i] = scalar(item)
			}
			return "[" + strings.Join(quoted, ", ") + "]"
		},
	}).ParseFS(templates, "templates/*")
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	for file, name := range files {
		var b bytes.Buffer
		if err := t.ExecuteTemplate(&b, name, d); err != nil {
			return nil, fmt.Errorf("writing %q: %w", file, err)
		}
		out[file] = b.Bytes()
	}
	return out, nil
}
