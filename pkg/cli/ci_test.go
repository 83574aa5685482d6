package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/notify"
)

// What a forge or a manifest says begins no other output, and no markup.
func TestPublish(t *testing.T) {
	dir := t.TempDir()
	env := map[string]string{
		"GITHUB_OUTPUT": filepath.Join(dir, "output"), "GITHUB_STEP_SUMMARY": filepath.Join(dir, "summary"), "SLUICE_DOTENV": filepath.Join(dir, "env"),
	}
	if err := os.WriteFile(env["SLUICE_DOTENV"], []byte("A=1\nSLUICE_CHANGED=old\nB=2"), 0o600); err != nil {
		t.Fatal(err)
	}
	var warnings bytes.Buffer
	c := &command{Program: Program{Err: &warnings, Env: func(name string) string { return env[name] }, Now: time.Now}}
	c.promotedNews(promotion{
		Environment: "live", Outcome: "opened", Commit: "0123456789abcdef", Number: 7, URL: "https://x/1\nevil=1) @all",
		Gates:   []gate{{Open: true, Text: "check `x` of @ada"}},
		Changes: []change{{Status: "added", Object: "ConfigMap <a>\n# x %s"}},
	})
	c.publish()
	for name, want := range map[string]string{
		"GITHUB_OUTPUT":       "commit=0123456789abcdef\nchanged=true\npull-request=https://x/1\\nevil=1) @all\n",
		"SLUICE_DOTENV":       "A=1\nB=2\nSLUICE_COMMIT=0123456789abcdef\nSLUICE_CHANGED=true\nSLUICE_PULL_REQUEST=https://x/1\\nevil=1) @all\n",
		"GITHUB_STEP_SUMMARY": "- `live`: opened, #7, commit `0123456789`, 0 commits, 1 object changed\n- open: ``check `x` of @ada``\n- added `ConfigMap <a>\\n# x %s`\n\n",
	} {
		got, err := os.ReadFile(env[name])
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if warnings.Len() > 0 {
		t.Error(warnings.String())
	}
}

// The config knows the same events as what is sent.
func TestEvents(t *testing.T) {
	if diff := cmp.Diff([]string{notify.Hydrated, notify.Opened, notify.Merged, notify.Refused, notify.VerifyFailed}, config.Events()); diff != "" {
		t.Error(diff)
	}
}
