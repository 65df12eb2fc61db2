//go:build unix

package readline_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/peerlab/peerlab/repl"
	"github.com/peerlab/peerlab/repl/readline"
	"golang.org/x/sys/unix"
)

// TestMessagesAboveTypedLines: while lines are typed, four writers print. Each
// message is there whole, once and in order; each row that was typed too; and
// there is nothing else.
func TestMessagesAboveTypedLines(t *testing.T) {
	const lines, writers, messages = 500, 4, 250
	c := newConsole(t, 60, lines+writers*messages+10)
	var typed []string
	for i := range lines {
		typed = append(typed, fmt.Sprintf("line %d of what is typed", i))
	}
	done := c.read(t.Context())
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range messages {
				c.Print(fmt.Sprintf("<w%d> message %d", w, i))
			}
		})
	}
	group.Go(func() { c.types(strings.Join(typed, "\r") + "\r") })
	for i, want := range typed {
		c.ends(done, want, nil)
		if i%10 == 0 {
			c.SetPrompt(fmt.Sprintf("%d> ", i))
		}
		if i < lines-1 {
			done = c.startRead()
		}
	}
	group.Wait()
	c.Close()
	c.wait("all rows", func() bool { _, y := c.cursor(); return y >= lines+writers*messages })
	checkRows(t, c.rows(), typed, writers, messages)
}

// startRead begins to read a line.
func (c *console) startRead() <-chan result {
	done := make(chan result, 1)
	go func() {
		line, err := c.ReadLine(context.Background())
		done <- result{line, err}
	}()
	return done
}

func checkRows(t *testing.T, rows, typed []string, writers, messages int) {
	t.Helper()
	next := make([]int, writers)
	line := 0
	for i, row := range rows {
		var w, n int
		_, after, _ := strings.Cut(row, "> ")
		switch {
		case row == "":
		case line < len(typed) && after == typed[line]:
			line++
		case len(row) > 3 && row[0] == '<':
			if _, err := fmt.Sscanf(row, "<w%d> message %d", &w, &n); err != nil || n != next[w] || row != fmt.Sprintf("<w%d> message %d", w, n) {
				t.Fatalf("row %d is %q, and message %d of writer %d is due", i, row, next[w], w)
			}
			next[w]++
		default:
			t.Fatalf("row %d is %q", i, row)
		}
	}
	if line != len(typed) {
		t.Errorf("%d of %d typed lines are there", line, len(typed))
	}
	for w, n := range next {
		if n != messages {
			t.Errorf("%d of %d messages of writer %d are there", n, messages, w)
		}
	}
}

// TestTypingUnderAFlood: what is typed while messages arrive without a pause
// is what is read, and the row shows it.
func TestTypingUnderAFlood(t *testing.T) {
	c := newConsole(t, 60, 10)
	done := c.read(t.Context())
	stop := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		load := time.NewTicker(time.Millisecond)
		defer load.Stop()
		for {
			select {
			case <-stop:
				return
			case <-load.C:
				c.Print(strings.Repeat("a message that scrolls\n", 10))
			}
		}
	})
	for _, key := range "the quick brown fox" {
		c.types(string(key))
	}
	c.wait("typed row", func() bool { return slices.Contains(c.rows(), "> the quick brown fox") })
	c.types("\x1b[D\x1b[D\x1b[Db\r") // three to the left
	c.ends(done, "the quick brown bfox", nil)
	close(stop)
	group.Wait()
}

func TestOneKeyIsOneByte(t *testing.T) {
	c := newConsole(t, 60, 10)
	done := c.read(t.Context())
	c.types("abc")
	c.shows("> abc")
	before := len(c.output())
	c.types("d")
	c.shows("> abcd")
	if got := c.output()[before:]; got != "d" {
		t.Errorf("the terminal got %q", got)
	}
	c.types("\r")
	c.ends(done, "abcd", nil)
}

