package cli

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/inject"
	"github.com/sluice-dev/sluice/pkg/inject/program"
	"github.com/sluice-dev/sluice/pkg/pins"
)

// checksum is what was found out about a tool's download.
type checksum struct {
	Platform string `json:"platform"`
	SHA256   string `json:"sha256"`
}

// toolPin is what the command line says of a tool.
type toolPin struct {
	name, version, url, member string
	platforms                  []string
}

func (c *command) pinToolCommand() *cobra.Command {
	var t toolPin
	var dry bool
	cmd := &cobra.Command{
		Use: "tool NAME [VERSION]", Short: "Pin a program: download it and write its checksums down",
		Long: `Tool pins an injector or a generator that is a program: it downloads the
version for each platform and writes the SHA-256 of what it got into
sluice.yaml. What you pin is what you get from then on, so compare the sums
with those that the authors publish.

A tool that is pinned already keeps its URLs, with the new version in them.
For a new one, or when they change, --url gives the address or a path in the
repository; {version}, {os} and {arch} in it are filled in. Without VERSION
the checksums of the pinned version are filled in.`,
		Example: `  sluice pin tool linkerd stable-2.14.10
  sluice pin tool istioctl 1.20.3 --platform linux/amd64 --platform darwin/arm64 \
    --url 'https://example.com/istioctl-{version}-{os}-{arch}.tar.gz' --member istioctl`,
		Args: usage(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if t.name = args[0]; len(args) > 1 {
				t.version = args[1]
			}
			return c.repin(cmd.Context(), dry, func(ctx context.Context, s *snapshot) (*repinned, error) {
				return c.pinTool(ctx, s, t)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&t.url, "url", "", "`URL` of the download, or its path in the repository")
	flags.StringVar(&t.member, "member", "", "the program's `FILE` in the archive that is downloaded")
	flags.StringArrayVar(&t.platforms, "platform", nil, "pin for `OS/ARCH` too (default: those that are pinned, or this machine's)")
	flags.BoolVar(&dry, "dry-run", false, "print what would change and write nothing")
	return cmd
}

// pinTool plans a change of a tool's pin, with the checksums of what its URLs
// lead to.
func (c *command) pinTool(ctx context.Context, s *snapshot, t toolPin) (*repinned, error) {
	old, _, known := s.config.Tool(t.name)
	if t.version == "" {
		t.version = old.Version
	}
	if t.version == "" || !known && t.url == "" {
		return nil, &usageError{fmt.Errorf("no tool is named %q in %s: a new one takes a version and --url", t.name, s.config.File())}
	}
	tool, err := t.tool(s.config, old)
	if err != nil {
		return nil, err
	}
	p := &repinned{File: s.config.File(), Pin: t.name, Before: old.Version, After: t.version, Notes: []releaseNote{}}
	written := program.Tool{Name: tool.Name, Version: tool.Version, Platforms: map[string]program.Artifact{}}
	cache := c.programs()
	for _, platform := range slices.Sorted(maps.Keys(tool.Platforms)) {
		a := tool.Platforms[platform]
		c.stage("fetching %s %s for %s", t.name, t.version, platform)
		fetched := program.Tool{Name: tool.Name, Version: tool.Version, Platforms: map[string]program.Artifact{platform: inRepo(s.config, a)}}
		a.SHA256, err = cache.Sum(ctx, fetched, platform, func(path string) ([]byte, error) {
			return s.fs.ReadLarge(path, program.MaxSize)
		})
		if err != nil {
			return nil, inject.ToolFindings(s.config, t.name, err)
		}
		if before := old.Platforms[platform]; old.Version == t.version && t.url == "" && before.SHA256 != "" && !strings.EqualFold(before.SHA256, a.SHA256) && strings.Contains(before.URL, "://") {
			return nil, &finding.Refusal{
				Text: fmt.Sprintf("the download of %s %s for %s is not what it was: its sha256 is %s, pinned is %s", t.name, t.version, platform, a.SHA256, before.SHA256),
				Hint: "a release does not change: ask its authors; to pin it all the same, delete the old checksum from " + s.config.File(),
			}
		}
		written.Platforms[platform] = a
		p.Sums = append(p.Sums, checksum{platform, a.SHA256})
	}
	p.change = func(text []byte) ([]byte, error) { return pins.Tool(text, written) }
	return p, nil
}

// tool gives the new pin, its checksums left open and its paths as the config
// is to hold them.
func (t toolPin) tool(cfg *config.Config, old config.Tool) (program.Tool, error) {
	out := program.Tool{Name: t.name, Version: t.version, Platforms: map[string]program.Artifact{}}
	platforms := slices.Concat(slices.Collect(maps.Keys(old.Platforms)), t.platforms)
	if len(platforms) == 0 {
		platforms = []string{runtime.GOOS + "/" + runtime.GOARCH}
	}
	raw := rawTool(cfg, t.name)
	for _, platform := range platforms {
		system, processor, _ := strings.Cut(platform, "/")
		before, pinned := raw.Platforms[platform]
		a := program.Artifact{URL: before.URL, Member: before.Member}
		if t.member != "" {
			a.Member = t.member
		}
		fill := strings.NewReplacer("{version}", t.version, "{os}", system, "{arch}", processor)
		switch moved, ok := pins.Moved(before.URL, old.Version, t.version); {
		case t.url != "":
			a.URL, a.Member = fill.Replace(t.url), fill.Replace(a.Member)
		case !pinned:
			return out, &usageError{fmt.Errorf("tool %q is not pinned for %s yet: give its --url", t.name, platform)}
		case ok:
			a.URL = moved
			a.Member, _ = pins.Moved(a.Member, old.Version, t.version)
		case old.Version != t.version:
			_, at, _ := cfg.Tool(t.name)
			place := cfg.Place(at + ".platforms." + platform + ".url")
			return out, finding.Finding{
				File: place.File, Line: place.Line, Text: fmt.Sprintf("the url for %s does not tell the version, so the one of %s cannot be told", platform, t.version),
				Hint: "give it: --url, with {version}, {os} and {arch} where they belong",
			}
		}
		out.Platforms[platform] = a
	}
	return out, nil
}

// rawTool gives a tool as the config spells it.
func rawTool(cfg *config.Config, name string) config.Tool {
	for _, t := range cfg.Tools {
		if t.Name == name {
			return t
		}
	}
	return config.Tool{}
}

// inRepo gives an artifact with its path relative to the repository root.
func inRepo(cfg *config.Config, a program.Artifact) program.Artifact {
	a.URL = cfg.InRepo(a.URL)
	return a
}
