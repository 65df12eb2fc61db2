package repl

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// kilobyte is a line of that length.
func kilobyte() string { return strings.Repeat("x", 1023) + "\n" }

func (q *Queue) fill() {
	for q.Waiting() < maxQueue {
		q.Print(kilobyte())
	}
}

func TestPrintWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue()
		q.fill()
		printed := make(chan struct{})
		go func() {
			q.Print("next")
			close(printed)
		}()
		synctest.Wait()
		select {
		case <-printed:
			t.Error("it did not wait")
		default:
		}
		q.Take()
		synctest.Wait()
		select {
		case <-printed:
		default:
			t.Error("it waits though there is room")
		}
	})
}

// TestSlowTerminalIsWaitedFor: as long as it takes something, nothing is
// kept beyond the queue, and nothing is lost.
func TestSlowTerminalIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue()
		const lines = 2048
		go func() {
			for range lines {
				q.Print(kilobyte())
			}
		}()
		got := 0
		for got < lines<<10 {
			time.Sleep(patience - time.Millisecond)
			if n := q.Waiting(); n > maxQueue {
				t.Fatalf("%d bytes wait", n)
			}
			piece, _ := q.Take()
			got += len(piece)
		}
	})
}

// TestStoppedTerminalIsNotWaitedFor: one Print waits, once; then everything is
// kept within a bound, and comes in order with a count of what was not kept.
func TestStoppedTerminalIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue()
		start := time.Now()
		const lines = maxStopped>>10 + 100
		for range lines {
			q.Print(kilobyte())
		}
		if took := time.Since(start); took != patience {
			t.Errorf("it waited %v", took)
		}
		var all strings.Builder
		for {
			piece, last := q.Take()
			all.Write(piece)
			if last {
				break
			}
		}
		if want := strings.Repeat(kilobyte(), lines-100) + "(100 more were not kept)\n"; all.String() != want {
			t.Errorf("%d bytes came, want %d; the end is %q", all.Len(), len(want), all.String()[max(0, all.Len()-50):])
		}
		q.fill()
		go q.Take()
		start = time.Now()
		q.Print("x")
		if took := time.Since(start); took != 0 {
			t.Errorf("after it went on: waited %v", took)
		}
	})
}

func TestClosedQueueFreesPrinters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue()
		q.fill()
		printed := make(chan struct{})
		for range 3 {
			go func() {
				q.Print("next")
				printed <- struct{}{}
			}()
		}
		synctest.Wait()
		start := time.Now()
		q.Close()
		for range 3 {
			<-printed
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("after %v", took)
		}
		q.Print("closed")
		if q.Waiting() > maxQueue {
			t.Error("something was kept after close")
		}
	})
}
