package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"go.yaml.in/yaml/v3"
)

// runWorkflow runs the steps of a job of a workflow as a runner does: each
// run: in a bash that stops at the first fault, with the step's own
// environment. Steps that check out or install are the session's business.
//
//	workflow FILE JOB EVENT [EXPRESSION=VALUE...]
//
// stands for a run that EVENT started; the values stand for the expressions
// of that event, rev:NAME for the id of a commit.
func runWorkflow(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: workflow FILE JOB EVENT [EXPRESSION=VALUE...]")
	}
	var w struct {
		Jobs map[string]struct {
			Steps []step `yaml:"steps"`
		} `yaml:"jobs"`
	}
	ts.Check(yaml.Unmarshal([]byte(ts.ReadFile(args[0])), &w))
	job, ok := w.Jobs[args[1]]
	if !ok {
		ts.Fatalf("%s has no job %q", args[0], args[1])
	}
	values := map[string]string{"secrets.SLUICE_TOKEN || github.token": ts.Getenv("TOKEN"), "github.token": ts.Getenv("TOKEN")}
	for _, a := range args[3:] {
		name, value, _ := strings.Cut(a, "=")
		if rev, ok := strings.CutPrefix(value, "rev:"); ok {
			id, err := exec.Command("git", "-C", ts.MkAbs("."), "rev-parse", "--verify", rev).Output()
			ts.Check(err)
			value = strings.TrimSpace(string(id))
		}
		values[name] = value
	}
	outputs := ts.MkAbs("outputs")
	ts.Check(os.WriteFile(outputs, nil, 0o600))
	ran := 0
	for _, s := range job.Steps {
		if s.Run == "" || strings.HasPrefix(s.Run, "go install ") || !s.wanted(ts, args[2], outputs) {
			continue
		}
		ran++
		env := append(slices.DeleteFunc(append(os.Environ(), "GITHUB_OUTPUT="+outputs, "GITHUB_SERVER_URL="+ts.Getenv("SERVER"), "GITHUB_API_URL="+ts.Getenv("SERVER")+"/api/v3", "GITHUB_REPOSITORY=acme/shop"), func(v string) bool {
			return strings.HasPrefix(v, "SLUICE_TOKEN=")
		}), "RUNNER_TEMP="+ts.MkAbs("../temp"))
		for _, name := range []string{"PATH", "HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE", "GIT_CEILING_DIRECTORIES"} {
			env = append(env, name+"="+ts.Getenv(name))
		}
		for name, text := range s.Env {
			expression := strings.TrimSuffix(strings.TrimPrefix(text, "${{ "), " }}")
			value, known := values[expression]
			if !known {
				ts.Fatalf("the session gives no value for %s", text)
			}
			env = append(env, name+"="+value)
		}
		cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", s.Run)
		cmd.Dir, cmd.Env = ts.MkAbs("."), env
		out, err := cmd.CombinedOutput()
		fmt.Fprintf(ts.Stdout(), "$ %s\n%s", strings.TrimSpace(s.Run), out)
		if (err != nil) != neg && err != nil {
			ts.Fatalf("%s: %v", s.Run, err)
		}
		if err != nil {
			return
		}
	}
	if neg || ran == 0 {
		ts.Fatalf("%d steps ran, none failed", ran)
	}
}

type step struct {
	If  string            `yaml:"if"`
	Run string            `yaml:"run"`
	Env map[string]string `yaml:"env"`
}

// wanted tells whether a step runs; it knows the conditions that sluice init
// writes.
func (s step) wanted(ts *testscript.TestScript, event, outputs string) bool {
	switch s.If {
	case "":
		return true
	case "github.event_name == 'schedule'", "github.event_name == 'issue_comment'":
		return strings.Contains(s.If, "'"+event+"'")
	case "github.event_name != 'schedule' || steps.gates.outputs.open == 'true'":
		return event != "schedule" || strings.Contains(ts.ReadFile(outputs), "open=true\n")
	}
	ts.Fatalf("the session does not know the condition %s", s.If)
	return false
}
