package render

import (
	"context"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/source"
)

// kustomize builds one directory: first the gate, then a worker. What is wrong
// with the sources is a finding; the error is of the machine or of ctx.
func (l *Lane) kustomize(ctx context.Context, fs *source.FS, e Entry, dir string) (manifest.Set, finding.List, error) {
	g := newGate(newView(fs), l.pool.limits, l.pool.memo)
	real, err := fs.Resolve(dir)
	if err != nil {
		return nil, finding.List{pathFinding(fs, e.File, e.Line, err)}, nil
	}
	g.top(real, ref{e.File, e.Line})
	if len(g.list) > 0 {
		return nil, g.list, nil
	}
	b := &build{pool: l.pool, lane: l, gate: g, entry: e, top: g.kusts[real]}
	set, err := b.run(ctx)
	return set, b.list, err
}

// build is one kustomization that passed the gate.
type build struct {
	pool  *Pool
	lane  *Lane
	gate  *gate
	entry Entry
	top   *kustomization
	list  finding.List
}

func (b *build) run(ctx context.Context) (manifest.Set, error) {
	if marked := b.tags(); marked != nil {
		out, err := b.send(ctx, marked)
		if err != nil || out.failed == nil {
			return b.finish(out, nil, err)
		}
		// Whatever failed must not have failed because of the marks.
	}
	out, err := b.send(ctx, nil)
	if err != nil || out.failed != nil || out.dead != "" {
		return b.finish(out, nil, err)
	}
	changed, err := withOrigins(b.top)
	if err != nil {
		return b.finish(out, nil, nil)
	}
	second, err := b.send(ctx, map[string][]byte{b.top.real: changed})
	if err != nil {
		return nil, err
	}
	notes := map[manifest.ID]string{}
	nodes, err := unpackResult(second.objects)
	for _, n := range nodes {
		notes[identity(n)] = noted(n, b.top.dir)
	}
	return b.finish(out, notes, err)
}

// shared tells whether a resource file is also read for something else, where
// a mark in it would do harm.
func (b *build) shared() bool {
	for _, uses := range b.gate.uses {
		if uses[useResource] && len(uses) > 1 {
			return true
		}
	}
	for _, k := range b.gate.kusts {
		if len(b.gate.uses[k.real]) > 0 {
			return true
		}
	}
	return false
}

// tags gives the files that carry marks in place of those of the repository;
// nil if the build could see them.
func (b *build) tags() map[string][]byte {
	if b.gate.exact || b.gate.rooted && b.gate.rekinds || b.shared() {
		return nil
	}
	changed := map[string][]byte{}
	for file, uses := range b.gate.uses {
		data := b.gate.view.data[file]
		if !uses[useResource] || data == nil {
			continue
		}
		r := b.pool.memo.get(useResource, file, data, func() *reading { return read(useResource, file, data) })
		marked := r.tagged
		if b.gate.rooted {
			marked = r.rooted
		}
		if marked == nil {
			return nil
		}
		changed[file] = marked
	}
	for _, k := range b.gate.kusts {
		if manifest.Field(k.node, "configMapGenerator") == nil && manifest.Field(k.node, "secretGenerator") == nil {
			continue
		}
		if data, err := taggedGenerators(k); err == nil {
			changed[k.real] = data
		}
	}
	return changed
}

// send has a worker build, with some files changed.
func (b *build) send(ctx context.Context, changed map[string][]byte) (outcome, error) {
	l := b.pool.limits
	v := b.gate.view
	req := request{
		dir: b.top.dir, managed: mentions(manifest.Field(b.top.node, "buildMetadata"), "managedbylabel"),
		cpu: int(l.CPU.Seconds()), output: int(l.Output), objects: l.Objects,
		known: v.known, files: make(map[string][]byte, len(v.data)),
	}
	serve := func(real string, data []byte) []byte {
		if edited, ok := changed[real]; ok {
			return edited
		}
		return data
	}
	for real, data := range v.data {
		req.files[real] = serve(real, data)
	}
	return b.lane.build(ctx, req, b.gate.alone, func(name string) answer {
		a := v.answer(name)
		a.data = serve(a.real, a.data)
		return a
	})
}

