// Sbom reads a program that Go built and writes what it was built of: every
// module with its version and checksum, as CycloneDX in JSON. The same program
// gives the same bytes.
//
//	sbom -o DOCUMENT PROGRAM
package main

import (
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

func main() {
	out := flag.String("o", "", "write the document to `FILE`")
	flag.Parse()
	if err := run(*out, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func run(out string, programs []string) error {
	if out == "" || len(programs) != 1 {
		return fmt.Errorf("usage: sbom -o DOCUMENT PROGRAM")
	}
	info, err := buildinfo.ReadFile(programs[0])
	if err != nil {
		return fmt.Errorf("reading %q: %w", programs[0], err)
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	if err := write(f, filepath.Base(programs[0]), info); err != nil {
		return fmt.Errorf("writing %q: %w", out, err)
	}
	return f.Close()
}

// write gives the document. It has neither a serial number nor a time: two
// builds of one commit give one document.
func write(w io.Writer, name string, info *debug.BuildInfo) error {
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	version := settings["vcs.revision"]
	if version == "" {
		version = info.Main.Version
	}
	top := cdx.Component{
		BOMRef: "pkg:golang/" + info.Main.Path + "@" + version, PackageURL: "pkg:golang/" + info.Main.Path + "@" + version,
		Type: cdx.ComponentTypeApplication, Name: name, Version: version,
		Properties: &[]cdx.Property{
			{Name: "go:os", Value: settings["GOOS"]}, {Name: "go:arch", Value: settings["GOARCH"]}, {Name: "go:version", Value: info.GoVersion},
		},
	}
	components := []cdx.Component{{
		BOMRef: "pkg:golang/std@" + strings.TrimPrefix(info.GoVersion, "go"), PackageURL: "pkg:golang/std@" + strings.TrimPrefix(info.GoVersion, "go"),
		Type: cdx.ComponentTypeLibrary, Name: "std", Version: strings.TrimPrefix(info.GoVersion, "go"),
	}}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		c, err := component(m)
		if err != nil {
			return err
		}
		components = append(components, c)
	}
	refs := make([]string, len(components))
	for i, c := range components {
		refs[i] = c.BOMRef
	}
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Component: &top}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: top.BOMRef, Dependencies: &refs}}
	return cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_6)
}

// component gives a module. Its sum is Go's h1: a SHA-256 in base64.
func component(m *debug.Module) (cdx.Component, error) {
	c := cdx.Component{
		BOMRef: "pkg:golang/" + m.Path + "@" + m.Version, PackageURL: "pkg:golang/" + m.Path + "@" + m.Version,
		Type: cdx.ComponentTypeLibrary, Name: m.Path, Version: m.Version,
	}
	if sum, ok := strings.CutPrefix(m.Sum, "h1:"); ok {
		raw, err := base64.StdEncoding.DecodeString(sum)
		if err != nil {
			return c, fmt.Errorf("reading the sum of %s: %w", m.Path, err)
		}
		c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(raw)}}
	}
	return c, nil
}
