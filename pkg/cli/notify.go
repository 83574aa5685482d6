package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/notify"
	"github.com/sluice-dev/sluice/pkg/promote"
	"github.com/sluice-dev/sluice/pkg/repo"
)

// news is what a run leaves for others than its reader: it is handed on when
// everything is done and said.
type news struct {
	to         []config.Notify
	repository string         // URL of origin, without credentials
	promoting  string         // the environment that a refusal is about; empty if none was asked to move
	events     []notify.Event // what happened
	outputs    []output       // for the next steps of a CI job
	summary    []forge.Markdown
	found      finding.List // what a command that exits with 1 found and a reviewer should see
}

// hear says whose config and repository the news of this run is about.
func (c *command) hear(w *workspace, cfg *config.Config) {
	c.news.to = cfg.Notify
	if at, ok := w.repo.RemoteURL("origin"); ok {
		c.news.repository = repo.SanitizeURL(at)
	}
}

// happened notes an event.
func (c *command) happened(e notify.Event) {
	e.Time, e.Repository, e.Run = c.Now(), c.news.repository, c.jobPage()
	c.news.events = append(c.news.events, e)
}

// committedNews notes what came of a commit.
func (c *command) committedNews(results []committed) {
	changed, url := false, ""
	for _, r := range results {
		e := notify.Event{
			Name: notify.Hydrated, Environment: r.Environment, Branch: r.Branch,
			Commit: string(r.Commit), Before: string(r.Before), Source: string(r.Source),
		}
		line := literal(forge.Markdownf("%s at %s: "+string(r.Outcome)+", source %s", r.Branch, r.Commit.Short(), r.Source.Short()))
		for _, ch := range r.Changed {
			if ch.Objects > 0 {
				e.Changed = append(e.Changed, notify.Changed{Environment: ch.Environment, Objects: ch.Objects})
				line += literal(forge.Markdownf("; %s: "+count(ch.Objects, "object")+" changed", ch.Environment))
			}
		}
		happened := r.Outcome == branch.Committed
		if a := r.Request; a != nil {
			// The branch has not moved: a request asks for that.
			e.Name, e.Branch, e.Before, e.Request = notify.Opened, a.Branch, string(a.At), &notify.Request{Number: a.Number, URL: a.URL}
			happened = a.Outcome == string(forge.Opened)
			changed = changed || happened || a.Outcome == string(forge.Updated)
			url = cmp.Or(url, a.URL)
			line += requestLink(a.Number, a.URL)
		}
		if happened {
			c.happened(e)
		}
		changed = changed || r.Outcome == branch.Committed
		c.news.summary = append(c.news.summary, forge.Markdownf(line))
	}
	if len(results) > 0 {
		c.put("commit", string(results[0].Commit))
	}
	c.put("changed", fmt.Sprint(changed))
	c.put("pull-request", url)
}

// promotedNews notes what came of a promotion.
func (c *command) promotedNews(v promotion) {
	e := notify.Event{Environment: v.Environment, Branch: v.Branch, Commit: string(v.Commit), Before: string(v.Before), Source: string(v.Source)}
	if len(v.Changes) > 0 {
		e.Changed = []notify.Changed{{Environment: v.Environment, Objects: len(v.Changes)}}
	}
	if v.URL != "" {
		e.Request = &notify.Request{Number: v.Number, URL: v.URL}
	}
	switch v.Outcome {
	case string(forge.Opened):
		e.Name = notify.Opened
		c.happened(e)
	case string(promote.Merged):
		e.Name = notify.Merged
		c.happened(e)
	}
	c.put("commit", string(v.Commit))
	c.put("changed", fmt.Sprint(v.Outcome == string(promote.Merged) || v.Outcome == string(forge.Opened) || v.Outcome == string(forge.Updated)))
	c.put("pull-request", v.URL)
	c.promotionSummary(v)
}

