package start

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Choices is what the files do not tell.
type Choices struct {
	Conduit   string              // the release to pin; empty: the pin is left to people
	Suggested string              // the release that the hint at a pin names
	Inject    map[string][]string // by unit, the files of workloads that can be injected
	Approvals bool                // promotions are asked for on a forge
	Forge     string              // host of a forge that is not known by its name; empty if there is none
}

// Config gives the text of a sluice.yaml.
func (f *Found) Config(c Choices) []byte {
	var b strings.Builder
	b.WriteString("# yaml-language-server: $schema=https://raw.githubusercontent.com/sluice-dev/sluice/main/docs/sluice.schema.json\n")
	f.pin(&b, c)
	f.environments(&b, c)
	if c.Forge != "" {
		fmt.Fprintf(&b, "\n# Which forge is at %s: github, gitlab, gitea or none.\n# forge: {type: github}\n", oneLine(c.Forge))
	}
	if f.flat() {
		b.WriteString("\n# In the order in which they are applied.\nkubectlApply:\n")
		var inject []string
		for _, u := range f.Units {
			list(&b, "", u.Paths)
			inject = append(inject, c.Inject[u.Name]...)
		}
		injected(&b, "", inject, c.Conduit == "")
		return []byte(b.String())
	}
	b.WriteString("\n# What is applied, each with a directory of its own on the environment branches.\n# dependsOn: [NAME] puts an app after others.\napps:\n")
	for _, u := range f.Units {
		fmt.Fprintf(&b, "- name: %s\n", scalar(u.Name))
		if u.Environments != nil {
			b.WriteString("  environments:\n")
			list(&b, "  ", u.Environments)
		}
		b.WriteString("  kubectlApply:\n")
		list(&b, "  ", u.Paths)
		injected(&b, "  ", c.Inject[u.Name], c.Conduit == "")
	}
	return []byte(b.String())
}

// pin writes the injector's release, or how to write it.
func (f *Found) pin(b *strings.Builder, c Choices) {
	some := slices.ContainsFunc(f.Units, func(u Unit) bool { return len(c.Inject[u.Name]) > 0 })
	switch {
	case c.Conduit != "":
		fmt.Fprintf(b, "\n# The release that injects, whatever is installed anywhere.\nconduit:\n  version: %s\n", scalar(c.Conduit))
	case some:
		fmt.Fprintf(b, "\n# To put the proxy into workloads, pin a release, and take the # off conduitInject below.\n# conduit:\n#   version: %s\n", c.Suggested)
	}
}

func (f *Found) environments(b *strings.Builder, c Choices) {
	if len(f.Environments) == 0 {
		return
	}
	b.WriteString("\n# Each has a branch, env/NAME, and a directory on it.\nenvironments:\n")
	for _, e := range f.Environments {
		fmt.Fprintf(b, "- name: %s\n", scalar(e.Name))
		if e.From == "" {
			continue
		}
		fmt.Fprintf(b, "  promotedFrom: %s\n", scalar(e.From))
		if c.Approvals {
			b.WriteString("  approvals: 1 # people who have to approve exactly the commit that comes in\n")
			b.WriteString("  requiredChecks: [sluice/verify]\n")
		}
	}
}

// injected writes the workloads that get the proxy, as a remark where no
// release is pinned.
func injected(b *strings.Builder, indent string, paths []string, remark bool) {
	if len(paths) == 0 {
		return
	}
	if remark {
		indent += "# "
	}
	fmt.Fprintf(b, "%sconduitInject:\n", indent)
	list(b, indent, paths)
}

func list(b *strings.Builder, indent string, items []string) {
	for _, item := range items {
		fmt.Fprintf(b, "%s- %s\n", indent, scalar(item))
	}
}

// bare is text that every reader of YAML takes for that text.
var bare = regexp.MustCompile(`^[A-Za-z_][-A-Za-z0-9_./]*$`)

// scalar writes a text as a YAML scalar.
func scalar(text string) string {
	switch strings.ToLower(text) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return fmt.Sprintf("%q", text)
	}
	if bare.MatchString(text) {
		return text
	}
	return fmt.Sprintf("%q", text)
}

// oneLine keeps a text from ending a comment.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 {
			return -1
		}
		return r
	}, text)
}
