package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/manifest"
)

// print writes a result in the format that -o asks for.
func (c *command) print(v any, text func() error) error {
	switch c.output {
	case "json":
		data, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return err
		}
		// The same text to whoever reads JSON, and no command to a CI runner.
		data = bytes.ReplaceAll(escapeJSON(data, surrogates), []byte("##["), []byte(`#\u0023[`))
		_, err = c.Out.Write(append(data, '\n'))
		return err
	case "yaml":
		data, err := toYAML(v)
		if err != nil {
			return err
		}
		_, err = c.Out.Write(data)
		return err
	}
	return text()
}

// toYAML gives what v is in JSON, as YAML. Nothing in it is not printable.
func toYAML(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	data = escapeJSON(data, func(r rune) string { return fmt.Sprintf(`\U%08x`, r) })
	var n yaml.Node
	if err := yaml.Unmarshal(data, &n); err != nil {
		return nil, err
	}
	return manifest.EncodeNode(n.Content[0])
}

// table writes rows with their columns lined up; the last column is not
// padded. first, if there is one, colors the first cell of a row.
func table(w io.Writer, rows [][]string, first func(row int, cell string) string) error {
	var width []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], utf8.RuneCountInString(escape(cell)))
		}
	}
	for r, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			cell = escape(cell)
			padding := ""
			if i < len(row)-1 {
				padding = strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell)+2)
			}
			if i == 0 && first != nil {
				cell = first(r, cell)
			}
			b.WriteString(cell + padding)
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(b.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}
