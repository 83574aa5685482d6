package manifest

import "go.yaml.in/yaml/v3"

// Images gives the container images that an object names, in the order in
// which they stand in it, each once: the `image` of every entry of a list
// `containers`, `initContainers` or `ephemeralContainers`, wherever it is.
func Images(o *Object) []string {
	var images []string
	seen := map[string]bool{}
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		for i, c := range n.Content {
			if n.Kind == yaml.MappingNode && i%2 == 1 {
				switch n.Content[i-1].Value {
				case "containers", "initContainers", "ephemeralContainers":
					for _, container := range c.Content {
						if image := Field(container, "image"); image != nil && image.Value != "" && !seen[image.Value] {
							seen[image.Value] = true
							images = append(images, image.Value)
						}
					}
				}
			}
			walk(c)
		}
	}
	walk(o.Node)
	return images
}
