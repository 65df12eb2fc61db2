package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/peerlab/peerlab/peer/explore/workbench"
	"github.com/peerlab/peerlab/repl"
)

const (
	// rebootName is the variable of the environment by which a peer that was
	// started anew knows who it is.
	rebootName = "PEERLAB_REBOOT"
	rebootFile = "reboot.json"
)

// again is what a peer hands on to the process that takes its place.
type again struct {
	V       int               `json:"v"`
	Session workbench.Session `json:"session"`
	Lines   []string          `json:"lines,omitempty"` // commands to run
	Rest    string            `json:"rest,omitempty"`  // what a pipe has brought, and was not read yet
}

// reboot prepares the new process. Nothing of it is begun before the peer has
// left.
func (r *run) reboot(ctx context.Context, lines []string, out io.Writer) error {
	switch {
	case r.process.Replace == nil:
		return errors.New("no process can take the place of another here: quit, and start the peer again")
	case r.flags.test != "":
		return errors.New("this peer is one of a test: there, restart NAME does it")
	case len(r.flags.commands) > 0:
		return errors.New("with -c there would be nothing to do for a new process")
	}
	session, notes, err := r.bench.Record(ctx)
	if err != nil {
		return err
	}
	for _, n := range notes {
		fmt.Fprintln(out, "note:", repl.Neutral(n))
	}
	a := again{V: 1, Session: session, Lines: lines}
	if r.ahead != nil {
		rest, _ := r.ahead.Peek(r.ahead.Buffered()) // nobody reads while a command runs
		a.Rest = string(rest)
	}
	raw, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("reboot: %w", err)
	}
	if err := r.setup.cfg.Data.WriteFile(rebootFile, raw, 0o600); err != nil {
		return fmt.Errorf("reboot: %w", err)
	}
	r.again = true
	return nil
}

// replay declares what the process before has declared. What cannot be is told,
// and the peer goes on.
func (r *run) replay(ctx context.Context) {
	data := r.setup.cfg.Data
	raw, err := data.ReadFile(rebootFile)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var a again
	if err == nil {
		err = errors.Join(json.Unmarshal(raw, &a), data.Remove(rebootFile))
	}
	if err == nil && a.V != 1 {
		err = fmt.Errorf("version %d is not known", a.V)
	}
	if err != nil {
		r.screen.print("error: " + rebootFile + ": " + repl.Neutral(err.Error()) + "\n")
		return
	}
	r.rest = a.Rest
	if n := len(a.Session.Inputs); n > 0 {
		r.screen.print(fmt.Sprintf("declaring again what was declared (inputs: %d)\n", n))
	}
	if err := r.bench.Replay(ctx, a.Session, late{&r.screen}); err != nil {
		r.screen.print("error: " + repl.Neutral(err.Error()) + "\n")
	}
	for _, line := range a.Lines {
		if err := r.shell.Execute(ctx, line, &r.screen); err != nil {
			r.screen.print("error: " + line + ": " + repl.Neutral(err.Error()) + "\n")
		}
	}
}
