package diff

import (
	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/manifest"
)

// notes gives what is worth knowing about a change beside the fields.
// Between two environments nothing is going to happen to any object.
func notes(o *Object, before, after *yaml.Node, masked, across bool) []Note {
	var out []Note
	if !across {
		if text := removals[o.Kind+"."+o.Group]; text != "" && o.Status == Removed {
			out = append(out, Note{Kind: Removal, Text: text})
		}
		out = append(out, immutable(o, before)...)
		out = append(out, access(o, before, after)...)
	}
	out = append(out, replicas(o, before, after)...)
	if o.Status == Changed && len(o.Fields) == 0 {
		out = append(out, Note{Kind: Form, Text: "other bytes, the same object: " + form(masked)})
	}
	if masked {
		out = append(out, Note{Kind: Masked, Text: "values are not shown; equal numbers are equal values"})
	}
	return out
}

func form(masked bool) string {
	if masked {
		return "another order of keys, or another way to write a value"
	}
	return "another order of keys, or another YAML form"
}

// removals says what goes with an object that the cluster loses.
var removals = map[string]string{
	"Namespace.":             "everything in the namespace goes with it",
	"PersistentVolumeClaim.": "its volume goes with it, unless the reclaim policy keeps it",
	"PersistentVolume.":      "its data may go with it",
	"StatefulSet.apps":       "its pods go; its volume claims stay unless the retention policy deletes them",
	"CustomResourceDefinition.apiextensions.k8s.io": "every object of the kind goes with it",
}

// replicas tells how many pods there were and are to be.
func replicas(o *Object, before, after *yaml.Node) []Note {
	if before == nil || after == nil {
		return nil
	}
	var out []Note
	for _, path := range [][]string{{"spec", "replicas"}, {"spec", "minReplicas"}, {"spec", "maxReplicas"}} {
		a, b := manifest.Field(before, path...), manifest.Field(after, path...)
		if a == nil && b == nil || a != nil && b != nil && equal(a, b) {
			continue
		}
		say := func(n *yaml.Node) string {
			if n == nil {
				return "not said"
			}
			return Value{n}.Inline()
		}
		text := say(a) + " -> " + say(b)
		if path[1] != "replicas" {
			text = path[1] + " " + text
		}
		if path[1] == "replicas" && b != nil && b.Value == "0" {
			text += ", no pod is left"
		}
		out = append(out, Note{Kind: Replicas, Text: text, Path: "spec." + path[1]})
	}
	return out
}
