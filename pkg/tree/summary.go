package tree

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"strings"
	"sync"

	"github.com/sluice-dev/sluice/pkg/source"
)

// Summary is what of a record tells whether its app can be taken over.
type Summary struct {
	App     string
	ID      string // Git object id of the record
	Config  string
	Tree    string
	Pins    []Pin
	Inputs  []Input
	Absent  []string
	Defines bool // a CustomResourceDefinition is among the objects
}

// Summaries reads the records of every app of an environment as far as a
// Summary goes, in order of the apps' names. Like Records, it is an error if
// one of them cannot be read, but it costs a small part of that.
func Summaries(files source.Tree, environment string) ([]Summary, error) {
	all, err := names(files, environment)
	if err != nil {
		return nil, err
	}
	return all, summarize(files, environment, all, false)
}

// glances is Summaries of records that are known to be as this version of
// sluice has written them.
func glances(files source.Tree, environment string) ([]Summary, error) {
	all, err := names(files, environment)
	if err != nil {
		return nil, err
	}
	return all, summarize(files, environment, all, true)
}

// names gives Summaries with the apps' names and the ids of their records.
func names(files source.Tree, environment string) ([]Summary, error) {
	var all []Summary
	id, err := ID(files, RecordPath(environment, ""))
	if err != nil {
		return nil, err
	}
	if id != "" {
		all = append(all, Summary{ID: id})
	}
	entries, err := files.ReadDir(path.Join(Dir, environment))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if app, isRecord := strings.CutSuffix(e.Name, ".yaml"); isRecord {
			all = append(all, Summary{App: app, ID: e.ID})
		}
	}
	return all, nil
}

// summarize fills the summaries in, with every CPU.
func summarize(files source.Tree, environment string, all []Summary, known bool) error {
	errs := make([]error, runtime.GOMAXPROCS(0))
	var running sync.WaitGroup
	for n := range errs {
		running.Go(func() {
			for i := n; i < len(all) && errs[n] == nil; i += len(errs) {
				errs[n] = all[i].read(files, environment, known)
			}
		})
	}
	running.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Summary) read(files source.Tree, environment string, known bool) error {
	at := RecordPath(environment, s.App)
	data, err := files.ReadFile(at, maxRecord)
	if err != nil {
		return fmt.Errorf("reading %q: %w", at, err)
	}
	if known && s.glance(data) || s.scan(string(data)) {
		return nil
	}
	// Not in the form in which records are written: whatever YAML it is.
	r, err := ReadRecord(files, environment, s.App)
	if err != nil {
		return err
	}
	if r == nil {
		return fmt.Errorf("reading %q: %w", at, fs.ErrNotExist)
	}
	*s = Summary{App: s.App, ID: s.ID, Config: r.Config, Tree: r.Tree, Pins: r.Pins, Inputs: r.Inputs, Absent: r.Absent}
	for _, o := range r.Objects {
		s.Defines = s.Defines || o.Kind == definition
	}
	return nil
}

const definition = "CustomResourceDefinition"

// recordLines are the lines of a record as encode writes it, without their
// values: what may follow each, and whether it has a value. A record with
// programs is not among them, nor one with a value that has to be quoted.
var recordLines = map[string]struct {
	valued bool
	next   string // of keys, apart by |
}{
	"":               {false, "commit: "},
	"commit: ":       {true, "config: "},
	"config: ":       {true, "pins:|inputs:|inputs: []"},
	"pins:":          {false, "- injector: "},
	"- injector: ":   {true, "  version: "},
	"  version: ":    {true, "- injector: |inputs:|inputs: []"},
	"inputs: []":     {false, "absent:|tree: "},
	"inputs:":        {false, "- path: "},
	"- path: ":       {true, "  id: "},
	"  id: ":         {true, "- path: |absent:|tree: "},
	"absent:":        {false, "- "},
	"- ":             {true, "- |tree: "},
	"tree: ":         {true, "objects:|objects: []"},
	"objects: []":    {false, "end"},
	"objects:":       {false, "- file: "},
	"- file: ":       {true, "  apiVersion: "},
	"  apiVersion: ": {true, "  kind: "},
	"  kind: ":       {true, "  namespace: |  name: "},
	"  namespace: ":  {true, "  name: "},
	"  name: ":       {true, "  source: "},
	"  source: ":     {true, "  injected:|  images:|- file: |end"},
	"  injected:":    {false, "  - injector: "},
	"  - injector: ": {true, "    version: "},
	"    version: ":  {true, "  - injector: |  images:|- file: |end"},
	"  images:":      {false, "  - "},
	"  - ":           {true, "  - |- file: |end"},
}

