package docs_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	bootstrapserver "github.com/peerlab/peerlab/bootstrap-server/server"
	"github.com/peerlab/peerlab/internal/childtest"
	peer "github.com/peerlab/peerlab/peer/cli"
	testserver "github.com/peerlab/peerlab/testserver/cli"
)

// mains run the programs in this process.
func mains() map[string]func(ctx context.Context, out io.Writer, args ...string) int {
	noEnv := func(string) string { return "" }
	return map[string]func(context.Context, io.Writer, ...string) int{
		"peer": func(ctx context.Context, out io.Writer, args ...string) int {
			return peer.Main(ctx, args, peer.Process{Env: noEnv, Stdin: strings.NewReader(""), Stdout: out, Stderr: out})
		},
		"testserver": func(ctx context.Context, out io.Writer, args ...string) int {
			return testserver.Main(ctx, args, testserver.Process{Stdin: strings.NewReader(""), Stdout: out, Stderr: out})
		},
		"bootstrap-server": func(ctx context.Context, out io.Writer, args ...string) int {
			return bootstrapserver.Run(ctx, args, nil, strings.NewReader(""), out, out)
		},
	}
}

func TestCompletionScripts(t *testing.T) {
	for name, run := range mains() {
		for shell, sign := range map[string]string{
			"bash": "complete ", "zsh": "#compdef " + name + "\n", "fish": "complete -c " + name,
		} {
			t.Run(name+"/"+shell, func(t *testing.T) {
				var script bytes.Buffer
				if status := run(t.Context(), &script, "completion", shell); status != 0 || !strings.Contains(script.String(), sign) {
					t.Fatalf("status %d, and no %q in\n%.500s", status, sign, script.String())
				}
				if shell == "bash" {
					source(t, name, script.Bytes())
				}
			})
		}
	}
}

// source has bash read a script and ask what it knows of the program.
func source(t *testing.T, program string, script []byte) {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("needs bash: install it to have its completion script sourced")
	}
	file := filepath.Join(t.TempDir(), "completion.bash")
	if err := os.WriteFile(file, script, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := childtest.CombinedOutput(exec.CommandContext(t.Context(), bash, "--norc", "-c", `source "$1" && complete -p "$2"`, "bash", file, program))
	if err != nil || !strings.Contains(string(out), "__start_"+program) {
		t.Errorf("%v: %s", err, out)
	}
}

func TestCompletions(t *testing.T) {
	for _, test := range []struct {
		name, program string
		args          []string
		has, hasNot   string
	}{
		{"a subcommand", "peer", []string{""}, "demo\t", ""},
		{"a name is no file", "peer", []string{"al"}, ":4\n", "demo"},
		{"a flag", "peer", []string{"--boot"}, "--bootstrap", "--bare"},
		{"a level", "peer", []string{"--log-level", ""}, "debug", ""},
		{"hidden commands", "testserver", []string{""}, "run\t", "watchdog"},
		{"a flag of the service", "bootstrap-server", []string{"--st"}, "--store", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			mains()[test.program](t.Context(), &out, append([]string{"__complete"}, test.args...)...)
			if got := out.String(); !strings.Contains(got, test.has) || test.hasNot != "" && strings.Contains(got, test.hasNot) {
				t.Errorf("completing %q: want %q and not %q in\n%s", test.args, test.has, test.hasNot, got)
			}
		})
	}
}
