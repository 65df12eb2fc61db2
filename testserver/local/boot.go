package local

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/coordinator"
)

// boot is one process of a peer. Its goroutine is keep.
type boot struct {
	peer   *peer
	number int // of the peer's starts in this run
	cmd    *exec.Cmd

	exists   chan struct{} // closed when its start was said to be done
	ended    chan struct{} // closed when the process has ended
	unlinked chan struct{} // closed when its link has ended
	wishes   chan wish     // ends that are asked for; who puts one in holds the mutex

	// Guarded by the mutex of house.
	attached bool                // somebody was let in as this boot, or nobody may be any more
	conn     *testlink.Conn      // its link, once it has one
	waiting  []coordinator.Order // done when it is gone
	killing  bool
	stopping bool
	paused   bool
}

// wish is how a boot shall end.
type wish int

const (
	kill wish = iota
	stop
)

const (
	// unlinkedTime is how long a process may live without its link.
	unlinkedTime = 5 * time.Second
	// readTime is how long the last words of an ended process may take.
	readTime = 2 * time.Second
)

// start begins the next boot of a peer.
func (h *house) start(ctx context.Context, o coordinator.Order) {
	b, err := h.begin(o)
	h.done(o, err)
	if err == nil {
		close(b.exists)
		h.boots.Go(func() { h.keep(ctx, b) })
	}
}

func (h *house) begin(o coordinator.Order) (*boot, error) {
	p, err := h.peer(o.Peer)
	if err != nil {
		return nil, err
	}
	b := &boot{
		peer: p, number: p.starts + 1, exists: make(chan struct{}), ended: make(chan struct{}),
		unlinked: make(chan struct{}), wishes: make(chan wish, 2),
	}
	if !h.enter(b) {
		return nil, fmt.Errorf("%s runs already", o.Peer)
	}
	if err = p.furnish(o.Fresh, o.Files); err == nil {
		err = h.launch(b)
	}
	if err != nil {
		h.leave(b)
		return nil, err
	}
	p.starts++
	return b, nil
}

// enter makes b the boot of its peer that may attach, unless there is one.
func (h *house) enter(b *boot) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if b.peer.now != nil {
		return false
	}
	b.peer.now = b
	return true
}

// leave undoes enter, and returns the orders that wait for it.
func (h *house) leave(b *boot) []coordinator.Order {
	h.mu.Lock()
	defer h.mu.Unlock()
	b.peer.now = nil
	if b.cmd != nil {
		b.peer.ended[b.cmd.Process.Pid] = true
	}
	return b.waiting
}

