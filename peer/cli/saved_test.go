//go:build unix

package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/internal/childtest"
)

// session is what somebody types in a demo, and what comes of it. Typed text
// is a message; what the bots answer must have come before the next line is
// typed, as it would with a person.
func session() []struct{ line, comes string } {
	return []struct{ line, comes string }{
		{"hello", "hello alice, this is "},
		{"/members", "charly"},
		{"/broadcastadd motto onwards and upwards", "alice chat> "},
		{"/broadcastlist", "upwards"},
		{"/chatmembers", "charly"},
		{"are you there, charly?", "<charly> you called?"},
		{"/chatmemberping bob", "alice chat> "},
		{"/chatmemberping nobody", "error: "},
		{"/echo that was a mistake", "that was a mistake"},
		{"good night", `<bob> "good night", got it`},
	}
}

// TestASavedSessionPasses: ten commands in a demo, saved, are a scenario that
// passes.
func TestASavedSessionPasses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	u := newUser(t)
	x := u.open([]string{"TERM=xterm"}, "demo", "--plain")
	x.expect("", "alice chat> ")
	for _, s := range session() {
		x.expect(s.line+"\r", s.comes)
	}
	file := filepath.Join(dir, "demo.cmd")
	x.expect("/save "+file+"\r", "run it with: ")
	x.leave()
	saved, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"alice msg hello\n", "bob msg hello alice, this is bob\n", "charly msg you called?\n",
		"! alice chatmemberping nobody\n", "alice broadcastadd motto onwards and upwards\n",
	} {
		if !strings.Contains(string(saved), want) {
			t.Errorf("it does not say %q", want)
		}
	}
	cmd := exec.Command("testserver", "run", "--out", filepath.Join(dir, "runs"), "--budget", "2m", file)
	cmd.Env = u.env
	out, err := childtest.CombinedOutput(cmd)
	if err != nil || !strings.Contains(string(out), "PASSED") {
		t.Errorf("%v:\n%s\n%s", err, out, saved)
	}
}
