// Package shell is a peer's commands: one value each, one file per group. It
// joins the engine of package repl with a node; commands of extensions come
// from the extensions.
//
// The package never sees a terminal, flags or the environment. What happens
// in it is the same for a keyboard, a script and a test server.
package shell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/peer/explore/lab"
	"github.com/peerlab/peerlab/peer/logbook"
	"github.com/peerlab/peerlab/peer/node"
	"github.com/peerlab/peerlab/repl"
)

// Config says what a shell drives. Node and Book are required.
type Config struct {
	Node *node.Node
	Book *logbook.Book

	// Open opens a file that a command reads, such as `execute FILE`. The error
	// for a missing one matches fs.ErrNotExist. Nil refuses all.
	Open func(name string) (io.ReadCloser, error)
	// Files proposes the names of files that begin with prefix, as Open and
	// Place would find them; nil proposes none.
	Files func(prefix string) []repl.Candidate
	// Place finds the directory and the name in it for a file that a command
	// writes, such as `log on FILE`; nil refuses all.
	Place func(name string) (dir files.FS, base string, err error)
	// Harness is the test server that the peer is attached to, or nil.
	Harness Harness

	// Dev opens the commands for development. Who drives the peer can then
	// run code on its machine.
	Dev bool
	// Go evaluates Go in the peer. Nil refuses it.
	Go Explorer
	// Editor lends the terminal to the editor of the person at it, for a file,
	// and waits for its end. Nil has none.
	Editor func(ctx context.Context, file string) error
	// Reboot sees to it that a new process takes the place of this one when the
	// peer has left. There it runs lines, when the names that Go has here are
	// declared again. Nil cannot.
	Reboot func(ctx context.Context, lines []string, out io.Writer) error
	// Late shows what comes when its command has ended. Nil drops it.
	Late io.Writer
	// Room is the chat, for commands that were kept. Nil has none.
	Room lab.Chat
	// System runs a command of the operating system and returns its exit
	// status; the error says that it could not be run. When ctx ends it ends
	// the command, with all that it has started. Nil refuses all.
	System func(ctx context.Context, command string, stdout, stderr io.Writer) (status int, err error)
}

// Harness is what the commands of group test need of a test server.
// *testlink.Link is one.
type Harness interface {
	Register(ctx context.Context, f testlink.Filter) error
	Ask(ctx context.Context, question string) (testlink.Answer, error)
}

// New makes the shell of a peer.
func New(cfg Config) (*repl.Shell, error) {
	if cfg.Node == nil || cfg.Book == nil {
		return nil, errors.New("a shell needs a node and a log book")
	}
	p := &peer{Config: cfg}
	s, err := repl.New(repl.Config{
		Commands: p.commands(),
		Modes:    p.modes(),
		Intro:    p.intro(),
		Open:     cfg.Open,
		Files:    cfg.Files,
		Around:   p.record,
		Log:      logWriter{cfg.Book},
	})
	if err != nil {
		return nil, err
	}
	p.shell = s
	return s, nil
}

func (p *peer) intro() []string {
	lines := []string{
		"Type text and press Enter to send it to everybody. Commands begin with /.",
		"Try:  hello    /members    /help msg",
		"Keys: Tab completes, ctrl-R searches, ctrl-X ctrl-E opens $EDITOR, ctrl-D quits",
	}
	if p.Go != nil && p.Dev {
		lines = append(lines, "Go:   /mode go is a prompt inside this peer; /vars, /type, /doc, /help go")
	}
	return lines
}

// peer is what the commands share.
type peer struct {
	Config
	shell *repl.Shell
	kept  keeping
}

// commands are all commands of a peer. Extensions come between membership
// and scripts, in the order of the layers.
func (p *peer) commands() []repl.Command {
	all := slices.Concat(p.cli(), p.bootstrap(), p.memberlist(), p.configuration(), p.membership(), p.chat())
	for _, e := range p.Node.Extensions() {
		all = append(all, e.Commands()...)
	}
	return slices.Concat(all, p.net(), p.test(), p.journal(), p.developer(), p.golang(), p.keepCommands(), []repl.Command{p.edit(), p.reboot()}, p.script(), p.permanent())
}

