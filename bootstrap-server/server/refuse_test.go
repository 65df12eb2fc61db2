package server_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/bootstrap-server/server"
	"github.com/peerlab/peerlab/internal/program/programtest"
)

func run(t *testing.T) programtest.Run {
	return func(env map[string]string, args ...string) (int, string, string) {
		var vars []string
		for name, value := range env {
			vars = append(vars, name+"="+value)
		}
		var out, wrong bytes.Buffer
		status := server.Run(t.Context(), args, vars, strings.NewReader(""), &out, &wrong)
		return status, out.String(), wrong.String()
	}
}

func TestRefusesWrongFlags(t *testing.T) { programtest.Refuses(t, server.Command(), run(t)) }

func TestRefusesWrongValues(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, bytes.Repeat([]byte("x"), 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	huge := strings.Repeat("x", 1<<20)
	for name, args := range map[string][]string{
		"no address":               {"--addr", ""},
		"no port":                  {"--addr", "127.0.0.1"},
		"huge port":                {"--addr", "127.0.0.1:99999"},
		"negative port":            {"--addr", "127.0.0.1:-1"},
		"huge address":             {"--addr", huge},
		"binary address":           {"--addr", "\x00:0"},
		"short leases":             {"--ttl", "-1s"},
		"no leases":                {"--ttl", "0"},
		"fractions of a second":    {"--ttl", "1500ms"},
		"leases for ever":          {"--ttl", "1000000h"},
		"no store":                 {"--store", ""},
		"no path":                  {"--store", "file:"},
		"a directory as store":     {"--store", "file:" + dir},
		"below a file":             {"--store", "file:" + file + "/x"},
		"a store with NUL":         {"--store", "file:" + dir + "/a\x00b"},
		"a reserved name as store": {"--store", "file:" + dir + "/.~x"},
		"a huge name as store":     {"--store", "file:" + dir + "/" + huge},
		"a file that is no store":  {"--store", "file:" + file},
		"a huge token":             {"--token-file", file},
		"a directory as token":     {"--token-file", dir},
		"a token that is missing":  {"--token-file", dir + "/missing"},
	} {
		t.Run(name, func(t *testing.T) {
			status, stdout, stderr := run(t)(nil, append([]string{"--addr", "127.0.0.1:0"}, args...)...)
			programtest.CheckRefusal(t, "bootstrap-server", status, stdout, stderr)
			if strings.Contains(name, "token") && !strings.Contains(stderr, "write one line") && name != "a huge token" {
				t.Errorf("%q does not say how a token is made", stderr)
			}
		})
	}
	if got, err := os.ReadFile(file); err != nil || len(got) != 1<<20 {
		t.Errorf("the file that is no store has %d bytes now, %v", len(got), err)
	}
}
