package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path"
	"testing"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	sigsyaml "sigs.k8s.io/yaml"
)

// oracleName is the name under which the test binary builds with the library
// alone: no gate, no marks, no file system of our own.
const oracleName = "render-test-oracle"

// question and verdict are what goes to and comes from an oracle.
type question struct {
	Dir   string
	Files map[string]string
}

type verdict struct {
	Objects []json.RawMessage
	Err     string
}

// serveOracle answers questions until in ends. Nothing that a build asks for
// can be fetched or run.
func serveOracle(in io.Reader, out io.Writer) error {
	http.DefaultTransport = refuser{}
	http.DefaultClient.Transport = refuser{}
	os.Stdout = os.Stderr
	dec, enc := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var q question
		if err := dec.Decode(&q); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		objects, err := pristine(q)
		v := verdict{Objects: objects}
		if err != nil {
			v = verdict{Err: err.Error()}
		}
		if err := enc.Encode(v); err != nil {
			return err
		}
	}
}

// pristine builds as the kustomize command does.
func pristine(q question) (objects []json.RawMessage, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	fsys := filesys.MakeFsInMemory()
	for name, text := range q.Files {
		if err := fsys.WriteFile(path.Join("/", name), []byte(text)); err != nil {
			return nil, err
		}
	}
	opts := krusty.MakeDefaultOptions()
	opts.Reorder = krusty.ReorderOptionUnspecified
	m, err := krusty.MakeKustomizer(opts).Run(fsys, path.Join("/", q.Dir))
	if err != nil {
		return nil, err
	}
	for _, r := range m.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			return nil, err
		}
		j, err := sigsyaml.YAMLToJSON(text)
		if err != nil {
			return nil, err
		}
		objects = append(objects, j)
	}
	return objects, nil
}

// oracle is one process that answers questions.
type oracle struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	enc *json.Encoder
	dec *json.Decoder
}

func startOracle() (*oracle, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := &exec.Cmd{Path: self, Args: []string{oracleName}, Env: []string{"PATH="}, Dir: rootDir}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &oracle{cmd: cmd, in: in, enc: json.NewEncoder(in), dec: json.NewDecoder(out)}, cmd.Start()
}

func (o *oracle) close() {
	_ = o.in.Close()
	_ = o.cmd.Wait()
}

// oracles are the processes that wait for questions.
type oracles chan *oracle

// ask gives what the library makes of a build. A build that sets the schema,
// which is process-wide, has a process to itself.
func (idle oracles) ask(t testing.TB, c krustyCase) verdict {
	t.Helper()
	alone := false
	for _, text := range c.files {
		alone = alone || bytes.Contains([]byte(text), []byte("openapi")) || bytes.Contains([]byte(text), []byte("crds"))
	}
	var o *oracle
	if !alone {
		select {
		case o = <-idle:
		default:
		}
	}
	if o == nil {
		var err error
		if o, err = startOracle(); err != nil {
			t.Fatal(err)
		}
	}
	var v verdict
	err := o.enc.Encode(question{Dir: c.dir, Files: c.files})
	if err == nil {
		err = o.dec.Decode(&v)
	}
	if err != nil {
		o.close()
		return verdict{Err: "died: " + err.Error()}
	}
	if alone {
		o.close()
		return v
	}
	select {
	case idle <- o:
	default:
		o.close()
	}
	return v
}

func (idle oracles) close() {
	close(idle)
	for o := range idle {
		o.close()
	}
}

// exact decodes JSON with its numbers as they are written.
func exact(t testing.TB, text []byte) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}
