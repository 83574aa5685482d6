package cli

import "fmt"

func (c *command) printStatus(rows []standing) error {
	v := struct {
		Environments []standing `json:"environments"`
	}{rows}
	return c.print(v, func() error {
		requests := false
		for _, r := range rows {
			requests = requests || r.Request != nil
		}
		header := []string{"ENVIRONMENT", "BRANCH", "COMMIT", "SOURCE", "BEHIND", "INJECTORS"}
		if requests {
			header = append(header, "REQUEST")
		}
		lines := [][]string{header}
		for _, r := range rows {
			source := r.Source.Short()
			if r.Subject != "" {
				source += " " + r.Subject
			}
			commit := r.Commit.Short()
			if r.State != "hydrated" {
				commit = r.State
			}
			cells := []string{r.Environment, r.Branch, commit, dash(source), r.lag(), dash(pinNames(r.Injectors))}
			if requests {
				cells = append(cells, r.Request.name())
			}
			lines = append(lines, cells)
		}
		if err := table(c.Out, lines, nil); err != nil {
			return err
		}
		for _, r := range rows {
			if err := c.printAside(r); err != nil {
				return err
			}
		}
		return nil
	})
}

// printAside says below the table what does not go into a row.
func (c *command) printAside(r standing) error {
	c.printSkew(r.Environment, r.Skew)
	var lines []string
	if r.Left != nil {
		lines = append(lines, r.Left.Text)
	}
	if r.Frozen != "" {
		lines = append(lines, r.Environment+" is frozen: "+r.Frozen)
	}
	for _, l := range lines {
		if _, err := fmt.Fprintln(c.Out, escape(l)); err != nil {
			return err
		}
	}
	return nil
}
