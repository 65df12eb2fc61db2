package native_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/peerlab/peerlab/peer/explore/live"
	"github.com/peerlab/peerlab/peer/explore/native"
)

// TestRunTellsWhoStopped has a line end with its context: whoever has cancelled
// that finds his own reason in the error.
func TestRunTellsWhoStopped(t *testing.T) {
	mine := errors.New("it is mine")
	ctx, cancel := context.WithCancelCause(t.Context())
	loop := func(*live.Line) error {
		cancel(mine)
		for {
			live.Poll()
		}
	}
	if err := native.Run(ctx, "run/cause", nil, loop); !errors.Is(err, native.ErrStopped) || !errors.Is(err, mine) || err.Error() != "stopped" {
		t.Errorf("got %v, want that it is stopped, and why", err)
	}
	limited, end := context.WithTimeout(t.Context(), time.Millisecond)
	defer end()
	wait := func(*live.Line) error { live.Sleep(time.Hour); return nil }
	if err := native.Run(limited, "run/deadline", nil, wait); !errors.Is(err, native.ErrStopped) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want that time was over", err)
	}
	if err := native.Run(ctx, "run/itself", nil, func(l *live.Line) error { <-live.Done(); return nil }); err != nil {
		t.Errorf("got %v for a line that ends by itself", err)
	}
}
