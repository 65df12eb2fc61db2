package guard_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/peerlab/peerlab/peer/guard"
)

func TestCatch(t *testing.T) {
	var nowhere map[string]int
	for name, c := range map[string]struct {
		f    func()
		want string
	}{
		"a value":     {func() { panic("ouch") }, "ouch"},
		"an error":    {func() { panic(errors.New("ouch")) }, "ouch"},
		"the runtime": {func() { nowhere["x"]++ }, "assignment to entry in nil map"},
		"nothing":     {func() {}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var got *guard.Panic
			ctx := guard.With(context.Background(), func(p *guard.Panic) { got = p })
			var wg sync.WaitGroup
			wg.Go(func() {
				defer guard.Catch(ctx)
				c.f()
			})
			wg.Wait()
			if c.want == "" {
				if got != nil {
					t.Fatalf("caught %v", got)
				}
				return
			}
			if got == nil {
				t.Fatal("nothing was caught")
			}
			if s := got.Error(); !strings.Contains(s, c.want) || !strings.Contains(s, "guard_test.TestCatch") || !strings.Contains(s, "(guard_test.go:") || strings.Contains(s, "\n") {
				t.Errorf("it says %q", s)
			}
			if !strings.Contains(string(got.Stack), "guard_test.go") {
				t.Errorf("the stack is %s", got.Stack)
			}
		})
	}
}

// TestWithoutAReport: a panic that nobody asked for is not swallowed.
func TestWithoutAReport(t *testing.T) {
	defer func() {
		if v := recover(); v != "ouch" {
			t.Errorf("recovered %v", v)
		}
	}()
	func() {
		defer guard.Catch(context.Background())
		panic("ouch")
	}()
}

func ExampleCatch() {
	ctx := guard.With(context.Background(), func(p *guard.Panic) { fmt.Println("the peer ends:", p.Value) })
	var tasks sync.WaitGroup
	tasks.Go(func() {
		defer guard.Catch(ctx)
		panic("ouch")
	})
	tasks.Wait()
	// Output: the peer ends: ouch
}
