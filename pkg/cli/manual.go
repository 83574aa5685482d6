package cli

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Page is what a command says of itself.
type Page struct {
	Name      []string // words of the command: sluice, pin, tool
	Short     string
	Usage     string // one line
	Long      string
	Example   string // lines to run, each indented
	Runs      bool   // it does something, and not only the commands below it
	Flags     []Flag
	Inherited []Flag // of all commands
	Below     []string
}

// Flag is an option of a command.
type Flag struct {
	Short, Name string // without dashes
	Value       string // what its value is called; empty if it has none
	Text        string
}

// Manual gives every command that is shown to people, each after the one that
// it belongs to.
func Manual() []Page {
	c := &command{}
	root := c.root()
	root.InitDefaultCompletionCmd()
	var pages []Page
	each(root, func(cmd *cobra.Command) {
		if cmd.Hidden || cmd.Name() == "help" {
			return
		}
		cmd.InitDefaultHelpFlag()
		p := Page{
			Name: strings.Fields(cmd.CommandPath()), Short: cmd.Short, Usage: cmd.UseLine(), Long: cmp.Or(cmd.Long, cmd.Short),
			Example: cmd.Example, Runs: cmd.Runnable() && !cmd.HasSubCommands(), Flags: flagsOf(cmd.NonInheritedFlags()), Inherited: flagsOf(cmd.InheritedFlags()),
		}
		for _, below := range cmd.Commands() {
			if !below.Hidden && below.Name() != "help" {
				p.Below = append(p.Below, below.Name())
			}
		}
		pages = append(pages, p)
	})
	slices.SortStableFunc(pages, func(a, b Page) int { return slices.Compare(a.Name, b.Name) })
	return pages
}

func flagsOf(set *pflag.FlagSet) []Flag {
	var flags []Flag
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		value, text := pflag.UnquoteUsage(f)
		if zero := []string{"", "0", "false", "[]"}; !slices.Contains(zero, f.DefValue) && !strings.Contains(text, "default") {
			text += " (default " + f.DefValue + ")"
		}
		flags = append(flags, Flag{f.Shorthand, f.Name, value, text})
	})
	return flags
}