func TestEditing(t *testing.T) {
	c := newConsole(t, 40, 200)
	for _, tt := range []struct{ name, keys, want string }{
		{"backspace", "abx\x7fc\r", "abc"},
		{"line feed is enter", "abc\n", "abc"},
		{"left and right", "ac\x1b[Db\x1b[Cd\r", "abcd"},
		{"left and right of the other kind", "ac\x1bODb\x1bOCd\r", "abcd"},
		{"home and end", "bc\x1b[Ha\x1b[Fd\r", "abcd"},
		{"numbered home and end", "bc\x1b[1~a\x1b[4~d\r", "abcd"},
		{"delete", "abbc\x02\x02\x1b[3~\r", "abc"},
		{"delete on an empty line", "\x1b[3~abc\r", "abc"},
		{"ctrl-left and ctrl-right", "bb cc\x1b[1;5D\x1b[1;5Daa \x1b[1;5Cx\r", "aa bb xcc"},
		{"kill and yank", "abc \x15d\x19\r", "dabc "},
		{"delete a word", "abc def\x17\r", "abc "},
		{"ctrl-space", "a\x00b\r", "ab"},
		{"ctrl-space on an empty line", "\x00ab\r", "ab"},
		{"ctrl-D in a line deletes", "abc\x02\x04\r", "ab"},
		{"unknown sequences", "a\x1b[99~\x1b[?25h\x1b[5;9Rb\x1bO5\r", "ab"},
		{"control characters", "a\x0f\x16\x1c\x1d\x1e\x1fb\r", "ab"},
		{"escape, then a key", "a\x1bxb\r", "axb"},
		{"wide characters", "漢字\x1b[D\x7fx\r", "x字"},
		{"emoji", "a👍b\r", "a👍b"},
		{"umlauts", "grüß\r", "grüß"},
		{"not UTF-8", "a\xffb\r", "a\ufffdb"},
		{"long", strings.Repeat("0123456789", 30) + "\x01x\x05y\r", "x" + strings.Repeat("0123456789", 30) + "y"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.t = t
			c.enters(tt.keys, tt.want)
		})
	}
}

func TestLongLineScrollsInItsRow(t *testing.T) {
	c := newConsole(t, 20, 10)
	done := c.read(t.Context())
	c.types("abcdefghijklmnopqrstuvwxyz")
	c.shows("> <rstuvwxyz")
	c.types("\x01")
	c.shows("> abcdefghijklmnop>")
	c.at(2)
	c.Print("message")
	c.shows("message\n> abcdefghijklmnop>")
	c.types("\r")
	c.ends(done, "abcdefghijklmnopqrstuvwxyz", nil)
	c.shows("message\n> abcdefghijklmnopqr\nstuvwxyz")
}

func TestControlKeys(t *testing.T) {
	c := newConsole(t, 40, 20)
	done := c.read(t.Context())
	c.types("\x03")
	c.ends(done, "", repl.ErrInterrupt)
	done = c.read(t.Context())
	c.types("abc\x03")
	c.ends(done, "abc", repl.ErrInterrupt)
	done = c.read(t.Context())
	c.types("\x04")
	c.ends(done, "", io.EOF)
	c.enters("still\r", "still")
	c.shows("> ^C\n> abc^C\n> ^D\n> still")
}

func TestCompletion(t *testing.T) {
	c := newConsole(t, 40, 40)
	c.SetCompleter(func(line string, pos int) ([]repl.Candidate, int) {
		start := strings.LastIndexByte(line[:pos], ' ') + 1
		if start > 0 {
			return []repl.Candidate{{Text: "argument"}, {Text: "ÜberA"}, {Text: "ÜberB"}}, start
		}
		return []repl.Candidate{{Text: "/members", Help: "who is there"}, {Text: "/memberlist", Help: "the same"}, {Text: "/quit", Help: "leave\x1b[2J"}}, start
	})
	for _, tt := range []struct{ name, keys, screen, rest, line string }{
		{"unique", "/q\t", "> /quit", "x\r", "/quit x"},
		{"argument", "/quit a\t", "> /quit argument", "\r", "/quit argument "},
		{"capital letters", "/quit üB\t", "> /quit Über", "\r", "/quit Über"},
		{"capital letters, in the middle", "/quit ÜBERa z\x02\x02\t", "> /quit ÜberA z", "x\r", "/quit ÜberAx z"},
		{"common prefix", "/m\t", "> /member", "\r", "/member"},
		{"nothing fits", "x\t", "> x", "\r", "x"},
		{"in the middle", "/q z\x02\x02\t", "> /quit z", "\r", "/quit z"},
		{"table", "/member\t", "  /memberlist  the same\n> /member", "s\r", "/members"},
		{"all", "\t", "> /", "\r", "/"},
		{"table of all", "/\t", "  /members     who is there\n  /memberlist  the same\n  /quit        leave\\x1b[2J\n> /", "q\t\r", "/quit "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.t = t
			done := c.read(t.Context())
			c.types(tt.keys)
			c.wait(tt.screen, func() bool { return strings.HasSuffix(c.text(), tt.screen) })
			c.types(tt.rest)
			c.ends(done, tt.line, nil)
		})
	}
}