// scan reads a record that is exactly in the form in which encode writes it,
// with values that mean the same to every reader of YAML. It tells whether the
// record was in that form.
func (s *Summary) scan(data string) bool {
	state := ""
	for len(data) > 0 {
		line, rest, ended := strings.Cut(data, "\n")
		if !ended {
			return false
		}
		data = rest
		next, value, ok := follow(recordLines[state].next, line)
		if !ok || recordLines[next].valued && !plain(value) {
			return false
		}
		state = next
		switch state {
		case "commit: ":
			ok = isID(value)
		case "- path: ", "- ", "- file: ":
			ok = fs.ValidPath(value)
		}
		if !ok {
			return false // Record.check says why
		}
		switch state {
		case "config: ":
			s.Config = value
		case "- injector: ":
			s.Pins = append(s.Pins, Pin{Injector: value})
		case "  version: ":
			s.Pins[len(s.Pins)-1].Version = value
		case "- path: ":
			s.Inputs = append(s.Inputs, Input{Path: value})
		case "  id: ":
			s.Inputs[len(s.Inputs)-1].ID = value
		case "- ":
			s.Absent = append(s.Absent, value)
		case "tree: ":
			s.Tree = value
		case "  kind: ":
			s.Defines = s.Defines || value == definition
		}
	}
	_, _, ended := follow(recordLines[state].next, "end")
	return ended
}

// glance reads what matters of a record that encode is known to have written.
// It tells whether it understood that: it does unless there are programs, or
// values that had to be quoted.
func (s *Summary) glance(data []byte) bool {
	before, after, ok := bytes.Cut(data, []byte("\ntree: "))
	id, objects, ok2 := bytes.Cut(after, []byte("\n"))
	if !ok || !ok2 {
		return false
	}
	head := string(before)
	g := Summary{
		App: s.App, ID: s.ID, Tree: string(id), Inputs: make([]Input, 0, strings.Count(head, "\n- path: ")),
		Defines: bytes.Contains(objects, []byte("\n  kind: "+definition+"\n")),
	}
	for more := true; more; {
		var line string
		line, head, more = strings.Cut(head, "\n")
		if !g.line(line) {
			return false
		}
	}
	*s = g
	return true
}

// line takes up a line from above the tree's. It tells whether it could.
func (s *Summary) line(line string) bool {
	switch line {
	case "pins:", "inputs:", "inputs: []", "absent:":
		return true
	}
	at := strings.Index(line, ": ")
	if at < 0 && strings.HasPrefix(line, "- ") {
		at = 0 // an absent path
	}
	if at < 0 || len(line) == at+2 || !letter(line[at+2]) {
		return false
	}
	value := line[at+2:]
	switch key := line[:at+2]; {
	case key == "- path: ":
		s.Inputs = append(s.Inputs, Input{Path: value})
	case key == "  id: " && len(s.Inputs) > 0:
		s.Inputs[len(s.Inputs)-1].ID = value
	case key == "- ":
		s.Absent = append(s.Absent, value)
	case key == "commit: ":
	case key == "config: ":
		s.Config = value
	case key == "- injector: ":
		s.Pins = append(s.Pins, Pin{Injector: value})
	case key == "  version: " && len(s.Pins) > 0:
		s.Pins[len(s.Pins)-1].Version = value
	default:
		return false
	}
	return true
}

// letter tells whether a scalar that begins with it is not quoted.
func letter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c == '.' || c == '/' || c == '_'
}

// follow finds the key of a line among those that may stand there.
func follow(keys, line string) (key, value string, ok bool) {
	for keys != "" {
		key, keys, _ = strings.Cut(keys, "|")
		if !strings.HasSuffix(key, " ") {
			if line == key {
				return key, "", true
			}
			continue
		}
		if value, ok = strings.CutPrefix(line, key); ok {
			return key, value, true
		}
	}
	return "", "", false
}

// plain tells whether a scalar stands for itself.
func plain(value string) bool {
	switch value {
	case "", "null", "Null", "NULL":
		return false
	}
	for i := range len(value) {
		c := value[i]
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c == '.', c == '/', c == '_':
		case i > 0 && (c == '-' || c == '@' || c == '%' || c == '+'), i > 0 && c == ':' && i < len(value)-1:
		default:
			return false
		}
	}
	return true
}
