package netsim

import (
	"os"
	"sync"
	"syscall"
	"time"
)

var (
	errTimeout    = os.ErrDeadlineExceeded
	errRefused    = os.NewSyscallError("connect", syscall.ECONNREFUSED)
	errUnanswered = os.NewSyscallError("connect", syscall.ETIMEDOUT)
)

// deadline is a moment from which on calls fail. The lock of the condition
// that is given to set guards all of it.
type deadline struct {
	passed bool
	timer  *time.Timer
}

// set replaces the deadline; the zero time is none. When it passes, all who
// wait on changed are woken.
func (d *deadline) set(t time.Time, changed *sync.Cond) {
	d.stop()
	d.passed = false
	if t.IsZero() {
		return
	}
	left := time.Until(t)
	if left <= 0 {
		d.passed = true
		changed.Broadcast()
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(left, func() {
		changed.L.Lock()
		defer changed.L.Unlock()
		if d.timer == timer { // not replaced meanwhile
			d.passed = true
			changed.Broadcast()
		}
	})
	d.timer = timer
}

// stop ends the timer; what has passed stays passed.
func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}