func TestHistory(t *testing.T) {
	var saved []string
	c := newConsole(t, 40, 60, func(cfg *readline.Config) {
		cfg.History = []string{"older", "old"}
		cfg.Save = func(l string) { saved = append(saved, l) }
	})
	c.enters("\x1b[A\r", "old")
	c.enters("\x1b[A\x1b[A\x1b[A\x1b[A\r", "older")
	c.enters("failed\r", "failed") // not added
	c.AddHistory("new")
	c.Recall("mistake\n")
	c.Recall("\n")
	c.AddHistory("several\nlines")
	c.enters("\x1b[A\x1b[Axx\r", "mistakexx")
	c.enters("\x1b[A\x1b[A\x1b[Axx\r", "newxx") // recalled, edited, and not added
	c.enters("\x1b[A\r", "several\nlines")
	c.enters("\x1b[A\x1b[A\x1b[A\x1b[A\r", "old")
	c.AddHistory("two words")
	c.enters("\x12wor\r", "two words")
	c.enters("draft\x1b[A\x1b[B\r", "draft")
	if !slices.Equal(saved, []string{"new", "several\nlines", "two words"}) {
		t.Errorf("saved %q", saved)
	}
}

func TestSearchInAnEmptyHistory(t *testing.T) {
	c := newConsole(t, 40, 20)
	c.enters("\x12x\x07ok\r", "ok")
}

func TestSearchUnderMessages(t *testing.T) {
	c := newConsole(t, 40, 20, func(cfg *readline.Config) { cfg.History = []string{"find me"} })
	done := c.read(t.Context())
	c.types("\x12fin")
	search := "> find me\nbck-i-search: fin"
	c.wait("search", func() bool { return strings.HasPrefix(c.text(), search) })
	c.Print("message")
	c.wait("search below the message", func() bool { return strings.HasPrefix(c.text(), "message\n"+search) })
	c.types("\r")
	c.ends(done, "find me", nil)
	c.shows("message\n> find me")
}

func TestResize(t *testing.T) {
	c := newConsole(t, 80, 10)
	done := c.read(t.Context())
	text := "0123456789 0123456789 0123456789 0123456789 abc"
	c.types(text)
	c.shows("> " + text)
	c.resize(25, 10)
	c.wait("narrow", func() bool { return slices.Contains(c.rows(), "> <123456789 abc") })
	c.resize(80, 10)
	c.wait("wide", func() bool { return slices.Contains(c.rows(), "> "+text) })
	c.Print("message")
	c.wait("message", func() bool { return strings.HasSuffix(c.text(), "message\n> "+text) })
	c.types("d\r")
	c.ends(done, text+"d", nil)
}

// resize does what a terminal does.
func (c *console) resize(columns, rows int) {
	c.t.Helper()
	c.setSize(columns, rows)
	if err := unix.Kill(os.Getpid(), unix.SIGWINCH); err != nil {
		c.t.Fatal(err)
	}
}

func TestClose(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before func(c *console) <-chan result
	}{
		{"before anything", func(c *console) <-chan result { return nil }},
		{"after a message", func(c *console) <-chan result { c.Print("x"); return nil }},
		{"while reading", func(c *console) <-chan result { return c.read(context.Background()) }},
		{"while reading, with text", func(c *console) <-chan result {
			done := c.read(context.Background())
			c.types("abc")
			c.shows("> abc")
			return done
		}},
		{"while searching", func(c *console) <-chan result {
			done := c.read(context.Background())
			c.types("\x12")
			c.wait("search", func() bool { return strings.Contains(c.text(), "bck-i-search") })
			return done
		}},
		{"after a line", func(c *console) <-chan result { c.enters("a\r", "a"); return nil }},
		{"after an interrupt", func(c *console) <-chan result {
			done := c.read(context.Background())
			c.types("\x03")
			c.ends(done, "", repl.ErrInterrupt)
			return nil
		}},
		{"after the end of input", func(c *console) <-chan result {
			done := c.read(context.Background())
			c.types("\x04")
			c.ends(done, "", io.EOF)
			return nil
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newConsole(t, 40, 10)
			found := c.state()
			done := tt.before(c)
			start := time.Now()
			for range 2 {
				if err := c.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			}
			if took := time.Since(start); took > time.Second {
				t.Errorf("Close took %v", took)
			}
			if done != nil {
				if got := <-done; got.err != io.EOF {
					t.Errorf("ReadLine: %v", got.err)
				}
			}
			if _, err := c.ReadLine(context.Background()); err != io.EOF {
				t.Errorf("ReadLine after Close: %v", err)
			}
			c.Print("after Close")
			if c.state() != found {
				t.Error("the terminal is not as it was found")
			}
			noneLeft(t)
		})
	}
}

