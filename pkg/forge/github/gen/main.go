// Command gen takes GitHub's description of its API, as the npm package
// @octokit/openapi has it, and writes what the tests of pkg/forge/github hold
// requests and answers to: the paths in use and the schemas that they refer
// to, without texts and examples.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// used are the operations that sluice and the fake know.
var used = map[string][]string{
	"/app/installations/{installation_id}/access_tokens":        {"post"},
	"/repos/{owner}/{repo}":                                     {"get"},
	"/repos/{owner}/{repo}/branches/{branch}":                   {"get"},
	"/repos/{owner}/{repo}/branches/{branch}/protection":        {"get"},
	"/repos/{owner}/{repo}/rules/branches/{branch}":             {"get"},
	"/repos/{owner}/{repo}/rulesets/{ruleset_id}":               {"get"},
	"/repos/{owner}/{repo}/collaborators/{username}/permission": {"get"},
	"/repos/{owner}/{repo}/commits/{ref}/check-runs":            {"get"},
	"/repos/{owner}/{repo}/commits/{ref}/status":                {"get"},
	"/repos/{owner}/{repo}/git/ref/{ref}":                       {"get"},
	"/repos/{owner}/{repo}/git/refs/{ref}":                      {"patch"},
	"/repos/{owner}/{repo}/issues/{issue_number}/labels":        {"post"},
	"/repos/{owner}/{repo}/pulls":                               {"get", "post"},
	"/repos/{owner}/{repo}/pulls/{pull_number}":                 {"get", "patch"},
	"/repos/{owner}/{repo}/pulls/{pull_number}/reviews":         {"get"},
	"/repos/{owner}/{repo}/statuses/{sha}":                      {"post"},
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: gen PACKAGE NAME FILE: NAME is api.github.com, ghes-3.17, ...")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(dir, name, file string) error {
	data, err := os.ReadFile(filepath.Join(dir, "generated", name+".json"))
	if err != nil {
		return err
	}
	var all map[string]any
	if err := json.Unmarshal(data, &all); err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	var about struct{ Name, Version string }
	if data, err = os.ReadFile(filepath.Join(dir, "package.json")); err == nil {
		err = json.Unmarshal(data, &about)
	}
	if err != nil {
		return err
	}
	notice, err := os.ReadFile(filepath.Join(dir, "LICENSE"))
	if err != nil {
		return err
	}
	t := trimmer{all: all, kept: map[string]any{}}
	paths, err := t.paths()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	info, _ := all["info"].(map[string]any)
	out := map[string]any{
		"openapi":    all["openapi"],
		"info":       map[string]any{"title": fmt.Sprint(info["title"]), "version": fmt.Sprint(info["version"])},
		"x-from":     fmt.Sprintf("%s of %s %s, trimmed", name, about.Name, about.Version),
		"x-license":  strings.Split(strings.TrimSpace(string(notice)), "\n"),
		"paths":      paths,
		"components": t.components(),
	}
	text, err := encode(out)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o644)
}

// encode writes one line for each path and component, so that a diff tells
// which of them has changed.
func encode(v map[string]any) ([]byte, error) {
	var b bytes.Buffer
	var object func(v map[string]any, depth int) error
	object = func(v map[string]any, depth int) error {
		b.WriteString("{\n")
		for i, key := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b.WriteString(",\n")
			}
			fmt.Fprintf(&b, "%q: ", key)
			inner, ok := v[key].(map[string]any)
			if ok && (depth == 0 && key != "info" || depth == 1 && key != "info" && strings.Contains("schemas parameters responses", key)) {
				if err := object(inner, depth+1); err != nil {
					return err
				}
				continue
			}
			data, err := json.Marshal(v[key])
			if err != nil {
				return err
			}
			b.Write(data)
		}
		b.WriteString("\n}")
		return nil
	}
	err := object(v, 0)
	b.WriteByte('\n')
	return b.Bytes(), err
}

// trimmer collects what the kept parts refer to.
type trimmer struct {
	all  map[string]any
	kept map[string]any // by reference, #/components/...
}

func (t *trimmer) paths() (map[string]any, error) {
	paths, _ := t.all["paths"].(map[string]any)
	out := map[string]any{}
	for path, methods := range used {
		from, _ := paths[path].(map[string]any)
		to := map[string]any{}
		if shared, ok := from["parameters"]; ok {
			to["parameters"] = t.trim(shared, false)
		}
		for _, m := range methods {
			operation, ok := from[m].(map[string]any)
			if !ok {
				return nil, fmt.Errorf("there is no %s %s", m, path)
			}
			kept := map[string]any{}
			for _, key := range []string{"parameters", "requestBody", "responses"} {
				if v, ok := operation[key]; ok {
					kept[key] = t.trim(v, false)
				}
			}
			to[m] = kept
		}
		out[path] = to
	}
	return out, nil
}

// noise is what checks nothing.
var noise = []string{"description", "summary", "title", "example", "examples", "externalDocs", "deprecated", "headers", "links", "default"}

// trim copies a value without noise and without extensions. In an object of
// properties every key is a name.
func (t *trimmer) trim(v any, names bool) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = t.trim(inner, false)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for key, inner := range v {
			if !names && (slices.Contains(noise, key) || strings.HasPrefix(key, "x-")) {
				continue
			}
			out[key] = t.trim(inner, !names && key == "properties")
		}
		if _, response := v["content"]; response && v["description"] != nil {
			out["description"] = "" // which OpenAPI demands
		}
		if ref, ok := v["$ref"].(string); ok && !names {
			t.keep(ref)
		}
		return out
	}
	return v
}

// keep takes over what is referred to.
func (t *trimmer) keep(ref string) {
	if _, done := t.kept[ref]; done {
		return
	}
	t.kept[ref] = nil
	var at any = t.all
	for _, key := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		m, _ := at.(map[string]any)
		at = m[key]
	}
	t.kept[ref] = t.trim(at, false)
}

func (t *trimmer) components() map[string]any {
	out := map[string]any{}
	for ref, v := range t.kept {
		parts := strings.Split(ref, "/") // #, components, kind, name
		kind, _ := out[parts[2]].(map[string]any)
		if kind == nil {
			kind = map[string]any{}
			out[parts[2]] = kind
		}
		kind[parts[3]] = v
	}
	return out
}
