package forge

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Proposal is what an environment is about to get. All text in it may come
// from manifests and commits, apart from names of environments and branches,
// commit ids and Merge.
type Proposal struct {
	Environment string
	From        string // the environment before; empty for what commit wrote
	Branch      string
	Path        string // of the environment's directory
	Before      string // commit that the branch is at
	Commit      string // commit that it is to be at
	Objects     []Object
	Injectors   []Injector // of what the environment will hold
	Skew        []string   // what is to be known of their versions beside each other
	Sources     []Source   // newest first
	Older       bool       // there are more sources, older than these
	Merge       string     // the command that completes the request
	Buttons     bool       // whether the forge's own button does so too
}

// Object is one that is added, changed or removed.
type Object struct {
	Status                    string // added, changed or removed
	Kind, Name                string // Deployment; Deployment shop/api
	File                      string // on the branch
	ImagesBefore, ImagesAfter []string
	Immutable                 []string // fields that change and that a cluster will not let change
	Diff                      string   // unified, without the values of Secrets
}

// Injector is a proxy's version and how many workloads have it.
type Injector struct {
	Name, Version string
	Workloads     int
}

// Source is a commit of the source. URL is that of its page, or empty.
type Source struct{ Commit, Subject, URL string }

// maxBody is the length of a request's text, in bytes. GitHub takes 65,536
// characters.
const maxBody = 65_000

// Title is a request's title. It holds nothing that somebody else wrote.
func (p Proposal) Title() string {
	return fmt.Sprintf("%s%s: %s", p.titlePrefix(), short(p.Commit), count(len(p.Objects), "object"))
}

func (p Proposal) titlePrefix() string { return fmt.Sprintf("Promote %s to ", p.Environment) }

func (p Proposal) wrote(r Request) bool { return strings.HasPrefix(r.Title, p.titlePrefix()) }

func (p Proposal) body(existing string) string { return Body(p, existing) }

// Body is a request's text: what people wrote in existing, which may be empty,
// around a section about p. It keeps within maxBody as long as people leave
// room for the summary. What does not fit is counted.
func Body(p Proposal, existing string) string {
	existing = strings.ReplaceAll(existing, "\r\n", "\n")
	theirs := len(existing)
	if before, after, found := around(existing); found {
		theirs = len(before) + len(after)
	}
	return splice(existing, p.section(maxBody-theirs-2))
}

// section writes the text about p in at most room bytes, if there is room for
// the fixed parts.
func (p Proposal) section(room int) string {
	objects := slices.SortedStableFunc(slices.Values(p.Objects), func(a, b Object) int {
		return cmp.Compare(order(a.Status), order(b.Status))
	})
	head := begin + "\n" + p.summary(objects)
	foot := p.completion() + end
	left := room - len(head) - len(foot)
	mind := list("\n### Mind\n\n", p.minds(objects), "thing", left/5)
	changed := list("\n### Objects\n\n", lines(objects, Object.line), "object", left/4)
	injectors := list("\n### Proxies\n\n", p.injectorLines(), "version", left/10)
	sources := list("\n### From the source\n\n", lines(p.Sources, Source.line), "commit", left/6)
	if p.Older {
		sources += "- and older ones\n"
	}
	left -= len(mind) + len(changed) + len(injectors) + len(sources)
	return head + mind + changed + injectors + sources + p.diffs(objects, left) + foot
}

func order(status string) int { return slices.Index([]string{"removed", "changed", "added"}, status) }

// maxKinds bounds the kinds that the summary tells apart.
const maxKinds = 20

// summary counts every object, whatever fits below it.
func (p Proposal) summary(objects []Object) string {
	var b strings.Builder
	if p.From == "" {
		fmt.Fprintf(&b, "`%s` gets commit %s: what the source renders to, byte for byte.\n", p.Environment, p.Commit)
	} else {
		fmt.Fprintf(&b, "`%s` gets commit %s of `%s`: the same commit, nothing is rendered again.\n", p.Environment, p.Commit, p.From)
	}
	if len(objects) == 0 {
		b.WriteString("\nNo object changes.\n")
	}
	for _, status := range []string{"added", "changed", "removed"} {
		kinds := map[string]int{}
		n := 0
		for _, o := range objects {
			if o.Status == status {
				kinds[o.Kind]++
				n++
			}
		}
		if n == 0 {
			continue
		}
		names := slices.SortedFunc(maps.Keys(kinds), func(x, y string) int {
			return cmp.Or(cmp.Compare(kinds[y], kinds[x]), cmp.Compare(x, y))
		})
		var parts []string
		for _, name := range names[:min(len(names), maxKinds)] {
			parts = append(parts, fmt.Sprintf("%d %s", kinds[name], code(name)))
			n -= kinds[name]
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d of other kinds", n))
		}
		fmt.Fprintf(&b, "\n- %s: %s", status, strings.Join(parts, ", "))
	}
	b.WriteString("\n")
	return b.String()
}

