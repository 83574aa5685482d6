package diff

import (
	_ "embed" // for the style and the script of the page
	"io"
	"strings"

	"github.com/sluice-dev/sluice/pkg/onepage"
)

var (
	//go:embed page.css
	pageStyle string
	//go:embed page.js
	pageScript string
)

// HTML writes a report as one page that needs nothing else: no network, no
// second file. All of it can be read without the script, which adds the
// filter, the keys and the view with two columns. The page allows no script
// but its own, so that text from manifests could not run as one even if it
// were not escaped.
func (r *Report) HTML(w io.Writer, s Style) error {
	p := &page{Writer: onepage.NewWriter(w, s.Escape), Style: s}
	return p.document(r)
}

// page writes a report as HTML.
type page struct {
	*onepage.Writer
	Style
	ids int
}

func (p *page) document(r *Report) error {
	var about []string
	for _, e := range r.Environments {
		about = append(about, e.Name)
	}
	p.Begin(strings.Join(about, ", ")+": "+r.Counts.Summary(), pageStyle, pageScript)
	p.header(r)
	p.Put("<div class=\"page\">\n<nav aria-label=\"Objects\">\n")
	for i := range r.Environments {
		p.tree(&r.Environments[i], i)
	}
	p.Put("</nav>\n<main>\n")
	p.ids = 0
	for i := range r.Environments {
		p.environment(&r.Environments[i], i)
	}
	p.Put("<p class=\"none\" id=\"none\" hidden>Nothing matches the filter.</p>\n</main>\n</div>\n")
	return p.End(pageScript)
}

// header is the bar that stays: what is shown, and how.
func (p *page) header(r *Report) {
	p.Put("<header>\n<h1>%s</h1>\n<div class=\"tools\">\n", r.Counts.Summary())
	p.Put("<input type=\"search\" id=\"filter\" placeholder=\"Filter: name, kind, field, image ( / )\" aria-label=\"Filter\" autocomplete=\"off\" spellcheck=\"false\">\n<div class=\"chips\" role=\"group\" aria-label=\"Show\">\n")
	for _, s := range []struct {
		status Status
		n      int
	}{{Added, r.Counts.Added}, {Removed, r.Counts.Removed}, {Changed, r.Counts.Changed}, {Renamed, r.Counts.Renamed}} {
		if s.n > 0 {
			p.Put("<label class=\"chip %s\"><input type=\"checkbox\" data-status=\"%s\" checked><span>%s %d</span></label>\n", s.status, s.status, s.status, s.n)
		}
	}
	p.Put("</div>\n<div class=\"views\" role=\"group\" aria-label=\"View\">\n")
	for i, v := range []string{"fields", "unified", "split"} {
		checked := onepage.Markup("")
		if i == 0 {
			checked = " checked"
		}
		p.Put("<label><input type=\"radio\" name=\"view\" id=\"view-%s\" value=\"%s\"%s><span>%s</span></label>\n", v, v, checked, v)
	}
	p.Put("</div>\n<label class=\"switch\"><input type=\"checkbox\" id=\"injector\"><span>injector changes</span></label>\n")
	p.Put("<details class=\"keys\"><summary aria-label=\"Keys\">?</summary><dl><dt>j k</dt><dd>next, previous object</dd><dt>o</dt><dd>fold or unfold it</dd><dt>/</dt><dd>filter</dd><dt>f u s</dt><dd>fields, unified, split</dd><dt>i</dt><dd>injector changes</dd><dt>Esc</dt><dd>clear the filter</dd></dl></details>\n</div>\n</header>\n")
}

// tree is the list of objects at the side, by app.
func (p *page) tree(e *Environment, index int) {
	p.Put("<details class=\"group\" open><summary>%s <small>%d</small></summary>\n", e.Name, e.Counts.Objects())
	apps := map[string][]int{}
	var names []string
	for i, o := range e.Objects {
		if apps[o.App] == nil {
			names = append(names, o.App)
		}
		apps[o.App] = append(apps[o.App], i)
	}
	first := p.ids
	for _, name := range names {
		if name != "" {
			p.Put("<details class=\"group\" open><summary>%s <small>%d</small></summary>\n", name, len(apps[name]))
		}
		p.Put("<ul>\n")
		for _, i := range apps[name] {
			o := &e.Objects[i]
			p.Put("<li><a class=\"%s%s\" href=\"#o%d\" title=\"%s %s\"><i>%s</i> %s</a></li>\n", o.Status, o.warnClass(), first+i, o.Status, o.title(), o.kind(), o.place())
		}
		p.Put("</ul>\n")
		if name != "" {
			p.Put("</details>\n")
		}
	}
	p.ids += len(e.Objects)
	if len(e.Files) > 0 {
		p.Put("<ul><li><a href=\"#files%d\">%s</a></li></ul>\n", index, count(len(e.Files), "other file"))
	}
	p.Put("</details>\n")
}

// place is an object's name with its namespace.
func (o *Object) place() string {
	if o.Namespace != "" {
		return o.Namespace + "/" + o.Name
	}
	return o.Name
}

// kind is an object's kind as its name says it: with the group, unless that
// is one of Kubernetes' own.
func (o *Object) kind() string {
	kind, _, _ := strings.Cut(o.Object, " ")
	return kind
}

func (o *Object) warnClass() string {
	for _, n := range o.Notes {
		if n.Kind.Warns() {
			return " warns"
		}
	}
	return ""
}

func (p *page) environment(e *Environment, index int) {
	p.Put("<section class=\"environment\">\n<h2>%s</h2>\n<p class=\"states\"><del>%s</del> <span class=\"arrow\">→</span> <ins>%s</ins></p>\n<p class=\"summary\">%s</p>\n", e.Name, e.Before, e.After, e.Counts.Summary())
	if len(e.Images) > 0 {
		p.Put("<table class=\"images\">\n<tr><th>image before</th><th>after</th><th>objects</th></tr>\n")
		for _, c := range e.Images {
			before, after := c.words()
			p.Put("<tr><td><code>%s</code></td><td><code>%s</code></td><td>%d</td></tr>\n", before, after, c.Objects)
		}
		p.Put("</table>\n")
	}
	p.warnings(e)
	for i := range e.Objects {
		p.object(&e.Objects[i])
	}
	if len(e.Files) > 0 {
		p.Put("<h3 id=\"files%d\">Other files</h3>\n", index)
	}
	for _, f := range e.Files {
		p.Put("<div class=\"file\"><span class=\"badge %s\">%s</span> <code>%s</code> <span>%s</span>\n", f.Status, f.Status, f.File, f.Text)
		if f.Order != nil {
			p.lines("lines", f.Order)
		}
		p.Put("</div>\n")
	}
	if len(e.Lists) > 0 {
		p.Put("<p class=\"folded\">Folded: %s with nothing but the objects above: ", count(len(e.Lists), "list"))
		for _, l := range e.Lists {
			p.Put("<code>%s</code> ", l)
		}
		p.Put("</p>\n")
	}
	p.Put("</section>\n")
}

// warnings names what to look at first.
func (p *page) warnings(e *Environment) {
	any := false
	for i, o := range e.Objects {
		for _, n := range o.Notes {
			if !n.Kind.Warns() {
				continue
			}
			if !any {
				any = true
				p.Put("<div class=\"warnings\"><h3>Look at these</h3>\n<ul>\n")
			}
			p.Put("<li><b>%s</b> <a href=\"#o%d\">%s</a> %s</li>\n", n.Kind, p.ids+i, o.Object, n.words())
		}
	}
	if any {
		p.Put("</ul></div>\n")
	}
}
