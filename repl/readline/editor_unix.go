//go:build unix

package readline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/peerlab/peerlab/repl"
	"golang.org/x/sys/unix"
)

const (
	noEditor = "no editor is set: leave, set VISUAL or EDITOR, as by \"export EDITOR=vi\", and start again"

	// editorEnds is how long an editor may take to end when it is told to.
	editorEnds = time.Second
	// notFound is the status of the system's shell for a missing command.
	notFound = 127
)

// beginLine begins a line that ends with ctx, with close, or by endLine.
func (r *reader) beginLine(ctx context.Context) (endLine func()) {
	line, end := context.WithCancel(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.line, r.endLine = line, end
	return func() {
		end()
		r.mu.Lock()
		defer r.mu.Unlock()
		r.line, r.endLine = nil, nil
	}
}

// inEditor lends the terminal to the editor and returns what has become of the
// line. Of a failure the line stays as it was, and a message says why. It is
// called by the library between two keys, so that nothing else happens to the
// line meanwhile.
func (r *reader) inEditor(text []rune) []rune {
	defer r.keys.takeBack()
	r.mu.Lock()
	line := r.line
	r.mu.Unlock()
	switch {
	case line == nil || line.Err() != nil:
		return text
	case r.cfg.Editor == "":
		r.Print(noEditor)
		return text
	}
	r.screen.clear()
	r.screen.hold(true)
	defer func() {
		r.screen.clear()
		r.screen.resize(r.tty.size())
		r.screen.hold(false)
	}()
	edited := text
	err := r.lend(func() (err error) {
		edited, err = r.edited(line, text)
		return err
	})
	if err != nil && line.Err() == nil {
		r.Print("the line is as it was: " + repl.Neutral(err.Error()))
		return text
	}
	return edited
}

// Edit lends the terminal to the editor for a file that somebody else keeps,
// and returns when the editor has ended. When ctx ends the editor is ended.
// Messages wait meanwhile. It is an error while a line is being read.
func (r *reader) Edit(ctx context.Context, file string) error {
	if r.cfg.Editor == "" {
		return errors.New(noEditor)
	}
	return r.Suspend(func() error { return r.runEditor(ctx, file) })
}

// edited runs the editor on text, in a file that only its user can read.
func (r *reader) edited(ctx context.Context, text []rune) (_ []rune, err error) {
	dir, err := os.MkdirTemp("", "line-*")
	if err != nil {
		return text, fmt.Errorf("no place for the editor: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	name := filepath.Join(dir, "line.txt")
	before := strings.ReplaceAll(string(text), string(newline), "\n") + "\n"
	if err := os.WriteFile(name, []byte(before), 0o600); err != nil {
		return text, fmt.Errorf("no place for the editor: %w", err)
	}
	if err := r.runEditor(ctx, name); err != nil {
		return text, err
	}
	after, err := readText(name)
	if err != nil {
		return text, err
	}
	return pasted(strings.TrimRight(after, "\r\n")), nil
}

// readText reads what an editor has saved, which must be a line's text.
func readText(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("read what was edited: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, repl.MaxLine+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("read what was edited: %w", err)
	case len(raw) > repl.MaxLine:
		return "", fmt.Errorf("what was edited is longer than %d bytes", repl.MaxLine)
	case !utf8.Valid(raw):
		return "", errors.New("what was edited is not UTF-8 text")
	}
	return string(raw), nil
}

// runEditor runs the editor on a file until it ends. When ctx ends it is
// ended.
func (r *reader) runEditor(ctx context.Context, file string) error {
	cmd := editorCommand(r.cfg.Editor, file)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = r.cfg.In, r.cfg.Out, r.cfg.Out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	ours := unix.Getpgrp()
	front, err := unix.IoctlGetInt(r.tty.in, unix.TIOCGPGRP)
	toFront := func(group int) {}
	if err == nil && front == ours {
		toFront = func(group int) { _ = unix.IoctlSetPointerInt(r.tty.in, unix.TIOCSPGRP, group) }
		cmd.SysProcAttr = &syscall.SysProcAttr{Foreground: true, Ctty: r.tty.in}
		// Who is not in front and sets the terminal is stopped, unless it
		// ignores that.
		signal.Ignore(unix.SIGTTOU)
		defer signal.Reset(unix.SIGTTOU)
		defer toFront(ours)
	}
	switch err := cmd.Start(); {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, os.ErrNotExist):
		return r.missing()
	case err != nil:
		return fmt.Errorf("start the editor: %w", err)
	}
	defer func() { _ = cmd.Process.Release() }() // await has its status
	ended := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() { endWith(ctx, cmd.Process.Pid, ended) })
	status, err := await(cmd.Process.Pid, toFront)
	close(ended)
	watcher.Wait()
	if ctx.Err() != nil {
		_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL) // what it has left behind
	}
	if err != nil {
		return fmt.Errorf("wait for the editor: %w", err)
	}
	return r.verdict(status)
}

// editorCommand is the editor as a process. The system's shell is asked only
// about a command that means something to it.
func editorCommand(editor, file string) *exec.Cmd {
	words := strings.Fields(editor)
	if len(words) == 0 || strings.ContainsAny(editor, "|&;<>()$`\\\"'*?[#~=%") {
		return exec.Command("/bin/sh", "-c", editor+` "$@"`, editor, file)
	}
	return exec.Command(words[0], append(words[1:], file)...)
}

// endWith ends a group of processes when ctx ends, unless it has ended before.
func endWith(ctx context.Context, group int, ended <-chan struct{}) {
	for _, s := range []unix.Signal{unix.SIGHUP, unix.SIGKILL} {
		select {
		case <-ended:
			return
		case <-ctx.Done():
		}
		_ = unix.Kill(-group, s)
		_ = unix.Kill(-group, unix.SIGCONT)
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(context.WithoutCancel(ctx), editorEnds)
		defer stop()
	}
}

// await waits for the end of a process, the leader of its group. Nobody could
// continue one that was stopped, by its ctrl-Z, so it goes on at once.
func await(pid int, toFront func(group int)) (status unix.WaitStatus, err error) {
	for {
		_, err := unix.Wait4(pid, &status, unix.WUNTRACED, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil, !status.Stopped():
			return status, err
		default:
			toFront(pid)
			_ = unix.Kill(-pid, unix.SIGCONT)
		}
	}
}

// verdict says what an editor's end means.
func (r *reader) verdict(status unix.WaitStatus) error {
	switch {
	case status.Signaled():
		return fmt.Errorf("the editor %q was ended by a signal (%v)", r.cfg.Editor, status.Signal())
	case status.ExitStatus() == notFound:
		return r.missing()
	case status.ExitStatus() != 0:
		return fmt.Errorf("the editor %q has failed (exit status %d)", r.cfg.Editor, status.ExitStatus())
	}
	return nil
}

func (r *reader) missing() error {
	return fmt.Errorf("there is no editor %q: set VISUAL or EDITOR to one that there is", r.cfg.Editor)
}
