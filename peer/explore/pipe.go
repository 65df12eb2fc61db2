package explore

import (
	"bytes"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/peerlab/peerlab/peer/explore/check"
)

// mark ends a flush. Nobody prints it.
const mark = "\x00\x01peerlab: all of it\x02\x00"

// patience bounds how long a line waits for its own output to pass the pipe.
const patience = 5 * time.Second

// pipe carries what lines write to os.Stdout, and, once there is one, all that
// they print, so that the order is kept.
type pipe struct {
	r, w *os.File
	done chan struct{} // closed when nothing comes any more

	marking sync.Mutex // held while a mark is written, so that waiting has their order

	mu      sync.Mutex
	host    *host // of the line that writes
	waiting []chan struct{}
}

func newPipe() (*pipe, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p := &pipe{r: r, w: w, done: make(chan struct{})}
	go p.read()
	return p, nil
}

// direct says whose output comes from now on.
func (p *pipe) direct(h *host) {
	p.mu.Lock()
	before := p.host
	p.mu.Unlock()
	if before == h {
		return
	}
	if before != nil {
		p.flush()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.host = h
}

func (p *pipe) Write(b []byte) (int, error) { return p.w.Write(b) }

// ended tells that nothing can be written any more: code of a line has closed
// its os.Stdout.
func (p *pipe) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// flush waits until what was written has been passed on, for a while at most.
func (p *pipe) flush() {
	passed := make(chan struct{})
	p.marking.Lock()
	p.mu.Lock()
	p.waiting = append(p.waiting, passed)
	p.mu.Unlock()
	_, _ = p.w.WriteString(mark) // a pipe that is closed is done soon
	p.marking.Unlock()
	select {
	case <-passed:
	case <-p.done:
	case <-time.After(patience):
	}
}

// arrived tells the one who has waited longest that all before his mark has come.
func (p *pipe) arrived() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiting) > 0 {
		close(p.waiting[0])
		p.waiting = p.waiting[1:]
	}
}

// Close ends the pipe and its reader. A process that a line has started may
// hold the other end, and is not waited for.
func (p *pipe) Close() error {
	err := p.w.Close()
	select {
	case <-p.done:
	case <-time.After(patience):
		err = errors.Join(err, p.r.Close())
		<-p.done
	}
	if errors.Is(err, os.ErrClosed) {
		return nil // a line has closed it
	}
	return err
}

// read passes on what comes, without the marks.
func (p *pipe) read() {
	defer close(p.done)
	defer func() { _ = p.r.Close() }()
	buf, rest := make([]byte, 32<<10), []byte(nil)
	for {
		n, err := p.r.Read(buf)
		rest = p.pass(append(rest, buf[:n]...))
		if err != nil {
			p.write(rest)
			return
		}
	}
}

// pass passes data on up to what may be the beginning of a mark, or of that of a
// name, and returns that.
func (p *pipe) pass(data []byte) []byte {
	for {
		before, after, found := bytes.Cut(data, []byte(mark))
		if !found {
			break
		}
		p.write(before)
		p.arrived()
		data = after
	}
	keep := max(begun(data, mark), begun(data, check.Mark))
	p.write(data[:len(data)-keep])
	return bytes.Clone(data[len(data)-keep:])
}

// begun is how many bytes at the end of data may be the beginning of what.
func begun(data []byte, what string) int {
	for n := min(len(what)-1, len(data)); n > 0; n-- {
		if bytes.HasSuffix(data, []byte(what[:n])) {
			return n
		}
	}
	return 0
}

func (p *pipe) write(b []byte) {
	p.mu.Lock()
	h := p.host
	p.mu.Unlock()
	if len(b) > 0 {
		_, _ = h.write(b) // whoever reads has gone
	}
}
