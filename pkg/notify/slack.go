package notify

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxSaid bounds foreign text in a message, in characters.
const maxSaid = 300

// Slack is the form that Slack's incoming webhooks take. What others wrote
// stands in code spans, where nothing is markup, a link or a mention.
func (e Event) Slack() ([]byte, error) {
	return json.Marshal(struct {
		Text        string `json:"text"`
		UnfurlLinks bool   `json:"unfurl_links"`
		UnfurlMedia bool   `json:"unfurl_media"`
	}{Text: e.text()})
}

func (e Event) text() string {
	var b strings.Builder
	commit := code(short(e.Commit))
	switch e.Name {
	case Hydrated:
		fmt.Fprintf(&b, "%s hydrated: commit %s of source %s", code(e.Branch), commit, code(short(e.Source)))
	case Opened:
		fmt.Fprintf(&b, "%s is asked to get commit %s", code(e.Environment), commit)
	case Merged:
		fmt.Fprintf(&b, "%s is at commit %s", code(e.Environment), commit)
	case Refused:
		fmt.Fprintf(&b, "%s refused: %s", code(e.Environment), code(e.Reason))
	case VerifyFailed:
		fmt.Fprintf(&b, "%s not verified: %s", code(e.Branch), code(e.Reason))
	}
	var changed []string
	for _, ch := range e.Changed {
		if ch.Objects == 1 {
			changed = append(changed, "1 object of "+code(ch.Environment))
		} else {
			changed = append(changed, fmt.Sprintf("%d objects of %s", ch.Objects, code(ch.Environment)))
		}
	}
	if len(changed) > 0 {
		b.WriteString("; " + strings.Join(changed, ", ") + " changed")
	}
	var links []string
	if e.Request != nil {
		links = append(links, link(e.Request.URL, fmt.Sprintf("#%d", e.Request.Number)))
	}
	links = append(links, link(e.Repository, e.Repository), link(e.Run, "run"))
	for _, l := range links {
		if l != "" {
			b.WriteString(" · " + l)
		}
	}
	return b.String()
}

// short is a commit's id as people read it.
func short(id string) string { return id[:min(len(id), 10)] }

// entities are the three characters by which Slack knows mentions and links.
func entities(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// code gives foreign text as a code span of one line. A backtick, which would
// end it, becomes an apostrophe.
func code(s string) string {
	if utf8.RuneCountInString(s) > maxSaid {
		s = string([]rune(s)[:maxSaid]) + "..."
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '`':
			return '\''
		case unicode.IsPrint(r) && r != utf8.RuneError:
			return r
		}
		return ' '
	}, s)
	if strings.TrimSpace(s) == "" {
		return "(empty)"
	}
	return "`" + entities(s) + "`"
}

// IsWeb tells whether a text is an address of the web and nothing else, so that
// it can stand where markup says that an address does.
func IsWeb(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && u.User == nil && (u.Scheme == "https" || u.Scheme == "http") &&
		!strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("<>|`()[]\\\"'", r) })
}

// link gives an address of the web as a link, and everything else as a
// code span.
func link(address, label string) string {
	switch {
	case address == "":
		return ""
	case !IsWeb(address):
		return code(label)
	case label == address:
		_, label, _ = strings.Cut(address, "://")
	}
	return "<" + entities(address) + "|" + entities(label) + ">"
}
