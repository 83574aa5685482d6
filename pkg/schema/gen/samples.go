package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// addSamples takes in the objects that k8s.io/api tests its encodings with,
// those of the kinds that the release serves.
func (f *facts) addSamples(minor int, api string, lines map[string][]int) error {
	if f.lines == nil {
		f.lines = map[string][]int{}
	}
	f.minors = append(f.minors, minor)
	served := map[string]bool{}
	for line, minors := range lines {
		if k := strings.Split(line, "\t"); k[0] == "K" && minors[len(minors)-1] == minor {
			served[k[1]+"\t"+k[2]] = true
		}
	}
	paths, err := filepath.Glob(filepath.Join(api, "testdata", "HEAD", "*.json"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var object struct{ APIVersion, Kind string }
		if err := json.Unmarshal(data, &object); err != nil {
			return err
		}
		var text bytes.Buffer
		if err := json.Compact(&text, data); err != nil {
			return err
		}
		if name := object.APIVersion + "\t" + object.Kind; served[name] {
			f.hold("S\t"+name+"\t"+text.String(), minor)
		}
	}
	return nil
}
