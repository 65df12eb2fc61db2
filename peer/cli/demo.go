package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/internal/netx"
	"github.com/peerlab/peerlab/peer/explore/workbench"
	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/guard"
	"github.com/peerlab/peerlab/peer/identity"
	"github.com/peerlab/peerlab/peer/logbook"
	"github.com/peerlab/peerlab/peer/membership"
	"github.com/peerlab/peerlab/peer/node"
	"github.com/peerlab/peerlab/peer/shell"
	"github.com/peerlab/peerlab/repl"
	"github.com/peerlab/peerlab/repl/readline"
)

func demoCommand(p Process, status *int) *cobra.Command {
	f := flags{bind: "127.0.0.1:0", logLevel: "info", group: "demo"}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Three peers in one terminal: you are alice, bob and charly answer",
		Long: `Demo starts three real peers in this process, with a group of their own and
data that is kept in memory only. You are alice; bob and charly answer what
you say. Alice takes Go at her prompt. Without a terminal it gives a short tour
by itself.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			*status = statusOK
			return runDemo(cmd.Context(), p, f, status)
		},
	}
	cmd.Flags().BoolVar(&f.plain, "plain", false, "no colours, no redrawing")
	return cmd
}

// demo is three peers that share a process, a network and nothing else.
type demo struct {
	runtime files.FS
	people  []*inmate
	broken  func(*inmate, *guard.Panic) // told of a peer that a panic has ended
}

// inmate is one peer of a demo.
type inmate struct {
	demo   *demo
	name   string
	data   files.FS // outlives a crash
	id     *identity.Identity
	node   *node.Node
	shell  *repl.Shell
	show   func(extension.Line)
	extra  []extension.Extension // beside the usual ones
	prompt *screen               // of a person, who has Go there; nil for a bot
	bench  *workbench.Workbench  // nil for a bot
	stop   context.CancelFunc
	done   chan error
}

func runDemo(ctx context.Context, p Process, f flags, status *int) (err error) {
	var scr screen
	if err := scr.open(p, f, nil); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, scr.close()) }()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	scr.gone = stop
	defer func() { err = scr.verdict(err, status) }()
	d, heard := newDemo(&scr, stop)
	defer func() { err = errors.Join(err, d.end()) }()
	start := time.Now()
	for _, who := range d.people {
		if err := who.start(ctx); err != nil {
			return err
		}
	}
	scr.print(fmt.Sprintf("3 peers are up after %s. You are alice; bob and charly answer.\n", time.Since(start).Round(time.Millisecond)))
	alice := d.people[0]
	var watchers sync.WaitGroup
	defer watchers.Wait()
	defer stop()
	r := &run{process: p, shell: alice.shell}
	watchers.Go(func() { r.watchInterrupts(ctx, stop) })
	if scr.reader == nil {
		t := &tour{demo: d, alice: alice, out: &scr, heard: heard}
		err = t.run(ctx)
	} else {
		scr.print("Say hello, or try /members, /broadcastadd motto onwards, /help. Ctrl-D quits.\n" +
			"/mode go makes this a prompt for Go inside alice: members(), room, peer.\n")
		watchers.Go(func() {
			defer readline.RestoreOnPanic(scr.reader)
			prepareGo(ctx, alice.bench, &scr)
		})
		err = alice.shell.Interact(ctx, scr.reader)
	}
	if errors.Is(err, repl.ErrQuit) || errors.Is(err, repl.ErrExit) || errors.Is(err, context.Canceled) {
		err = nil
	}
	*status = r.status
	return err
}

// newDemo makes the three, alice first. What alice shows goes to the screen, and
// to whoever listens to heard; stop is called when she is broken.
func newDemo(scr *screen, stop func()) (d *demo, heard chan extension.Line) {
	d, heard = &demo{runtime: files.Mem()}, make(chan extension.Line, 256)
	alice := d.add("alice", func(l extension.Line) {
		scr.show(l)
		select {
		case heard <- l:
		default: // only the tour listens, and it keeps up
		}
	})
	alice.prompt = scr
	d.broken = func(i *inmate, p *guard.Panic) {
		scr.show(extension.Line{Kind: extension.Bad, Label: "error", Text: i.name + " has crashed: " + p.Error()})
		if i == alice {
			stop()
		}
	}
	d.bot("bob")
	d.bot("charly")
	return d, heard
}

func (d *demo) add(name string, show func(extension.Line)) *inmate {
	i := &inmate{demo: d, name: name, data: files.Mem(), show: show}
	d.people = append(d.people, i)
	return i
}

// bot adds a peer that answers alice.
func (d *demo) bot(name string) {
	var i *inmate
	i = d.add(name, func(l extension.Line) {
		if l.Kind == extension.Plain && l.Label == "alice" {
			i.answer(l.Text)
		}
	})
}

// answer says something back, through the bot's own shell: whoever answers
// in a demo does what a person at that peer would do.
func (i *inmate) answer(text string) {
	reply := reply(i.name, text)
	if reply == "" {
		return
	}
	go func() { // ends with the message, at the latest when msg stops waiting
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = i.shell.Execute(ctx, "msg "+reply, io.Discard) // a bot that has left says nothing
	}()
}

// reply is what a bot has to say to a text, if anything.
func reply(name, text string) string {
	lower := strings.ToLower(text)
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(lower, w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("hello", "hi ", "hey", "moin") || lower == "hi":
		return "hello alice, this is " + name
	case has(name):
		return "you called?"
	case name == "charly" && has("?"):
		return "good question; try /help"
	case name == "bob" && !has("?", "charly"):
		return fmt.Sprintf("%q, got it", text)
	}
	return ""
}

// lively makes failures show within a second or so instead of six. On a busy
// machine it would see failures where there are none: it is for demos.
func lively() *membership.Settings {
	s := &membership.Settings{}
	for field, value := range map[string]string{
		"ProbeInterval": "250ms", "ProbeTimeout": "150ms", "GossipInterval": "50ms",
		"SuspicionMult": "4", "PushPullInterval": "5s",
	} {
		if err := s.Set(field, value); err != nil {
			panic(err) // a mistake in the lines above
		}
	}
	return s
}

// start begins a boot of the peer and returns when it is ready.
func (i *inmate) start(ctx context.Context) (err error) {
	if i.id, err = identity.Open(i.data, os.Getpid(), nil); err != nil {
		return err
	}
	exts, err := extensions()
	if err != nil {
		return err
	}
	book := logbook.New(zerolog.InfoLevel)
	i.node, err = node.New(node.Config{
		Name: i.name, Group: "demo", Identity: i.id, PID: os.Getpid(),
		Network: netx.Real{}, Rendezvous: i.demo.runtime, Data: i.data,
		Settings: lively(), Extensions: append(exts, i.extra...), Log: book.Logger, Show: i.show,
	})
	if err != nil {
		return err
	}
	cfg := shell.Config{Node: i.node, Book: book, Open: openNamed, Place: place, Files: namesOfFiles, Dev: true, System: runSystem}
	if i.prompt != nil {
		i.bench = newBench(i.node, exts, i.prompt, nil, func(ctx context.Context, line string, out io.Writer) error { return i.shell.Execute(ctx, line, out) })
		cfg.Go, cfg.Room, cfg.Late = i.bench, i.bench.Room(), late{i.prompt}
	}
	if i.shell, err = shell.New(cfg); err != nil {
		return err
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	i.stop, i.done = stop, make(chan error, 1)
	go func() { i.done <- i.run(run) }()
	return i.node.Init(ctx)
}

// run is the life of the peer. A panic that ends it is told at once.
func (i *inmate) run(ctx context.Context) error {
	err := i.node.Run(ctx)
	if broken, ok := errors.AsType[*guard.Panic](err); ok {
		i.demo.broken(i, broken)
	}
	return err
}

// end waits until the peer is gone, after it was told to go.
func (i *inmate) end() error {
	if i.done == nil {
		return nil
	}
	err := <-i.done
	i.stop()
	i.done = nil
	if i.bench != nil {
		err = errors.Join(err, i.bench.Close())
	}
	return errors.Join(err, i.id.Close())
}

func (i *inmate) crash() error {
	i.node.Crash()
	return i.end()
}

// end takes leave of all, at the same time.
func (d *demo) end() error {
	for _, i := range d.people {
		if i.stop != nil {
			i.stop()
		}
	}
	var err error
	for _, i := range d.people {
		err = errors.Join(err, i.end())
	}
	return err
}

// tour shows what there is, one step after another, and waits for what each
// step must bring about. A step that does not is an error.
type tour struct {
	demo  *demo
	alice *inmate
	out   *screen
	heard chan extension.Line
}

const tourPatience = 15 * time.Second

func (t *tour) run(ctx context.Context) error {
	charly := t.demo.people[2]
	steps := []struct {
		say     string
		command string
		do      func() error
		until   []string
	}{
		{say: "Who is there? Every peer answers this from its own view.", command: "members"},
		{say: "Text goes to everybody; bob and charly answer.", command: "msg hello", until: []string{"<bob> hello alice", "<charly> hello alice"}},
		{say: "A small set that all members share, those who come later too.", command: "broadcastadd motto onwards"},
		{say: "Charly crashes: no goodbye. The others notice by themselves.", do: charly.crash, until: []string{"<lost> charly"}},
		{say: "A message to somebody who is lost is kept for him.", command: "msg charly, are you there", until: nil},
		{say: "Charly comes back, on another port, and gets it once.", do: func() error { return charly.start(ctx) }, until: []string{"<joined> charly is back", "<charly> you called?"}},
		{command: "members"},
	}
	for _, s := range steps {
		if s.say != "" {
			t.out.print("\n# " + s.say + "\n")
		}
		if s.command != "" {
			t.out.print("alice> " + s.command + "\n")
			if err := t.alice.shell.Execute(ctx, s.command, t.out); err != nil {
				return fmt.Errorf("demo: %s: %w", s.command, err)
			}
		}
		if s.do != nil {
			if err := s.do(); err != nil {
				return fmt.Errorf("demo: %w", err)
			}
		}
		if err := t.wait(ctx, s.until); err != nil {
			return err
		}
	}
	t.out.print("\nThat was a tour. In a terminal, the same command gives you alice's shell.\n")
	return nil
}

// wait returns when lines that begin as wanted have been shown, in any order.
func (t *tour) wait(ctx context.Context, want []string) error {
	ctx, cancel := context.WithTimeout(ctx, tourPatience)
	defer cancel()
	missing := append([]string(nil), want...)
	for len(missing) > 0 {
		select {
		case l := <-t.heard:
			text := "<" + l.Label + "> " + l.Text
			for i, w := range missing {
				if strings.HasPrefix(text, w) {
					missing = append(missing[:i], missing[i+1:]...)
					break
				}
			}
		case <-ctx.Done():
			return fmt.Errorf("demo: %q did not come within %s: %w", missing, tourPatience, ctx.Err())
		}
	}
	return nil
}
