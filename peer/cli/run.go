package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/internal/program"
	"github.com/peerlab/peerlab/peer/explore/workbench"
	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/guard"
	"github.com/peerlab/peerlab/peer/identity"
	"github.com/peerlab/peerlab/peer/node"
	"github.com/peerlab/peerlab/peer/shell"
	"github.com/peerlab/peerlab/repl"
	"github.com/peerlab/peerlab/repl/readline"
)

// names are what a peer without a name is called: the first one that is free.
func names() []string {
	return []string{"alice", "bob", "charly", "dora", "emil", "frida", "gustav", "hanna",
		"ida", "jonas", "klara", "luca", "mara", "nils", "olga", "paul",
		"quinn", "rosa", "sven", "tilda", "ulf", "vera", "willy", "xenia", "yara", "zoe"}
}

// runPeer runs one peer from its flags to its end.
func runPeer(ctx context.Context, p Process, f flags, status *int) error {
	*status = statusOK
	if err := f.checkScript(); err != nil {
		return err
	}
	if name := p.Env(rebootName); name != "" {
		f.name, f.reborn = name, true
		_ = os.Unsetenv(rebootName) // what it starts is not reborn
	}
	if f.name != "" {
		return runNamed(ctx, p, f, f.name, status)
	}
	if f.test != "" {
		return program.Usage(errors.New("a peer of a test needs a NAME: peer NAME --test URL"))
	}
	for _, name := range names() {
		err := runNamed(ctx, p, f, name, status)
		var inUse *identity.InUseError
		if !errors.As(err, &inUse) && !errors.Is(err, node.ErrNameTaken) {
			return err
		}
	}
	return errors.New("all names that I know are taken: give a NAME")
}

func runNamed(ctx context.Context, p Process, f flags, name string, status *int) (err error) {
	if err := node.CheckName(name); err != nil {
		return program.Usage(err)
	}
	s, err := f.open(name, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	// Libraries print to the standard logger what they cannot return, such as
	// an answer that nobody asked for. It must not reach the prompt.
	log.SetFlags(0)
	log.SetOutput(s.book.Logger("node"))
	r := &run{flags: f, process: p, setup: s}
	defer func() { err = errors.Join(err, r.screen.close()) }()
	if err := r.wire(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.bench.Close()) }()
	err = r.serve(ctx)
	*status = r.status
	if r.again && err == nil {
		*p.reborn = name
	}
	return err
}

// run is a peer that is running, and what it is driven by.
type run struct {
	flags   flags
	process Process
	setup   *setup
	screen  screen
	node    *node.Node
	shell   *repl.Shell
	bench   *workbench.Workbench // what the peer has of Go
	harness *attached            // the test server that the peer is attached to, or nil
	status  int
	again   bool               // a new process goes on
	ahead   *bufio.Reader      // commands from a pipe; nil for none
	rest    string             // commands that the process before has read ahead
	leave   context.CancelFunc // begins the orderly end of the node
	gone    chan struct{}      // closed when the node has ended
	ended   error              // of the node; to be read after gone
}

// wire puts the parts together. Nothing of the peer runs yet; the test
// server, if there is one, knows of it.
func (r *run) wire(ctx context.Context) (err error) {
	if err := r.screen.open(r.process, r.flags, r.setup.cfg.Data); err != nil {
		return err
	}
	cfg := r.setup.cfg
	cfg.Show = r.screen.show
	if r.node, err = node.New(cfg); err != nil {
		return program.Usage(err) // the rest of cfg is sound
	}
	r.bench = newBench(r.node, cfg.Extensions, &r.screen, cfg.Data, func(ctx context.Context, line string, out io.Writer) error {
		return r.shell.Execute(ctx, line, out)
	})
	shellCfg := shell.Config{Node: r.node, Book: r.setup.book, Open: openNamed, Place: place, Files: namesOfFiles, Dev: r.flags.dev, System: runSystem, Go: r.bench, Room: r.bench.Room(), Late: late{&r.screen}, Editor: r.screen.editor(r.process), Reboot: r.reboot}
	if r.flags.test != "" {
		if r.harness, err = attach(ctx, r); err != nil {
			return err
		}
		shellCfg.Harness = r.harness.link
	}
	r.shell, err = shell.New(shellCfg)
	return err
}

// serve runs the node and what drives it, until one of them ends. The node
// takes leave in order unless the shell ended with exit.
func (r *run) serve(ctx context.Context) error {
	nodeCtx, leave := context.WithCancel(context.WithoutCancel(ctx))
	defer leave()
	drive, stop := context.WithCancel(ctx)
	defer stop()
	r.leave, r.gone, r.screen.gone = leave, make(chan struct{}), stop
	go func() {
		defer close(r.gone)
		defer readline.RestoreOnPanic(r.screen.reader)
		if r.ended = r.node.Run(nodeCtx); r.ended != nil {
			stop() // nothing is left to drive
		}
	}()
	var watchers sync.WaitGroup
	watchers.Go(func() {
		defer readline.RestoreOnPanic(r.screen.reader)
		r.watchInterrupts(drive, stop)
	})
	if r.flags.dev && r.screen.reader != nil {
		watchers.Go(func() {
			defer readline.RestoreOnPanic(r.screen.reader)
			prepareGo(drive, r.bench, &r.screen)
		})
	}
	err := r.driven(drive)
	stop()
	watchers.Wait()
	if errors.Is(err, repl.ErrExit) {
		r.node.Crash()
	}
	leave()
	<-r.gone
	switch {
	case errors.Is(err, repl.ErrQuit), errors.Is(err, repl.ErrExit):
		err = nil
	case errors.Is(err, context.Canceled) && (ctx.Err() != nil || r.status == statusInterrupted || r.ended != nil):
		err = nil // told to leave, and left; or r.ended says why
	}
	return r.screen.verdict(errors.Join(err, r.ended), &r.status)
}

