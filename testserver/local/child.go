package local

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/peerlab/peerlab/testserver/run"
)

// child is one peer's process.
type child struct {
	name     string
	unlinked chan struct{} // closed when its link has ended
	attached bool          // guarded by the mutex of house
}

func newChild(name string) *child { return &child{name: name, unlinked: make(chan struct{})} }

const (
	// unlinkedTime is how long a process may live without its link.
	unlinkedTime = 5 * time.Second
	// readTime is how long the last words of an ended process may take.
	readTime = 2 * time.Second
)

// child starts a peer, waits for its end, and reports it.
func (h *house) child(ctx context.Context, c *child, s *spawner) {
	dir, err := h.cfg.Dir(c.name)
	if err != nil {
		h.deliver(run.Message{Peer: c.name, Body: run.Gone{State: err.Error()}})
		return
	}
	cmd, err := h.start(c, dir, s)
	if err != nil {
		h.deliver(run.Message{Peer: c.name, Body: run.Gone{State: err.Error()}})
		return
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // the state of the process tells more
	}()
	gone := h.await(ctx, c, cmd, ended)
	h.lastWords(c)
	gone.inspect(dir)
	if err := os.WriteFile(filepath.Join(dir, "exit"), []byte(gone.State+"\n"), 0o644); err != nil {
		gone.Problems = append(gone.Problems, err.Error())
	}
	h.deliver(run.Message{Peer: c.name, Body: run.Gone(gone)})
}

// start starts the process, with the token of the run in a pipe.
func (h *house) start(c *child, dir string, s *spawner) (*exec.Cmd, error) {
	in, out, errs, err := openFiles(dir)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	defer out.Close()
	defer errs.Close()
	cmd := exec.Command(h.cfg.Program[0], h.args(c.name, dir)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, errs
	cmd.Env = h.environ()
	cmd.SysProcAttr = attributes()
	if runtime.GOOS == "windows" {
		cmd.Env = append(cmd.Env, "PEERLAB_TOKEN="+h.token)
		return cmd, h.spawn(cmd, s)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	_, err = w.WriteString(h.token) // fits into the pipe
	w.Close()
	if err != nil {
		return nil, err
	}
	cmd.Env = append(cmd.Env, "PEERLAB_TOKEN_FD=3")
	cmd.ExtraFiles = []*os.File{r}
	return cmd, h.spawn(cmd, s)
}

func (h *house) spawn(cmd *exec.Cmd, s *spawner) error {
	if err := s.start(cmd); err != nil {
		return err
	}
	if h.dog != nil {
		h.dog.watch(cmd.Process.Pid)
	}
	return nil
}

// departure is a Gone in the making.
type departure run.Gone

// await waits for the end of the process, and brings it about when ctx ends
// or when the process lives on without its link.
func (h *house) await(ctx context.Context, c *child, cmd *exec.Cmd, ended <-chan struct{}) departure {
	pid := cmd.Process.Pid
	var g departure
	select {
	case <-ended:
		g = departure{State: cmd.ProcessState.String(), OK: cmd.ProcessState.Success()}
	case <-ctx.Done():
		g = h.kill(cmd, ended, "killed at the end of the run")
	case <-c.unlinked:
		t := time.NewTimer(unlinkedTime)
		defer t.Stop()
		select {
		case <-ended:
			g = departure{State: cmd.ProcessState.String(), OK: cmd.ProcessState.Success()}
		case <-ctx.Done():
			g = h.kill(cmd, ended, "killed at the end of the run, without its link")
		case <-t.C:
			g = h.kill(cmd, ended, fmt.Sprintf("killed: its link had ended, and it had not within %s", unlinkedTime))
		}
	}
	if leftBehind(pid) {
		killGroup(pid)
		g.Problems = append(g.Problems, "processes that it had started outlived it; they were killed")
	}
	if h.dog != nil {
		h.dog.forget(pid)
	}
	return g
}

func (h *house) kill(cmd *exec.Cmd, ended <-chan struct{}, why string) departure {
	killGroup(cmd.Process.Pid)
	<-ended
	return departure{State: why}
}

// lastWords waits until what the peer had sent has been read.
func (h *house) lastWords(c *child) {
	h.mu.Lock()
	attached := c.attached
	c.attached = true // nobody may attach in its name any more
	h.mu.Unlock()
	if !attached {
		return
	}
	t := time.NewTimer(readTime)
	defer t.Stop()
	select {
	case <-c.unlinked:
	case <-t.C:
	}
}

// inspect reads what the peer wrote to its error output.
func (g *departure) inspect(dir string) {
	data, err := tail(filepath.Join(dir, "stderr"), 1<<20)
	if err != nil {
		g.Problems = append(g.Problems, err.Error())
		return
	}
	g.Stderr = lastLines(data, 10)
	if containsRace(data) {
		g.Problems = append(g.Problems, "the race detector reported a data race; see its stderr")
	}
}
