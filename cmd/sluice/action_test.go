package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// archive is a release of a program that says which one it is.
func archive(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	text := []byte("#!/bin/sh\necho the release\n")
	if err := w.WriteHeader(&tar.Header{Name: "sluice", Mode: 0o755, Size: int64(len(text))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	for _, c := range []interface{ Close() error }{w, z} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// TestActionInstalls runs the script of action.yml against a server of
// releases: what is not what its checksum says is never run.
func TestActionInstalls(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the archive of this test is one for Unix")
	}
	data := archive(t)
	sum := sha256.Sum256(data)
	good := hex.EncodeToString(sum[:])
	other := strings.Repeat("0", 64)
	const file = "sluice_1.2.3_linux_amd64.tar.gz"
	list := good + "  " + file + "\n" + other + "  sluice_1.2.3_darwin_arm64.tar.gz\n"
	for _, c := range []struct {
		name, version, ref, sha256, sums, arch string
		signers                                bool
		want                                   string
	}{
		{name: "the release of the tag", ref: "v1.2.3", sums: list, want: "the release"},
		{name: "a named release", version: "v1.2.3", ref: "main", sums: list, want: "the release"},
		{name: "a pinned checksum", version: "v1.2.3", sha256: strings.ToUpper(good), want: "the release"},
		{name: "from source", ref: "0123456789abcdef0123456789abcdef01234567", want: "built here"},
		{name: "another checksum", version: "v1.2.3", sha256: other, want: "::error::" + file + " has the sha256 " + good + ", not " + other},
		{name: "another checksum in the list", version: "v1.2.3", sums: other + "  " + file + "\n", want: "::error::" + file + " has the sha256"},
		{name: "not in the list", version: "v1.2.3", sums: other + "  x\n", want: "::error::there is no sha256 for " + file},
		{name: "no list", version: "v1.2.3", want: "::error::checksums.txt of sluice v1.2.3 could not be downloaded"},
		{name: "no such release", version: "v9.9.9", sha256: good, want: "could not be downloaded"},
		{name: "no release at all", version: "../../evil", want: `::error::version: "../../evil" is no release`},
		{name: "no such processor", version: "v1.2.3", arch: "ARM", want: `::error::there is no release for the processor "ARM"`},
		{name: "no signature", version: "v1.2.3", sums: list, signers: true, want: "::error::checksums.txt.sig of sluice v1.2.3 could not be downloaded"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.Path == "/v1.2.3/"+file:
					_, _ = w.Write(data)
				case r.URL.Path == "/v1.2.3/checksums.txt" && c.sums != "":
					fmt.Fprint(w, c.sums)
				default:
					http.NotFound(w, r)
				}
			}))
			defer server.Close()
			action, temp := actionFiles(t, c.signers), t.TempDir()
			arch := c.arch
			if arch == "" {
				arch = "X64"
			}
			cmd := exec.Command("bash", action+"/.github/install.sh")
			cmd.Env = append(
				os.Environ(), "PATH="+action+"/bin:"+os.Getenv("PATH"), "RUNNER_OS=Linux", "RUNNER_ARCH="+arch,
				"RUNNER_TEMP="+temp, "GITHUB_PATH="+temp+"/paths", "GITHUB_OUTPUT="+temp+"/outputs",
				"SLUICE_MIRROR="+server.URL, "SLUICE_VERSION="+c.version, "SLUICE_REF="+c.ref, "SLUICE_SHA256="+c.sha256,
			)
			out, err := cmd.CombinedOutput()
			refused := strings.Contains(c.want, "could not") || strings.HasPrefix(c.want, "::error::")
			if !strings.Contains(string(out), c.want) || refused != (err != nil) {
				t.Fatalf("got %v, want %q in\n%s", err, c.want, out)
			}
			paths, _ := os.ReadFile(temp + "/paths")
			if refused != (len(paths) == 0) {
				t.Errorf("on the PATH: %q", paths)
			}
			if found, _ := filepath.Glob(temp + "/sluice/bin/*"); refused == (len(found) > 0) {
				t.Errorf("the program's directory holds %v", found)
			}
		})
	}
}