// driven is drive until it ends. After a panic of the node a command may wait
// for what will never come: it is given up, so that the terminal is given back.
func (r *run) driven(ctx context.Context) error {
	end := make(chan error, 1)
	go func() {
		defer readline.RestoreOnPanic(r.screen.reader)
		end <- r.drive(ctx)
	}()
	select {
	case err := <-end:
		return err
	case <-r.gone:
	}
	var broken *guard.Panic
	if !errors.As(r.ended, &broken) {
		return <-end
	}
	select {
	case err := <-end:
		return err
	case <-time.After(brokenPatience):
		return nil // r.ended says why
	}
}

// brokenPatience is how long a command may take to end after a panic.
const brokenPatience = 2 * time.Second

// watchInterrupts gives ctrl-C to the shell, which ends what runs in it.
// Where there is nothing to interrupt, the peer leaves.
func (r *run) watchInterrupts(ctx context.Context, stop func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.process.Interrupts:
			if !r.shell.Interrupt() {
				r.status = statusInterrupted
				stop()
				return
			}
		}
	}
}

// drive starts the peer and runs what there is to run: the test server's
// commands, those of -c, a script, the keyboard or a pipe.
func (r *run) drive(ctx context.Context) error {
	for _, note := range r.setup.notes {
		r.screen.show(extension.Line{Kind: extension.Caution, Label: "warn", Text: note})
	}
	if r.harness != nil {
		return r.harness.serve(ctx)
	}
	if err := r.init(ctx); err != nil {
		return err
	}
	if len(r.flags.commands) > 0 {
		return r.pipe(ctx, strings.NewReader(strings.Join(r.flags.commands, "\n")))
	}
	if r.flags.reborn {
		r.replay(ctx)
	} else if err := r.script(ctx); err != nil {
		return err
	}
	if r.screen.reader != nil {
		r.welcome()
		return r.shell.Interact(ctx, r.screen.reader)
	}
	// The engine takes a buffered reader as it is, so that reboot knows what was
	// read ahead.
	r.ahead = bufio.NewReader(io.MultiReader(strings.NewReader(r.rest), r.process.Stdin))
	err := r.pipe(ctx, r.ahead)
	if err == nil && r.flags.headless {
		<-ctx.Done()
	}
	return err
}

// init starts the peer. With -c only what the commands print is of interest.
func (r *run) init(ctx context.Context) error {
	if r.flags.bare {
		return nil
	}
	var out io.Writer = &r.screen
	if len(r.flags.commands) > 0 {
		out = io.Discard
	}
	if err := r.shell.Execute(ctx, "init", out); err != nil {
		return fmt.Errorf("cannot start: %w", err)
	}
	return nil
}

// checkScript sees to it that there is a script, before anything is started.
func (f flags) checkScript() error {
	if f.script == "" {
		return nil
	}
	script, err := openNamed(f.script)
	if err != nil {
		return fmt.Errorf("--script: %w", err)
	}
	return script.Close()
}

// script runs --script. At a keyboard its failure is shown, and the shell
// goes on; elsewhere it ends the peer.
func (r *run) script(ctx context.Context) error {
	if r.flags.script == "" {
		return nil
	}
	err := r.shell.Execute(ctx, "execute "+repl.Quote(r.flags.script), &r.screen)
	if err != nil && r.screen.reader != nil && !errors.Is(err, repl.ErrQuit) && !errors.Is(err, repl.ErrExit) {
		r.screen.print("error: " + err.Error() + "\n")
		return nil
	}
	return err
}

// pipe runs lines that all are commands. A failed one makes the status 1.
func (r *run) pipe(ctx context.Context, in io.Reader) error {
	failed, err := r.shell.Pipe(ctx, in, &r.screen, wrongs{&r.screen, r.process.Stderr})
	if failed > 0 {
		r.status = statusFailed
	}
	return err
}

func (r *run) welcome() {
	for _, m := range r.node.Status().Members {
		if m.State == "alive" {
			r.screen.print("type text to send it to everybody; /help lists the commands, ctrl-D quits\n")
			return
		}
	}
	if r.flags.bare {
		r.screen.print("nothing is started: /init does it all; /help lists the commands, ctrl-D quits\n")
		return
	}
	r.screen.print("nobody else is here yet: run \"peer\" in another terminal; /help lists commands\n")
}

// open decides how a person reads and types: at a terminal with a line
// editor, at a plain one without, through pipes with neither. data is where
// the history is kept; nil keeps none.
func (s *screen) open(p Process, f flags, data files.FS) (err error) {
	s.out = p.Stdout
	in, inFile := p.Stdin.(*os.File)
	out, outFile := p.Stdout.(*os.File)
	if !inFile || !outFile || len(f.commands) > 0 || f.test != "" || !term.IsTerminal(int(in.Fd())) {
		return nil
	}
	if f.plain || !readline.Interactive(in, out, p.Env("TERM")) {
		s.reader = readline.NewPlain(readline.Config{In: in, Out: out})
		return nil
	}
	s.colour = p.Env("NO_COLOR") == ""
	cfg := readline.Config{In: in, Out: out, Editor: cmp.Or(p.Env("VISUAL"), p.Env("EDITOR"))}
	if data != nil {
		h := history{data}
		if cfg.History, err = h.load(); err != nil {
			return err
		}
		cfg.Save = h.save
	}
	s.reader, err = readline.New(cfg)
	return err
}

func (s *screen) close() error {
	if s.reader == nil {
		return nil
	}
	return s.reader.Close()
}