// minds gives what a reviewer must not overlook.
func (p Proposal) minds(objects []Object) []string {
	var out []string
	versions := map[string][]string{}
	for _, i := range p.Injectors {
		if !slices.Contains(versions[i.Name], i.Version) {
			versions[i.Name] = append(versions[i.Name], i.Version)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(versions)) {
		if v := versions[name]; len(v) > 1 {
			slices.Sort(v)
			out = append(out, fmt.Sprintf("%d versions of %s live together: %s", len(v), code(name), spans(v)))
		}
	}
	for _, s := range p.Skew {
		out = append(out, code(s))
	}
	for _, o := range objects {
		if o.Status == "removed" {
			out = append(out, code(o.Name)+" goes away: an engine that prunes deletes it")
		}
	}
	for _, o := range objects {
		if len(o.Immutable) > 0 {
			out = append(out, fmt.Sprintf("%s changes %s, which a cluster does not let change", code(o.Name), spans(o.Immutable)))
		}
	}
	return out
}

func (o Object) line() string {
	text := o.Status + " " + code(o.Name)
	var out, in []string
	for _, i := range o.ImagesBefore {
		if !slices.Contains(o.ImagesAfter, i) {
			out = append(out, i)
		}
	}
	for _, i := range o.ImagesAfter {
		if !slices.Contains(o.ImagesBefore, i) {
			in = append(in, i)
		}
	}
	switch {
	case len(in) > 0 && len(out) > 0:
		return text + ": " + spans(out) + " becomes " + spans(in)
	case len(in) > 0:
		return text + ": " + spans(in)
	case len(out) > 0:
		return text + ": no more " + spans(out)
	}
	return text
}

func (p Proposal) injectorLines() []string {
	return lines(p.Injectors, func(i Injector) string {
		return fmt.Sprintf("%s: %s", code(i.Name+" "+i.Version), count(i.Workloads, "workload"))
	})
}

func (s Source) line() string {
	id := code(short(s.Commit))
	if s.URL != "" {
		id = "[" + id + "](" + destination(s.URL) + ")"
	}
	return id + " " + code(s.Subject)
}

// destination makes a URL that cannot end the link that it stands in.
func destination(url string) string {
	var b strings.Builder
	for i := range len(url) {
		c := url[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~:/%+", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// completion says how the request is completed.
func (p Proposal) completion() string {
	text := fmt.Sprintf("\n### To complete it\n\nRun `%s`: it moves `%s` forward to exactly this commit, once the commit verifies and approvals and checks of exactly it are there.", p.Merge, p.Branch)
	if p.Buttons {
		return text + " A fast-forward merge here does the same, without the checks that sluice makes.\n"
	}
	what := "tested"
	if p.From == "" {
		what = "verified"
	}
	return text + " **Do not press the merge button**: whichever way it merges, it makes another commit than the one that was " + what + ".\n"
}

// diffs shows whole objects only, as many as there is room for.
func (p Proposal) diffs(objects []Object, room int) string {
	head := "\n<details><summary>Diff</summary>\n\n"
	foot := "\n</details>\n"
	room -= len(head) + len(foot) + 300 // for what is said below
	var b strings.Builder
	shown, secrets := 0, 0
	for _, o := range objects {
		if o.Kind == "Secret" { // whoever made the diff may have forgotten
			secrets++
			continue
		}
		part := code(o.File) + "\n\n" + block("diff", o.Diff) + "\n"
		if o.Diff == "" || len(part) > room {
			continue
		}
		room -= len(part)
		shown++
		b.WriteString(part)
	}
	if shown == 0 && secrets == 0 && len(objects) == 0 {
		return ""
	}
	if left := len(objects) - shown - secrets; left > 0 {
		fmt.Fprintf(&b, "The diff of %s is left out for its length. All of it: `git diff %s %s -- %s`\n", count(left, "object"), short(p.Before), short(p.Commit), p.Path)
	}
	if secrets > 0 {
		fmt.Fprintf(&b, "The diff of %s is not shown.\n", count(secrets, "Secret"))
	}
	if b.Len() == 0 {
		return ""
	}
	return head + b.String() + foot
}

// list writes as many lines as there is room for, and counts the others.
func list(title string, items []string, what string, room int) string {
	if len(items) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString(title)
	for i, item := range items {
		if b.Len()+len(item)+60 > room {
			fmt.Fprintf(&b, "- and %s more, left out for length\n", count(len(items)-i, what))
			break
		}
		b.WriteString("- " + item + "\n")
	}
	return b.String()
}

func lines[T any](items []T, line func(T) string) []string {
	out := make([]string, len(items))
	for i, item := range items {
		out[i] = line(item)
	}
	return out
}

func spans(items []string) string {
	return strings.Join(lines(items, code), ", ")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
