package cli

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/guard"
	"github.com/peerlab/peerlab/repl"
)

// mine panics when it is stepped on.
type mine struct{ step chan struct{} }

func (*mine) Name() string              { return "mine" }
func (*mine) Commands() []repl.Command  { return nil }
func (*mine) Changed(extension.Change)  {}
func (*mine) Accept(s extension.Stream) { s.Close() }
func (m *mine) Run(ctx context.Context, _ extension.Services, ready func()) error {
	ready()
	select {
	case <-m.step:
		panic("stepped on")
	case <-ctx.Done():
		return nil
	}
}

// TestDemoTellsOfAPanic: one of the three ends by a panic, and the demo is told
// when it happens, not at its own end.
func TestDemoTellsOfAPanic(t *testing.T) {
	told := make(chan string, 1)
	d := &demo{runtime: files.Mem(), broken: func(i *inmate, p *guard.Panic) { told <- i.name + ": " + p.Error() }}
	bob := d.add("bob", func(extension.Line) {})
	m := &mine{step: make(chan struct{})}
	bob.extra = []extension.Extension{m}
	if err := bob.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(m.step)
	select {
	case text := <-told:
		t.Log(text)
	case <-time.After(time.Minute):
		t.Error("nobody was told")
	}
	var broken *guard.Panic
	if err := d.end(); !errors.As(err, &broken) || broken.Value != "stepped on" {
		t.Errorf("the end of the demo: %v", err)
	}
}
