// Command gen writes ../testdata/crds.yaml: what the engines' own definitions,
// as their modules publish them, say of the fields that pkg/export writes. A
// field that is left out here is refused by the tests, like one that there is
// not. kluctl's module is not to be had from every proxy: its definition is
// written by hand, in ../testdata/kluctl.crd.yaml.
//
// Run it in its own directory: go run .
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// definition is a CustomResourceDefinition in a module, all of which are under
// the Apache License 2.0, and the fields to keep. A field is kept with all that
// is below it, unless the list goes on below it.
type definition struct {
	module, file string
	keep         []string
}

func definitions() []definition {
	return []definition{
		{
			"github.com/fluxcd/source-controller@v1.8.5", "config/crd/bases/source.toolkit.fluxcd.io_gitrepositories.yaml",
			[]string{"spec.interval", "spec.ref", "spec.secretRef", "spec.suspend", "spec.timeout", "spec.url"},
		},
		{
			"github.com/fluxcd/kustomize-controller@v1.7.3", "config/crd/bases/kustomize.toolkit.fluxcd.io_kustomizations.yaml",
			[]string{
				"spec.dependsOn", "spec.healthChecks", "spec.interval", "spec.path", "spec.prune", "spec.serviceAccountName",
				"spec.sourceRef", "spec.suspend", "spec.targetNamespace", "spec.timeout", "spec.wait",
			},
		},
		{
			"github.com/argoproj/argo-cd/v3@v3.1.9", "manifests/crds/application-crd.yaml",
			[]string{
				"spec.destination", "spec.project", "spec.source.path", "spec.source.repoURL", "spec.source.targetRevision",
				"spec.syncPolicy.automated", "spec.syncPolicy.syncOptions",
			},
		},
	}
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	out := []byte("# Written by pkg/export/gen.\n")
	for _, d := range definitions() {
		data, err := d.read()
		if err != nil {
			return err
		}
		var crd yaml.Node
		if err := yaml.Unmarshal(data, &crd); err != nil {
			return fmt.Errorf("reading %q: %w", d.file, err)
		}
		doc, err := d.trim(crd.Content[0])
		if err != nil {
			return fmt.Errorf("trimming %q: %w", d.file, err)
		}
		var b bytes.Buffer
		fmt.Fprintf(&b, "---\n# From %s of %s, Apache License 2.0, trimmed.\n", d.file, strings.Replace(d.module, "@", " ", 1))
		enc := yaml.NewEncoder(&b)
		enc.SetIndent(2)
		enc.CompactSeqIndent()
		if err := errors.Join(enc.Encode(doc), enc.Close()); err != nil {
			return err
		}
		out = append(out, b.Bytes()...)
	}
	return os.WriteFile(filepath.Join("..", "testdata", "crds.yaml"), out, 0o600)
}

// read gets the module by way of the go command and gives the file.
func (d definition) read() ([]byte, error) {
	cmd := exec.Command("go", "mod", "download", "-json", d.module)
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod")
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("downloading %q: %w: %s", d.module, err, text)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(text, &module); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(module.Dir, filepath.FromSlash(d.file)))
}

// trim gives the definition with the version that is stored and the fields to
// keep, without what is said of them.
func (d definition) trim(crd *yaml.Node) (any, error) {
	for _, v := range at(crd, "spec", "versions").Content {
		if at(v, "storage").Value != "true" {
			continue
		}
		schema := at(v, "schema", "openAPIV3Schema")
		if err := prune(schema, "", d.keep); err != nil {
			return nil, err
		}
		return map[string]any{
			"apiVersion": at(crd, "apiVersion"), "kind": at(crd, "kind"),
			"metadata": map[string]any{"name": at(crd, "metadata", "name")},
			"spec": map[string]any{
				"group": at(crd, "spec", "group"), "names": at(crd, "spec", "names"), "scope": at(crd, "spec", "scope"),
				"versions": []any{map[string]any{
					"name": at(v, "name"), "served": true, "storage": true, "schema": map[string]any{"openAPIV3Schema": schema},
				}},
			},
		}, nil
	}
	return nil, errors.New("no version is stored")
}

// prune takes out of the schema at a path what is not kept.
func prune(schema *yaml.Node, path string, keep []string) error {
	said := schema.Content
	schema.Content = nil
	for i := 0; i < len(said); i += 2 {
		key, value := said[i], said[i+1]
		switch {
		case key.Value == "description":
			continue
		case key.Value == "properties":
			if err := pruneFields(value, path, keep); err != nil {
				return err
			}
		case value.Kind == yaml.MappingNode:
			if err := prune(value, path, keep); err != nil {
				return err
			}
		}
		schema.Content = append(schema.Content, key, value)
	}
	return nil
}

func pruneFields(fields *yaml.Node, path string, keep []string) error {
	said := fields.Content
	fields.Content = nil
	for i := 0; i < len(said); i += 2 {
		name := strings.TrimPrefix(path+"."+said[i].Value, ".")
		kept, whole := path == "" && name != "spec" && name != "status" && name != "operation", false
		for _, k := range keep {
			whole = whole || name == k || strings.HasPrefix(name, k+".")
			kept = kept || whole || strings.HasPrefix(k, name+".")
		}
		if !kept {
			continue
		}
		if err := prune(said[i+1], name, keep); err != nil {
			return err
		}
		fields.Content = append(fields.Content, said[i], said[i+1])
	}
	if path == "spec" && len(fields.Content) == 0 {
		return errors.New("nothing is left of spec")
	}
	return nil
}

// at gives what stands at keys of a mapping; an empty node if nothing does.
func at(n *yaml.Node, keys ...string) *yaml.Node {
	for _, key := range keys {
		found := &yaml.Node{Kind: yaml.ScalarNode}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				found = n.Content[i+1]
			}
		}
		n = found
	}
	return n
}
