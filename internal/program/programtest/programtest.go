// Package programtest proves of a program that it refuses what cannot be
// meant: every flag of every subcommand is tried, so that a new one is, too.
package programtest

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Run runs a program with arguments and variables of the environment, and
// returns its status and what it printed.
type Run func(env map[string]string, args ...string) (status int, stdout, stderr string)

// Refuses checks that run, whose flags are those of root, ends wrong command
// lines with a status other than 0, nothing on stdout, and one line on stderr
// that says where help is or what would be right.
func Refuses(t *testing.T, root *cobra.Command, run Run) {
	t.Helper()
	tried := 0
	for _, line := range lines(root, nil) {
		t.Run(strings.Join(line.show(), " "), func(t *testing.T) {
			status, stdout, stderr := run(line.env, line.args...)
			CheckRefusal(t, root.Name(), status, stdout, stderr)
		})
		tried++
	}
	if tried < 5 {
		t.Errorf("only %d command lines were tried", tried)
	}
}

// CheckRefusal checks how a program refused something.
func CheckRefusal(t *testing.T, name string, status int, stdout, stderr string) {
	t.Helper()
	if status == 0 || stdout != "" {
		t.Errorf("status %d, stdout %.200q; want a refusal and silence", status, stdout)
	}
	text, ended := strings.CutSuffix(stderr, "\n")
	text, named := strings.CutPrefix(text, name+": ")
	if !ended || !named || strings.Contains(text, "\n") || len(text) > 1200 {
		t.Errorf("stderr %.1500q; want one line that begins with %q", stderr, name+":")
	}
	for _, inside := range []string{"strconv", "panic", "goroutine", "%!", "<nil>"} {
		if strings.Contains(text, inside) {
			t.Errorf("stderr speaks of %q: %.300q", inside, text)
		}
	}
}

// commandLine is one that no program may take.
type commandLine struct {
	env  map[string]string
	args []string
}

// show is the line as the name of a test.
func (l commandLine) show() (words []string) {
	for name, value := range l.env {
		words = append(words, name+"="+value)
	}
	for _, a := range l.args {
		if len(a) > 30 {
			a = a[:30]
		}
		words = append(words, a)
	}
	return words
}

// lines are wrong command lines for a command, which path leads to, and for
// those below it.
func lines(c *cobra.Command, path []string) (all []commandLine) {
	wrong := func(args ...string) {
		all = append(all, commandLine{args: append(path[:len(path):len(path)], args...)})
	}
	wrong("--no-such-flag")
	wrong("--no-such-flag=" + strings.Repeat("x", 100<<10))
	wrong("-Z")
	wrong("--")
	if c.Args == nil || c.Args(c, nil) == nil {
		all = all[:len(all)-1] // it may go without arguments
	}
	wrong(strings.Split(strings.Repeat("nonsense ", 20), " ")[:20]...)
	wrong("a\x00b", "\xff", "")
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" || f.Name == "version" {
			return
		}
		for _, value := range misfits(f.Value.Type()) {
			wrong("--" + f.Name + "=" + value)
			if len(value) > 0 && len(value) < 100 && !strings.Contains(value, "\x00") {
				name := "PEERLAB_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
				all = append(all, commandLine{env: map[string]string{name: value}, args: path})
			}
		}
		if f.NoOptDefVal == "" {
			wrong("--" + f.Name) // its value is missing
		}
	})
	for _, sub := range c.Commands() {
		if !sub.Hidden && !sub.DisableFlagParsing && sub.Name() != "completion" {
			all = append(all, lines(sub, append(path[:len(path):len(path)], sub.Name()))...)
		}
	}
	return all
}

// misfits are values that no flag of a type can have.
func misfits(kind string) []string {
	switch kind {
	case "bool", "int", "uint64", "duration":
		return []string{"", "nonsense", "1e400", "99999999999999999999999", "-", "1 2", "\x00", "\xff", strings.Repeat("9", 100<<10)}
	}
	return nil
}
