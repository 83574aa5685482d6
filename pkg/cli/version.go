package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/sluice-dev/sluice/pkg/render"
)

func (c *command) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: noArgs,
		Example: "  sluice version -o json",
		RunE: func(*cobra.Command, []string) error {
			v := struct {
				Sluice    string `json:"sluice"`
				Kustomize string `json:"kustomize"`
				Go        string `json:"go"`
			}{c.Version, render.KustomizeVersion, runtime.Version()}
			return c.print(v, func() error {
				_, err := fmt.Fprintf(c.Out, "sluice %s (kustomize api %s, %s)\n", v.Sluice, v.Kustomize, v.Go)
				return err
			})
		},
	}
}
