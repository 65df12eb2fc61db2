package program_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/peerlab/peerlab/internal/program"
	"github.com/peerlab/peerlab/internal/program/programtest"
)

// tool is a program as those of the project are.
func tool(env map[string]string) *cobra.Command {
	var (
		yes  bool
		n    int
		u    uint64
		wait time.Duration
	)
	root := &cobra.Command{Use: "tool", Args: cobra.NoArgs, SilenceErrors: true, SilenceUsage: true,
		Run: func(*cobra.Command, []string) {}}
	root.Flags().BoolVar(&yes, "yes", false, "")
	root.Flags().IntVar(&n, "number", 0, "")
	root.Flags().Uint64Var(&u, "seed", 0, "")
	root.Flags().DurationVar(&wait, "wait-for", 0, "")
	root.AddCommand(&cobra.Command{Use: "sub WORD", Args: cobra.ExactArgs(1), Run: func(*cobra.Command, []string) {}})
	program.Prepare(root, func(name string) string { return env[name] })
	return root
}

func run(env map[string]string, args ...string) (status int, stdout, stderr string) {
	var out, wrong bytes.Buffer
	root := tool(env)
	root.SetArgs(args)
	root.SetOut(&out)
	root.SetErr(&wrong)
	program.Complete(root, args)
	if err := root.ExecuteContext(context.Background()); err != nil {
		fmt.Fprintf(&wrong, "tool: %s\n", program.Line(err))
		status = 1
		if errors.Is(err, program.ErrUsage) {
			status = 2
		}
	}
	return status, out.String(), wrong.String()
}

func TestRefuses(t *testing.T) { programtest.Refuses(t, tool(nil), run) }

func TestMessages(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		args string
		want string
	}{
		{nil, "--yes=maybe", `tool: --yes "maybe" does not fit: give true or false; see tool --help`},
		{nil, "--number x", `tool: --number "x" does not fit: give a whole number; see tool --help`},
		{nil, "--wait-for x", `tool: --wait-for "x" does not fit: give a duration such as 90s or 5m; see tool --help`},
		{nil, "--number", `tool: flag needs an argument: --number; see tool --help`},
		{nil, "sub", `tool: usage: tool sub WORD [flags] (arguments are missing); see tool sub --help`},
		{nil, "completion nosh", `tool: no completion for "nosh": give one of bash, fish, powershell, zsh`},
		{nil, "help nothing", `tool: no help for "nothing"; see tool --help`},
		{map[string]string{"PEERLAB_WAIT_FOR": "x"}, "", `tool: PEERLAB_WAIT_FOR in the environment: "x" does not fit: give a duration such as 90s or 5m`},
	} {
		status, _, stderr := run(c.env, strings.Fields(c.args)...)
		if status != 2 || stderr != c.want+"\n" {
			t.Errorf("%s: status %d, %q; want 2, %q", c.args, status, stderr, c.want)
		}
	}
}

func TestAccepts(t *testing.T) {
	for _, args := range []string{"", "--help", "help sub", "completion", "completion bash", "completion zsh --help", "--yes --wait-for 1s", "sub word"} {
		if status, _, stderr := run(map[string]string{"PEERLAB_NUMBER": "3", "PEERLAB_SEED": ""}, strings.Fields(args)...); status != 0 || stderr != "" {
			t.Errorf("%s: status %d, %q", args, status, stderr)
		}
	}
}

func TestLine(t *testing.T) {
	long := strings.Repeat("ä", 5000)
	for text, want := range map[string]string{
		"plain":          "plain",
		"a\nb\n":         "a; b",
		"a\x1b[31m\x00b": "a?[31m?b",
		"\xff":           "?",
		long:             "(10000 bytes)",
	} {
		got := program.Line(errors.New(text))
		if !strings.HasSuffix(got, want) || len(got) > 1100 || strings.ContainsAny(got, "\n\x1b") {
			t.Errorf("%.40q is printed as %.100q", text, got)
		}
	}
	if program.Usage(nil) != nil {
		t.Error("no error became one")
	}
}
