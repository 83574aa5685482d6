package inject

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/inject/conduit"
)

// Over every release: twice is once, the last pin wins, and uninject gives the
// text back, byte for byte.
func TestStreamLaws(t *testing.T) {
	corpus, err := filepath.Glob("conduit/testdata/objects/*.yaml")
	if err != nil || len(corpus) == 0 {
		t.Fatal(err, "no corpus")
	}
	injected := 0
	for _, p := range corpus {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		var previous []byte
		for _, release := range conduit.Releases() {
			injector, err := conduit.New(config.Conduit{Version: release})
			if err != nil {
				t.Fatal(err)
			}
			run := func(in []byte) []byte {
				out, _, err := Stream(p, in, injector)
				if err != nil {
					t.Fatalf("%s, %s: %v", p, release, err)
				}
				return out
			}
			once := run(text)
			if bytes.Equal(once, text) {
				continue
			}
			injected++
			if twice := run(once); !bytes.Equal(once, twice) {
				t.Errorf("%s, %s: twice is not once\n%s\n%s", p, release, once, twice)
			}
			if previous != nil {
				if moved := run(previous); !bytes.Equal(once, moved) {
					t.Errorf("%s: from the release before to %s is not %s at once\n%s\n%s", p, release, release, once, moved)
				}
			}
			back, _, err := Uninject(p, once)
			if err != nil || !bytes.Equal(back, text) {
				t.Errorf("%s, %s: uninject does not give the input back: %v\n%s", p, release, err, back)
			}
			previous = once
		}
	}
	if injected == 0 {
		t.Error("nothing was injected")
	}
}
