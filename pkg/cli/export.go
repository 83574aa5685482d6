package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/export"
	"github.com/sluice-dev/sluice/pkg/hydrate"
	"github.com/sluice-dev/sluice/pkg/repo"
)

func (c *command) exportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "export", Short: "Print the objects by which an engine follows the branches",
		Annotations: map[string]string{verbatim: "true"},
		Long: `Export prints objects of Flux, Argo CD or kluctl that make the engine follow
the environment branches: one for each branch or app, with the order of the
apps. Their options stand under export: in the config. Nothing is applied.

With export: {into: env} the same objects are an app of each environment, on its
branch; what is printed then gets them into a cluster the first time.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{fmt.Errorf("export takes flux, argocd or kluctl, not %q", args[0])}
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(
		c.exportTo("flux", "Print GitRepositories and Kustomizations of Flux",
			`Flux prints a GitRepository for each environment's branch and a Kustomization
for each app in it, with dependsOn, pruning and health checks for the workloads
that the app contains.`,
			func(p *export.Project, x *config.Export) ([][]byte, error) { return p.Flux(x.Flux) }),
		c.exportTo("argocd", "Print Applications of Argo CD",
			`Argocd prints an Application for each app in each environment. Sync waves follow
dependsOn; they count where the Applications are themselves synchronized.`,
			func(p *export.Project, x *config.Export) ([][]byte, error) { return p.ArgoCD(x.ArgoCD) }),
		c.exportTo("kluctl", "Print KluctlDeployments",
			`Kluctl prints a KluctlDeployment for each environment. It does not prune: for
that kluctl needs a discriminator, which only a file in the directory can set.`,
			func(p *export.Project, x *config.Export) ([][]byte, error) { return p.Kluctl(x.Kluctl) }),
	)
	return cmd
}

func (c *command) exportTo(engine, short, long string, objects func(*export.Project, *config.Export) ([][]byte, error)) *cobra.Command {
	var rev string
	cmd := &cobra.Command{
		Use: engine + " [ENV...]", Short: short, Long: long + `

It reads the working tree, or a commit with --rev, and needs no cluster.`,
		Example: "  sluice export " + engine + " staging | kubectl apply -f -",
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, names []string) error {
			p, options, err := c.project(cmd.Context(), rev, names)
			if err != nil {
				return err
			}
			docs, err := objects(p, options)
			if err != nil {
				return err
			}
			return c.printExport(docs)
		},
	}
	cmd.Flags().StringVar(&rev, "rev", "", "read commit `REV` instead of the working tree")
	return cmd
}

// project renders environments and gathers what an engine has to know of them.
func (c *command) project(ctx context.Context, rev string, names []string) (*export.Project, *config.Export, error) {
	w, err := c.open()
	if err != nil {
		return nil, nil, err
	}
	s, err := states{command: c, workspace: w}.snapshot(rev)
	if err != nil {
		return nil, nil, err
	}
	chosen, err := choose(s.config, names)
	if err != nil {
		return nil, nil, err
	}
	renderer, err := c.renderer()
	if err != nil {
		return nil, nil, err
	}
	defer renderer.Close()
	environments, err := hydrate.Environments(ctx, w.source(ctx, s), chosen, renderer)
	if err != nil {
		return nil, nil, err
	}
	remote := ""
	if w.repo != nil {
		remote, _ = w.repo.RemoteURL("origin")
	}
	p, err := export.Gather(s.config, repo.SanitizeURL(remote), environments)
	options := s.config.Export
	if options == nil {
		options = &config.Export{}
	}
	return p, options, err
}

func (c *command) printExport(docs [][]byte) error {
	if c.output == "json" {
		v := struct {
			Objects []json.RawMessage `json:"objects"`
		}{[]json.RawMessage{}}
		for _, d := range docs {
			data, err := yaml.YAMLToJSON(d)
			if err != nil {
				return err
			}
			v.Objects = append(v.Objects, data)
		}
		return c.print(v, nil)
	}
	var b bytes.Buffer
	for _, d := range docs {
		fmt.Fprintf(&b, "---\n%s", d)
	}
	_, err := c.Out.Write(b.Bytes())
	return err
}
