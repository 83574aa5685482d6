package inject

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/edit"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/inject/conduit"
	"github.com/sluice-dev/sluice/pkg/manifest"
)

// Report is what became of one workload of a stream.
type Report struct {
	Line     int // of its document in the file
	Object   string
	Injected bool
	Reason   string // why it was left alone
}

// Stream puts the proxy into every workload of a YAML or JSON stream that the
// release injects. All other bytes stay as they are: separators, comments,
// the order of keys, documents that are not injected. The error is a
// finding.List.
func Stream(file string, data []byte, injector *conduit.Injector) ([]byte, []Report, error) {
	w := streamer{file: file, data: data, lists: injects(injector, "StatefulSet")}
	out, err := w.each(func(line int, obj *yaml.Node) error {
		result, err := injector.Inject(obj)
		if err != nil {
			return err
		}
		w.replaced = w.replaced || result.Status == conduit.Injected && result.Replaced != ""
		if result.Status != conduit.Skipped || podKinds[value(obj, "kind")] {
			w.reports = append(w.reports, Report{Line: line, Object: name(obj), Injected: result.Status != conduit.Skipped, Reason: result.Reason})
		}
		return nil
	})
	return out, w.reports, err
}

// Uninject takes every proxy that a release of conduit put in out of a
// stream, and leaves all other bytes as they are.
func Uninject(file string, data []byte) ([]byte, []Report, error) {
	w := streamer{file: file, data: data, lists: true}
	out, err := w.each(func(line int, obj *yaml.Node) error {
		if conduit.Strip(obj) {
			w.reports = append(w.reports, Report{Line: line, Object: name(obj)})
		}
		return nil
	})
	return out, w.reports, err
}

// injects tells whether a release injects a kind. Lists are unpacked from the
// release on that injects StatefulSets.
func injects(injector *conduit.Injector, kind string) bool {
	for _, k := range injector.Kinds() {
		if k == kind {
			return true
		}
	}
	return false
}

// streamer changes the objects of a stream in their text.
type streamer struct {
	file    string
	data    []byte
	lists   bool // unpack Lists
	reports []Report
	list    finding.List

	first    int  // line of the file where the text of the document at hand begins
	replaced bool // a proxy of the document at hand gave way to another
}

// each calls change for every object, which edits it in place, and gives the
// stream with those edits.
func (w *streamer) each(change func(line int, obj *yaml.Node) error) ([]byte, error) {
	docs, err := manifest.Documents(w.file, w.data)
	if err != nil {
		return nil, err
	}
	lines := bytes.SplitAfter(w.data, []byte("\n"))
	var out bytes.Buffer
	next := 1
	for _, d := range docs {
		if d.Node.Kind != yaml.MappingNode {
			w.list.Add(w.file, d.Line, "not a Kubernetes object", "")
			continue
		}
		out.Write(bytes.Join(lines[next-1:d.First-1], nil))
		text := bytes.Join(lines[d.First-1:min(d.Next-1, len(lines))], nil)
		next = d.Next
		changed, err := w.document(d, text, change)
		if err != nil {
			return nil, err
		}
		out.Write(changed)
	}
	if next <= len(lines) {
		out.Write(bytes.Join(lines[next-1:], nil))
	}
	return out.Bytes(), w.list.Err()
}

// document changes the objects of one document.
func (w *streamer) document(d manifest.Document, text []byte, change func(int, *yaml.Node) error) ([]byte, error) {
	var parsed yaml.Node
	if err := yaml.Unmarshal(text, &parsed); err != nil {
		return nil, finding.Finding{File: w.file, Line: d.Line, Text: err.Error()}
	}
	root := manifest.Plain(&parsed)
	w.first, w.replaced = d.First, false
	w.object(d.Line, root, change)
	if same(manifest.Plain(&parsed), root) || len(w.list) > 0 {
		return text, nil
	}
	if w.replaced {
		// By way of the text without a proxy, so that what another release
		// left of its form does not show.
		bare := manifest.Plain(&parsed)
		w.object(d.Line, bare, func(_ int, obj *yaml.Node) error {
			conduit.Strip(obj)
			return nil
		})
		var err error
		if text, _, err = edit.Document(text, bare); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", w.file, d.Line, err)
		}
	}
	out, _, err := edit.Document(text, root)
	if err != nil {
		return nil, fmt.Errorf("%s:%d: %w", w.file, d.Line, err)
	}
	return out, nil
}

// object changes one object, or the items of a List.
func (w *streamer) object(line int, obj *yaml.Node, change func(int, *yaml.Node) error) {
	items := manifest.Field(obj, "items")
	if w.lists && value(obj, "kind") == "List" && items != nil && items.Kind == yaml.SequenceNode {
		for _, item := range items.Content {
			if item.Kind == yaml.MappingNode {
				w.object(line, item, change)
			}
		}
		return
	}
	err := change(line, obj)
	for _, e := range each(err) {
		hint, line := "", line
		var fault *conduit.WorkloadError
		if errors.As(e, &fault) {
			hint = fault.Hint
			if fault.Line > 0 {
				line = w.first + fault.Line - 1
			}
		}
		w.list.Add(w.file, line, name(obj)+": "+e.Error(), hint)
	}
}

func value(obj *yaml.Node, path ...string) string {
	if f := manifest.Field(obj, path...); f != nil && f.Kind == yaml.ScalarNode {
		return f.Value
	}
	return ""
}

// name says which object it is, as far as it says so itself.
func name(obj *yaml.Node) string {
	parts := []string{value(obj, "kind")}
	if n := value(obj, "metadata", "name"); n != "" {
		if ns := value(obj, "metadata", "namespace"); ns != "" {
			n = ns + "/" + n
		}
		parts = append(parts, n)
	} else if g := value(obj, "metadata", "generateName"); g != "" {
		parts = append(parts, g+"*")
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

// same tells whether two nodes mean the same.
func same(a, b *yaml.Node) bool {
	if a.Kind != b.Kind || a.Value != b.Value || a.ShortTag() != b.ShortTag() || len(a.Content) != len(b.Content) {
		return false
	}
	for i := range a.Content {
		if !same(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}