// proposedNews notes a request for a change of the source.
func (c *command) proposedNews(r *sourceRequest) {
	changed := r.Outcome == string(forge.Opened) || r.Outcome == string(forge.Updated)
	c.put("commit", string(r.Commit))
	c.put("changed", fmt.Sprint(changed))
	c.put("pull-request", r.URL)
	c.news.summary = append(c.news.summary, forge.Markdownf("%s: "+r.Outcome+requestLink(r.Number, r.URL)+", "+count(len(r.Files), "file")+" for %s", r.Branch, r.Base))
}

// verifiedNews notes what verify found.
func (c *command) verifiedNews(w *workspace, results []*verified) {
	t := sum(results)
	c.verifySummary(results, t)
	if t.Different == 0 && t.Failed == 0 {
		return
	}
	c.news.found = finding.List{{Text: t.String()}}
	if cfg, err := w.anyConfig(); err == nil {
		c.hear(w, cfg)
	}
	for _, v := range results {
		for _, p := range v.commits {
			if p.OK {
				continue
			}
			c.happened(notify.Event{
				Name: notify.VerifyFailed, Environment: v.environment, Branch: v.branch,
				Commit: string(p.Commit), Source: string(p.Source), Reason: "commit " + p.Commit.Short() + " " + p.says(),
			})
			break // the newest of a branch; the output has all
		}
	}
}

// refusedNews notes a promotion that was refused. One that waits for approvals
// or checks is no news.
func (c *command) refusedNews(err error, code int) {
	var waits *gatesError
	if code == exitRefused && c.news.promoting != "" && !errors.As(err, &waits) {
		c.happened(notify.Event{Name: notify.Refused, Environment: c.news.promoting, Reason: err.Error()})
	}
}

// announce tells the webhooks of the config what happened. That one of them
// cannot be told changes nothing.
func (c *command) announce(ctx context.Context) {
	warnings := make([]error, len(c.news.to))
	sender := notify.Sender{Via: c.web(), Sleep: sleep}
	var running sync.WaitGroup
	for i, to := range c.news.to {
		var events []notify.Event
		for _, e := range c.news.events {
			if to.Tells(e.Name) {
				events = append(events, e)
			}
		}
		if len(events) == 0 {
			continue
		}
		hook, err := c.hook(to.Webhook)
		if err != nil {
			warnings[i] = err
			continue
		}
		c.stage("telling the webhook of %s", to.Webhook.URLFrom)
		running.Go(func() { warnings[i] = sender.Send(ctx, hook, events) })
	}
	running.Wait()
	for i, err := range warnings {
		if err != nil {
			c.note("warning: notify[%d], the webhook of %s: %v", i, c.news.to[i].Webhook.URLFrom, err)
		}
	}
}

// hook finds the address and the secret of a webhook.
func (c *command) hook(w *config.Webhook) (notify.Webhook, error) {
	text := c.Env(w.URLFrom)
	if text == "" {
		return notify.Webhook{}, errors.New("the variable is not set")
	}
	u, err := notify.ParseURL(text)
	if err != nil {
		return notify.Webhook{}, err
	}
	hook := notify.Webhook{URL: u, Slack: w.Form == "slack"}
	if w.SecretFrom != "" {
		// Whoever checks signatures would turn it down without.
		if hook.Secret = strings.TrimSpace(c.Env(w.SecretFrom)); hook.Secret == "" {
			return hook, fmt.Errorf("%s, with the secret that signs what is sent, is not set", w.SecretFrom)
		}
	}
	return hook, nil
}

// jobPage is the page of the CI job that this run is part of.
func (c *command) jobPage() string {
	if run := c.Env("GITHUB_RUN_ID"); c.onActions() && run != "" {
		return c.Env("GITHUB_SERVER_URL") + "/" + c.Env("GITHUB_REPOSITORY") + "/actions/runs/" + run
	}
	return c.Env("CI_JOB_URL")
}
