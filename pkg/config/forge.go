package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// forgeTypes are what forge.type can be.
func forgeTypes() []string { return []string{"github", "gitlab", "gitea", "none"} }

// maxApprovals bounds approvals: more is a slip of the finger.
const maxApprovals = 100

func (k *checker) forge() {
	f := k.Forge
	if f == nil {
		return
	}
	switch f.Type {
	case "", "github", "gitlab", "gitea", "none":
	case "forgejo":
		k.add("forge.type", `forge.type is "forgejo"`, "write gitea: Forgejo speaks the same")
	case "bitbucket", "azure":
		k.add("forge.type", fmt.Sprintf("forge.type %q is not supported yet", f.Type), "with type: none the branches are promoted without pull requests")
	default:
		k.add("forge.type", fmt.Sprintf("forge.type %q is no forge", f.Type), suggest(f.Type, forgeTypes()))
	}
	k.forgeURL(f.URL)
	if f.App != nil {
		if f.Type != "" && f.Type != "github" {
			k.add("forge.app", "forge.app is for GitHub", "delete it, or write type: github")
		}
		if f.App.ID <= 0 || f.App.Installation <= 0 {
			k.add("forge.app", "forge.app needs id and installation", "both are on the pages of the App; they are numbers above 0")
		}
	}
	if f.Type == "none" && (f.URL != "" || f.Draft || len(f.Labels) > 0) {
		k.add("forge.type", "forge.type none goes with nothing else", "delete the other keys of forge, or name the forge")
	}
	k.names("forge.labels", "label", f.Labels)
}

// forgeURL checks where tokens will be sent to.
func (k *checker) forgeURL(text string) {
	if text == "" {
		return
	}
	const at = "forge.url"
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "" || strings.IndexFunc(text, unicode.IsSpace) >= 0:
		k.add(at, "forge.url is not a URL", "write it as in https://github.example.com")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		// The text is not repeated: it may hold a password.
		k.add(at, "forge.url holds more than host and path", "tokens are taken from the environment only")
	case u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())):
		k.add(at, fmt.Sprintf("forge.url %q is not an https URL", text), "a token is not sent in the clear")
	}
}

// loopback tells whether a host can only be this machine.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// names checks a list of names of the forge's.
func (k *checker) names(at, what string, list []string) {
	for i, name := range list {
		switch {
		case name == "" || strings.TrimSpace(name) != name || strings.IndexFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0:
			k.add(index(at, i), fmt.Sprintf("%s %q is no name", what, name), "write it as the forge shows it")
		case slices.Contains(list[:i], name):
			k.add(index(at, i), fmt.Sprintf("%s %q comes in twice", what, name), "delete one of them")
		}
	}
}

// gates checks what an environment asks of a commit before it may come in.
func (k *checker) gates() {
	for i, e := range k.Environments {
		at := index("environments", i)
		if e.Approvals < 0 || e.Approvals > maxApprovals {
			k.add(at+".approvals", fmt.Sprintf("approvals is %d", e.Approvals), fmt.Sprintf("a number of people: 0 to %d", maxApprovals))
		}
		k.names(at+".requiredChecks", "check", e.RequiredChecks)
		if k.Forge != nil && k.Forge.Type == "none" && (e.Approvals > 0 || len(e.RequiredChecks) > 0) {
			k.add(at, fmt.Sprintf("environment %q asks for approvals or checks, and without a forge there is nobody to give them", e.Name), "name the forge, or delete approvals and requiredChecks")
		}
	}
}