// actionFiles gives a copy of the action, with a go that builds a program at
// once.
func actionFiles(t *testing.T, signers bool) string {
	t.Helper()
	dir := t.TempDir()
	script, err := os.ReadFile("../../.github/install.sh")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		".github/install.sh": string(script),
		"bin/go": `#!/bin/sh
test "$PWD" = "` + dir + `" && test "$*" = "build -trimpath -o $RUNNER_TEMP/sluice/bin/ ./cmd/sluice" || exit 9
printf '#!/bin/sh\necho built here\n' >"$RUNNER_TEMP/sluice/bin/sluice" && chmod +x "$RUNNER_TEMP/sluice/bin/sluice"
`,
	}
	if signers {
		files[".github/release_signers"] = "release ssh-ed25519 AAAA\n"
	}
	for name, text := range files {
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestActionSignature: a list of checksums that another key signed is not taken.
func TestActionSignature(t *testing.T) {
	dir := t.TempDir()
	data := archive(t)
	sum := sha256.Sum256(data)
	run := func(name string, args ...string) {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "ours")
	run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "theirs")
	system := map[string]string{"linux": "Linux", "darwin": "macOS"}[runtime.GOOS]
	if system == "" {
		t.Skip("the archive of this test is one for Unix")
	}
	write := func(file string, data []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, file), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(dir+"/v1.2.3", 0o777); err != nil {
		t.Fatal(err)
	}
	file := "sluice_1.2.3_" + runtime.GOOS + "_amd64.tar.gz"
	write("v1.2.3/"+file, data)
	write("v1.2.3/checksums.txt", fmt.Appendf(nil, "%x  %s\n", sum, file))
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer server.Close()
	action := actionFiles(t, true)
	public, err := os.ReadFile(dir + "/ours.pub")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(action+"/.github/release_signers", append([]byte("release "), public...), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		key  string
		good bool
	}{{"theirs", false}, {"ours", true}} {
		_ = os.Remove(dir + "/v1.2.3/checksums.txt.sig")
		run("ssh-keygen", "-q", "-Y", "sign", "-n", "sluice-release", "-f", c.key, "v1.2.3/checksums.txt")
		temp := t.TempDir()
		cmd := exec.Command("bash", action+"/.github/install.sh")
		cmd.Env = append(os.Environ(), "RUNNER_OS="+system, "RUNNER_ARCH=X64", "RUNNER_TEMP="+temp,
			"GITHUB_PATH="+temp+"/paths", "GITHUB_OUTPUT="+temp+"/outputs", "SLUICE_MIRROR="+server.URL, "SLUICE_VERSION=v1.2.3")
		out, err := cmd.CombinedOutput()
		if c.good != (err == nil) || !c.good && !strings.Contains(string(out), "is not signed by a key of the project") {
			t.Errorf("signed by %s: %v\n%s", c.key, err, out)
		}
	}
}

// TestAction holds action.yml to what is safe: no expression in a shell, and
// no other action.
func TestAction(t *testing.T) {
	data, err := os.ReadFile("../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var action struct {
		Runs struct {
			Using string `yaml:"using"`
			Steps []struct {
				Uses  string `yaml:"uses"`
				Shell string `yaml:"shell"`
				Run   string `yaml:"run"`
			} `yaml:"steps"`
		} `yaml:"runs"`
	}
	if err := yaml.Unmarshal(data, &action); err != nil {
		t.Fatal(err)
	}
	if action.Runs.Using != "composite" || len(action.Runs.Steps) != 2 {
		t.Fatalf("got %+v", action)
	}
	for _, s := range action.Runs.Steps {
		if s.Uses != "" || s.Shell != "bash" || strings.Contains(s.Run, "${{") {
			t.Errorf("got %+v", s)
		}
	}
}