// finish turns an outcome into objects with their origins, or into findings.
func (b *build) finish(out outcome, notes map[manifest.ID]string, err error) (manifest.Set, error) {
	if err != nil {
		return nil, err
	}
	if out.failed != nil && out.failed.reason == failedBuild {
		b.list = append(b.list, b.explain(out.failed.text))
		return nil, nil
	}
	if text := b.trouble(out); text != "" {
		b.list.Add(b.top.file, 0, text, "")
		return nil, nil
	}
	nodes, err := unpackResult(out.objects)
	if err != nil {
		b.list.Add(b.top.file, 0, "crashed kustomize", "")
		return nil, nil
	}
	var set manifest.Set
	for _, n := range nodes {
		origin := b.origin(n, notes)
		if manifest.Field(n, "sops", "mac") != nil {
			if o := b.signed(n, origin); o != nil {
				set = append(set, o)
			}
		} else if o := manifest.New(n, origin, &b.list); o != nil {
			set = append(set, o)
		}
	}
	return set, nil
}

// trouble says why there are no objects, or "".
func (b *build) trouble(out outcome) string {
	switch {
	case out.dead != "":
		return out.dead
	case out.failed == nil:
		return ""
	case out.failed.reason == failedPanic:
		return "crashed kustomize: " + redact(out.failed.text, b.gate.secrets)
	case out.failed.reason == failedOutput:
		return overOutput(b.pool.limits)
	case out.failed.reason == failedObjects:
		return fmt.Sprintf("exceeded the limit of %d objects", b.pool.limits.Objects)
	}
	return "kustomize: " + redact(out.failed.text, b.gate.secrets)
}

func unpackResult(payload []byte) ([]*yaml.Node, error) {
	u := unpacker{b: payload}
	nodes := make([]*yaml.Node, 0, u.count())
	for range cap(nodes) {
		nodes = append(nodes, u.node(maxDepth+1))
	}
	return nodes, u.err
}

// origin tells where an object came from: by its mark, by kustomize's note, or
// else by what only one file of the build can have defined.
func (b *build) origin(n *yaml.Node, notes map[manifest.ID]string) manifest.Origin {
	o := manifest.Origin{Entry: b.entry.Path, File: b.top.file}
	if m, ok := parseMark(untag(n, tagAnnotation)); ok {
		o.File, o.Line, o.Doc = m.file, m.line, m.doc
		return o
	}
	file := notes[identity(n)]
	if file != "" {
		if a, err := b.gate.view.find(file); err == nil && a.kind == leadsToFile {
			file = a.real
		}
		o.File = file
	}
	if d := b.source(n, file); d != nil {
		o.File, o.Line, o.Doc = d.file, d.line, d.doc
	}
	return o
}

// source gives the one object of the build's resource files (of one file, if
// that is known) that n can have been made of; nil if that is not certain. An
// equal name decides; otherwise only one may be left that a prefix or suffix
// can have made into n's.
func (b *build) source(n *yaml.Node, file string) *docInfo {
	kind, name := text(manifest.Field(n, "kind")), text(manifest.Field(n, "metadata", "name"))
	var equal, longer []*docInfo
	for i := range b.gate.docs {
		d := &b.gate.docs[i]
		switch {
		case d.kind != kind || file != "" && d.file != file:
		case d.name == name:
			equal = append(equal, d)
		case strings.Contains(name, d.name):
			longer = append(longer, d)
		}
	}
	switch {
	case len(equal) == 1:
		return equal[0]
	case len(equal) == 0 && len(longer) == 1:
		return longer[0]
	}
	return nil
}

func identity(n *yaml.Node) manifest.ID {
	return manifest.ID{
		Group: manifest.Group(text(manifest.Field(n, "apiVersion"))), Kind: text(manifest.Field(n, "kind")),
		Namespace: text(manifest.Field(n, "metadata", "namespace")), Name: text(manifest.Field(n, "metadata", "name")),
	}
}
