package diff

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// list compares the items of two lists: by their keys where they have some,
// else by where they stand.
func (w *walker) list(path, name string, a, b []*yaml.Node) {
	key := keyOf(name, append(slices.Clone(a), b...))
	if key != nil && unique(key, a) && unique(key, b) {
		w.keyed(path, name, key, a, b)
		return
	}
	w.aligned(path, a, b)
}

func (w *walker) keyed(path, name string, key keyFunc, a, b []*yaml.Node) {
	before, after := map[string]*yaml.Node{}, map[string]*yaml.Node{}
	for _, n := range a {
		before[key(n)] = n
	}
	for _, n := range b {
		after[key(n)] = n
	}
	var left, right []string // of what both have
	for _, n := range a {
		k := key(n)
		w.compareItem(path, k, n, after[k])
		if after[k] != nil {
			left = append(left, k)
		}
	}
	for _, n := range b {
		k := key(n)
		if before[k] == nil {
			w.compareItem(path, k, nil, n)
		} else {
			right = append(right, k)
		}
	}
	if !slices.Equal(left, right) {
		w.add(Reordered, path, texts(left), texts(right))
		w.found[len(w.found)-1].NoEffect = unordered(name, b)
	}
}

func (w *walker) compareItem(path, key string, a, b *yaml.Node) {
	w.compare(path+"["+key+"]", "", a, b)
}

func texts(keys []string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode}
	for _, k := range keys {
		n.Content = append(n.Content, str(k))
	}
	return n
}

// keyFunc gives what tells an item of a list from the others: name=api.
type keyFunc func(*yaml.Node) string

// keys are the fields that tell the items of Kubernetes' own lists apart. The
// first set of which every item has the first field serves.
var keys = map[string][][]string{
	"ports":                     {{"containerPort", "protocol"}, {"port", "protocol"}},
	"volumeMounts":              {{"mountPath"}},
	"volumeDevices":             {{"devicePath"}},
	"hostAliases":               {{"ip"}},
	"topologySpreadConstraints": {{"topologyKey", "whenUnsatisfiable"}},
	"volumeClaimTemplates":      {{"metadata.name"}},
	"subjects":                  {{"kind", "namespace", "name"}},
	"conditions":                {{"type"}},
	"ownerReferences":           {{"uid"}},
}

// keyOf gives the key of a list's items, nil if they have none. A list that
// is not in the table is keyed by name where every item has one.
func keyOf(name string, items []*yaml.Node) keyFunc {
	sets, known := keys[name]
	if !known {
		sets = [][]string{{"name"}}
	}
	for _, set := range sets {
		if slices.ContainsFunc(items, func(n *yaml.Node) bool { return text(n, strings.Split(set[0], ".")...) == "" }) {
			continue
		}
		return func(n *yaml.Node) string {
			var parts []string
			for _, field := range set {
				value := text(n, strings.Split(field, ".")...)
				if value == "" || field == "protocol" && value == "TCP" {
					continue
				}
				if strings.ContainsAny(value, "\"[],= \t\n") {
					value = strconv.Quote(value)
				}
				parts = append(parts, field+"="+value)
			}
			return strings.Join(parts, ",")
		}
	}
	return nil
}

func unique(key keyFunc, items []*yaml.Node) bool {
	seen := map[string]bool{}
	for _, n := range items {
		k := key(n)
		if seen[k] {
			return false
		}
		seen[k] = true
	}
	return true
}

// unordered tells whether Kubernetes does not heed the order of a keyed list.
// Init containers run in their order, and a variable may use those before it.
func unordered(name string, items []*yaml.Node) bool {
	switch name {
	case "containers", "ephemeralContainers", "volumes", "volumeMounts", "volumeDevices", "ports", "imagePullSecrets",
		"hostAliases", "subjects", "conditions", "ownerReferences", "topologySpreadConstraints":
		return true
	case "env":
		return !slices.ContainsFunc(items, func(n *yaml.Node) bool {
			return strings.Contains(text(n, "value"), "$(")
		})
	}
	return false
}

// maxAligned bounds the work of aligning two lists, as the product of their
// lengths; longer ones are compared place by place.
const maxAligned = 1 << 20

// aligned compares lists whose items have no key: the longest run of equal
// items stays, and what stands between is compared in its order. A path has
// the place after the change, that of a removed item the one before it.
func (w *walker) aligned(path string, a, b []*yaml.Node) {
	i, j := 0, 0
	for _, same := range append(common(a, b), [2]int{len(a), len(b)}) {
		for i < same[0] && j < same[1] {
			w.compare(path+place(j), "", a[i], b[j])
			i, j = i+1, j+1
		}
		for ; i < same[0]; i++ {
			w.add(FieldRemoved, path+place(i), a[i], nil)
		}
		for ; j < same[1]; j++ {
			w.add(FieldAdded, path+place(j), nil, b[j])
		}
		i, j = same[0]+1, same[1]+1
	}
}

func place(i int) string { return "[" + strconv.Itoa(i) + "]" }

// common gives the places of a longest common subsequence.
func common(a, b []*yaml.Node) [][2]int {
	if len(a)*len(b) > maxAligned {
		return nil
	}
	// length[i][j] is that of the rest from a[i] and b[j] on.
	length := make([][]int, len(a)+1)
	for i := range length {
		length[i] = make([]int, len(b)+1)
	}
	same := make([][]bool, len(a))
	for i := len(a) - 1; i >= 0; i-- {
		same[i] = make([]bool, len(b))
		for j := len(b) - 1; j >= 0; j-- {
			if same[i][j] = equal(a[i], b[j]); same[i][j] {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	var pairs [][2]int
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case same[i][j]:
			pairs = append(pairs, [2]int{i, j})
			i, j = i+1, j+1
		case length[i+1][j] >= length[i][j+1]:
			i++
		default:
			j++
		}
	}
	return pairs
}
