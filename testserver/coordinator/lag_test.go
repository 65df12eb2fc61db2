package coordinator_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/report"
)

// lagging is a world whose peers are heard late, each message by the same
// time. What happened before the end of a wait may come after it.
type lagging struct {
	coordinator.World
	lag time.Duration
}

func (l lagging) Run(ctx context.Context, deliver func(coordinator.Message)) error {
	type late struct {
		at time.Time
		m  coordinator.Message
	}
	queue := make(chan late, 10_000)
	var wg sync.WaitGroup
	wg.Go(func() {
		for m := range queue {
			time.Sleep(time.Until(m.at))
			deliver(m.m)
		}
	})
	err := l.World.Run(ctx, func(m coordinator.Message) { queue <- late{time.Now().Add(l.lag), m} })
	close(queue)
	wg.Wait()
	return err
}

// lag is by how much.
const lag = 100 * time.Millisecond

// lateRow plays a scenario whose peers are heard late, and returns the
// row of a line, with when it began.
func lateRow(t *testing.T, file, world string, line int) (row report.Row, from time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r, _ := play(t, file, world, func(c *coordinator.Config) { c.World = lagging{c.World, lag} })
		for _, one := range r.Rows {
			if one.Line == line {
				row = one
			}
		}
	})
	return row, time.Duration(row.StartMS * float64(time.Millisecond))
}

// Whatever happens in a span that is judged counts, also when it is heard of
// only after the end of the span.
func TestSettledBeforeJudged(t *testing.T) {
	const head = "peers alice bob\nall init\n"
	tests := []struct {
		name, statement string
		span            time.Duration // that is judged, from the start of the row
		world           string        // what happens at %s
		want            string        // if it happens in the span that is judged
		quiet           string        // if nothing happens
	}{
		{"never", "bob never view \"x\" for 1s", time.Second, "at %s bob event view x", report.Fail, report.OK},
		{"never, from now on", "bob never view \"x\" for 1s since now", lag + time.Second, "at %s bob event view x", report.Fail, report.OK},
		{"stable", "bob stable view(alice) == alive for 1s", lag + time.Second, "at %s bob sees alice suspect", report.Fail, report.OK},
		{"expect", "bob expect view \"x\" within 1s", time.Second, "at %s bob event view x", report.OK, report.Fail},
		{"expect none", "bob expect view \"x\" count == 0 within 1s", 500 * time.Millisecond, "at %s bob event view x", report.Fail, report.OK},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := head + tt.statement + "\n"
			row, from := lateRow(t, file, "", 3)
			if row.Status != tt.quiet {
				t.Fatalf("%s: %s, with nothing happening", row.Status, row.Wrong)
			}
			for at := from + lag + lag/2; at < from+tt.span; at += lag / 4 {
				row, _ := lateRow(t, file, fmt.Sprintf(tt.world, at), 3)
				if row.Status != tt.want {
					t.Errorf("%s after the start of the row: %s, want %s; %s", at-from, row.Status, tt.want, row.Wrong)
				}
			}
		})
	}
}

// A checker sees what had happened when it was called, and what comes while it
// waits.
func TestChecksAreSettledToo(t *testing.T) {
	const file = "peers alice bob\nall init\nawait converged\nalice msg x\ncheck delivery\n"
	row, from := lateRow(t, file, "", 5)
	if row.Status != report.OK {
		t.Fatal(row.Status, row.Wrong)
	}
	for back := 10 * time.Millisecond; back <= 90*time.Millisecond; back += 20 * time.Millisecond {
		row, _ := lateRow(t, file, fmt.Sprintf("on alice msg twice bob\nat %s bob event log x", from-back), 5)
		if row.Status != report.Fail {
			t.Errorf("%s: %s", row.Status, row.Wrong)
		}
	}
}
