package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/inject/conduit"
)

// node is a JSON Schema.
type node struct {
	Schema      string           `json:"$schema,omitempty"`
	Title       string           `json:"title,omitempty"`
	Description string           `json:"description,omitempty"`
	Type        string           `json:"type,omitempty"`
	AnyOf       []*node          `json:"anyOf,omitempty"`
	Enum        []string         `json:"enum,omitempty"`
	Pattern     string           `json:"pattern,omitempty"`
	Minimum     *int64           `json:"minimum,omitempty"`
	Maximum     *int64           `json:"maximum,omitempty"`
	Items       *node            `json:"items,omitempty"`
	MinItems    *int             `json:"minItems,omitempty"`
	MaxItems    *int             `json:"maxItems,omitempty"`
	Properties  map[string]*node `json:"properties,omitempty"`
	Required    []string         `json:"required,omitempty"`
	// AdditionalProperties is false, or what the values of free keys are.
	AdditionalProperties any `json:"additionalProperties,omitempty"`
}

// schema gives the JSON Schema of sluice.yaml: the shape from the types, the
// descriptions from the comments beside their fields.
func schema(root string) ([]byte, error) {
	said, err := comments(filepath.Join(root, "pkg", "config", "types.go"))
	if err != nil {
		return nil, err
	}
	top, err := describe(reflect.TypeFor[config.Config](), said)
	if err != nil {
		return nil, err
	}
	top.Schema, top.Title = "http://json-schema.org/draft-07/schema#", "sluice.yaml"
	narrow(top)
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err = enc.Encode(top)
	return b.Bytes(), err
}

func describe(t reflect.Type, said map[string]string) (*node, error) {
	switch t {
	case reflect.TypeFor[config.Apply]():
		exec, err := describe(reflect.TypeFor[config.Exec](), said)
		program := &node{Type: "object", Properties: map[string]*node{"exec": exec}, Required: []string{"exec"}, AdditionalProperties: false}
		return &node{AnyOf: []*node{{Type: "string"}, program}}, err
	case reflect.TypeFor[config.MaxSkew]():
		two := 2
		pair := &node{Type: "array", Items: &node{Type: "string"}, MinItems: &two, MaxItems: &two}
		return &node{AnyOf: []*node{{Type: "string", Enum: []string{"none"}}, {Type: "array", Items: pair}}}, nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		return describe(t.Elem(), said)
	case reflect.String:
		return &node{Type: "string"}, nil
	case reflect.Bool:
		return &node{Type: "boolean"}, nil
	case reflect.Int64:
		return &node{Type: "integer"}, nil
	case reflect.Uint32: // the type of TCP ports
		low, high := int64(1), int64(65535)
		return &node{Type: "integer", Minimum: &low, Maximum: &high}, nil
	case reflect.Map:
		values, err := describe(t.Elem(), said)
		return &node{Type: "object", AdditionalProperties: values}, err
	case reflect.Slice:
		items, err := describe(t.Elem(), said)
		return &node{Type: "array", Items: items}, err
	case reflect.Struct:
		n := &node{Type: "object", Properties: map[string]*node{}, AdditionalProperties: false}
		for i := range t.NumField() {
			f := t.Field(i)
			key := f.Tag.Get("yaml")
			if key == "" {
				continue
			}
			p, err := describe(f.Type, said)
			if err != nil {
				return nil, err
			}
			p.Description = said[t.Name()+"."+f.Name]
			n.Properties[key] = p
		}
		return n, nil
	}
	return nil, fmt.Errorf("no schema for the type %s", t)
}

// narrow adds what the types do not say.
func narrow(top *node) {
	const label = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
	top.Properties["secrets"].Enum = []string{"refuse", "allow"}
	top.Properties["export"].Properties["into"].Enum = []string{"env"}
	forge := top.Properties["forge"]
	forge.Properties["type"].Enum = []string{"github", "gitlab", "gitea", "none"}
	forge.Properties["app"].Required = []string{"id", "installation"}
	notify := top.Properties["notify"].Items
	notify.Required = []string{"webhook"}
	notify.Properties["events"].Items.Enum = config.Events()
	notify.Properties["webhook"].Required = []string{"urlFrom"}
	notify.Properties["webhook"].Properties["form"].Enum = []string{"json", "slack"}
	app := top.Properties["apps"].Items
	for _, n := range []*node{app, top.Properties["environments"].Items} {
		n.Required = []string{"name"}
		n.Properties["name"].Pattern = label
	}
	for _, pin := range []*node{top.Properties["conduit"], app.Properties["conduit"]} {
		pin.Required = []string{"version"}
		pin.Properties["version"].Enum = conduit.Releases()
		pin.Properties["imagePullPolicy"].Enum = []string{"Always", "IfNotPresent", "Never"}
		pin.Properties["tls"].Enum = []string{"", "optional"}
	}
}

// comments gives the line comment of every field, as Type.Field.
func comments(file string) (map[string]string, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	said := map[string]string{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if s, ok := spec.Type.(*ast.StructType); ok {
			for _, f := range s.Fields.List {
				said[spec.Name.Name+"."+f.Names[0].Name] = strings.TrimSpace(f.Comment.Text())
			}
		}
		return false
	})
	return said, nil
}
