package shell_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/peerlab/peerlab/peer/shell"
	"github.com/peerlab/peerlab/repl"
)

func (k *keeper) Memory(_ context.Context, out io.Writer) error {
	_, err := fmt.Fprintln(out, "much")
	return err
}

func (k *keeper) Vars(_ context.Context, out io.Writer) error {
	_, err := fmt.Fprintln(out, "names")
	return err
}

func TestReboot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var handed []string
		fails := errors.New("not here")
		p := newRoom(t).peer("alice", func(c *shell.Config) {
			c.Dev, c.Go = true, &keeper{}
			c.Reboot = func(_ context.Context, lines []string, _ io.Writer) error {
				handed = lines
				return fails
			}
		})
		p.must(`keep -n Greet "it's for all"`)
		p.must("keep -n bare")
		p.must("keep -n gone")
		p.must("unkeep gone")
		if _, err := p.run("reboot"); !errors.Is(err, fails) {
			t.Errorf("it cannot, and says %v", err)
		}
		fails = nil
		out, err := p.run("reboot")
		if !errors.Is(err, repl.ErrQuit) || out != "leaving, to be back at once\n" {
			t.Errorf("%q, %v", out, err)
		}
		want := []string{`keep -n Greet 'it'\''s for all'`, "keep -n bare 'a command made in this peer'"}
		if strings.Join(handed, "\n") != strings.Join(want, "\n") {
			t.Errorf("handed on: %q, want %q", handed, want)
		}
		q := newRoom(t).peer("bob", forDevelopment)
		if _, err := q.run("reboot"); err == nil || errors.Is(err, repl.ErrQuit) {
			t.Errorf("a peer that cannot: %v", err)
		}
	})
}

func TestVars(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := keeping(t)
		p.steps([]step{
			{"vars", "names\n", ""},
			{"vars -mem", "much\n", ""},
			{"vars -memory", "", ".*no option.*"},
		})
	})
}
