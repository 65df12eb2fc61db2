package explore

import (
	"bytes"
	"os"
	"sync"
	"time"
)

// mark ends a flush. Nobody prints it.
const mark = "\x00\x01peerlab: all of it\x02\x00"

// pipe carries what lines write to os.Stdout, and, once there is one, all that
// they print, so that the order is kept.
type pipe struct {
	r, w *os.File

	mu      sync.Mutex
	host    *host // of the line that writes
	flushed chan struct{}
	done    chan struct{}
}

func newPipe() (*pipe, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p := &pipe{r: r, w: w, flushed: make(chan struct{}, 1), done: make(chan struct{})}
	go p.read()
	return p, nil
}

// direct says whose output comes from now on.
func (p *pipe) direct(h *host) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.host = h
}

func (p *pipe) Write(b []byte) (int, error) { return p.w.Write(b) }

// flush waits until what was written has been passed on, a second at most.
func (p *pipe) flush() {
	if _, err := p.w.WriteString(mark); err != nil {
		return
	}
	select {
	case <-p.flushed:
	case <-p.done:
	case <-time.After(time.Second):
	}
}

// Close ends the pipe and its reader.
func (p *pipe) Close() error {
	err := p.w.Close()
	<-p.done
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

// pass passes data on up to what may be the beginning of a mark, and returns
// that.
func (p *pipe) pass(data []byte) []byte {
	for {
		before, after, found := bytes.Cut(data, []byte(mark))
		if !found {
			break
		}
		p.write(before)
		select {
		case p.flushed <- struct{}{}:
		default:
		}
		data = after
	}
	keep := 0
	for n := min(len(mark)-1, len(data)); n > 0; n-- {
		if bytes.HasSuffix(data, []byte(mark[:n])) {
			keep = n
			break
		}
	}
	p.write(data[:len(data)-keep])
	return bytes.Clone(data[len(data)-keep:])
}

func (p *pipe) write(b []byte) {
	p.mu.Lock()
	h := p.host
	p.mu.Unlock()
	if len(b) > 0 {
		_, _ = h.write(b) // whoever reads has gone
	}
}
