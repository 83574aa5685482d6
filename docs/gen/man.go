package main

import (
	"bytes"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/sluice-dev/sluice/pkg/cli"
)

// manual gives a page for man of every command, by path. There is no date in
// them: the same code gives the same pages.
func manual(root string) (map[string][]byte, error) {
	statuses, err := exitStatuses(filepath.Join(root, "pkg", "cli", "errors.go"))
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, p := range cli.Manual() {
		name := strings.Join(p.Name, "-")
		files[path.Join("docs/man", name+".1")] = manPage(name, p, statuses)
	}
	return files, nil
}

func manPage(name string, p cli.Page, statuses [][2]string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, ".TH %s 1 \"\" sluice \"sluice manual\"\n", strings.ToUpper(name))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(name), roff(p.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n", roff(p.Usage))
	b.WriteString(".SH DESCRIPTION\n")
	roffText(&b, p.Long)
	for _, part := range []struct {
		title string
		flags []cli.Flag
	}{{"OPTIONS", p.Flags}, {"GLOBAL OPTIONS", p.Inherited}} {
		if len(part.flags) > 0 {
			fmt.Fprintf(&b, ".SH %s\n", part.title)
		}
		for _, f := range part.flags {
			b.WriteString(".TP\n")
			if f.Short != "" {
				fmt.Fprintf(&b, "\\fB%s\\fR, ", roff("-"+f.Short))
			}
			fmt.Fprintf(&b, "\\fB%s\\fR", roff("--"+f.Name))
			if f.Value != "" {
				fmt.Fprintf(&b, " \\fI%s\\fR", roff(f.Value))
			}
			fmt.Fprintf(&b, "\n%s\n", roff(f.Text))
		}
	}
	if p.Example != "" {
		b.WriteString(".SH EXAMPLES\n")
		roffText(&b, p.Example)
	}
	b.WriteString(".SH EXIT STATUS\n")
	for _, s := range statuses {
		fmt.Fprintf(&b, ".TP\n%s\n%s\n", s[0], roff(s[1]))
	}
	var see []string
	if len(p.Name) > 1 {
		see = append(see, strings.Join(p.Name[:len(p.Name)-1], "-"))
	}
	for _, below := range p.Below {
		see = append(see, name+"-"+below)
	}
	b.WriteString(".SH SEE ALSO\n")
	for i, s := range see {
		comma := ","
		if i == len(see)-1 {
			comma = ""
		}
		fmt.Fprintf(&b, ".BR %s (1)%s\n", roff(s), comma)
	}
	return b.Bytes()
}

// roffText writes paragraphs; indented lines stay as they are.
func roffText(b *bytes.Buffer, text string) {
	verbatim := false
	begin := func(want bool) {
		if want != verbatim {
			b.WriteString(map[bool]string{true: ".RS 4\n.nf\n", false: ".fi\n.RE\n"}[want])
		}
		verbatim = want
	}
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.TrimSpace(line) == "":
			begin(false)
			b.WriteString(".PP\n")
		default:
			begin(line[0] == ' ' || line[0] == '\t')
			b.WriteString(roff(strings.TrimLeft(line, " \t")) + "\n")
		}
	}
	begin(false)
}

// roff escapes a line: no character of it is an instruction.
func roff(line string) string {
	line = strings.NewReplacer(`\`, `\e`, "-", `\-`, "`", "\\(ga", "'", `\(aq`, "^", `\(ha`, "~", `\(ti`).Replace(line)
	var b strings.Builder
	for _, r := range line {
		if r < 0x80 {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "\\[u%04X]", r)
		}
	}
	if line = b.String(); strings.HasPrefix(line, ".") {
		line = `\&` + line
	}
	return line
}
