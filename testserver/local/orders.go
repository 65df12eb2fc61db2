package local

import (
	"fmt"

	"github.com/peerlab/peerlab/testserver/coordinator"
)

// running is the boot of a peer that runs now. The mutex is held.
func (h *house) running(name string) (*boot, error) {
	p := h.peers[name]
	switch {
	case p == nil:
		return nil, fmt.Errorf("%s was never started", name)
	case p.now == nil:
		return nil, fmt.Errorf("%s does not run", name)
	}
	return p.now, nil
}

// finish asks for the end of a peer. The order is done when it is gone.
func (h *house) finish(o coordinator.Order) {
	if err := h.ask(o); err != nil {
		h.done(o, err)
	}
}

func (h *house) ask(o coordinator.Order) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	b, err := h.running(o.Peer)
	if err != nil {
		return err
	}
	if o.Verb == coordinator.Stop {
		if err := b.stoppable(); err != nil {
			return err
		}
	}
	b.waiting = append(b.waiting, o)
	switch {
	case o.Verb == coordinator.Kill && !b.killing:
		b.killing = true
		b.wishes <- kill // there is room for one of each
	case o.Verb == coordinator.Stop && !b.stopping:
		b.stopping = true
		b.wishes <- stop
	}
	return nil
}

func (b *boot) stoppable() error {
	if b.paused {
		return fmt.Errorf("%s is paused and cannot end in order: resume it first, or kill it", b.peer.name)
	}
	return canStop()
}

// hold has a peer stand still, or run again. The next order is not begun
// before: a peer that was resumed meanwhile would never be seen to stand.
func (h *house) hold(o coordinator.Order) {
	pid, err := h.toggle(o.Peer, o.Verb == coordinator.Pause)
	if err == nil && o.Verb == coordinator.Pause {
		if err = awaitStopped(pid); err != nil {
			err = fmt.Errorf("pause %s: it has ended: %w", o.Peer, err)
		}
	}
	h.done(o, err)
}

// toggle sends the signal, if it makes sense, and returns to whom.
func (h *house) toggle(name string, pause bool) (pid int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	b, err := h.running(name)
	switch {
	case err != nil:
		return 0, err
	case b.paused && pause:
		return 0, fmt.Errorf("%s is paused already", name)
	case !b.paused && !pause:
		return 0, fmt.Errorf("%s is not paused", name)
	}
	pid = b.cmd.Process.Pid
	if err := signalGroup(pid, pause); err != nil {
		return 0, err
	}
	b.paused = pause
	return pid, nil
}
