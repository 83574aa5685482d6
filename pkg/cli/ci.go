package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/notify"
)

// maxSummary is how many objects, paths or gates a step's summary lists.
const maxSummary = 50

// output is a value for the next steps of a CI job.
type output struct{ name, value string }

// outputNames are those of all outputs. A command that has some takes the others
// of an earlier command away: they are about something else.
var outputNames = [...]string{"commit", "changed", "pull-request"}

// everyOutput gives all of them, empty where this run has none.
func everyOutput(outputs []output) []output {
	var list []output
	for _, name := range outputNames {
		o := output{name: name}
		for _, had := range outputs {
			if had.name == name {
				o = had
			}
		}
		list = append(list, o)
	}
	return list
}

// put sets an output. An empty one is not there.
func (c *command) put(name, value string) {
	if value != "" {
		// A line is a value: nothing in it can begin another.
		c.news.outputs = append(c.news.outputs, output{name, escape(value)})
	}
}

// publish leaves outputs and summary where the CI system looks for them.
func (c *command) publish() {
	warn := func(name string, err error) {
		var at *fs.PathError
		if errors.As(err, &at) {
			err = at.Err // the variable says where
		}
		if err != nil {
			c.note("warning: writing what %s asks for: %v", name, err)
		}
	}
	if file := c.Env("GITHUB_OUTPUT"); file != "" && len(c.news.outputs) > 0 {
		var b strings.Builder
		for _, o := range everyOutput(c.news.outputs) {
			b.WriteString(o.name + "=" + o.value + "\n")
		}
		warn("GITHUB_OUTPUT", appendTo(file, b.String()))
	}
	if file := c.Env("GITHUB_STEP_SUMMARY"); file != "" && len(c.news.summary) > 0 {
		var b strings.Builder
		for _, line := range c.news.summary {
			b.WriteString("- " + line.String() + "\n")
		}
		warn("GITHUB_STEP_SUMMARY", appendTo(file, b.String()+"\n"))
	}
	if file := c.Env("SLUICE_DOTENV"); file != "" && len(c.news.outputs) > 0 {
		warn("SLUICE_DOTENV", dotenv(file, everyOutput(c.news.outputs)))
	}
}

func appendTo(file, text string) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// dotenv sets variables in a file that a CI system hands on to later jobs. What
// an earlier command of the job has set is replaced, or taken away.
func dotenv(file string, outputs []output) error {
	data, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var b bytes.Buffer
	var set strings.Builder
	names := map[string]bool{}
	for _, o := range outputs {
		name := "SLUICE_" + strings.ToUpper(strings.ReplaceAll(o.name, "-", "_"))
		names[name] = true
		if o.value != "" {
			set.WriteString(name + "=" + o.value + "\n")
		}
	}
	for line := range strings.Lines(string(data)) {
		if name, _, _ := strings.Cut(line, "="); !names[name] {
			b.WriteString(strings.TrimSuffix(line, "\n") + "\n")
		}
	}
	b.WriteString(set.String())
	return os.WriteFile(file, b.Bytes(), 0o644)
}

// literal gives Markdown that is made already as a format of Markdownf.
func literal(m forge.Markdown) string { return strings.ReplaceAll(m.String(), "%", "%%") }

// requestLink gives a request, if there is one, as part of a format of Markdownf.
func requestLink(number int64, address string) string {
	switch {
	case address == "":
		return ""
	case notify.IsWeb(address):
		return ", " + strings.ReplaceAll(fmt.Sprintf("[#%d](%s)", number, address), "%", "%%")
	}
	return fmt.Sprintf(", #%d", number)
}

// promotionSummary says what an environment gets.
func (c *command) promotionSummary(v promotion) {
	add := func(format string, foreign ...string) {
		c.news.summary = append(c.news.summary, forge.Markdownf(format, foreign...))
	}
	add("%s: "+v.Outcome+requestLink(v.Number, v.URL)+", commit %s, "+count(v.Commits, "commit")+", "+count(len(v.Changes), "object")+" changed", v.Environment, v.Commit.Short())
	for _, g := range v.Gates {
		word := "closed: "
		if g.Open {
			word = "open: "
		}
		add(word+"%s", g.Text)
	}
	for i, ch := range v.Changes {
		if i == maxSummary {
			add("and " + count(len(v.Changes)-i, "more object"))
			break
		}
		add(string(ch.Status)+" %s", ch.Object)
	}
}

// verifySummary says what verify found.
func (c *command) verifySummary(results []*verified, t tally) {
	c.news.summary = append(c.news.summary, forge.Markdownf(t.String()))
	listed := 0
	for _, v := range results {
		for _, p := range v.commits {
			if p.OK {
				continue
			}
			if listed++; listed > maxSummary {
				return
			}
			c.news.summary = append(c.news.summary, forge.Markdownf("%s: %s %s", v.branch, p.Commit.Short(), p.says()))
		}
	}
}
