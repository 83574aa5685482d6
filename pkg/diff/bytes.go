package diff

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aymanbagabas/go-udiff"
	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/manifest"
)

// maxBytes is the largest file whose lines are compared.
const maxBytes = 1 << 20

// Bytes gives the lines of a unified diff of a file, or why there are none. A
// nil side is a file that is not there. Values of Secrets are replaced by
// numbers before anything is compared, equal values by equal ones; whatever
// might be a Secret and cannot be read as one is not shown.
func Bytes(file string, before, after []byte) (lines []string, withheld string) {
	if max(len(before), len(after)) > maxBytes {
		return nil, fmt.Sprintf("over %d MiB: not shown", maxBytes>>20)
	}
	a, b, withheld := presentable(file, before, after)
	if withheld != "" {
		return nil, withheld
	}
	for _, text := range []string{a, b} {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return nil, "not text: not shown"
		}
	}
	u, err := udiff.ToUnifiedDiff("", "", a, udiff.Lines(a, b), 3)
	if err != nil || len(u.Hunks) == 0 {
		return nil, "differs in nothing that can be shown"
	}
	marks := map[udiff.OpKind]string{udiff.Delete: "-", udiff.Insert: "+", udiff.Equal: " "}
	for _, h := range u.Hunks {
		lines = append(lines, fmt.Sprintf("@@ -%d +%d @@", h.FromLine, h.ToLine))
		for _, l := range h.Lines {
			text, ended := strings.CutSuffix(l.Content, "\n")
			if lines = append(lines, marks[l.Kind]+text); !ended {
				lines = append(lines, `\ no newline at the end`)
			}
		}
	}
	return lines, ""
}

// presentable gives both sides as they may be shown.
func presentable(file string, before, after []byte) (a, b, withheld string) {
	x, xKnown := parseSide(file, before)
	y, yKnown := parseSide(file, after)
	secret := func(o *manifest.Object) bool { return o.ID.Kind == "Secret" }
	switch {
	case slices.ContainsFunc(x, secret), slices.ContainsFunc(y, secret):
		if !xKnown || !yKnown {
			return "", "", "holds a Secret: not shown"
		}
		// A value is no less secret in what the Secret was turned into.
		m := numbering{}
		return m.text(x), m.text(y), ""
	case !xKnown && maybeSecret(file, before), !yKnown && maybeSecret(file, after):
		return "", "", "may hold a Secret: not shown"
	}
	return string(before), string(after), ""
}

// parseSide gives the objects of one side; known tells that there are no others.
func parseSide(file string, data []byte) (set manifest.Set, known bool) {
	if len(data) == 0 {
		return nil, true
	}
	set, err := manifest.Parse(file, data)
	return set, err == nil
}

var (
	secretKind = regexp.MustCompile(`(?i)kind["']?\s*:\s*["']?secret\b`)
	secretData = regexp.MustCompile(`(?i)data["']?\s*:`)
)

// maybeSecret judges a file that holds no objects that can be read. Records
// and lists name Secrets, too, but have no data.
func maybeSecret(file string, data []byte) bool {
	return strings.HasPrefix(path.Base(file), "secret") || secretKind.Match(data) && secretData.Match(data)
}

// numbering stands for the values of the objects beside a Secret.
type numbering map[string]int

// text prints objects with nothing readable but what names them.
func (m numbering) text(set manifest.Set) string {
	var out bytes.Buffer
	for i, o := range set {
		if i > 0 {
			out.WriteString("---\n")
		}
		data, err := manifest.EncodeNode(m.node(o.Node, ""))
		if err != nil {
			data = []byte("# not shown\n")
		}
		out.Write(data)
	}
	return out.String()
}

// node copies a node, each scalar replaced by its number.
func (m numbering) node(n *yaml.Node, at string) *yaml.Node {
	out := *n
	out.Content = nil
	for i, c := range n.Content {
		switch {
		case n.Kind != yaml.MappingNode:
			out.Content = append(out.Content, m.node(c, at+"."))
		case i%2 == 0:
			out.Content = append(out.Content, c)
		default:
			out.Content = append(out.Content, m.node(c, at+"."+n.Content[i-1].Value))
		}
	}
	if n.Kind != yaml.ScalarNode {
		return &out
	}
	switch at {
	case ".apiVersion", ".kind", ".type", ".metadata.name", ".metadata.namespace":
		return &out
	}
	if m[n.Value] == 0 {
		m[n.Value] = len(m) + 1
	}
	out.Tag, out.Value = "!!str", fmt.Sprintf("(value %d)", m[n.Value])
	return &out
}
