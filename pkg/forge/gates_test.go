package forge

import (
	"strings"
	"testing"
)

func TestGates(t *testing.T) {
	const at, other = "aaaaaaaaaaaa", "bbbbbbbbbbbb"
	yes := func(user string) Review { return Review{User: user, Verdict: Approved, Commit: at, Counts: true} }
	with := func(r Review, change func(*Review)) Review { change(&r); return r }
	policy := Policy{Environment: "production", Approvals: 2, Checks: []string{"smoke"}}
	smoke := []Check{{"smoke", Passed}}
	for name, c := range map[string]struct {
		policy   Policy
		evidence *Evidence
		want     string // the closed gates' names and a part of the first one's text
	}{
		"all open":            {policy, &Evidence{Head: at, Reviews: []Review{yes("ada"), yes("bob")}, Checks: smoke}, ""},
		"nothing asked":       {Policy{}, &Evidence{Head: at}, ""},
		"no request":          {Policy{}, nil, "request: no open request"},
		"frozen":              {Policy{Frozen: "audit"}, &Evidence{Head: at}, "frozen: audit"},
		"frozen, no request":  {Policy{Frozen: "audit"}, nil, "frozen request: audit"},
		"head moved":          {Policy{}, &Evidence{Head: other}, "request: about commit bbbbbbbbbb, not aaaaaaaaaa"},
		"draft":               {Policy{}, &Evidence{Head: at, Draft: true}, "draft: is a draft"},
		"one person twice":    {policy, &Evidence{Head: at, Reviews: []Review{yes("ada"), yes("ada")}, Checks: smoke}, "approvals: 1 of 2"},
		"older commit":        {policy, &Evidence{Head: at, Reviews: []Review{yes("ada"), with(yes("bob"), func(r *Review) { r.Commit = other })}, Checks: smoke}, "approvals: and 1 of other commits"},
		"no commit told":      {policy, &Evidence{Head: at, Reviews: []Review{yes("ada"), with(yes("bob"), func(r *Review) { r.Commit = "" })}, Checks: smoke}, "approvals: 1 of 2"},
		"may not write":       {policy, &Evidence{Head: at, Reviews: []Review{yes("ada"), with(yes("eve"), func(r *Review) { r.Counts = false })}, Checks: smoke}, "approvals: 1 of 2"},
		"dismissed later":     {policy, &Evidence{Head: at, Reviews: []Review{yes("ada"), yes("bob"), with(yes("bob"), func(r *Review) { r.Verdict = Dismissed })}, Checks: smoke}, "approvals: 1 of 2"},
		"commented later":     {policy, &Evidence{Head: at, Reviews: []Review{yes("ada"), yes("bob"), with(yes("bob"), func(r *Review) { r.Verdict = Commented })}, Checks: smoke}, ""},
		"rejected later":      {policy, &Evidence{Head: at, Reviews: []Review{yes("ada"), yes("bob"), with(yes("bob"), func(r *Review) { r.Verdict = Rejected })}, Checks: smoke}, "approvals: changes are requested by bob"},
		"rejected by a third": {policy, &Evidence{Head: at, Reviews: []Review{with(yes("eve"), func(r *Review) { r.Verdict, r.Commit = Rejected, other }), yes("ada"), yes("bob")}, Checks: smoke}, "approvals: by eve"},
		"rejected by anybody": {policy, &Evidence{Head: at, Reviews: []Review{with(yes("eve"), func(r *Review) { r.Verdict, r.Counts = Rejected, false }), yes("ada"), yes("bob")}, Checks: smoke}, ""},
		"rejected, then not":  {policy, &Evidence{Head: at, Reviews: []Review{with(yes("ada"), func(r *Review) { r.Verdict = Rejected }), yes("ada"), yes("bob")}, Checks: smoke}, ""},
		"check missing":       {policy, &Evidence{Head: at, Reviews: []Review{yes("ada"), yes("bob")}, Checks: []Check{{"Smoke", Passed}}}, "check smoke: has not been reported"},
		"check pending":       {policy, &Evidence{Head: at, Reviews: []Review{yes("ada"), yes("bob")}, Checks: []Check{{"smoke", Passed}, {"smoke", Pending}}}, "check smoke: has not finished"},
		"check failed":        {policy, &Evidence{Head: at, Reviews: []Review{yes("ada"), yes("bob")}, Checks: []Check{{"smoke", Failed}, {"smoke", Pending}, {"smoke", Passed}}}, "check smoke: has failed"},
		"other check failed":  {policy, &Evidence{Head: at, Reviews: []Review{yes("ada"), yes("bob")}, Checks: []Check{{"smoke", Passed}, {"lint", Failed}}}, ""},
	} {
		closed := Closed(Gates(c.policy, at, c.evidence))
		var names []string
		for _, g := range closed {
			names = append(names, g.Name)
			if g.Hint == "" {
				t.Errorf("%s: gate %s has no hint", name, g.Name)
			}
		}
		want, text, _ := strings.Cut(c.want, ": ")
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: closed are %q, want %q", name, got, want)
		} else if want != "" && !strings.Contains(closed[0].Text, text) {
			t.Errorf("%s: %q does not say %q", name, closed[0].Text, text)
		}
	}
}
