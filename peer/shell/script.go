package shell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/peerlab/peerlab/repl"
)

// script are the commands of group script that need the machine; the others
// are built into the engine.
func (p *peer) script() []repl.Command {
	return []repl.Command{
		p.development(repl.Command{
			Name: "shell", Group: "script", Usage: "COMMAND", MinArgs: 1, Raw: true, MaxArgs: repl.Any,
			Summary: "run a command of the operating system",
			Help:    "Through the system's shell, with the rest of the line as it is. It fails if\nthe command does; lines of its error output begin with \"stderr: \".\n\n\tshell ls -l | head -3",
			Run:     p.system,
		}),
	}
}

func (p *peer) system(ctx context.Context, c *repl.Call) error {
	if p.System == nil {
		return errors.New("this peer reaches no operating system")
	}
	var turn sync.Mutex
	out, errs := &lines{out: c.Out, turn: &turn}, &lines{out: c.Out, turn: &turn, head: "stderr: "}
	status, err := p.System(ctx, c.Text, out, errs)
	out.end()
	errs.end()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("the command was ended: %w", ctx.Err())
	case err != nil:
		return fmt.Errorf("shell: %w", err)
	case status != 0:
		return fmt.Errorf("exit status %d", status)
	}
	fmt.Fprintln(c.Out, "exit status 0")
	return nil
}

// longest is the longest line that is kept together, in bytes.
const longest = 64 << 10

// lines passes whole lines on, each with a head, so that two outputs do not
// mix within a line. What could steer a terminal is neutralised.
type lines struct {
	out  io.Writer
	turn *sync.Mutex // of the outputs that share out
	head string
	rest []byte
}

func (l *lines) Write(b []byte) (int, error) {
	l.rest = append(l.rest, b...)
	for {
		i := bytes.IndexByte(l.rest, '\n')
		if i < 0 && len(l.rest) < longest {
			return len(b), nil
		}
		if i < 0 {
			i = len(l.rest)
		}
		err := l.print(l.rest[:i])
		l.rest = l.rest[min(i+1, len(l.rest)):]
		if err != nil {
			return 0, err
		}
	}
}

// end prints a last line that has no end.
func (l *lines) end() {
	if len(l.rest) > 0 {
		_ = l.print(l.rest) // as all that is printed to a person
		l.rest = nil
	}
}

func (l *lines) print(line []byte) error {
	l.turn.Lock()
	defer l.turn.Unlock()
	text := strings.ToValidUTF8(strings.TrimSuffix(string(line), "\r"), "\uFFFD")
	_, err := fmt.Fprintln(l.out, l.head+repl.Neutral(text))
	return err
}
