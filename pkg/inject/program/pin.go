package program

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// PinError is what is wrong with a pin. It never shows a URL: that may hold
// credentials.
type PinError struct {
	Field string // below the tool, for instance platforms.linux/amd64.sha256
	Text  string
	Hint  string // what to do; empty if the text says it all
}

func (e *PinError) Error() string { return e.Field + ": " + e.Text }

var (
	// Counted repeats are dear to compile: only where they are asked for.
	toolName     = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`) })
	platformName = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9]+$`)
	versionText  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]*$`)
	digit        = regexp.MustCompile(`[0-9]`)
	wildcard     = regexp.MustCompile(`(^|\.)[xX](\.|$)`)
	sha256Text   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9A-Fa-f]{64}$`) })
)

// Check tells whether the pin is exact and complete. What is wrong comes as
// *PinError, several of them joined.
func (t Tool) Check() error {
	var errs []error
	add := func(field, text, hint string) { errs = append(errs, &PinError{Field: field, Text: text, Hint: hint}) }
	if !toolName().MatchString(t.Name) {
		add("name", fmt.Sprintf("%q is not a program's name", t.Name), "use letters, digits, dots and dashes")
	}
	if !exact(t.Version) {
		add("version", fmt.Sprintf("%q is not an exact version", t.Version), "write the version in full, for instance v1.2.3")
	}
	if len(t.Platforms) == 0 {
		add("platforms", "no platform is pinned", "add for instance linux/amd64: {url: …, sha256: …}")
	}
	for _, platform := range slices.Sorted(maps.Keys(t.Platforms)) {
		field := "platforms." + platform
		if !platformName.MatchString(platform) {
			add(field, fmt.Sprintf("%q is not a platform", platform), "write it as system/processor, for instance linux/amd64")
		}
		a := t.Platforms[platform]
		if !sha256Text().MatchString(a.SHA256) {
			add(field+".sha256", "is not a SHA-256 checksum of 64 hex digits", "take the one that the program's authors publish")
		}
		if text, hint := checkURL(a.URL); text != "" {
			add(field+".url", text, hint)
		}
	}
	return errors.Join(errs...)
}

// exact tells whether a version names one release. Those without a digit, such
// as latest, are names of channels.
func exact(version string) bool {
	return versionText.MatchString(version) && digit.MatchString(version) && !wildcard.MatchString(version)
}

func checkURL(raw string) (text, hint string) {
	if raw == "" {
		return "is missing", ""
	}
	if !strings.Contains(raw, "://") {
		if !fs.ValidPath(raw) || raw == "." || strings.Contains(raw, `\`) {
			return "is neither an http(s) URL nor a path inside the repository", "write the path relative to the repository, with slashes"
		}
		return "", ""
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return "is not a URL", ""
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return "is neither an http(s) URL nor a path inside the repository", ""
	case u.User != nil:
		return "holds credentials, and everybody who reads the repository can read them", "delete them: programs are downloaded without credentials"
	}
	return "", ""
}

// remote tells whether an artifact that Check lets through is downloaded.
func (a Artifact) remote() bool { return strings.Contains(a.URL, "://") }

// shown is a URL as far as it may be shown: without credentials and query.
func shown(raw string) string {
	if !strings.Contains(raw, "://") {
		return raw
	}
	u, err := url.Parse(raw)
	if err != nil {
		return "its URL"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
