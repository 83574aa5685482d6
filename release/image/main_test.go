package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// descriptor is how a layout refers to a blob.
type descriptor struct {
	MediaType, Digest string
	Size              int
	Platform          struct{ OS, Architecture string }
}

// read gives a blob of a layout, after comparing it with what refers to it.
func read(t *testing.T, dir string, d descriptor, into any) []byte {
	t.Helper()
	digest := strings.TrimPrefix(d.Digest, "sha256:")
	data, err := os.ReadFile(filepath.Join(dir, "blobs", "sha256", digest))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	if hex.EncodeToString(sum[:]) != digest || len(data) != d.Size {
		t.Errorf("%s has %d bytes of %x", d.Digest, len(data), sum)
	}
	if into != nil {
		if err := json.Unmarshal(data, into); err != nil {
			t.Fatal(err)
		}
	}
	return data
}

func TestRun(t *testing.T) {
	work := t.TempDir()
	program := filepath.Join(work, "sluice")
	if err := os.WriteFile(program, []byte("the program"), 0o600); err != nil {
		t.Fatal(err)
	}
	var tops [2]string
	for i, name := range []string{"a", "other"} {
		dir := filepath.Join(work, name)
		if err := run(dir, "v1.2.3", "2026-01-05T10:00:00+01:00", []string{"amd64=" + program, "arm64=" + program}); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(dir, "index.json"))
		if err != nil {
			t.Fatal(err)
		}
		tops[i] = string(data)
	}
	if diff := cmp.Diff(tops[0], tops[1]); diff != "" {
		t.Errorf("two runs give two images:\n%s", diff)
	}
	dir := filepath.Join(work, "a")
	var top, all struct{ Manifests []descriptor }
	if err := json.Unmarshal([]byte(tops[0]), &top); err != nil || len(top.Manifests) != 1 {
		t.Fatal(err, tops[0])
	}
	read(t, dir, top.Manifests[0], &all)
	if len(all.Manifests) != 2 || all.Manifests[1].Platform.Architecture != "arm64" {
		t.Fatalf("got %+v", all)
	}
	for _, m := range all.Manifests {
		image(t, dir, m)
	}
}

func image(t *testing.T, dir string, d descriptor) {
	t.Helper()
	var m struct {
		Config descriptor
		Layers []descriptor
	}
	read(t, dir, d, &m)
	var c struct {
		OS, Architecture string
		Config           struct {
			User       string
			Entrypoint []string
		}
		Rootfs struct {
			DiffIDs []string `json:"diff_ids"`
		}
	}
	read(t, dir, m.Config, &c)
	if c.OS != "linux" || c.Architecture != d.Platform.Architecture || c.Config.User != "65532:65532" || len(c.Config.Entrypoint) != 1 {
		t.Errorf("got %+v", c)
	}
	files := map[string]string{}
	for i, l := range m.Layers {
		z, err := gzip.NewReader(bytes.NewReader(read(t, dir, l, nil)))
		if err != nil {
			t.Fatal(err)
		}
		plain, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(plain); c.Rootfs.DiffIDs[i] != "sha256:"+hex.EncodeToString(sum[:]) {
			t.Errorf("layer %d is not the one of the config", i)
		}
		for r := tar.NewReader(bytes.NewReader(plain)); ; {
			h, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			files[h.Name] = string(data)
		}
	}
	if files["usr/bin/sluice"] != "the program" || strings.Count(files["etc/ssl/certs/ca-certificates.crt"], "BEGIN CERTIFICATE") < 50 {
		t.Error("the program or the certificates are missing")
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{"", "v1", "2026-01-05T09:00:00Z"}, {"d", "", "2026-01-05T09:00:00Z"}, {"d", "v1", "today"}} {
		if err := run(args[0], args[1], args[2], []string{"amd64=x"}); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
}
