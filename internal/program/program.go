// Package program is what the programs of the project have in common: flags
// that come from the environment too, errors of the command line in one line
// that says what to do, and the version.
//
// It knows cobra and its flags, and nothing of what the programs do.
package program

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// ErrUsage is matched by errors of the command line: what was typed cannot be
// meant, whatever the state of the machine.
var ErrUsage = errors.New("wrong command line")

// usageError keeps ErrUsage out of the text.
type usageError struct{ error }

func (e usageError) Is(target error) bool { return target == ErrUsage }
func (e usageError) Unwrap() error        { return e.error }

// Usage makes err an error of the command line. Nil stays nil.
func Usage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

// Prepare makes a program and its subcommands take their flags from the
// environment too, and tell of mistakes in flags and arguments by errors that
// match ErrUsage and say where help is. It is called once, on the root, when
// all subcommands are there.
func Prepare(root *cobra.Command, env func(name string) string) {
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return fromEnv(cmd.Flags(), env) }
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return Usage(fmt.Errorf("%w; see %s --help", flagError(err), cmd.CommandPath()))
	})
	withHelp(root)
	if root.HasSubCommands() {
		root.InitDefaultHelpCmd()
		checkTopics(root)
	}
}

// checkTopics makes `help TOPIC` refuse a topic that is no subcommand.
func checkTopics(root *cobra.Command) {
	for _, c := range root.Commands() {
		if c.Name() != "help" {
			continue
		}
		c.Args = func(_ *cobra.Command, topic []string) error {
			if found, _, err := root.Find(topic); err != nil || found == root && len(topic) > 0 {
				return Usage(fmt.Errorf("no help for %q; see %s --help", strings.Join(topic, " "), root.Name()))
			}
			return nil
		}
	}
}

// Complete adds the subcommand that prints completion scripts, and makes it
// refuse shells that it does not know. It is called when the root has its
// output and its arguments, args.
func Complete(root *cobra.Command, args []string) {
	root.InitDefaultCompletionCmd(args...)
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Args, c.RunE = cobra.ArbitraryArgs, completeFor
		}
	}
}

// completeFor is completion without a shell that it knows.
func completeFor(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return c.Help()
	}
	var shells []string
	for _, s := range c.Commands() {
		shells = append(shells, s.Name())
	}
	return Usage(fmt.Errorf("no completion for %q: give one of %s", args[0], strings.Join(shells, ", ")))
}

// withHelp adds the way to help to the errors about arguments.
func withHelp(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return Usage(fmt.Errorf("%w; see %s --help", argsError(cmd, args, err), cmd.CommandPath()))
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		withHelp(sub)
	}
}

// argsError says in the words of the shell that arguments do not fit, where
// the library has only counted them.
func argsError(cmd *cobra.Command, args []string, err error) error {
	text := err.Error()
	if !strings.Contains(text, "arg(s)") && !strings.HasPrefix(text, "unknown command") {
		return err
	}
	what := "arguments are missing"
	if len(args) > 0 {
		what = fmt.Sprintf("%q does not fit", args)
	}
	return fmt.Errorf("usage: %s (%s)", cmd.UseLine(), what)
}

// flagError says in words of the command line why a flag cannot be set.
func flagError(err error) error {
	bad, ok := errors.AsType[*pflag.InvalidValueError](err)
	if !ok {
		return err
	}
	return valueError("--"+bad.GetFlag().Name, bad.GetFlag(), bad.GetValue())
}

func valueError(name string, f *pflag.Flag, value string) error {
	want := map[string]string{
		"bool": "true or false", "int": "a whole number", "uint64": "a whole number from 0 on",
		"duration": "a duration such as 90s or 5m",
	}[f.Value.Type()]
	if want == "" {
		want = "another value"
	}
	return fmt.Errorf("%s %q does not fit: give %s", name, value, want)
}

// fromEnv sets the flags that were not given from the environment: --token-file
// from PEERLAB_TOKEN_FILE. An empty variable is as good as none.
func fromEnv(flags *pflag.FlagSet, env func(name string) string) error {
	var wrong []error
	flags.VisitAll(func(f *pflag.Flag) {
		name := "PEERLAB_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value := env(name)
		if value == "" || f.Changed || f.Name == "help" || f.Name == "version" {
			return
		}
		if err := flags.Set(f.Name, value); err != nil {
			wrong = append(wrong, valueError(name+" in the environment:", f, value))
		}
	})
	return Usage(errors.Join(wrong...))
}

const maxLine = 1000 // bytes of an error; what is longer repeats a huge argument

// Line is an error as a program prints it: one line, however long and strange
// the arguments are that it repeats.
func Line(err error) string {
	text := strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ")
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return '?'
		}
		return r
	}, text)
	if len(text) <= maxLine {
		return text
	}
	head, tail := text[:maxLine/2], text[len(text)-maxLine/4:]
	return strings.ToValidUTF8(head, "") + " ... " + strings.ToValidUTF8(tail, "") + " (" + strconv.Itoa(len(text)) + " bytes)"
}

// Version is that of the module, "(devel)" if it was not built from one.
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
