// Package notify takes what happened to an environment and gives what a
// webhook is sent of it: as JSON, or as Slack takes it; and sends that.
package notify

import (
	"encoding/json"
	"time"
)

// The names of events, as the config has them.
const (
	Hydrated     = "hydrated"     // a hydrated commit is on the chain's first branch
	Opened       = "opened"       // a request for an environment was opened
	Merged       = "merged"       // an environment's branch moved to a commit
	Refused      = "refused"      // a promotion was refused for safety
	VerifyFailed = "verifyFailed" // a commit is not, or not provably, what its source renders to
)

// Event is something that happened. It holds names and counts, never the
// fields of objects, so that nothing of a Secret can be in it.
type Event struct {
	Version     int       `json:"version"` // of this form: 1
	Name        string    `json:"event"`
	Time        time.Time `json:"time"`
	Repository  string    `json:"repository,omitempty"` // URL of origin, without credentials
	Environment string    `json:"environment,omitempty"`
	Branch      string    `json:"branch,omitempty"`
	Commit      string    `json:"commit,omitempty"` // the hydrated one
	Before      string    `json:"before,omitempty"` // where the branch was
	Source      string    `json:"source,omitempty"` // the commit that it was rendered from
	Changed     []Changed `json:"changed,omitempty"`
	Request     *Request  `json:"pullRequest,omitempty"`
	Reason      string    `json:"reason,omitempty"` // why it was refused or not verified
	Run         string    `json:"run,omitempty"`    // page of the CI job
}

// Changed counts the objects that changed in an environment's directory.
type Changed struct {
	Environment string `json:"environment"`
	Objects     int    `json:"objects"`
}

// Request is a pull request.
type Request struct {
	Number int64  `json:"number"`
	URL    string `json:"url"`
}

// JSON is the generic form.
func (e Event) JSON() ([]byte, error) {
	e.Version, e.Time = 1, e.Time.UTC().Truncate(time.Second)
	return json.Marshal(e)
}
