//go:build unix

package readline

import (
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"
)

// stopTakes is how long it may take at most until a signal stops the process.
const stopTakes = 200 * time.Millisecond

// watch follows the size of the terminal, and takes it back when the process
// was stopped and goes on. Who stops a process from outside finds the terminal
// raw: SIGTSTP keeps its default action, because a Go program that has once
// caught it cannot stop like others any more.
func (r *reader) watch(signals <-chan os.Signal) {
	for {
		select {
		case s := <-signals:
			if s == unix.SIGCONT {
				r.continued()
			}
			r.screen.resize(r.tty.size())
		case <-r.done:
			return
		}
	}
}

func (r *reader) continued() {
	r.tty.again()
	r.screen.repaint()
	select {
	case r.goesOn <- struct{}{}:
	default:
	}
}

// follow starts watch.
func (r *reader) follow() {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGWINCH, unix.SIGCONT)
	r.group.Go(func() {
		defer signal.Stop(signals)
		r.watch(signals)
	})
}

// stop is ctrl-Z: the terminal is given back and the process group stopped,
// as the terminal itself would do it. A group that nobody could continue is
// not stopped by the system; then there is nothing to wait for. No key is read
// meanwhile.
func (r *reader) stop() {
	_ = r.lend(func() error {
		select {
		case <-r.goesOn:
		default:
		}
		if err := unix.Kill(0, unix.SIGTSTP); err != nil {
			return err
		}
		timer := time.NewTimer(stopTakes)
		defer timer.Stop()
		select {
		case <-r.goesOn:
		case <-timer.C:
		}
		return nil
	})
	r.screen.repaint()
}
