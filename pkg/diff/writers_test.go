package diff

import (
	"bytes"
	"fmt"
	"math/rand"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// hostile is text that some medium takes for more than text.
var hostile = []string{
	"plain", "<script>alert(1)</script>", "</script><img src=x onerror=alert(1)>", "@everyone", "a`b``c", "```", "```\n@team\n```", "**bold** [x](http://evil)",
	"\u202egnp.exe", "line one\nline two\n", "&lt;", "</details>", "a.b/c", "x]y", `q"uo\te`, " lead", "é", "#1", "-->", "]]>", "\t", "| a |", "yes", "",
	"one\n\x1b[31mred\x1b[0m\ntwo \u202e\n", "one\n```\n@team\n",
}

// random makes a mapping of a few keys.
func random(r *rand.Rand, depth int) map[string]any {
	m := map[string]any{}
	for range 1 + r.Intn(4) {
		key := hostile[r.Intn(len(hostile))]
		switch kind := r.Intn(5); {
		case kind == 0 && depth > 0:
			m[key] = random(r, depth-1)
		case kind == 1 && depth > 0:
			m[key] = []any{random(r, depth-1), hostile[r.Intn(len(hostile))], r.Intn(5)}
		case kind == 2 && depth > 0:
			m["env"] = []any{map[string]any{"name": "a", "value": hostile[r.Intn(len(hostile))]}, map[string]any{"name": hostile[r.Intn(len(hostile))] + "b", "v": random(r, depth-1)}}
		case kind == 3:
			m[key] = r.Intn(3)
		default:
			m[key] = hostile[r.Intn(len(hostile))]
		}
	}
	return m
}

// stream makes objects of a random world: most names are there each time.
func stream(t *testing.T, r *rand.Rand) string {
	t.Helper()
	var b strings.Builder
	for i := range 6 {
		if r.Intn(4) == 0 {
			continue
		}
		o := map[string]any{"apiVersion": "example.com/v1", "kind": "Thing", "metadata": map[string]any{"name": fmt.Sprintf("thing-%d", i)}, "spec": random(r, 3)}
		data, err := yaml.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "---\n%s", data)
	}
	fmt.Fprintf(&b, "---\n"+deployment, "c-"+[]string{"bcdfghkmt2", "2tmkhgfdcb"}[r.Intn(2)], r.Intn(3), hostile[r.Intn(3)])
	return b.String()
}

const deployment = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: %s}, spec: {replicas: %d, template: {metadata: {labels: {a: %q}}, spec: {containers: [{name: c, image: x}]}}}}\n"

// Whatever differs is in every form, folded or not: each object by its name,
// each field by its path, and the values of what somebody changed.
func TestEveryFormShowsEverything(t *testing.T) {
	for seed := range int64(60) {
		r := rand.New(rand.NewSource(seed))
		report := compare(t, stream(t, r), stream(t, r))
		for form, text := range written(t, report) {
			text = plainText(form, text)
			for _, o := range report.Environments[0].Objects {
				holds(t, seed, form, text, quote(o.Object))
				for _, f := range o.Fields {
					holds(t, seed, form, text, quote(f.Path))
					if form != "json" && f.Op == FieldChanged {
						_, _, long := f.texts()
						long = long || !strings.Contains(form, "true") && max(len(f.Before.Inline()), len(f.After.Inline())) > maxShown
						if !long {
							holds(t, seed, form, text, quote(f.Before.Inline()))
							holds(t, seed, form, text, quote(f.After.Inline()))
						}
					}
				}
				for _, n := range o.Notes {
					holds(t, seed, form, text, quote(n.Text))
				}
			}
			if t.Failed() {
				return
			}
		}
	}
}

func holds(t *testing.T, seed int64, form, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Errorf("seed %d: %s does not hold %q:\n%s", seed, form, part, text)
	}
}

// A field is found where, and only where, objects differ; the other way round
// come and go change places.
func TestFieldsFindEveryDifference(t *testing.T) {
	swapped := map[Op]Op{FieldAdded: FieldRemoved, FieldRemoved: FieldAdded, FieldChanged: FieldChanged, Reordered: Reordered}
	for seed := range int64(2000) {
		r := rand.New(rand.NewSource(seed))
		a, b := random(r, 3), random(r, 3)
		if seed%3 == 0 {
			b = random(rand.New(rand.NewSource(seed+1)), 3)
			a = random(rand.New(rand.NewSource(seed+1)), 3)
		}
		x, y := asNode(t, a), asNode(t, b)
		there, back := fields(x, y), fields(y, x)
		if (len(there) == 0) != equal(x, y) || equal(x, y) != equal(y, x) {
			t.Fatalf("seed %d: equal is %t, and the fields are\n%s", seed, equal(x, y), say(there))
		}
		if len(there) != len(back) {
			t.Fatalf("seed %d: %d fields, the other way %d", seed, len(there), len(back))
		}
		count := map[Op]int{}
		for i := range there {
			count[there[i].Op]++
			count[swapped[back[i].Op]]--
		}
		for op, n := range count {
			if n != 0 {
				t.Fatalf("seed %d: %d more %s than the other way\n%s----\n%s", seed, n, op, say(there), say(back))
			}
		}
	}
}

func asNode(t *testing.T, v any) *yaml.Node {
	t.Helper()
	data, err := yaml.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return node(t, string(data))
}

// htmlTag matches what a browser would take for a tag.
var htmlTag = regexp.MustCompile(`</?[a-zA-Z!][^>]*>`)

