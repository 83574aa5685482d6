package render

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"runtime/debug"
	"time"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/provenance"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
)

const (
	maxRequest = 1 << 30  // bytes of the repository that one build may be sent
	maxStack   = 64 << 20 // ends a recursion without end before it has eaten all memory
)

// Worker is the main loop of a worker process: it answers the builds that come
// in on in with objects on out, until in ends. It changes the process that it
// runs in for good (no network, hard limits, nothing else on standard output),
// so it has to be all that the process does.
func Worker(in io.Reader, out io.Writer) error {
	http.DefaultTransport = refuser{}
	http.DefaultClient.Transport = refuser{}
	os.Stdout = os.Stderr
	w := &worker{in: bufio.NewReaderSize(in, 1<<16), out: bufio.NewWriterSize(out, 1<<16)}
	kind, payload, err := readFrame(w.in, 16)
	if err != nil {
		return fmt.Errorf("reading the greeting: %w", err)
	}
	hello := unpacker{b: payload}
	memory := int64(hello.num())
	if kind != frameHello || hello.err != nil {
		return errFrame
	}
	debug.SetGCPercent(300)
	debug.SetMemoryLimit(memory / 4 * 3)
	debug.SetMaxStack(maxStack)
	limitProcess(memory)
	for {
		kind, payload, err := readFrame(w.in, maxRequest)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading a build: %w", err)
		}
		if kind != frameBuild {
			return errFrame
		}
		if err := w.serve(payload); err != nil {
			return err
		}
	}
}

// refuser stands in for the network: kustomize fetches whatever looks like a
// URL, and no option of the library turns that off.
type refuser struct{}

func (refuser) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("network access is refused")
}

type worker struct {
	in  *bufio.Reader
	out *bufio.Writer

	direct *direct // once it is needed
}

func (w *worker) serve(payload []byte) error {
	req, err := unpackRequest(payload)
	if err != nil {
		return writeFrame(w.out, frameFailed, failure{failedProtocol, err.Error()}.pack())
	}
	limitCPU(time.Duration(req.cpu) * time.Second)
	objects, failed := w.build(req)
	if failed != nil {
		return writeFrame(w.out, frameFailed, failed.pack())
	}
	return writeFrame(w.out, frameResult, objects)
}

// ask gets the program's answer about a path of the repository.
func (w *worker) ask(name string) (answer, error) {
	if err := writeFrame(w.out, frameAsk, []byte(name)); err != nil {
		return answer{}, err
	}
	kind, payload, err := readFrame(w.in, maxRequest)
	if err != nil {
		return answer{}, err
	}
	if kind != frameAnswer {
		return answer{}, errFrame
	}
	u := unpacker{b: payload}
	a := u.answer()
	return a, u.err
}

func (w *worker) build(req request) (objects []byte, failed *failure) {
	defer func() {
		if r := recover(); r != nil {
			failed = &failure{failedPanic, fmt.Sprint(r)}
		}
	}()
	fsys := &files{known: req.known, data: req.files, ask: w.ask}
	opts := krusty.MakeDefaultOptions()
	opts.Reorder = krusty.ReorderOptionUnspecified // as the kustomize command has it
	opts.LoadRestrictions = types.LoadRestrictionsRootOnly
	opts.PluginConfig = types.DisabledPluginConfig()
	if all, err := w.short(fsys, req.dir); err == nil {
		return packResult(all, req)
	}
	m, err := krusty.MakeKustomizer(opts).Run(fsys, path.Join(mount, req.dir))
	if err == nil && req.managed {
		err = relabel(m)
	}
	if err != nil {
		return nil, &failure{failedBuild, err.Error()}
	}
	return packResult(m.Resources(), req)
}

// short builds without the library's orchestration, if it can.
func (w *worker) short(fsys *files, dir string) ([]*resource.Resource, error) {
	if w.direct == nil {
		d, err := newDirect()
		if err != nil {
			return nil, err
		}
		w.direct = d
	}
	return w.direct.build(fsys, dir)
}

// packResult writes the objects of a build in canonical form.
func packResult(resources []*resource.Resource, req request) ([]byte, *failure) {
	if len(resources) > req.objects {
		return nil, &failure{failedObjects, ""}
	}
	p := packer{}
	p.num(len(resources))
	for _, r := range resources {
		if err := p.canonical(&r.RNode); err != nil {
			return nil, &failure{failedBuild, fmt.Sprintf("%s %s: %v", r.GetKind(), r.GetName(), err)}
		}
		if len(p.b) > req.output {
			return nil, &failure{failedOutput, ""}
		}
	}
	return p.b, nil
}

// kustomizeVersion is the release of kustomize that the library belongs to.
const kustomizeVersion = "v5.8.2"

const managedByLabel = "app.kubernetes.io/managed-by"

// relabel replaces the version that this process's kustomize writes into the
// managed-by label. The library takes it from how the program was built, which
// must not reach the output.
func relabel(m resmap.ResMap) error {
	built := "kustomize-" + provenance.GetProvenance().Semver()
	for _, r := range m.Resources() {
		labels := r.GetLabels()
		if labels[managedByLabel] != built {
			continue
		}
		labels[managedByLabel] = "kustomize-" + kustomizeVersion
		if err := r.SetLabels(labels); err != nil {
			return err
		}
	}
	return nil
}
