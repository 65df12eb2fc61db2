package buildenv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// niceness is the argument of nice(1) for Config.Nice, or empty for none.
func niceness(n int) string {
	if n == 0 {
		n = 5
	}
	if n < 0 || runtime.GOOS == "windows" {
		return ""
	}
	return strconv.Itoa(min(n, 19))
}

// command makes one call of a tool, with the environment of the binary's build
// and without the user's own flags, which would change what is built.
func (e *Env) command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	if nice, err := exec.LookPath("nice"); e.nice != "" && err == nil {
		name, args = nice, append([]string{"-n", e.nice, name}, args...)
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(slices.Clone(e.environ), e.host.environ...)
	cmd.Env = append(cmd.Env, "GOFLAGS=", "GO111MODULE=on", "GOWORK="+e.workFile(), "PWD="+dir)
	if version := e.found().switchTo; version != "" {
		cmd.Env = append(cmd.Env, "GOTOOLCHAIN="+version)
	}
	cmd.SysProcAttr = attributes()
	cmd.Cancel = func() error { return killGroup(cmd.Process) }
	cmd.WaitDelay = time.Second
	return cmd
}

// run runs a tool to its end. The error holds what the tool said. When ctx
// ends, the tool and all that it has started are killed. They have a temporary
// directory of their own: what is killed tidies nothing up.
func (e *Env) run(ctx context.Context, cmd *exec.Cmd) ([]byte, error) {
	temp, err := os.MkdirTemp(e.dir, "tool-")
	if err != nil {
		return nil, &toolError{tool: toolName(cmd), err: err}
	}
	defer func() { _ = os.RemoveAll(temp) }() // the session's directory goes, too
	cmd.Env = append(cmd.Env, "TMPDIR="+temp, "GOTMPDIR="+temp)
	var stdout, stderr bytes.Buffer
	tell := progress(ctx)
	defer tell("")
	heard := &lines{f: func(line string) {
		if what := doing(line); what != "" {
			tell(what)
			return
		}
		stderr.WriteString(line + "\n")
	}}
	cmd.Stdout, cmd.Stderr = &stdout, heard
	err = runBound(cmd)
	heard.flush()
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return stdout.Bytes(), &toolError{tool: toolName(cmd), said: strings.TrimSpace(stderr.String() + stdout.String()), err: err}
	}
	return stdout.Bytes(), nil
}

// runBound runs a tool on a thread that lives as long as the tool: on Linux a
// tool is killed when the thread that has started it ends.
func runBound(cmd *exec.Cmd) (err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err = cmd.Run()
	}()
	<-done
	return err
}

// toolName is what a person calls the tool of a command: "go list".
func toolName(cmd *exec.Cmd) string {
	args := cmd.Args
	if filepath.Base(args[0]) == "nice" && len(args) > 3 {
		args = args[3:]
	}
	name := filepath.Base(args[0])
	if name == "go" && len(args) > 1 {
		name += " " + args[1]
	}
	return name
}

// toolError is the failure of a tool, with its words.
type toolError struct {
	tool, said string
	err        error
}

func (t *toolError) Error() string {
	if t.said == "" {
		return fmt.Sprintf("%s: %v", t.tool, t.err)
	}
	return t.tool + ": " + t.said
}

func (t *toolError) Unwrap() error { return t.err }

// words are what a tool said, or the error's own text.
func words(err error) string {
	if t, ok := errors.AsType[*toolError](err); ok && t.said != "" {
		return t.said
	}
	return err.Error()
}

// lines calls f with each whole line written to it; the last one may lack its
// end, and is given by flush.
type lines struct {
	f    func(string)
	rest []byte
}

func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		line, rest, found := bytes.Cut(l.rest, []byte("\n"))
		if !found {
			return len(p), nil
		}
		l.f(string(line))
		l.rest = bytes.Clone(rest)
	}
}

func (l *lines) flush() {
	if len(l.rest) > 0 {
		l.f(string(l.rest))
	}
}
