package forge

import (
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

func proposal() Proposal {
	return Proposal{
		Environment: "production", From: "staging", Branch: "env/production", Path: "production",
		Before: strings.Repeat("b", 40), Commit: strings.Repeat("a", 40), Merge: "sluice promote production --merge",
		Objects: []Object{
			{Status: "added", Kind: "Deployment", Name: "Deployment shop/web", File: "production/deployment-web.yaml", ImagesAfter: []string{"web:2"}, Diff: "+kind: Deployment\n"},
			{Status: "changed", Kind: "Service", Name: "Service shop/web", File: "production/service-web.yaml", Immutable: []string{"spec.clusterIP"}, Diff: "-a\n+b\n"},
			{Status: "changed", Kind: "Deployment", Name: "Deployment shop/api", File: "production/deployment-api.yaml", ImagesBefore: []string{"api:1", "proxy:1"}, ImagesAfter: []string{"api:2", "proxy:1"}, Diff: "-image: api:1\n+image: api:2\n"},
			{Status: "changed", Kind: "Secret", Name: "Secret shop/key", File: "production/secret-key.yaml", Diff: "-data: hunter2\n"},
			{Status: "removed", Kind: "ConfigMap", Name: "ConfigMap shop/old", File: "production/configmap-old.yaml", Diff: "-kind: ConfigMap\n"},
		},
		Injectors: []Injector{{"conduit", "v0.3.1", 2}, {"conduit", "v0.3.0", 1}},
		Sources:   []Source{{Commit: strings.Repeat("c", 40), Subject: "Use api 2", URL: "https://github.com/acme/shop/commit/" + strings.Repeat("c", 40)}},
	}
}

func TestBody(t *testing.T) {
	want := "<!-- sluice:begin -->\n" + "`production` gets commit " + strings.Repeat("a", 40) + ` of ` + "`staging`" + `: the same commit, nothing is rendered again.

- added: 1 ` + "`Deployment`" + `
- changed: 1 ` + "`Deployment`, 1 `Secret`, 1 `Service`" + `
- removed: 1 ` + "`ConfigMap`" + `

### Mind

- 2 versions of ` + "`conduit` live together: `v0.3.0`, `v0.3.1`" + `
- ` + "`ConfigMap shop/old`" + ` goes away: an engine that prunes deletes it
- ` + "`Service shop/web` changes `spec.clusterIP`" + `, which a cluster does not let change

### Objects

- removed ` + "`ConfigMap shop/old`" + `
- changed ` + "`Service shop/web`" + `
- changed ` + "`Deployment shop/api`: `api:1` becomes `api:2`" + `
- changed ` + "`Secret shop/key`" + `
- added ` + "`Deployment shop/web`: `web:2`" + `

### Proxies

- ` + "`conduit v0.3.1`" + `: 2 workloads
- ` + "`conduit v0.3.0`" + `: 1 workload

### From the source

- [` + "`cccccccccc`](https://github.com/acme/shop/commit/" + strings.Repeat("c", 40) + ") `Use api 2`" + `

<details><summary>Diff</summary>

` + "`production/configmap-old.yaml`\n\n```diff\n-kind: ConfigMap\n```\n\n`production/service-web.yaml`\n\n```diff\n-a\n+b\n```\n\n`production/deployment-api.yaml`\n\n```diff\n-image: api:1\n+image: api:2\n```\n\n`production/deployment-web.yaml`\n\n```diff\n+kind: Deployment\n```\n" + `
The diff of 1 Secret is not shown.

</details>

### To complete it

Run ` + "`sluice promote production --merge`: it moves `env/production`" + ` forward to exactly this commit, once the commit verifies and approvals and checks of exactly it are there. **Do not press the merge button**: whichever way it merges, it makes another commit than the one that was tested.
<!-- sluice:end -->`
	if diff := cmp.Diff(want, Body(proposal(), "")); diff != "" {
		t.Error(diff)
	}
	if got, want := proposal().Title(), "Promote production to aaaaaaaaaa: 5 objects"; got != want {
		t.Errorf("the title is %q, want %q", got, want)
	}
}

// TestHumanText holds that what people write around a section stays, however
// often it is written anew.
func TestHumanText(t *testing.T) {
	section := Body(proposal(), "")
	next := proposal()
	next.Commit = strings.Repeat("d", 40)
	for name, body := range map[string]string{
		"before and after":   "Please look.\n\n" + section + "\n\nThanks!\n",
		"without a section":  "Please look. Thanks!",
		"as a form sends it": strings.ReplaceAll("Please look.\n"+section+"\nThanks!", "\n", "\r\n"),
		"twice":              "Please look." + section + section + "Thanks!",
		"half":               "Please look. " + end + " Thanks! " + begin,
	} {
		once := Body(next, body)
		if strings.Contains(once, strings.Repeat("a", 40)) || !strings.Contains(once, next.Commit) {
			t.Errorf("%s: the section is not the new one:\n%s", name, once)
		}
		if !strings.Contains(once, "Please look.") || !strings.Contains(once, "Thanks!") {
			t.Errorf("%s: people's words are lost:\n%s", name, once)
		}
		if name != "half" && Body(next, once) != once {
			t.Errorf("%s: writing it again changes it:\n%s", name, Body(next, once))
		}
	}
}

func TestBodyFits(t *testing.T) {
	p := proposal()
	p.Objects = nil
	for i := range 10_000 {
		kind := fmt.Sprintf("Kind%d", i%70)
		p.Objects = append(p.Objects, Object{
			Status: []string{"added", "changed", "removed"}[i%3], Kind: kind, Name: fmt.Sprintf("%s shop/some-long-name-%d", kind, i),
			File: fmt.Sprintf("production/%s-%d.yaml", kind, i), Diff: strings.Repeat("+line ```\n", 1+i%40), Immutable: []string{"spec.selector"},
		})
	}
	p.Objects[0].Diff = strings.Repeat("+x\n", maxBody)
	for i := range 3000 {
		p.Sources = append(p.Sources, Source{Commit: fmt.Sprintf("%040d", i), Subject: strings.Repeat("@all ", 100)})
	}
	for _, human := range []string{"", strings.Repeat("Human words. ", 2000)} {
		body := Body(p, human)
		if len(body) > maxBody {
			t.Errorf("the body has %d bytes, %d are allowed", len(body), maxBody)
		}
		for _, want := range []string{
			"- added: ", "- changed: ", "- removed: ", " of other kinds", " more, left out for length", "The diff of ",
			"left out for its length. All of it: `git diff bbbbbbbbbb aaaaaaaaaa -- production`", "sluice promote production --merge", human,
		} {
			if !strings.Contains(body, want) {
				t.Errorf("the body says nothing like %q", want)
			}
		}
		// Cut between objects only: every fence that opens also closes.
		if n := strings.Count(body, "\n````diff\n"); n == 0 || strings.Count(body, "\n````\n") != n {
			t.Errorf("%d blocks open and %d close", n, strings.Count(body, "\n````\n"))
		}
	}
}

// hostile is untrusted text with a word in it that shows where it got to.
const canary = "CANARY"

func FuzzInert(f *testing.F) {
	for _, s := range []string{
		"@acme/all", "closes #1", "<!-- sluice:end -->", "<img src=x>", "`", "``a`", "```\n# h\n", "[a](http://b)", "a\r\nb", "\x1b[31m", "\u202e", "~~~", "\xff",
		"/approve", "\n/approve\n", "![x](http://y)", "https://example.com", "a`b", " ", "", "</details>", "\n\n    ", "|", "\\`", "<!-- sluice:begin -->", "acme/shop#1", ":+1:", "$x$",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = canary + s + canary
		p := Proposal{
			Environment: "production", From: "staging", Branch: "env/production", Path: "production", Before: "b", Commit: "a", Merge: "sluice promote production --merge",
			Objects: []Object{
				{Status: "changed", Kind: s, Name: s, File: s, ImagesBefore: []string{s}, ImagesAfter: []string{s + "2"}, Immutable: []string{s}, Diff: "+" + s},
				{Status: "removed", Kind: s, Name: s, File: s},
			},
			Injectors: []Injector{{s, s, 1}, {s, "2", 1}}, Sources: []Source{{s, s, s}},
		}
		body := Body(p, "")
		for _, r := range body {
			if r != '\n' && r != '\t' && r != '\uFFFD' && !unicode.IsPrint(r) {
				t.Fatalf("%q is in the body of %q", r, s)
			}
		}
		if strings.Count(body, mark) != 2 || !strings.HasPrefix(body, begin) || !strings.HasSuffix(body, end) {
			t.Fatalf("the marks of the body of %q:\n%s", s, body)
		}
		if Body(p, body) != body {
			t.Fatalf("the body of %q is not found again", s)
		}
		checkInert(t, body)
	})
}

// checkInert reads a body as forges do and holds the canary to code and to
// the destinations of links that we write.
func checkInert(t *testing.T, body string) {
	t.Helper()
	source := []byte(body)
	doc := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(source))
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.CodeSpan, *ast.FencedCodeBlock:
			return ast.WalkSkipChildren, nil
		case *ast.Text:
			if strings.Contains(string(n.Segment.Value(source)), canary) {
				t.Fatalf("untrusted text is not in code: %q\n%s", n.Segment.Value(source), body)
			}
		case *ast.RawHTML, *ast.HTMLBlock, *ast.AutoLink, *ast.Image, *ast.CodeBlock:
			for i := 0; n.Type() == ast.TypeBlock && i < n.Lines().Len(); i++ {
				line := n.Lines().At(i)
				if strings.Contains(string(line.Value(source)), canary) {
					t.Fatalf("untrusted text is in %s:\n%s", n.Kind(), body)
				}
			}
			if n.Type() == ast.TypeInline {
				t.Fatalf("%s in the body:\n%s", n.Kind(), body)
			}
		}
		return ast.WalkContinue, nil
	})
}
