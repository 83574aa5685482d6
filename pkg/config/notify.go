package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Events are what can happen to an environment, in the order in which it does.
func Events() []string { return []string{"hydrated", "opened", "merged", "refused", "verifyFailed"} }

// Tells tells whether an event is among those that are told.
func (n Notify) Tells(event string) bool {
	return len(n.Events) == 0 || slices.Contains(n.Events, event)
}

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (k *checker) notify() {
	for i, n := range k.Notify {
		at := index("notify", i)
		k.webhook(at, n.Webhook)
		for j, event := range n.Events {
			switch {
			case !slices.Contains(Events(), event):
				k.add(index(at+".events", j), fmt.Sprintf("%q is no event", event), "events are: "+strings.Join(Events(), ", "))
			case slices.Contains(n.Events[:j], event):
				k.add(index(at+".events", j), fmt.Sprintf("event %q comes in twice", event), "delete one of them")
			}
		}
	}
}

func (k *checker) webhook(at string, w *Webhook) {
	if w == nil {
		k.add(at, "a notification without a webhook", "add webhook: {urlFrom: NAME}")
		return
	}
	at += ".webhook"
	if w.URLFrom == "" {
		k.add(at, "a webhook without urlFrom", "name the environment variable that its address comes in, as in urlFrom: SLACK_URL")
	} else {
		k.variable(at+".urlFrom", w.URLFrom)
	}
	if w.SecretFrom != "" {
		k.variable(at+".secretFrom", w.SecretFrom)
	}
	switch w.Form {
	case "", "json", "slack":
	default:
		k.add(at+".form", fmt.Sprintf("form is %q", w.Form), "write json or slack")
	}
}

// variable checks the name of an environment variable. The text is not
// repeated: it may be the secret itself.
func (k *checker) variable(at, name string) {
	if !variable.MatchString(name) {
		key := at[strings.LastIndexByte(at, '.')+1:]
		k.add(at, key+" is not the name of an environment variable", "an address or a secret is not part of the config: put it into a variable, and write the variable's name")
	}
}
