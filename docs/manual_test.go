package docs_test

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manual is the manual page of a program, subcommands included, in the macros
// of man(7). It has no date: it says the same whenever it is made.
func manual(root *cobra.Command) []byte {
	root.InitDefaultHelpFlag()
	root.InitDefaultVersionFlag()
	root.InitDefaultCompletionCmd()
	p := page{}
	p.macro("TH", strings.ToUpper(root.Name()), "1", "", "Peerlab", "Peerlab manual")
	p.macro("SH", "NAME")
	p.text(root.Name() + " - " + root.Short)
	p.macro("SH", "SYNOPSIS")
	p.macro("B", root.UseLine())
	for _, c := range subcommands(root) {
		p.macro("br")
		p.macro("B", synopsis(c))
	}
	p.macro("SH", "DESCRIPTION")
	p.text(root.Long)
	p.options("OPTIONS", root.LocalFlags())
	for i, c := range subcommands(root) {
		if i == 0 {
			p.macro("SH", "COMMANDS")
		}
		p.macro("SS", synopsis(c))
		p.text(c.Long)
		p.options("", c.LocalFlags())
		p.example(c.Example)
	}
	p.macro("SH", "SHELL COMPLETION")
	p.text(root.Name() + " completion SHELL\nprints a completion script for bash, zsh, fish or powershell; add --help to it to see where the script belongs.")
	if root.Example != "" {
		p.macro("SH", "EXAMPLES")
		p.example(root.Example)
	}
	return p.Bytes()
}

// subcommands are those that a manual describes.
func subcommands(root *cobra.Command) []*cobra.Command {
	var list []*cobra.Command
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() && c.Name() != "help" && c.Name() != "completion" {
			list = append(list, c)
		}
	}
	return list
}

// synopsis is a subcommand as it is called.
func synopsis(c *cobra.Command) string {
	c.InitDefaultHelpFlag()
	return c.UseLine()
}

// page is a manual page that is being written.
type page struct{ bytes.Buffer }

func (p *page) macro(name string, args ...string) {
	p.WriteString("." + name)
	for _, a := range args {
		p.WriteString(` "` + strings.ReplaceAll(escape(a), `"`, `\(dq`) + `"`)
	}
	p.WriteByte('\n')
}

// text writes paragraphs that are separated by blank lines.
func (p *page) text(s string) {
	for i, paragraph := range strings.Split(strings.TrimSpace(s), "\n\n") {
		if i > 0 {
			p.macro("PP")
		}
		for line := range strings.Lines(paragraph) {
			fmt.Fprintln(p, escape(strings.TrimSpace(line)))
		}
	}
}

// options lists flags below a heading, if there are any. Without a heading
// they are those of a subcommand, whose --help goes without saying.
func (p *page) options(heading string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	if heading != "" {
		p.macro("SH", heading)
	}
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" && heading == "" {
			return
		}
		what, usage := pflag.UnquoteUsage(f)
		name := strings.TrimSpace("--" + f.Name + " " + what)
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if zero := f.DefValue == "" || f.DefValue == "false" || f.DefValue == "[]" || f.DefValue == "0"; !zero {
			usage += " (default " + f.DefValue + ")"
		}
		p.macro("TP")
		p.macro("B", name)
		p.text(usage)
	})
}

// example writes lines as they are.
func (p *page) example(s string) {
	if s == "" {
		return
	}
	p.macro("PP")
	p.macro("EX")
	for line := range strings.Lines(s) {
		fmt.Fprintln(p, escape(strings.TrimSuffix(strings.TrimPrefix(line, "  "), "\n")))
	}
	p.macro("EE")
}

// escape keeps text from being read as requests and hyphens from being read
// as signs of another kind.
func escape(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}
