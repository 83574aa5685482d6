// Package docs holds the pages to the program: what they show is what it
// prints, what they list is what the code has.
package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// page is a Markdown file, its fenced blocks cut out so that they can be
// compared and, with UPDATE_DOCS set, written again.
type page struct {
	path  string
	lines []string
}

// block is a fenced block: the lines from first up to, and without, next.
type block struct {
	info        string // what follows the fence: console, yaml sluice.yaml
	text        string
	first, next int
}

func readPage(t *testing.T, path string) *page {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return &page{path: path, lines: strings.Split(string(data), "\n")}
}

func (p *page) text() string { return strings.Join(p.lines, "\n") }

func (p *page) blocks() []block {
	var all []block
	for i := 0; i < len(p.lines); i++ {
		info, fenced := strings.CutPrefix(p.lines[i], "```")
		if !fenced {
			continue
		}
		first := i + 1
		for i++; i < len(p.lines) && p.lines[i] != "```"; i++ {
		}
		text := strings.Join(p.lines[first:i], "\n")
		if text != "" {
			text += "\n"
		}
		all = append(all, block{info: info, text: text, first: first, next: i})
	}
	return all
}

// hold compares a block with what it should be, or replaces it there.
// Replacing moves what follows: blocks has to be called again.
func (p *page) hold(t *testing.T, b block, want string) {
	t.Helper()
	if b.text == want {
		return
	}
	if os.Getenv("UPDATE_DOCS") == "" {
		t.Errorf("%s:%d: the page says\n%s\nthe program says\n%s\n(UPDATE_DOCS=1 go test ./docs writes it)", p.path, b.first+1, b.text, want)
		return
	}
	lines := strings.Split(strings.TrimSuffix(want, "\n"), "\n")
	p.lines = append(append(append([]string{}, p.lines[:b.first]...), lines...), p.lines[b.next:]...)
	if err := os.WriteFile(p.path, []byte(p.text()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// rows gives the cells of every table row whose first cell is code, by the
// text of that cell.
func (p *page) rows(t *testing.T) map[string][]string {
	t.Helper()
	rows := map[string][]string{}
	for i, line := range p.lines {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(strings.TrimSuffix(strings.TrimPrefix(line, "|"), "|"), "|")
		key := strings.Trim(strings.TrimSpace(cells[0]), "`")
		if rows[key] != nil {
			t.Errorf("%s:%d: a second row for %s", p.path, i+1, key)
		}
		for j := range cells {
			cells[j] = strings.TrimSpace(cells[j])
		}
		rows[key] = cells[1:]
	}
	return rows
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`^#+ (.*)$`)
	unsaid  = regexp.MustCompile("[^a-z0-9 _-]")
)

// TestLinks follows every link from a page to a file, and to a heading in it.
func TestLinks(t *testing.T) {
	pages, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob("decisions/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(append(pages, more...), "../README.md", "../CONTRIBUTING.md", "../SECURITY.md", "../changelog/README.md") {
		p := readPage(t, path)
		for _, m := range link.FindAllStringSubmatch(p.text(), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			target := filepath.Join(filepath.Dir(path), file)
			if file == "" {
				target = path
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: link to %s: %v", path, m[1], err)
				continue
			}
			if anchor != "" && !anchors(readPage(t, target))[anchor] {
				t.Errorf("%s: link to %s: no such heading", path, m[1])
			}
		}
	}
}

// TestIndex finds every page in the index.
func TestIndex(t *testing.T) {
	index := map[string]bool{"README.md": true}
	for _, m := range link.FindAllStringSubmatch(readPage(t, "README.md").text(), -1) {
		index[m[1]] = true
	}
	for _, pattern := range []string{"*.md", "guides/*.md"} {
		pages, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, page := range pages {
			if !index[filepath.ToSlash(page)] {
				t.Errorf("docs/README.md does not lead to %s", page)
			}
		}
	}
}

// TestReadmeCommands finds every command of the program in the README.
func TestReadmeCommands(t *testing.T) {
	readme := readPage(t, "../README.md").text()
	for _, m := range command.FindAllStringSubmatch(readPage(t, "commands.md").text(), -1) {
		if word := m[1]; word != "completion" && word != "version" && !strings.Contains(readme, "`"+word+"`") {
			t.Errorf("README.md does not name %s", word)
		}
	}
}

var command = regexp.MustCompile(`(?m)^## sluice ([a-z-]+)$`)

// anchors gives the headings of a page as GitHub names them.
func anchors(p *page) map[string]bool {
	all := map[string]bool{}
	for _, line := range p.lines {
		if m := heading.FindStringSubmatch(line); m != nil {
			all[strings.ReplaceAll(unsaid.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
		}
	}
	return all
}
