// Image makes a container image of programs for Linux, as a directory in the
// OCI layout. It needs no container engine and no registry: below the program
// there are only root certificates, /tmp and a user. The same programs and the
// same time give the same bytes.
//
//	image -o DIR -version VERSION -created RFC3339 ARCH=PROGRAM...
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

func main() {
	out := flag.String("o", "", "make the directory `DIR`")
	version := flag.String("version", "", "the `VERSION` that the image says it has")
	created := flag.String("created", "", "the `TIME` of everything in it")
	flag.Parse()
	if err := run(*out, *version, *created, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(out, version, created string, programs []string) error {
	when, err := time.Parse(time.RFC3339, created)
	if err != nil || out == "" || version == "" || len(programs) == 0 {
		return fmt.Errorf("usage: image -o DIR -version VERSION -created RFC3339 ARCH=PROGRAM [ARCH=PROGRAM]")
	}
	l := layout{dir: out, version: version, when: when.UTC()}
	if err := os.MkdirAll(filepath.Join(out, "blobs", "sha256"), 0o777); err != nil {
		return err
	}
	base, err := l.layer(surroundings())
	if err != nil {
		return err
	}
	index := document{"schemaVersion": 2, "mediaType": indexType}
	var manifests []document
	for _, p := range programs {
		arch, file, _ := strings.Cut(p, "=")
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		m, err := l.manifest(arch, base, data)
		if err != nil {
			return err
		}
		manifests = append(manifests, m)
	}
	index["manifests"] = manifests
	// A layout's own index names images; this one is for all platforms together.
	all, err := l.json(indexType, index)
	if err != nil {
		return err
	}
	all["annotations"] = document{"org.opencontainers.image.ref.name": version}
	fmt.Printf("%s sluice:%s\n", all["digest"], version)
	top, err := json.Marshal(document{"schemaVersion": 2, "mediaType": indexType, "manifests": []document{all}})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "index.json"), top, 0o666); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o666)
}

// The media types of the OCI image specification.
const (
	indexType    = "application/vnd.oci.image.index.v1+json"
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar+gzip"
)

// user is who the program runs as: nobody, with a number of its own.
const user = 65532

// document is a JSON object; its keys come out sorted.
type document map[string]any

// layout is an image that is being made.
type layout struct {
	dir, version string
	when         time.Time
}

// file is one of a layer; its content is nil for a directory.
type file struct {
	name    string
	mode    int64
	owner   int
	content []byte
}

// surroundings are what a program needs that is alone in its file system.
func surroundings() []file {
	var roots bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil { // some are trusted for certificates of before a date only
			_ = pem.Encode(&roots, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // a buffer takes everything
		}
	}
	return []file{
		{name: "etc/", mode: 0o755},
		{name: "etc/passwd", mode: 0o644, content: fmt.Appendf(nil, "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:%d:%d:nonroot:/work:/sbin/nologin\n", user, user)},
		{name: "etc/ssl/", mode: 0o755},
		{name: "etc/ssl/certs/", mode: 0o755},
		{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, content: roots.Bytes()},
		{name: "tmp/", mode: 0o1777},
		{name: "work/", mode: 0o755, owner: user},
	}
}

// layer writes a layer and gives its descriptor, with the digest of the tar
// in it under "diff".
func (l layout) layer(files []file) (document, error) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	plain := sha256.New()
	w := tar.NewWriter(io.MultiWriter(z, plain))
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: f.mode, Uid: f.owner, Gid: f.owner, ModTime: l.when, Size: int64(len(f.content)), Format: tar.FormatPAX, Typeflag: tar.TypeReg}
		if strings.HasSuffix(f.name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	d, err := l.blob(layerType, packed.Bytes())
	return document{"descriptor": d, "diff": "sha256:" + hex.EncodeToString(plain.Sum(nil))}, err
}

// manifest writes the image of one platform and gives its descriptor.
func (l layout) manifest(arch string, base document, program []byte) (document, error) {
	own, err := l.layer([]file{{name: "usr/", mode: 0o755}, {name: "usr/bin/", mode: 0o755}, {name: "usr/bin/sluice", mode: 0o755, content: program}})
	if err != nil {
		return nil, err
	}
	labels := document{
		"org.opencontainers.image.source":   "https://github.com/sluice-dev/sluice",
		"org.opencontainers.image.version":  l.version,
		"org.opencontainers.image.licenses": "Apache-2.0",
	}
	config, err := l.json(configType, document{
		"created": l.when.Format(time.RFC3339), "os": "linux", "architecture": arch,
		"config": document{
			"Entrypoint": []string{"/usr/bin/sluice"}, "User": fmt.Sprintf("%d:%d", user, user), "WorkingDir": "/work",
			"Env": []string{"PATH=/usr/bin", "HOME=/work", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"}, "Labels": labels,
		},
		"rootfs": document{"type": "layers", "diff_ids": []any{base["diff"], own["diff"]}},
	})
	if err != nil {
		return nil, err
	}
	m, err := l.json(manifestType, document{
		"schemaVersion": 2, "mediaType": manifestType, "config": config,
		"layers": []any{base["descriptor"], own["descriptor"]}, "annotations": labels,
	})
	if err == nil {
		m["platform"] = document{"os": "linux", "architecture": arch}
	}
	return m, err
}

func (l layout) json(mediaType string, d document) (document, error) {
	data, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	return l.blob(mediaType, data)
}

// blob writes bytes under their digest and gives their descriptor.
func (l layout) blob(mediaType string, data []byte) (document, error) {
	sum := sha256.Sum256(data)
	digest := hex.EncodeToString(sum[:])
	err := os.WriteFile(filepath.Join(l.dir, "blobs", "sha256", digest), data, 0o666)
	return document{"mediaType": mediaType, "size": len(data), "digest": "sha256:" + digest}, err
}