// Nothing of the objects is markup to the page: whatever the objects hold,
// the tags are of the same few names, and there is one script.
func TestPageHoldsNoForeignMarkup(t *testing.T) {
	known := map[string]bool{}
	for _, name := range strings.Fields("!doctype html head meta title style body header h1 h2 h3 div input label span details summary dl dt dd nav ul li a i small main section p del ins table tr th td code b pre script") {
		known[name] = true
	}
	for seed := range int64(40) {
		r := rand.New(rand.NewSource(seed))
		var b bytes.Buffer
		if err := compare(t, stream(t, r), stream(t, r)).HTML(&b, Style{Escape: quote}); err != nil {
			t.Fatal(err)
		}
		page := strings.Replace(b.String(), pageScript, "", 1)
		if n := strings.Count(page, "<script"); n != 1 {
			t.Fatalf("seed %d: %d scripts", seed, n)
		}
		for _, tag := range htmlTag.FindAllString(page, -1) {
			name := strings.ToLower(strings.Trim(strings.Fields(tag)[0], "</>"))
			if !known[name] || strings.Contains(tag, "onerror") && !strings.Contains(tag, "&lt;") {
				t.Fatalf("seed %d: %s", seed, tag)
			}
		}
	}
}

// A code block ends where the writer ends it, and a mention or a tag stands
// in code alone.
func TestMarkdownHoldsNoForeignMarkup(t *testing.T) {
	for seed := range int64(60) {
		r := rand.New(rand.NewSource(seed))
		var b bytes.Buffer
		if err := compare(t, stream(t, r), stream(t, r)).Markdown(&b, Style{Escape: quote}); err != nil {
			t.Fatal(err)
		}
		outside := stripCode(t, b.String())
		for _, bad := range []string{"@", "script>", "<img", "](", "**bold", "evil"} {
			if strings.Contains(outside, bad) {
				t.Fatalf("seed %d: %q stands outside of code:\n%s\n----\n%s", seed, bad, outside, b.String())
			}
		}
		if strings.Count(outside, "<details>") != strings.Count(outside, "</details>") {
			t.Fatalf("seed %d: details do not close:\n%s", seed, outside)
		}
	}
}

// stripCode takes out what CommonMark takes for code: fenced blocks, and
// spans between two runs of backquotes of one length.
func stripCode(t *testing.T, text string) string {
	t.Helper()
	var out []string
	fence := ""
	for _, line := range strings.Split(text, "\n") {
		if trimmed := strings.TrimLeft(line, " "); fence != "" && len(line)-len(trimmed) < 4 {
			line = trimmed // a fence may be indented by that much
		}
		run := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		switch {
		case fence == "" && len(run) >= 3 && line == run+"diff":
			fence = run
			continue
		case fence != "":
			if len(run) >= len(fence) && strings.TrimSpace(line) == run {
				fence = ""
			}
			continue
		}
		for {
			start := strings.Index(line, "`")
			if start < 0 {
				break
			}
			n := len(line[start:]) - len(strings.TrimLeft(line[start:], "`"))
			end := -1
			for at := start + n; at < len(line); {
				if line[at] != '`' {
					at++
					continue
				}
				m := len(line[at:]) - len(strings.TrimLeft(line[at:], "`"))
				if m == n {
					end = at + m
					break
				}
				at += m
			}
			if end < 0 {
				t.Fatalf("a code span does not end: %q", line)
			}
			line = line[:start] + line[end:]
		}
		out = append(out, line)
	}
	if fence != "" {
		t.Fatalf("a fence does not end:\n%s", text)
	}
	return strings.Join(out, "\n")
}

func TestFences(t *testing.T) {
	m := marker{Style{Escape: quote}}
	if got := stripCode(t, m.block("", []string{" ```", "@team", "+````"})); strings.Contains(got, "@") {
		t.Error(got)
	}
	for _, text := range []string{"`", "``", "a`b", " ", "", "`a``"} {
		if got := stripCode(t, m.code(text)); got != "" {
			t.Errorf("%q: %q is left of %q", text, got, m.code(text))
		}
	}
}

// A terminal gets lines of what is printable, and nothing of color but what
// the style paints.
func TestTextIsPrintable(t *testing.T) {
	for seed := range int64(40) {
		r := rand.New(rand.NewSource(seed))
		var b bytes.Buffer
		p := Pair{Name: "a\x1b[31m", Before: side(t, "b\x1b[0m", stream(t, r)), After: side(t, "\u202ec", stream(t, r))}
		if err := comparePair(t, p).Text(&b, Style{Escape: quote, Full: true}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if line = strings.TrimSuffix(line, "\n"); quote(line) != line {
				t.Fatalf("seed %d: %q", seed, line)
			}
		}
	}
}

// Under a limit, Markdown loses details first, then names, never its count.
func TestMarkdownLimit(t *testing.T) {
	var before, after strings.Builder
	for i := range 50 {
		fmt.Fprintf(&before, cm, fmt.Sprintf("a%d", i), "x")
		fmt.Fprintf(&after, cm, fmt.Sprintf("a%d", i), "z")
	}
	r := compare(t, strings.TrimSuffix(before.String(), "---\n"), strings.TrimSuffix(after.String(), "---\n"))
	for limit, want := range map[int]string{0: "data.text", 1 << 20: "data.text", 5000: "details are left out", 400: "objects are left out"} {
		var b bytes.Buffer
		if err := r.Markdown(&b, Style{Escape: quote, Limit: limit}); err != nil {
			t.Fatal(err)
		}
		if limit > 0 && b.Len() > limit || !strings.Contains(b.String(), want) || !strings.Contains(b.String(), "50 changed") {
			t.Errorf("limit %d: %d bytes\n%.600s", limit, b.Len(), b.String())
		}
		if limit == 5000 && !strings.Contains(b.String(), "ConfigMap shop/a49") {
			t.Errorf("limit %d: names are missing", limit)
		}
	}
}
