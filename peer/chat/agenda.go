package chat

import (
	"slices"
	"time"
)

// agenda is what is to be done later, by the goroutine that owns it.
type agenda struct {
	items []appointment // in no order
	next  time.Time     // the earliest of them; zero if there is none
	armed time.Time     // what the timer is set to
}

type appointment struct {
	at time.Time
	f  func()
}

// after plans f.
func (a *agenda) after(d time.Duration, f func()) {
	a.add(appointment{time.Now().Add(d), f})
}

func (a *agenda) add(x appointment) {
	a.items = append(a.items, x)
	if a.next.IsZero() || x.at.Before(a.next) {
		a.next = x.at
	}
}

// arm sets the timer to the next appointment.
func (a *agenda) arm(t *time.Timer) {
	if !a.next.IsZero() && !a.next.Equal(a.armed) {
		a.armed = a.next
		t.Reset(time.Until(a.next))
	}
}

// run does what is due, in the order in which it became so.
func (a *agenda) run() {
	now := time.Now()
	items := a.items
	a.items, a.next, a.armed = nil, time.Time{}, time.Time{}
	var due []appointment
	for _, x := range items {
		if x.at.After(now) {
			a.add(x)
		} else {
			due = append(due, x)
		}
	}
	slices.SortStableFunc(due, func(x, y appointment) int { return x.at.Compare(y.at) })
	for _, x := range due {
		x.f()
	}
}
