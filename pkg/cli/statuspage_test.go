package cli

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sluice-dev/sluice/pkg/repo"
)

func id(n int) repo.ID { return repo.ID(fmt.Sprintf("%07x%033x", 0xabc0000+n*7919, n)) }

func commits(n int, subject string) []waiting {
	var list []waiting
	for i := range n {
		list = append(list, waiting{id(100 + i), "Ada Example", "2026-01-05T09:00:00Z", fmt.Sprintf(subject, n-i)})
	}
	return list
}

func number(n int) *int { return &n }

// standings is two chains: three environments in a line of which the last is
// frozen, and one that has two behind it, one of them off the line.
func standings() []standing {
	const hydrated = "hydrated"
	return []standing{
		{Environment: "staging", Branch: "env/staging", State: hydrated, Commit: id(1), Source: id(2), Subject: "Serve the shop from two zones", Behind: number(2), Waiting: commits(2, "Change %d of the source"), Injectors: []pin{{"conduit", "v0.4.0"}}},
		{Environment: "canary", Branch: "env/canary", PromotedFrom: "staging", State: hydrated, Commit: id(3), Source: id(4), Subject: "Serve the shop", Behind: number(3), Waiting: commits(3, "staging: %d objects changed (Serve the shop)"), Approvals: 1, RequiredChecks: []string{"sluice/verify"}, Request: &request{Number: 12, URL: "https://forge.example/acme/shop/pull/12", Title: "Promote canary to 1a2b3c4"}, Injectors: []pin{{"conduit", "v0.3.1"}, {"conduit", "v0.4.0"}}, Skew: []skew{{Injector: "conduit", Versions: [2]string{"v0.3.1", "v0.4.0"}, Known: true}}},
		{Environment: "production", Branch: "env/production", PromotedFrom: "canary", State: hydrated, Commit: id(5), Source: id(6), Subject: "Begin", Behind: number(1), Waiting: commits(1, "canary: %d objects changed (Begin)"), Frozen: "end of the year", Approvals: 2},
		{Environment: "lab", Branch: "env/lab", State: hydrated, Commit: id(7), Source: id(2), Subject: "Serve the shop from two zones", Behind: number(0)},
		{Environment: "eu", Branch: "env/eu", PromotedFrom: "lab", State: hydrated, Commit: id(8), Source: id(4), Subject: "Serve the shop", OffLine: true, Left: &left{How: "squashed", Text: "eu holds what abc0000 held, squashed into another commit; the next sluice commit takes it in"}},
		{Environment: "us", Branch: "env/us", PromotedFrom: "lab", State: "empty", Behind: number(120), Waiting: commits(100, "lab: %d objects changed (Serve the shop)")},
	}
}

func statusPageOf(t *testing.T, rows []standing, head string) string {
	t.Helper()
	var b strings.Builder
	if err := writeStatusPage(&b, rows, head); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestStatusPageSaysWhoWaits(t *testing.T) {
	page := statusPageOf(t, standings(), "abc0000 Change 2 of the source")
	for _, want := range []string{
		"<title>6 environments: 1 up to date, 5 not, 1 frozen</title>",
		"staging waits for 2 commits", "Change 1 of the source", "canary waits for 3 commits", "production waits for 1 commit<",
		"end of the year", "needs 1 approval, sluice/verify", `href="https://forge.example/acme/shop/pull/12">#12</a> Promote canary`,
		"not on its line", "squashed into another commit", "us waits for 120 commits", "and 20 more", "nothing has been promoted to it yet",
		"conduit v0.3.1, conduit v0.4.0", "up to date",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if empty := statusPageOf(t, nil, ""); !strings.Contains(empty, "There is no environment") {
		t.Error("nothing is said where there is no environment")
	}
}

// Whatever people wrote is text to the page.
func TestStatusPageHoldsNoForeignMarkup(t *testing.T) {
	const evil = "x\"'><img src=x onerror=y()></script><script>z()</script>&amp;\x1b[31m\u202e"
	rows := standings()
	for i := range rows {
		r := &rows[i]
		r.Branch, r.Subject, r.Frozen, r.RequiredChecks = evil, evil, evil, []string{evil}
		r.Left, r.Injectors = &left{Text: evil}, []pin{{evil, evil}}
		r.Request = &request{Title: evil, URL: "javascript:alert(1)"}
		for j := range r.Waiting {
			r.Waiting[j].Subject, r.Waiting[j].Author = evil, evil
		}
	}
	page := statusPageOf(t, rows, evil)
	for _, bad := range []string{"<img", "z()</script>", "\x1b", "\u202e", "javascript:", "\"'>"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	if n := strings.Count(page, "<script>"); n != 1 {
		t.Errorf("the page has %d scripts", n)
	}
}
