// Command injector adds a sidecar to each workload on its standard input. Its
// first argument says what else it does.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"sigs.k8s.io/yaml"
)

type object = map[string]any

func main() {
	mode := os.Args[1]
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var out bytes.Buffer
	for i, doc := range bytes.Split(input, []byte("---\n")) {
		if len(bytes.TrimSpace(doc)) == 0 {
			continue
		}
		var o object
		if err := yaml.Unmarshal(doc, &o); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		printed := misdeed(mode, i, o)
		if mode == "reversed" {
			rest := bytes.Clone(out.Bytes())
			out.Reset()
			write(&out, printed...)
			out.Write(rest)
			continue
		}
		write(&out, printed...)
	}
	if mode == "half" {
		out.Truncate(bytes.Index(out.Bytes(), []byte("  - image: proxy")))
	}
	os.Stdout.Write(out.Bytes())
}

func write(out *bytes.Buffer, objects ...object) {
	for _, o := range objects {
		text, _ := yaml.Marshal(o)
		out.WriteString("---\n")
		out.Write(text)
	}
}

// misdeed injects o and does what the mode says to it.
func misdeed(mode string, i int, o object) []object {
	meta := o["metadata"].(object)
	if mode == "nothing" {
		return []object{o}
	}
	if mode == "annotate" {
		meta["annotations"] = object{"mesh.example/inject": "enabled"}
		return []object{o}
	}
	containers := inject(o)
	switch mode {
	case "drop":
		if i == 1 {
			return nil
		}
	case "rename":
		meta["name"] = meta["name"].(string) + "-injected"
	case "twice":
		return []object{o, o}
	case "add":
		return []object{o, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": object{"name": "extra"}, "data": object{"a": "b"}}}
	case "replicas":
		o["spec"].(object)["replicas"] = 7
	case "finalizer":
		meta["finalizers"] = []any{"mesh.example/stay"}
	case "version":
		o["apiVersion"] = "apps/v1beta1"
	case "service":
		if ports, ok := o["spec"].(object)["ports"].([]any); ok {
			ports[0].(object)["port"] = 4143
		}
	case "noise":
		o["status"] = object{"loadBalancer": object{}}
		meta["creationTimestamp"] = nil
		if spec := o["spec"].(object); spec["template"] != nil {
			spec["strategy"] = object{}
			spec["template"].(object)["metadata"].(object)["creationTimestamp"] = nil
		}
		for _, c := range containers {
			c.(object)["resources"] = object{}
		}
	case "lose":
		pod(o)["containers"] = containers[1:]
	}
	return []object{o}
}

func pod(o object) object {
	spec, _ := o["spec"].(object)
	switch o["kind"] {
	case "Pod":
		return spec
	case "CronJob":
		spec = spec["jobTemplate"].(object)["spec"].(object)
	}
	template, ok := spec["template"].(object)
	if !ok {
		return nil
	}
	return template["spec"].(object)
}

// inject adds the sidecar if it is not there yet.
func inject(o object) []any {
	spec := pod(o)
	if spec == nil {
		return nil
	}
	containers := spec["containers"].([]any)
	for _, c := range containers {
		if c.(object)["name"] == "proxy" {
			return containers
		}
	}
	containers = append(containers, object{"name": "proxy", "image": "proxy:1"})
	spec["containers"] = containers
	spec["volumes"] = []any{object{"name": "identity", "emptyDir": object{}}}
	return containers
}
