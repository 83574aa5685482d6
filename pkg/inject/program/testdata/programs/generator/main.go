// Command generator prints manifests. Its first argument says what differs
// from run to run.
package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"strings"
)

const deployment = `---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: mesh
spec:
  replicas: 1
  template:
    spec:
      containers:
      - name: web
        image: web:1
        args: [run, "--id=%s"]
`

const other = `---
apiVersion: v1
kind: %s
metadata:
  name: %s
  namespace: mesh
data:
  note: |
    always the same
    %s
`

// value gives what stands behind a key, up to a comment.
func value(data []byte, key string) string {
	_, rest, _ := strings.Cut(string(data), key+":")
	line, _, _ := strings.Cut(rest, "\n")
	line, _, _ = strings.Cut(line, " #")
	return strings.Trim(line, " \"'\r")
}

func main() {
	text := rand.Text()
	switch os.Args[1] {
	case "stable":
		fmt.Printf(deployment, "1")
	case "file":
		data, err := os.ReadFile(os.Args[2])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Printf(deployment, data)
	case "values": // as a chart would: the image is put together of two values
		data, err := os.ReadFile(os.Args[2])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		image := value(data, "repository") + ":" + value(data, "tag")
		fmt.Print(strings.Replace(fmt.Sprintf(deployment, "1"), "web:1", image, 1))
	case "uuid":
		fmt.Printf(deployment, text)
	case "comment":
		fmt.Printf("# made by %s\n"+deployment, text, "1")
	case "secret":
		fmt.Printf(deployment, "1")
		fmt.Printf(other, "Secret", "keys", "c2VjcmV0"+text)
	case "text":
		fmt.Printf(other, "ConfigMap", "notes", text+"\x1b")
	case "lines":
		fmt.Printf(other, "ConfigMap", "notes", text)
	case "many":
		for i := range 15 {
			fmt.Printf(other, "ConfigMap", fmt.Sprint("notes-", i), text)
		}
	case "name":
		fmt.Printf(other, "ConfigMap", fmt.Sprintf("notes-%x", text), "x")
	case "order":
		a, b := fmt.Sprintf(deployment, "1"), fmt.Sprintf(other, "ConfigMap", "notes", "x")
		// Which run this is cannot be known, so the order is drawn; the test asks again.
		if text[0]%2 == 0 {
			a, b = b, a
		}
		fmt.Print(a, b)
	}
}
