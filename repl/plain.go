package repl

import (
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"sync"
)

// sgr is an escape sequence that sets colours and the like.
var sgr = regexp.MustCompile(`\x1b\[[0-9;:]*m`)

// PlainReader is the LineReader of pipes and dumb terminals: lines are read
// as they come, printed text goes between them, and no escapes are written and
// nothing is drawn twice but the prompt, so that it suits what reads a screen
// aloud too. It has no completion, no hints and no history.
//
// Its reading goroutine starts with the first ReadLine and owns the input from
// then on, until the input ends. A Read that blocks cannot be cancelled: after Close, or when the
// context of a ReadLine ended, the goroutine stays in it until it returns. A
// line that it reads then is given to the next ReadLine.
type PlainReader struct {
	in      *lineScanner
	out     io.Writer
	prompts bool

	want      chan struct{}  // one token for each line to read
	got       chan plainLine // what was read
	interrupt chan struct{}  // one token: ctrl-C
	closed    chan struct{}

	reading bool  // a line was asked for and did not come yet; of ReadLine
	started bool  // of ReadLine
	last    error // the input has ended with it; of ReadLine
	close   sync.Once

	mu     sync.Mutex // makes one write after the other: it is held while writing
	prompt string
	shown  bool // the prompt stands on the last row
}

type plainLine struct {
	text string
	err  error
}

// NewPlainReader makes a reader. prompts says whether prompts are printed. It
// closes neither in nor out.
func NewPlainReader(in io.Reader, out io.Writer, prompts bool) *PlainReader {
	return &PlainReader{
		in: newLineScanner(in), out: out, prompts: prompts,
		want:      make(chan struct{}, 1),
		got:       make(chan plainLine, 1),
		interrupt: make(chan struct{}, 1),
		closed:    make(chan struct{}),
	}
}

// ReadLine implements LineReader. A line of more than MaxLine bytes is skipped
// and an error that matches ErrSyntax.
func (p *PlainReader) ReadLine(ctx context.Context) (string, error) {
	select {
	case <-p.closed:
		return "", io.EOF
	default:
	}
	if p.last != nil {
		return "", p.last
	}
	p.request()
	p.showPrompt()
	defer p.hidePrompt()
	select {
	case l := <-p.got:
		p.reading = false
		if final(l.err) {
			p.last = l.err
		}
		return l.text, l.err
	case <-p.interrupt:
		p.endRow()
		return "", ErrInterrupt
	case <-ctx.Done():
		p.endRow()
		return "", ctx.Err()
	case <-p.closed:
		p.endRow()
		return "", io.EOF
	}
}

// request asks the goroutine for a line, unless it reads one already.
func (p *PlainReader) request() {
	if !p.started {
		p.started = true
		go p.read()
	}
	if !p.reading {
		p.reading = true
		p.want <- struct{}{}
	}
}

func (p *PlainReader) read() {
	for {
		select {
		case <-p.want:
			line, err := p.in.next()
			p.got <- plainLine{line, err}
			if final(err) {
				return
			}
		case <-p.closed:
			return
		}
	}
}

// final tells an error after which there are no more lines.
func final(err error) bool { return err != nil && !errors.Is(err, ErrSyntax) }

func (p *PlainReader) showPrompt() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.prompts {
		_, _ = io.WriteString(p.out, p.prompt)
		p.shown = true
	}
}

func (p *PlainReader) hidePrompt() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shown = false
}

// endRow leaves the row on which the prompt stands.
func (p *PlainReader) endRow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		_, _ = io.WriteString(p.out, "\n")
		p.shown = false
	}
}

// Print implements LineReader. While a prompt stands on the last row it goes
// below it, and the prompt is shown again. It returns when the text is written:
// an output that takes nothing, as a terminal that was stopped by ctrl-S, keeps
// it waiting.
func (p *PlainReader) Print(s string) {
	if s == "" || s[len(s)-1] != '\n' {
		s += "\n"
	}
	select {
	case <-p.closed:
		return
	default:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s = withoutEscapes(s)
	if p.shown {
		s = "\n" + s + p.prompt
	}
	_, _ = io.WriteString(p.out, s)
}

// SetPrompt implements LineReader.
func (p *PlainReader) SetPrompt(prompt string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.prompt = withoutEscapes(prompt)
}

// withoutEscapes leaves out what sets colours, and shows what is left of
// escapes in a form that no terminal obeys.
func withoutEscapes(s string) string {
	if !strings.Contains(s, "\x1b") {
		return s
	}
	return strings.ReplaceAll(sgr.ReplaceAllString(s, ""), "\x1b", `\x1b`)
}

// SetCompleter implements LineReader; there is no completion.
func (p *PlainReader) SetCompleter(func(string, int) ([]Candidate, int)) {}

// SetHint implements LineReader; there are no hints.
func (p *PlainReader) SetHint(func(string) string) {}

// AddHistory implements LineReader; there is no history.
func (p *PlainReader) AddHistory(string) {}

// Suspend implements LineReader: the terminal is as it was found already.
func (p *PlainReader) Suspend(f func() error) error { return f() }

// Interrupt makes the ReadLine under way return ErrInterrupt.
func (p *PlainReader) Interrupt() {
	select {
	case p.interrupt <- struct{}{}:
	default:
	}
}

// Close implements LineReader.
func (p *PlainReader) Close() error {
	p.close.Do(func() { close(p.closed) })
	return nil
}
