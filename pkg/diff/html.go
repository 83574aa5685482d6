package diff

import (
	"bufio"
	"crypto/sha256"
	_ "embed" // for the style and the script of the page
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"strings"
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
	b := bufio.NewWriter(w)
	p := &page{Writer: b, Style: s}
	p.document(r)
	return b.Flush()
}

// page writes HTML. Its formats are this package's own; every text that goes
// into them is escaped, wherever it comes from.
type page struct {
	*bufio.Writer
	Style
	ids int
}

// markup is text that is HTML already.
type markup string

func (p *page) put(format string, args ...any) {
	for i, a := range args {
		switch a := a.(type) {
		case markup, int:
		case string:
			args[i] = html.EscapeString(p.Escape(a))
		default:
			args[i] = html.EscapeString(p.Escape(fmt.Sprint(a)))
		}
	}
	fmt.Fprintf(p, format, args...)
}

func (p *page) document(r *Report) {
	sum := sha256.Sum256([]byte(pageScript))
	var about []string
	for _, e := range r.Environments {
		about = append(about, e.Name)
	}
	p.put(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'; script-src 'sha256-%s'">
<title>%s: %s</title>
<style>%s</style>
</head>
<body>
`, markup(base64.StdEncoding.EncodeToString(sum[:])), strings.Join(about, ", "), r.Counts.Summary(), markup(pageStyle))
	p.header(r)
	p.put("<div class=\"page\">\n<nav aria-label=\"Objects\">\n")
	for i := range r.Environments {
		p.tree(&r.Environments[i], i)
	}
	p.put("</nav>\n<main>\n")
	p.ids = 0
	for i := range r.Environments {
		p.environment(&r.Environments[i], i)
	}
	p.put("<p class=\"none\" id=\"none\" hidden>Nothing matches the filter.</p>\n</main>\n</div>\n<script>%s</script>\n</body>\n</html>\n", markup(pageScript))
}

// header is the bar that stays: what is shown, and how.
func (p *page) header(r *Report) {
	p.put("<header>\n<h1>%s</h1>\n<div class=\"tools\">\n", r.Counts.Summary())
	p.put("<input type=\"search\" id=\"filter\" placeholder=\"Filter: name, kind, field, image ( / )\" aria-label=\"Filter\" autocomplete=\"off\" spellcheck=\"false\">\n<div class=\"chips\" role=\"group\" aria-label=\"Show\">\n")
	for _, s := range []struct {
		status Status
		n      int
	}{{Added, r.Counts.Added}, {Removed, r.Counts.Removed}, {Changed, r.Counts.Changed}, {Renamed, r.Counts.Renamed}} {
		if s.n > 0 {
			p.put("<label class=\"chip %s\"><input type=\"checkbox\" data-status=\"%s\" checked><span>%s %d</span></label>\n", s.status, s.status, s.status, s.n)
		}
	}
	p.put("</div>\n<div class=\"views\" role=\"group\" aria-label=\"View\">\n")
	for i, v := range []string{"fields", "unified", "split"} {
		checked := markup("")
		if i == 0 {
			checked = " checked"
		}
		p.put("<label><input type=\"radio\" name=\"view\" id=\"view-%s\" value=\"%s\"%s><span>%s</span></label>\n", v, v, checked, v)
	}
	p.put("</div>\n<label class=\"switch\"><input type=\"checkbox\" id=\"injector\"><span>injector changes</span></label>\n")
	p.put("<details class=\"keys\"><summary aria-label=\"Keys\">?</summary><dl><dt>j k</dt><dd>next, previous object</dd><dt>o</dt><dd>fold or unfold it</dd><dt>/</dt><dd>filter</dd><dt>f u s</dt><dd>fields, unified, split</dd><dt>i</dt><dd>injector changes</dd><dt>Esc</dt><dd>clear the filter</dd></dl></details>\n</div>\n</header>\n")
}

// tree is the list of objects at the side, by app.
func (p *page) tree(e *Environment, index int) {
	p.put("<details class=\"group\" open><summary>%s <small>%d</small></summary>\n", e.Name, e.Counts.Objects())
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
			p.put("<details class=\"group\" open><summary>%s <small>%d</small></summary>\n", name, len(apps[name]))
		}
		p.put("<ul>\n")
		for _, i := range apps[name] {
			o := &e.Objects[i]
			p.put("<li><a class=\"%s%s\" href=\"#o%d\" title=\"%s %s\"><i>%s</i> %s</a></li>\n", o.Status, o.warnClass(), first+i, o.Status, o.title(), o.kind(), o.place())
		}
		p.put("</ul>\n")
		if name != "" {
			p.put("</details>\n")
		}
	}
	p.ids += len(e.Objects)
	if len(e.Files) > 0 {
		p.put("<ul><li><a href=\"#files%d\">%s</a></li></ul>\n", index, count(len(e.Files), "other file"))
	}
	p.put("</details>\n")
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
	p.put("<section class=\"environment\">\n<h2>%s</h2>\n<p class=\"states\"><del>%s</del> <span class=\"arrow\">→</span> <ins>%s</ins></p>\n<p class=\"summary\">%s</p>\n", e.Name, e.Before, e.After, e.Counts.Summary())
	if len(e.Images) > 0 {
		p.put("<table class=\"images\">\n<tr><th>image before</th><th>after</th><th>objects</th></tr>\n")
		for _, c := range e.Images {
			before, after := c.words()
			p.put("<tr><td><code>%s</code></td><td><code>%s</code></td><td>%d</td></tr>\n", before, after, c.Objects)
		}
		p.put("</table>\n")
	}
	p.warnings(e)
	for i := range e.Objects {
		p.object(&e.Objects[i])
	}
	if len(e.Files) > 0 {
		p.put("<h3 id=\"files%d\">Other files</h3>\n", index)
	}
	for _, f := range e.Files {
		p.put("<div class=\"file\"><span class=\"badge %s\">%s</span> <code>%s</code> <span>%s</span>\n", f.Status, f.Status, f.File, f.Text)
		if f.Order != nil {
			p.lines("lines", f.Order)
		}
		p.put("</div>\n")
	}
	if len(e.Lists) > 0 {
		p.put("<p class=\"folded\">Folded: %s with nothing but the objects above: ", count(len(e.Lists), "list"))
		for _, l := range e.Lists {
			p.put("<code>%s</code> ", l)
		}
		p.put("</p>\n")
	}
	p.put("</section>\n")
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
				p.put("<div class=\"warnings\"><h3>Look at these</h3>\n<ul>\n")
			}
			p.put("<li><b>%s</b> <a href=\"#o%d\">%s</a> %s</li>\n", n.Kind, p.ids+i, o.Object, n.words())
		}
	}
	if any {
		p.put("</ul></div>\n")
	}
}
