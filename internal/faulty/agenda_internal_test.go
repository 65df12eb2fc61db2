package faulty

import (
	"testing"
	"time"
)

// A port keeps so many packets for later, and no more.
func TestAgendaIsBounded(t *testing.T) {
	var a agenda
	start := time.Now()
	for i := range maxHeld {
		if !a.add(item{due: start.Add(time.Duration(maxHeld-i) * time.Second)}) {
			t.Fatalf("no room for packet %d", i)
		}
	}
	if a.add(item{due: start}) {
		t.Error("one more is kept")
	}
	due, next := a.take(start.Add(2 * time.Second))
	if len(due) != 2 || next != time.Second || !due[0].due.Before(due[1].due) {
		t.Errorf("due are %d, the next one in %v", len(due), next)
	}
}