// noneLeft waits until no goroutine of a reader, or of the library, is left.
func noneLeft(t *testing.T) {
	t.Helper()
	buf := make([]byte, 1<<20)
	for deadline := time.Now().Add(time.Second); ; runtime.Gosched() {
		stacks := string(buf[:runtime.Stack(buf, true)])
		if !strings.Contains(stacks, "chzyer/readline.") && !strings.Contains(stacks, "repl/readline.(*reader)") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("goroutines are left:\n%s", stacks)
		}
	}
}

func TestCloseWritesWhatWaits(t *testing.T) {
	c := newConsole(t, 40, 100)
	done := c.read(context.Background())
	for i := range 50 {
		c.Print(fmt.Sprint("message ", i))
	}
	c.Close()
	<-done
	c.wait("the last message", func() bool { return strings.Contains(c.text(), "message 49") })
}

// TestPrintedBeforeThePrompt: the output of a command is there before the
// next prompt.
func TestPrintedBeforeThePrompt(t *testing.T) {
	c := newConsole(t, 40, 20)
	c.Print("first")
	c.shows("first")
	c.Print("second")
	done := c.read(t.Context())
	if out := c.output(); !strings.Contains(out, "second\r\n> ") {
		t.Errorf("the terminal got %q", out)
	}
	c.types("x\r")
	c.ends(done, "x", nil)
}

