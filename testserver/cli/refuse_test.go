package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/internal/program/programtest"
	"github.com/peerlab/peerlab/testserver/cli"
)

// inProcess runs the program in a directory of its own.
func inProcess(t *testing.T) programtest.Run {
	t.Chdir(t.TempDir())
	return func(env map[string]string, args ...string) (int, string, string) {
		var vars []string
		for name, value := range env {
			vars = append(vars, name+"="+value)
		}
		var out, wrong bytes.Buffer
		status := cli.Main(t.Context(), args, cli.Process{
			Self: "/no/such/program", Environ: vars, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &wrong,
		})
		return status, out.String(), wrong.String()
	}
}

func TestRefusesWrongFlags(t *testing.T) { programtest.Refuses(t, cli.Command(), inProcess(t)) }

func TestRefusesWrongValues(t *testing.T) {
	run := inProcess(t)
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	fine := write("fine.cmd", "alice init\n")
	binary := write("binary.cmd", "alice init\n\x00\x01\n")
	long := write("long.cmd", "alice msg "+strings.Repeat("x", 1<<20)+"\n")
	latin := write("latin.cmd", "alice msg \xe4\n")
	result := write("result.json", "{")
	empty, shell := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(shell, "by-hand.cmd"), []byte("init\nmembers\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"nothing":                  {},
		"no such subcommand":       {"fly"},
		"a huge subcommand":        {strings.Repeat("x", 1<<20)},
		"a missing file":           {"run", "missing.cmd"},
		"an empty folder":          {"run", empty},
		"a binary file":            {"run", binary},
		"a line of 1 MB":           {"run", long},
		"not UTF-8":                {"run", latin},
		"lint of a binary file":    {"lint", binary},
		"no budget":                {"run", "--budget", "0", fine},
		"a negative timeout":       {"run", "--timeout", "-1s", fine},
		"no rounds":                {"run", "--repeat", "0", fine},
		"negative rounds":          {"run", "--repeat", "-1", fine},
		"a negative number kept":   {"run", "--keep", "-1", fine},
		"less than no workers":     {"run", "--parallel", "-1", fine},
		"a folder as JUnit file":   {"run", "--junit", empty, fine},
		"JUnit in no folder":       {"run", "--junit", filepath.Join(empty, "no", "x.xml"), fine},
		"a file as --out":          {"run", "--out", fine, fine},
		"a peer that is not there": {"run", "--peer", filepath.Join(empty, "peer"), fine},
		"a peer that is no name":   {"run", "--peer", "no-such-program", fine},
		"a folder as peer":         {"run", "--peer", empty, fine},
		"a text as peer":           {"run", "--peer", fine, fine},
		"two forms":                {"run", "--json", "--result-json", fine},
		"two forms of a report":    {"report", "--json", "--html", dir},
		"a script for a shell":     {"run", shell},
		"serve with a file as out": {"serve", "--out", fine, fine},
		"shrink of serve":          {"serve", "--shrink", fine},
		"a negative seed":          {"run", "--seed", "-1", fine},
		"a broken expression":      {"run", "--filter", "(", fine},
		"nothing left":             {"run", "--filter", "nothing", fine},
		"serve without an address": {"serve", "--listen", "x", fine},
		"serve that never waits":   {"serve", "--wait", "-1s", fine},
		"serve of a folder":        {"serve", empty},
		"serve of a missing file":  {"serve", "missing.cmd"},
		"report of nothing":        {"report", "missing"},
		"report of a broken run":   {"report", dir},
		"report of a broken file":  {"report", result},
		"list of nothing":          {"list", "missing"},
	} {
		t.Run(name, func(t *testing.T) {
			status, stdout, stderr := run(nil, args...)
			programtest.CheckRefusal(t, "testserver", status, stdout, stderr)
			if status != cli.StatusBroken {
				t.Errorf("status %d, want %d", status, cli.StatusBroken)
			}
		})
	}
	if _, err := os.Stat("runs"); err == nil {
		t.Error("a run was made of something")
	}
}
