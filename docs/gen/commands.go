package main

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"time"

	"github.com/sluice-dev/sluice/pkg/cli"
)

const aboutCommands = `# Commands

<!-- Written by go run ./docs/gen from what the commands say of themselves. -->

What a command makes goes to stdout, everything else to stderr. ` + "`-o json` and `-o yaml`" + ` print what the text says, with
full commit ids; ` + "`render`" + ` prints YAML for both ` + "`text` and `yaml`" + `, ` + "`diff`" + ` has ` + "`markdown` and `html`, `status` has `html`" + ` too. An error is one line that says what and where; a line
that begins with ` + "`hint:`" + ` says what to do about it. All findings of a stage come at once, and nothing is written before
everything that can be checked is checked.

## Exit statuses

| status | meaning |
| --- | --- |
`

const aboutStatuses = `
Status 1 comes from ` + "`verify` and `diff`" + ` with differences, from ` + "`lint` and `check`" + ` with findings and from ` + "`promote --check`" + ` where the promotion would be refused. Status 3 is
for refusals: nothing is wrong with the input, but the step could lose or hide something. With status 4
the message says whether something may have moved; the same command can be run again.
`

// commands gives the reference of every command: what --help prints.
func commands(root string) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(aboutCommands)
	statuses, err := exitStatuses(filepath.Join(root, "pkg", "cli", "errors.go"))
	if err != nil {
		return nil, err
	}
	for _, s := range statuses {
		fmt.Fprintf(&b, "| `%s` | %s |\n", s[0], s[1])
	}
	b.WriteString(aboutStatuses)
	top := help()
	about, usage, _ := strings.Cut(top, "Usage:\n")
	fmt.Fprintf(&b, "\n## sluice\n\n%s```text\n%s```\n", about, usage)
	for _, page := range cli.Manual() {
		name := page.Name[1:]
		if len(name) == 0 || name[0] == "help" || len(name) > 1 && name[0] == "completion" {
			continue
		}
		about, usage, _ := strings.Cut(help(name...), "Usage:\n")
		usage, _, _ = strings.Cut(usage, "\nGlobal Flags:") // they stand above
		fmt.Fprintf(&b, "\n%s sluice %s\n\n%s```text\n%s```\n", strings.Repeat("#", len(page.Name)), strings.Join(name, " "), about, usage)
	}
	return b.Bytes(), nil
}

// help gives what a command prints with --help.
func help(command ...string) string {
	var out bytes.Buffer
	cli.Main(context.Background(), cli.Program{
		Args: append(append([]string{"sluice"}, command...), "--help"),
		In:   &bytes.Buffer{}, Out: &out, Err: &out,
		Env: func(string) string { return "" }, Now: func() time.Time { return time.Time{} }, Version: "(devel)",
	})
	return out.String()
}

// exitStatuses reads the constants that begin with exit, and what the comment
// beside each says.
func exitStatuses(file string) ([][2]string, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	var found [][2]string
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "exit") {
			return true
		}
		if value, ok := spec.Values[0].(*ast.BasicLit); ok {
			found = append(found, [2]string{value.Value, strings.TrimSpace(spec.Comment.Text())})
		}
		return true
	})
	if len(found) == 0 {
		return nil, fmt.Errorf("%s names no exit status", file)
	}
	return found, nil
}
