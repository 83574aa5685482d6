package hydrate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// Secrets reports the Secrets whose values anyone can read.
func Secrets(set manifest.Set, cfg *config.Config) finding.List {
	var list finding.List
	if cfg.Secrets == "allow" {
		return nil
	}
	for _, o := range set {
		if o.ID.Kind != "Secret" || o.ID.Group != "" {
			continue
		}
		sops := manifest.Field(o.Node, "sops") != nil
		switch {
		case readable(manifest.Field(o.Node, "data"), sops), readable(manifest.Field(o.Node, "stringData"), sops):
			list.Add(o.Origin.File, o.Origin.Line, fmt.Sprintf("%s holds values that anyone who reads the branch can read", o.ID),
				"encrypt it (SOPS, SealedSecret) or fetch it in the cluster (ExternalSecret); secrets: allow in the config lets it pass")
		case copied(manifest.Field(o.Node, "metadata", "annotations", lastApplied)):
			list.Add(o.Origin.File, o.Origin.Line, fmt.Sprintf("%s holds a copy of its values in the annotation %s", o.ID, lastApplied),
				"delete the annotation, which kubectl wrote; what has been committed has to be changed, too")
		}
	}
	return list
}

// lastApplied is where kubectl apply keeps a copy of the whole object.
// Encrypting an exported Secret's data leaves the copy as it is.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// copied tells whether a Secret's annotation holds values of it.
func copied(annotation *yaml.Node) bool {
	if annotation == nil || annotation.Value == "" || strings.HasPrefix(annotation.Value, "ENC[") {
		return false
	}
	var secret struct{ Data, StringData map[string]any }
	err := json.Unmarshal([]byte(annotation.Value), &secret)
	return err != nil || len(secret.Data)+len(secret.StringData) > 0
}

// readable tells whether a Secret's map holds a value that anyone can read.
// That SOPS has been at the Secret is not enough: it encrypts the keys it is
// told to, and a note of its own can be written by anyone.
func readable(values *yaml.Node, sops bool) bool {
	if values == nil {
		return false
	}
	for i := 1; i < len(values.Content); i += 2 {
		if v := values.Content[i].Value; !sops || v != "" && !strings.HasPrefix(v, "ENC[") {
			return true
		}
	}
	return false
}

// outside reports the objects that an app may not hold. An object that names
// no namespace would land in whatever one the engine has set, so it passes only
// if its kind lives outside namespaces or is allowed by name.
func outside(set manifest.Set, u config.Unit) finding.List {
	var list finding.List
	if u.Allow == nil {
		return nil
	}
	for _, o := range set {
		kinds, namespaces := u.Allow.Kinds, u.Allow.Namespaces
		named := slices.Contains(kinds, o.ID.Kind)
		if len(kinds) > 0 && !named {
			list.Add(o.Origin.File, o.Origin.Line, fmt.Sprintf("%s: app %q may not hold a %s", o.ID, u.App, o.ID.Kind),
				"move it to another app, or add the kind to allow.kinds")
			continue
		}
		switch {
		case len(namespaces) == 0 || slices.Contains(namespaces, o.ID.Namespace):
		case o.ID.Namespace != "":
			list.Add(o.Origin.File, o.Origin.Line, fmt.Sprintf("%s: app %q may not write to namespace %q", o.ID, u.App, o.ID.Namespace),
				"move it to another app, or add the namespace to allow.namespaces")
		case !named || manifest.Namespaced(o.ID):
			list.Add(o.Origin.File, o.Origin.Line, fmt.Sprintf("%s names no namespace, and app %q is bound to some", o.ID, u.App),
				"give it a metadata.namespace; one that lives outside namespaces needs its kind in allow.kinds")
		}
	}
	return list
}

// ofObjects leaves out, where not all of an app could be rendered, what is said
// of conduitInject's entries: what they select may be what is missing.
func ofObjects(faults finding.List, u config.Unit, whole bool) finding.List {
	if whole {
		return faults
	}
	return slices.DeleteFunc(faults, func(f finding.Finding) bool {
		return slices.ContainsFunc(u.Inject, func(p config.Path) bool { return p.File == f.File && p.Line == f.Line })
	})
}

// digest identifies everything of the config that an app's output depends on,
// or whether it may be put out: an app that is taken over from the branch as it
// stands was checked with the same settings.
// What is not set does not count, so that a key that a later version knows
// changes nothing for those who do not use it.
func digest(cfg *config.Config, u config.Unit) (string, error) {
	var apply []string
	for _, s := range u.Apply {
		apply = append(apply, s.Text)
	}
	data, err := json.Marshal(struct {
		App           string
		Apply, Inject []string
		Pin           *config.Conduit
		Secrets       string
		Allow         *config.Allow
		Runs          []string
		Programs      []tree.Program
		Validate      *config.Validate
	}{u.App, apply, texts(u.Inject), u.Pin, cfg.Secrets, u.Allow, runs(u), programRecords(cfg, u), cfg.Validate})
	if err != nil {
		return "", err
	}
	return sum(data)
}

// sum is the digest of a JSON value.
func sum(data []byte) (string, error) {
	var all any
	if err := json.Unmarshal(data, &all); err != nil {
		return "", err
	}
	data, err := json.Marshal(given(all))
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(digest[:]), nil
}

// given leaves out what is null or empty.
func given(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, value := range v {
			if value = given(value); value != nil {
				out[key] = value
			}
		}
		if len(out) > 0 {
			return out
		}
		return nil
	case []any:
		for i := range v {
			v[i] = given(v[i])
		}
		if len(v) > 0 {
			return v
		}
		return nil
	case string:
		if v == "" {
			return nil
		}
	}
	return v
}
