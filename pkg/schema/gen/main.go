// Command gen writes ../schemas.gz: what the embedded Kubernetes releases
// serve, and since when others are gone; and ../testdata/samples.gz, an object
// of each kind with every field set. It takes the OpenAPI documents of
// k8s.io/kubernetes and the sources of k8s.io/api, both through the module
// proxy and checked against releases.txt. Run it with go generate.
//
// The result is one text line a fact, tab-separated, gzipped:
//
//	V  first  last                              minors of Kubernetes 1
//	D  from  to  definition  schema             valid in these minors
//	K  from  to  apiVersion  kind  definition  object|part
//	R  minor  apiVersion  kind  apiVersion  kind  gone since, replaced by
//	S  from  to  apiVersion  kind  object         a sample, as JSON
//
// A definition that does not change from one release to the next is one line,
// so that a further release costs only what is new in it.
package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"sort"
	"strconv"
	"strings"
)

//go:embed releases.txt
var releasesText string

//go:embed accepted.txt
var acceptedText string

//go:embed removed.txt
var removedText string

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run() error {
	var facts, samples facts
	for _, f := range rows(releasesText) {
		minor, err := strconv.Atoi(strings.TrimPrefix(f[0], "1."))
		if err != nil {
			return err
		}
		kubernetes, err := download("k8s.io/kubernetes", f[1], f[2])
		if err != nil {
			return err
		}
		api, err := download("k8s.io/api", f[3], f[4])
		if err != nil {
			return err
		}
		if err := facts.add(minor, kubernetes, api); err != nil {
			return fmt.Errorf("reading release %s: %w", f[0], err)
		}
		if err := samples.addSamples(minor, api, facts.lines); err != nil {
			return err
		}
	}
	if err := samples.write("testdata/samples.gz"); err != nil {
		return err
	}
	return facts.write("schemas.gz")
}

// rows gives the fields of each line that is not a comment.
func rows(text string) [][]string {
	var out [][]string
	for _, line := range strings.Split(text, "\n") {
		if f := strings.Fields(line); len(f) > 0 && f[0] != "#" {
			out = append(out, f)
		}
	}
	return out
}

// download gives the directory of a module whose checksum is as stated.
func download(module, version, sum string) (string, error) {
	var stdout bytes.Buffer
	cmd := exec.Command("go", "mod", "download", "-json", module+"@"+version)
	cmd.Dir, cmd.Stdout, cmd.Stderr = os.TempDir(), &stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("downloading %s %s: %w", module, version, err)
	}
	var got struct{ Dir, Sum string }
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		return "", err
	}
	if got.Sum != sum {
		return "", fmt.Errorf("%s %s has checksum %s, releases.txt says %s", module, version, got.Sum, sum)
	}
	return got.Dir, nil
}

// facts collects lines with the releases in which they hold.
type facts struct {
	minors  []int
	lines   map[string][]int // "D\tname\tschema" to minors
	removed map[string]string
}

func (f *facts) add(minor int, kubernetes, api string) error {
	if f.lines == nil {
		f.lines, f.removed = map[string][]int{}, map[string]string{}
		for _, r := range rows(removedText) {
			f.removed[r[1]+"\t"+r[2]] = strings.TrimPrefix(r[0], "1.") + "\t" + r[1] + "\t" + r[2] + "\t" + r[3] + "\t" + r[4]
		}
	}
	f.minors = append(f.minors, minor)
	definitions, kinds, err := readSwagger(kubernetes)
	if err != nil {
		return err
	}
	if err := addEnums(definitions, api); err != nil {
		return err
	}
	if err := addRemoved(f.removed, api); err != nil {
		return err
	}
	for name, d := range definitions {
		schema, err := json.Marshal(d)
		if err != nil {
			return err
		}
		f.hold("D\t"+name+"\t"+string(schema), minor)
	}
	for _, k := range kinds {
		f.hold("K\t"+k, minor)
	}
	return nil
}

func (f *facts) hold(line string, minor int) { f.lines[line] = append(f.lines[line], minor) }

// write prints the facts sorted, a line for each unbroken run of releases.
func (f *facts) write(path string) error {
	first, last := f.minors[0], f.minors[len(f.minors)-1]
	if last-first != len(f.minors)-1 {
		return fmt.Errorf("releases.txt leaves out a minor between 1.%d and 1.%d", first, last)
	}
	var out []string
	for line, minors := range f.lines {
		kind, rest, _ := strings.Cut(line, "\t")
		for from := 0; from < len(minors); {
			to := from
			for to+1 < len(minors) && minors[to+1] == minors[to]+1 {
				to++
			}
			out = append(out, fmt.Sprintf("%s\t%d\t%d\t%s", kind, minors[from], minors[to], rest))
			from = to + 1
		}
	}
	for _, line := range f.removed {
		out = append(out, "R\t"+line)
	}
	// Versions of one definition stand beside each other, which is what makes
	// them small.
	sort.Slice(out, func(i, j int) bool { return sortKey(out[i]) < sortKey(out[j]) })
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	z, err := gzip.NewWriterLevel(file, gzip.BestCompression)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(z)
	fmt.Fprintf(w, "V\t%d\t%d\n", first, last)
	for _, line := range out {
		fmt.Fprintln(w, line)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return file.Close()
}

func sortKey(line string) string {
	f := strings.SplitN(line, "\t", 4)
	if f[0] == "R" {
		return line
	}
	return f[0] + "\t" + f[3] + "\t" + f[1]
}
