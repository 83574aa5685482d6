package cli

import (
	_ "embed" // for the style and the script of the page
	"fmt"
	"html"
	"io"
	"net/url"
	"strings"

	"github.com/sluice-dev/sluice/pkg/onepage"
)

var (
	//go:embed status.css
	statusStyle string
	//go:embed status.js
	statusScript string
)

// statusPage prints the environments as lines from the source on, with the
// commits between them.
func (c *command) statusPage(w *workspace, rows []standing) error {
	head := ""
	if id, err := w.repo.Resolve("HEAD"); err == nil {
		head = id.Short()
		if commit, err := w.repo.Commit(id); err == nil {
			head += " " + commit.Subject()
		}
	}
	return writeStatusPage(c.Out, rows, head)
}

// writeStatusPage writes the page; head is what is checked out, empty if that
// is nothing. All of it can be read without the script, which adds keys.
func writeStatusPage(w io.Writer, rows []standing, head string) error {
	p := &statusWriter{onepage.NewWriter(w, escape), rows, head}
	title := summarize(rows)
	p.Begin(title, statusStyle, statusScript)
	p.Put("<header>\n<h1>%s</h1>\n<div class=\"tools\"><details class=\"keys\"><summary aria-label=\"Keys\">?</summary><dl><dt>j k</dt><dd>next, previous environment</dd><dt>o</dt><dd>what it waits for</dd><dt>a</dt><dd>all of that</dd></dl></details></div>\n</header>\n<main>\n", title)
	for _, r := range rows {
		if r.PromotedFrom == "" {
			p.chain(r)
		}
	}
	if len(rows) == 0 {
		p.Put("<p>There is no environment.</p>\n")
	}
	p.Put("</main>\n")
	return p.End(statusScript)
}

// summarize says how many environments have yet to get something.
func summarize(rows []standing) string {
	behind, frozen := 0, 0
	for _, r := range rows {
		if r.Behind == nil || *r.Behind > 0 || r.OffLine {
			behind++
		}
		if r.Frozen != "" {
			frozen++
		}
	}
	text := fmt.Sprintf("%s: %d up to date, %d not", count(len(rows), "environment"), len(rows)-behind, behind)
	if frozen > 0 {
		text += fmt.Sprintf(", %d frozen", frozen)
	}
	return text
}

type statusWriter struct {
	*onepage.Writer
	rows []standing
	head string
}

// chain writes the source and, behind it, the environments of a chain.
func (p *statusWriter) chain(root standing) {
	p.Put("<section class=\"chain\" aria-label=\"The chain of %s\">\n<div class=\"node\">\n", root.Environment)
	p.Put("<div class=\"station source\"><h2>source</h2>\n<p class=\"what\">%s</p>\n<p class=\"soft\">what is checked out</p></div>\n", dash(p.head))
	p.Put("<div class=\"next\">\n")
	p.follow(root)
	p.Put("</div>\n</div>\n</section>\n")
}

// follow writes an environment behind the one that it is promoted from, and
// those that are promoted from it.
func (p *statusWriter) follow(r standing) {
	p.Put("<div class=\"branch\">\n")
	p.way(r)
	p.Put("<div class=\"node\">\n")
	p.station(r)
	p.Put("<div class=\"next\">\n")
	for _, next := range p.rows {
		if next.PromotedFrom == r.Environment {
			p.follow(next)
		}
	}
	p.Put("</div>\n</div>\n</div>\n")
}

// way writes what lies between an environment and the one before it.
func (p *statusWriter) way(r standing) {
	class := "way"
	switch {
	case r.Frozen != "":
		class += " frozen"
	case r.OffLine:
		class += " off"
	case r.Behind != nil && *r.Behind == 0:
		class += " done"
	}
	p.Put("<div class=\"%s\">\n", class)
	p.Put("<p class=\"lag\">%s</p>\n", r.shortLag())
	if r.Frozen != "" {
		p.Put("<p><span class=\"badge frozen\">frozen</span> %s</p>\n", r.Frozen)
	}
	p.request(r)
	if n := needs(r); n != "" {
		p.Put("<p class=\"soft\">%s</p>\n", n)
	}
	if len(r.Waiting) > 0 {
		p.Put("<details class=\"waiting\"><summary>%s waits for %s</summary>\n<ol>\n", r.Environment, count(*r.Behind, "commit"))
		for _, w := range r.Waiting {
			p.Put("<li><code>%s</code> %s <small>%s, %s</small></li>\n", w.Commit.Short(), w.Subject, w.Author, w.Date[:min(10, len(w.Date))])
		}
		p.Put("</ol>\n")
		if more := *r.Behind - len(r.Waiting); more > 0 {
			p.Put("<p class=\"soft\">and %d more</p>\n", more)
		}
		p.Put("</details>\n")
	}
	p.Put("</div>\n")
}

// shortLag says how far an environment is behind the one before it, which the
// page shows beside it.
func (s standing) shortLag() string {
	switch {
	case s.OffLine:
		return "not on its line"
	case s.Behind == nil:
		return "cannot be told"
	case *s.Behind == 0:
		return "up to date"
	}
	return count(*s.Behind, "commit") + " behind"
}

func (p *statusWriter) request(r standing) {
	if r.Request == nil {
		return
	}
	name := onepage.Markup(html.EscapeString(r.Request.name()))
	if at, err := url.Parse(r.Request.URL); err == nil && (at.Scheme == "https" || at.Scheme == "http") {
		name = onepage.Markup(`<a rel="noreferrer" href="`+html.EscapeString(at.String())+`">`) + name + "</a>"
	}
	draft := ""
	if r.Request.Draft {
		draft = " (draft)"
	}
	p.Put("<p><span class=\"badge open\">open</span> %s %s%s</p>\n", name, r.Request.Title, draft)
}

// needs says what has to be there before something is promoted.
func needs(r standing) string {
	var parts []string
	if r.Approvals > 0 {
		parts = append(parts, count(int(r.Approvals), "approval"))
	}
	parts = append(parts, r.RequiredChecks...)
	if len(parts) == 0 {
		return ""
	}
	return "needs " + strings.Join(parts, ", ")
}

// station writes what an environment holds.
func (p *statusWriter) station(r standing) {
	p.Put("<div class=\"station %s\" tabindex=\"-1\"><h2>%s</h2>\n<p class=\"soft\"><code>%s</code></p>\n", r.State, r.Environment, r.Branch)
	if r.State == "hydrated" {
		p.Put("<p class=\"what\">%s</p>\n<p class=\"soft\">commit <code>%s</code> of source <code>%s</code></p>\n", dash(r.Subject), r.Commit.Short(), dash(r.Source.Short()))
	} else {
		p.Put("<p class=\"what\">%s</p>\n", stateWords(r.State))
	}
	if len(r.Injectors) > 0 {
		p.Put("<p class=\"pins\">%s</p>\n", pinNames(r.Injectors))
	}
	for _, s := range r.Skew {
		p.Put("<div class=\"warns\">")
		for i, line := range s.lines(r.Environment) {
			if i > 0 {
				p.Put("<br>")
			}
			p.Put("%s", line)
		}
		p.Put("</div>\n")
	}
	if r.Left != nil {
		p.Put("<p class=\"warns\">%s</p>\n", r.Left.Text)
	}
	p.Put("</div>\n")
}

// stateWords says what a state other than hydrated means.
func stateWords(state string) string {
	switch state {
	case "missing":
		return "there is no branch yet"
	case "empty":
		return "nothing has been promoted to it yet"
	case "foreign":
		return "the branch was not written by sluice"
	}
	return "what the branch says of itself cannot be read"
}
