package manifest

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// Container is a container that an object runs.
type Container struct {
	Name  string
	Image string // empty if it names none
	Node  *yaml.Node
}

// Containers gives the containers of an object in the order in which they
// stand in it: every entry of a list `containers`, `initContainers` or
// `ephemeralContainers`, wherever it is.
func Containers(o *Object) []Container {
	var found []Container
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		for i, c := range n.Content {
			if n.Kind == yaml.MappingNode && i%2 == 1 {
				switch n.Content[i-1].Value {
				case "containers", "initContainers", "ephemeralContainers":
					for _, entry := range c.Content {
						found = append(found, Container{Name: scalar(entry, "name"), Image: scalar(entry, "image"), Node: entry})
					}
				}
			}
			walk(c)
		}
	}
	if o.Node != nil {
		walk(o.Node)
	}
	return found
}

func scalar(n *yaml.Node, key string) string {
	if v := Field(n, key); v != nil {
		return v.Value
	}
	return ""
}

// Images gives the images of an object's containers, each once.
func Images(o *Object) []string {
	if o.sealed {
		return o.images
	}
	var images []string
	for _, c := range Containers(o) {
		if c.Image != "" && !slices.Contains(images, c.Image) {
			images = append(images, c.Image)
		}
	}
	return images
}