// launch starts the process, with the token of the run in a pipe.
func (h *house) launch(b *boot) error {
	in, out, errs, err := b.peer.openFiles(b.number)
	if err != nil {
		return err
	}
	defer in.Close()
	defer out.Close()
	defer errs.Close()
	cmd := exec.Command(h.cfg.Program[0], h.args(b.peer)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, errs
	cmd.Dir = filepath.Join(b.peer.dir, workDir)
	cmd.Env = append(h.environ(), "PWD="+cmd.Dir)
	cmd.SysProcAttr = attributes()
	if runtime.GOOS == "windows" {
		cmd.Env = append(cmd.Env, "PEERLAB_TOKEN="+h.token)
		return h.spawn(b, cmd)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = w.WriteString(h.token) // fits into the pipe
	w.Close()
	if err != nil {
		return err
	}
	cmd.Env = append(cmd.Env, "PEERLAB_TOKEN_FD=3")
	cmd.ExtraFiles = []*os.File{r}
	return h.spawn(b, cmd)
}

func (h *house) spawn(b *boot, cmd *exec.Cmd) error {
	if err := h.spawner.start(cmd); err != nil {
		return err
	}
	b.cmd = cmd
	if h.dog != nil {
		h.dog.watch(cmd.Process.Pid)
	}
	return nil
}

// args are those of one peer.
func (h *house) args(p *peer) []string {
	args := append([]string(nil), h.cfg.Program[1:]...)
	return append(args, p.name,
		"--test", h.url, "--bootstrap", h.url, "--group", h.group,
		"--data", filepath.Join(p.dir, dataDir), "--headless", "--dev", "--plain")
}

// environ is the environment of a peer: settings of the test server are not
// meant for it.
func (h *house) environ() []string {
	var env []string
	for _, v := range h.cfg.Env {
		if !strings.HasPrefix(v, "PEERLAB_") && !strings.HasPrefix(v, "PWD=") {
			env = append(env, v)
		}
	}
	return env
}

// keep waits for the end of a boot and reports it.
func (h *house) keep(ctx context.Context, b *boot) {
	go func() {
		defer close(b.ended)
		_ = b.cmd.Wait() // the state of the process tells more
	}()
	gone := h.await(ctx, b)
	h.sweep(b, &gone)
	h.lastWords(b)
	gone.inspect(b.peer.file("stderr", b.number))
	if err := os.WriteFile(b.peer.file("exit", b.number), []byte(gone.State+"\n"), 0o644); err != nil {
		gone.Problems = append(gone.Problems, err.Error())
	}
	waiting := h.leave(b)
	h.deliver(coordinator.Message{Peer: b.peer.name, Body: coordinator.Gone(gone)})
	for _, o := range waiting {
		h.done(o, nil)
	}
}

// departure is a Gone in the making.
type departure coordinator.Gone

// await waits for the end of the process, and brings it about when it is
// asked for, when ctx ends, or when the process lives on without its link.
func (h *house) await(ctx context.Context, b *boot) departure {
	pid := b.cmd.Process.Pid
	why := ""  // it was killed
	late := "" // it will be when the timer fires
	timer := time.NewTimer(0)
	<-timer.C
	defer timer.Stop()
	over, unlinked := ctx.Done(), b.unlinked
	killed := func(because string) {
		if why == "" {
			why = because
		}
		killGroup(pid)
	}
	for {
		select {
		case <-b.ended:
			state := b.cmd.ProcessState
			if why != "" && !state.Success() {
				return departure{State: why}
			}
			return departure{State: state.String(), OK: state.Success()}
		case w := <-b.wishes:
			if w == kill {
				killed("killed by the script")
				continue
			}
			terminate(b.cmd.Process)
			late = fmt.Sprintf("killed: it was told to stop, and had not ended within %s", h.cfg.StopTime)
			timer.Reset(h.cfg.StopTime)
		case <-unlinked:
			unlinked = nil
			late = fmt.Sprintf("killed: its link had ended, and it had not within %s", unlinkedTime)
			timer.Reset(unlinkedTime)
		case <-timer.C:
			killed(late)
		case <-over:
			over = nil
			killed("killed at the end of the run")
		}
	}
}

// sweep kills what the process has left behind.
func (h *house) sweep(b *boot, gone *departure) {
	pid := b.cmd.Process.Pid
	if leftBehind(pid) {
		killGroup(pid)
		gone.Problems = append(gone.Problems, "processes that it had started outlived it; they were killed")
	}
	if h.dog != nil {
		h.dog.forget(pid)
	}
}

// lastWords waits until what the peer had sent has been read and passed on.
func (h *house) lastWords(b *boot) {
	h.mu.Lock()
	attached := b.attached
	b.attached = true // nobody may attach as this boot any more
	h.mu.Unlock()
	if !attached {
		return
	}
	t := time.NewTimer(readTime)
	defer t.Stop()
	select {
	case <-b.unlinked:
		return
	case <-t.C:
	}
	h.mu.Lock()
	conn := b.conn
	h.mu.Unlock()
	if conn != nil {
		conn.Close("its process has ended") // somebody else holds the connection open
	}
	<-b.unlinked
}

// inspect reads what the peer wrote to its error output.
func (g *departure) inspect(stderr string) {
	data, err := tail(stderr, 1<<20)
	if err != nil {
		g.Problems = append(g.Problems, err.Error())
		return
	}
	g.Stderr = lastLines(data, 10)
	if said := crashOf(data); said != nil {
		g.Stderr = firstLines(said, 10)
		g.Problems = append(g.Problems, "it panicked; see its stderr")
	}
	if containsRace(data) {
		g.Problems = append(g.Problems, "the race detector reported a data race; see its stderr")
	}
}
