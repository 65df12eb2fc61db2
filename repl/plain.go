package repl

import (
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// sgr is an escape sequence that sets colours and the like.
var sgr = regexp.MustCompile(`\x1b\[[0-9;:]*m`)

// editKeys is what ctrl-X ctrl-E leaves on a line that the system edits.
const (
	editKeys = "\x18\x05"
	noEditor = "ctrl-X ctrl-E is not available here: it needs a terminal that can edit lines, and no plain mode"
)

// PlainReader is the LineReader of pipes and dumb terminals: lines are read
// as they come, printed text goes between them, and no escapes are written and
// nothing is drawn twice but the prompt, so that it suits what reads a screen
// aloud too. It has no completion, no hints, no history and no editor.
//
// Its reading goroutine starts with the first ReadLine and owns the input from
// then on, until the input ends. A Read that blocks cannot be cancelled: after
// Close, or when the context of a ReadLine ended, the goroutine stays in it
// until it returns. A line that it reads then is given to the next ReadLine.
//
// Its writing goroutine starts with the first text or prompt and ends with
// Close, which must be called.
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

	queue *Queue        // what is printed
	turn  chan struct{} // one token: the last row is to change
	ended chan struct{} // closed when the writing goroutine has ended
	alone chan struct{} // closed when nobody reads what is written any more
	leave sync.Once

	mu      sync.Mutex // not held while writing; it comes before the queue's
	writing bool       // the writing goroutine was started
	prompt  string
	asked   bool            // a prompt is to stand on the last row
	shown   bool            // it does
	left    bool            // it did, and its row is to be left
	settled []chan struct{} // to be closed when all is written
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
		queue:     NewQueue(),
		turn:      make(chan struct{}, 1),
		ended:     make(chan struct{}),
		alone:     make(chan struct{}),
	}
}

// ReadLine implements LineReader. A line of more than MaxLine bytes is skipped
// and an error that matches ErrSyntax. The error is ErrUnread when whoever read
// the output, at the other end of a pipe, has gone away. A person who asks for
// an editor is told that there is none.
func (p *PlainReader) ReadLine(ctx context.Context) (string, error) {
	for {
		line, err := p.readLine(ctx)
		if err != nil || !p.prompts || !strings.Contains(line, editKeys) {
			return line, err
		}
		p.Print(noEditor)
	}
}

func (p *PlainReader) readLine(ctx context.Context) (string, error) {
	select {
	case <-p.closed:
		return "", io.EOF
	default:
	}
	if p.last != nil {
		return "", p.last
	}
	p.request()
	p.showPrompt(ctx)
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
	case <-p.alone:
		return "", ErrUnread
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

// showPrompt returns when the prompt stands on the last row, unless the output
// is stopped.
func (p *PlainReader) showPrompt(ctx context.Context) {
	if !p.prompts {
		return
	}
	p.mu.Lock()
	p.asked = true
	p.mu.Unlock()
	p.settle(ctx)
}

// hidePrompt: whatever comes now, it is on a row of its own.
func (p *PlainReader) hidePrompt() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked, p.shown = false, false
}

// endRow leaves the row on which the prompt stands.
func (p *PlainReader) endRow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left = p.left || p.shown
	p.asked, p.shown = false, false
	p.wake()
}

func (p *PlainReader) wake() {
	select {
	case p.turn <- struct{}{}:
	default:
	}
}

// Print implements LineReader. While a prompt stands on the last row it goes
// below it, and the prompt is shown again. It returns before the text is
// written; an output that takes nothing, as a terminal that was stopped by
// ctrl-S, does not keep it waiting for long: see Queue.
func (p *PlainReader) Print(s string) {
	if p.start() {
		p.queue.Print(withoutEscapes(s))
	}
}

// start starts the writing goroutine, unless it is too late for that.
func (p *PlainReader) start() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.closed:
		return false
	default:
	}
	if !p.writing {
		p.writing = true
		go p.write()
	}
	return true
}

// write writes what there is, until the reader is closed.
func (p *PlainReader) write() {
	defer close(p.ended)
	for {
		p.flush()
		select {
		case <-p.queue.Ready():
		case <-p.turn:
		case <-p.closed:
			p.flush()
			return
		}
	}
}

func (p *PlainReader) flush() {
	for {
		text, settled, all := p.next()
		if len(text) > 0 {
			if _, err := p.out.Write(text); errors.Is(err, syscall.EPIPE) {
				p.leave.Do(func() { close(p.alone) })
			}
		}
		for _, c := range settled {
			close(c)
		}
		if all {
			return
		}
	}
}

// next is what is to be written next, and, if that is all, who is to be told.
func (p *PlainReader) next() (text []byte, settled []chan struct{}, all bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	piece, all := p.queue.Take()
	if p.left || p.shown && len(piece) > 0 {
		text = append(text, '\n')
		p.left, p.shown = false, false
	}
	text = append(text, piece...)
	if !all {
		return text, nil, false
	}
	if p.asked && !p.shown {
		text = append(text, p.prompt...)
		p.shown = true
	}
	settled, p.settled = p.settled, nil
	return text, settled, true
}

// settle returns when all that there is to write is written, or the output has
// taken nothing for a while.
func (p *PlainReader) settle(ctx context.Context) {
	if !p.start() {
		return
	}
	done := make(chan struct{})
	p.mu.Lock()
	p.settled = append(p.settled, done)
	p.wake()
	p.mu.Unlock()
	stopped := time.NewTimer(p.queue.Patience)
	defer stopped.Stop()
	select {
	case <-done:
	case <-stopped.C:
	case <-ctx.Done():
	case <-p.closed:
	}
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

// Recall implements LineReader; there is no history.
func (p *PlainReader) Recall(string) {}

// Suspend implements LineReader: the terminal is as it was found already.
// What is printed meanwhile is written afterwards.
func (p *PlainReader) Suspend(f func() error) error {
	p.settle(context.Background())
	p.queue.Hold(true)
	defer p.queue.Hold(false)
	return f()
}

// Interrupt makes the ReadLine under way return ErrInterrupt.
func (p *PlainReader) Interrupt() {
	select {
	case p.interrupt <- struct{}{}:
	default:
	}
}

// Close implements LineReader. It returns when what was printed is written, or
// the output has taken nothing for two seconds: then the writing goroutine
// stays in its Write until that returns.
func (p *PlainReader) Close() error {
	p.close.Do(func() {
		p.endRow()
		p.mu.Lock()
		close(p.closed)
		writing := p.writing
		p.mu.Unlock()
		p.queue.Close()
		if writing {
			p.finish()
		}
	})
	return nil
}

// finish waits for the writing goroutine as long as the output takes anything.
func (p *PlainReader) finish() {
	for left := -1; left != p.queue.Waiting(); {
		left = p.queue.Waiting()
		stopped := time.NewTimer(p.queue.Patience)
		select {
		case <-p.ended:
			stopped.Stop()
			return
		case <-stopped.C:
		}
	}
}