func (p *peer) modes() []repl.Mode {
	prompt := func(mode string) func() string {
		return func() string { return p.Node.Name() + " " + mode + "> " }
	}
	return []repl.Mode{
		{Name: "chat", Prompt: prompt("chat"), Run: p.say, Hold: p.hold},
		{Name: "cmd", Prompt: prompt("cmd")},
		p.goMode(prompt("go")),
	}
}

// say is what a bare line means in chat mode: the command msg.
func (p *peer) say(ctx context.Context, line string, out io.Writer) error {
	return p.shell.Execute(ctx, "msg "+line, out)
}

// Lines that a newcomer types at a prompt, and hardly means for everybody:
// words of other shells, and sums. Words that also begin a sentence ("who
// wants tea?") count only if they stand alone.
var (
	otherShells = regexp.MustCompile(`^((ls|ll|cd|pwd|sudo|ssh|vi|vim|nano|git)( .*)?|` +
		`dir|cat|clear|cls|man|ps|top|who|whoami|whois|list|peers|users|nick|join|connect|status|info|start|stop|` +
		`logout|bye|close|:q!?|:wq|q|h|go|ping|exit\(\)|quit\(\)|go (build|run|test|vet|mod)( .*)?|(join|connect|ping) \S+[.:]\S+)$`)
	sum = regexp.MustCompile(`^[-+(]*\d[\d\s.()]*[-+*/%^][-+*/%^\d\s.()=]*$`)
)

// hold asks back when a line looks like a command rather than like something
// for everybody.
func (p *peer) hold(line string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	lower := strings.ToLower(word)
	again := fmt.Sprintf("send %q as a message? press Enter again", line)
	c, known := p.shell.Table().Lookup(lower)
	switch {
	case known && c.Name == "exit":
		return again + "; to leave, type /quit"
	case known && c.Name != "go": // which begins many a sentence
		return fmt.Sprintf("%s, or type /%s", again, lower)
	case otherShells.MatchString(strings.TrimSpace(line)):
		return again + "; /help lists commands"
	case sum.MatchString(strings.TrimSpace(line)):
		return again + "; this prompt does no sums"
	}
	return ""
}

// record writes every command into the journal when it has ended.
func (p *peer) record(ctx context.Context, line string, out io.Writer, run func(context.Context, io.Writer) error) error {
	kept := keeper{max: maxRecorded}
	start := time.Now()
	err := run(ctx, io.MultiWriter(out, &kept))
	fields := map[string]any{
		"ok":       err == nil || errors.Is(err, repl.ErrQuit) || errors.Is(err, repl.ErrExit),
		"output":   kept.buf.String(),
		"duration": time.Since(start).Seconds(),
	}
	if err != nil {
		fields["error"] = beginning(err.Error(), maxRecorded)
	}
	if len(line) > maxLine {
		line = beginning(line, maxLine)
		fields["cut"] = true
	}
	p.Node.Journal().Record(journal.TypeCommand, line, fields)
	return err
}

// How much of a command the journal keeps, in bytes. A line may have more, by
// a paste of something else; no message has.
const (
	maxRecorded = 16 << 10 // of its output, and of its error
	maxLine     = 64 << 10 // of its line
)

// beginning is the text, or the whole characters at its beginning that fit
// into so many bytes.
func beginning(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "")
}

// keeper keeps the beginning of what is written to it.
type keeper struct {
	max int
	buf bytes.Buffer
}

func (k *keeper) Write(b []byte) (int, error) {
	k.buf.Write(b[:min(len(b), max(0, k.max-k.buf.Len()))])
	return len(b), nil
}

// logWriter puts what the engine logs into the log book.
type logWriter struct{ book *logbook.Book }

func (w logWriter) Write(b []byte) (int, error) {
	logger := w.book.Logger("shell")
	logger.Error().Msg(strings.TrimSpace(string(b)))
	return len(b), nil
}

// candidates makes completions of plain words.
func candidates(words ...string) []repl.Candidate {
	var all []repl.Candidate
	for _, w := range words {
		all = append(all, repl.Candidate{Text: w})
	}
	return all
}