// TestTooMuchWhileSuspended: messages to a lent terminal do not wait for ever.
func TestTooMuchWhileSuspended(t *testing.T) {
	c := newConsole(t, 80, 20)
	err := c.Suspend(func() error {
		for range 5000 {
			c.Print(strings.Repeat("x", 79))
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	c.wait("count", func() bool { return strings.HasSuffix(c.text(), "(1723 more were not kept)") })
}

func TestCloseFreesPrinters(t *testing.T) {
	c := newConsole(t, 40, 10)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 5000 {
			c.Print(strings.Repeat("x", 1000))
		}
	}()
	c.Close()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("Print waits for ever")
	}
}

func TestTerminalStates(t *testing.T) {
	c := newConsole(t, 40, 10)
	found := c.state()
	done := c.read(t.Context())
	if s := c.state(); s.Lflag&(unix.ICANON|unix.ECHO|unix.ISIG) != 0 || s.Oflag != found.Oflag {
		t.Errorf("while reading: %+v", s)
	}
	c.types("a\r")
	c.ends(done, "a", nil)
	if s := c.state(); s.Lflag&(unix.ICANON|unix.ECHO) != 0 || s.Lflag&unix.ISIG == 0 {
		t.Errorf("between lines: %+v", s)
	}
	err := c.Suspend(func() error {
		if c.state() != found {
			t.Error("suspended: not as it was found")
		}
		c.Print("waits")
		return io.ErrNoProgress
	})
	if err != io.ErrNoProgress && !strings.Contains(fmt.Sprint(err), io.ErrNoProgress.Error()) {
		t.Errorf("Suspend: %v", err)
	}
	c.shows("> a\nwaits")
	c.enters("b\r", "b")
}

// TestContinued: who was stopped from outside finds a terminal that somebody
// else has used.
func TestContinued(t *testing.T) {
	c := newConsole(t, 40, 10)
	found := c.state()
	done := c.read(t.Context())
	raw := c.state()
	c.types("abc")
	c.shows("> abc")
	if err := unix.IoctlSetTermios(int(c.slave.Fd()), readline.SetTermios, &found); err != nil {
		t.Fatal(err)
	}
	before := len(c.output())
	if err := unix.Kill(os.Getpid(), unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	c.wait("row", func() bool { return strings.Contains(c.output()[before:], "\r\x1b[J> abc") })
	if c.state() != raw {
		t.Error("the terminal is not raw again")
	}
	c.types("\r")
	c.ends(done, "abc", nil)
}

func TestSuspendWhileReading(t *testing.T) {
	c := newConsole(t, 40, 10)
	done := c.read(t.Context())
	if err := c.Suspend(func() error { t.Error("f runs"); return nil }); err == nil {
		t.Error("no error")
	}
	c.types("a\r")
	c.ends(done, "a", nil)
}

// TestTypedAhead: what is typed between two lines is not echoed, and not lost.
func TestTypedAhead(t *testing.T) {
	c := newConsole(t, 40, 10)
	c.enters("a\r", "a")
	c.types("b\rc")
	c.Print("message")
	c.shows("> a\nmessage")
	c.ends(c.startRead(), "b", nil)
	done := c.startRead()
	c.shows("> a\nmessage\n> b\n> c")
	c.types("d\r")
	c.ends(done, "cd", nil)
}

func TestContextEndsALine(t *testing.T) {
	c := newConsole(t, 40, 20)
	for _, keys := range []string{"", "abc", "\x12"} {
		ctx, cancel := context.WithCancel(t.Context())
		done := c.read(ctx)
		c.types(keys)
		text := strings.Trim(keys, "\x12")
		c.wait("keys", func() bool {
			return strings.Contains(c.text(), text) && (text == keys || strings.Contains(c.text(), "bck-i-search"))
		})
		cancel()
		c.ends(done, text, context.Canceled)
	}
	if strings.Contains(c.text(), "^C") {
		t.Errorf("the screen says\n%s", c.text())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.ReadLine(ctx); err != context.Canceled {
		t.Errorf("ended before: %v", err)
	}
	c.enters("next\r", "next")
}

func TestHangUp(t *testing.T) {
	c := newConsole(t, 40, 20)
	done := c.read(t.Context())
	c.master.Close()
	c.ends(done, "", io.EOF)
	for range 3 {
		c.ends(c.startRead(), "", io.EOF)
	}
}

func TestNewRefusesAFile(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := readline.New(readline.Config{In: f, Out: f}); err == nil {
		t.Error("no error")
	}
	if readline.Interactive(f, f, "xterm") {
		t.Error("it is called interactive")
	}
}

func TestInteractive(t *testing.T) {
	c := newConsole(t, 40, 20)
	for name, want := range map[string]bool{"xterm": true, "dumb": false, "": false} {
		if got := readline.Interactive(c.slave, c.slave, name); got != want {
			t.Errorf("TERM=%q: %v", name, got)
		}
	}
}

// TestShellOnATerminal: the whole of it, as a person sees it.
func TestShellOnATerminal(t *testing.T) {
	s, err := repl.New(repl.Config{Modes: []repl.Mode{{Name: "chat", Run: func(_ context.Context, l string, out io.Writer) error {
		_, err := fmt.Fprintln(out, "sent", l)
		return err
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	c := newConsole(t, 60, 30)
	done := make(chan error, 1)
	go func() { done <- s.Interact(t.Context(), c) }()
	c.shows("chat>")
	for _, step := range []struct{ keys, shows string }{
		{"/ec\t\thi\r", "hi\nchat>"},
		{"hello\r", "sent hello\nchat>"},
		{"\x03", "to leave, type /quit or press ctrl-D\nchat>"},
		{"/nosuch\r", "unknown command \"nosuch\": /help lists them\nchat>"},
		{"/sleep 60\r", "> /sleep 60"},
	} {
		c.types(step.keys)
		c.wait(step.shows, func() bool { return strings.HasSuffix(c.text(), step.shows) })
	}
	for !s.Interrupt() { // until the command runs
		runtime.Gosched()
	}
	c.wait("prompt", func() bool { return strings.HasSuffix(c.text(), "interrupted\nchat>") })
	c.types("\x04")
	if err := <-done; err != repl.ErrQuit {
		t.Errorf("%v", err)
	}
	c.shows(strings.Join([]string{"chat> /echo hi", "hi", "chat> hello", "sent hello", "chat> ^C", "to leave, type /quit or press ctrl-D",
		"chat> /nosuch", `error: unknown command "nosuch": /help lists them`, "chat> /sleep 60", "interrupted", "chat> ^D"}, "\n"))
}

// BenchmarkPrint is the cost of a message above a prompt in a flood, until it
// is on the terminal.
func BenchmarkPrint(b *testing.B) {
	master, slave, err := pty.Open()
	if err != nil {
		b.Skipf("needs a pseudo-terminal: have devpts mounted at /dev/pts: %v", err)
	}
	go func() { _, _ = io.Copy(io.Discard, master) }()
	r, err := readline.New(readline.Config{In: slave, Out: slave})
	if err != nil {
		b.Fatal(err)
	}
	go func() { _, _ = r.ReadLine(context.Background()) }()
	message := "<alice> " + strings.Repeat("x", 57)
	for b.Loop() {
		r.Print(message)
	}
	r.Close()
	slave.Close()
	master.Close()
}
