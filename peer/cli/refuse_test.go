package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/internal/program/programtest"
	"github.com/peerlab/peerlab/peer/cli"
)

// inProcess runs the program peer in this process, without input.
func inProcess(t *testing.T) programtest.Run {
	t.Helper()
	run, state := t.TempDir(), t.TempDir()
	t.Chdir(t.TempDir())
	return func(env map[string]string, args ...string) (int, string, string) {
		var out, wrong bytes.Buffer
		status := cli.Main(t.Context(), args, cli.Process{
			Env: func(name string) string {
				switch name {
				case "XDG_RUNTIME_DIR":
					return run
				case "XDG_STATE_HOME":
					return state
				}
				return env[name]
			},
			Stdin: strings.NewReader(""), Stdout: &out, Stderr: &wrong,
		})
		return status, out.String(), wrong.String()
	}
}

func TestRefusesWrongFlags(t *testing.T) { programtest.Refuses(t, cli.Command(), inProcess(t)) }

func TestRefusesWrongValues(t *testing.T) {
	run := inProcess(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, bytes.Repeat([]byte("x"), 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	huge := strings.Repeat("x", 1<<20)
	const usage, failed = 2, 1
	for name, c := range map[string]struct {
		status int
		args   []string
	}{
		"a capital":                  {usage, []string{"Alice"}},
		"a reserved name":            {usage, []string{"kill"}},
		"a label as name":            {usage, []string{"joined"}},
		"a huge name":                {usage, []string{huge}},
		"a binary name":              {usage, []string{"a\x00b"}},
		"a name of a path":           {usage, []string{"../../etc"}},
		"a name not in UTF-8":        {usage, []string{"\xff"}},
		"a group of a path":          {usage, []string{"alice", "--group", "../x"}},
		"a huge group":               {usage, []string{"alice", "--group", huge}},
		"a binary group":             {usage, []string{"alice", "--group", "\x00"}},
		"a service that is no URL":   {usage, []string{"alice", "--bootstrap", "nonsense"}},
		"a service of another way":   {usage, []string{"alice", "--bootstrap", "ftp://127.0.0.1"}},
		"a service at no port":       {usage, []string{"alice", "--bootstrap", "http://127.0.0.1:99999"}},
		"a huge URL":                 {usage, []string{"alice", "--bootstrap", huge}},
		"a binary URL":               {usage, []string{"alice", "--bootstrap", "http://\x00"}},
		"a token without service":    {usage, []string{"alice", "--token-file", file}},
		"a huge token":               {failed, []string{"alice", "--token-file", file, "--bootstrap", "http://127.0.0.1:1"}},
		"a directory as token":       {failed, []string{"alice", "--token-file", dir, "--bootstrap", "http://127.0.0.1:1"}},
		"bind without port":          {usage, []string{"alice", "--bind", "127.0.0.1"}},
		"bind to a huge port":        {usage, []string{"alice", "--bind", "127.0.0.1:99999"}},
		"bind to a negative port":    {usage, []string{"alice", "--bind", "127.0.0.1:-1"}},
		"advertise port 0":           {usage, []string{"alice", "--advertise", "127.0.0.1:0"}},
		"join without port":          {usage, []string{"alice", "--join", "nonsense"}},
		"join of nothing":            {usage, []string{"alice", "--join", "127.0.0.1:"}},
		"a file as data directory":   {failed, []string{"alice", "--data", file}},
		"data below a file":          {failed, []string{"alice", "--data", file + "/x"}},
		"a huge data directory":      {failed, []string{"alice", "--data", huge}},
		"a binary data directory":    {failed, []string{"alice", "--data", "a\x00b"}},
		"a directory as log":         {failed, []string{"alice", "--log", dir}},
		"a log below a file":         {failed, []string{"alice", "--log", file + "/x"}},
		"no level":                   {usage, []string{"alice", "--log-level", "loud"}},
		"a test without name":        {usage, []string{"--test", "http://127.0.0.1:1"}},
		"a test without token":       {failed, []string{"alice", "--test", "http://127.0.0.1:1"}},
		"demo with a name":           {usage, []string{"demo", "alice"}},
		"completion of no shell":     {usage, []string{"completion", "nosh"}},
		"a script that is not there": {failed, []string{"alice", "--script", "missing.cmd"}},
		"help of nothing":            {usage, []string{"help", "nothing"}},
	} {
		t.Run(name, func(t *testing.T) {
			status, stdout, stderr := run(nil, c.args...)
			programtest.CheckRefusal(t, "peer", status, stdout, stderr)
			if status != c.status {
				t.Errorf("status %d, want %d", status, c.status)
			}
			if strings.Contains(name, "data") && !strings.Contains(stderr, "with --data") {
				t.Errorf("%q says no way out", stderr)
			}
		})
	}
	if got, err := os.ReadFile(file); err != nil || len(got) != 1<<20 {
		t.Errorf("the file has %d bytes now, %v", len(got), err)
	}
}
