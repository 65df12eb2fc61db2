package node_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/internal/netx"
	"github.com/peerlab/peerlab/peer/broadcast"
	"github.com/peerlab/peerlab/peer/chat"
	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/identity"
	"github.com/peerlab/peerlab/peer/membership"
	"github.com/peerlab/peerlab/peer/node"
)

// BenchmarkInit starts peers at the same moment, in one process on the real
// network, until all are in each one's chat.
func BenchmarkInit(b *testing.B) {
	for _, size := range []int{3, 50} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			for b.Loop() {
				if err := initAll(b.Context(), size); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkLeave lets some peers of a group leave at once, on the real network,
// and reports the median and the worst time until one's Run has returned. The
// others must have seen all of them leave.
func BenchmarkLeave(b *testing.B) {
	for _, c := range []struct{ leavers, size int }{{1, 2}, {1, 10}, {8, 9}} {
		b.Run(fmt.Sprintf("%d-of-%d", c.leavers, c.size), func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				g, err := newGroup(b.Context(), c.size)
				if err == nil {
					took = append(took, g.leave(c.leavers)...)
					err = g.sawLeave(c.leavers)
				}
				if err := errors.Join(err, g.end()); err != nil {
					b.Fatal(err)
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-median")
			b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "ms-worst")
		})
	}
}

func initAll(ctx context.Context, size int) error {
	g, err := newGroup(ctx, size)
	return errors.Join(err, g.end())
}

// group is some peers in this process on the real network.
type group struct {
	nodes []*node.Node
	stops []context.CancelFunc
	ended []chan error
}

// newGroup starts peers at the same moment and returns when all are in each
// one's chat. The group has to be ended after an error, too.
func newGroup(ctx context.Context, size int) (*group, error) {
	g := &group{}
	runtime := files.Mem()
	for i := range size {
		if err := g.start(ctx, fmt.Sprintf("p%d", i), runtime); err != nil {
			return g, err
		}
	}
	var starting sync.WaitGroup
	errs := make([]error, size)
	for i, n := range g.nodes {
		starting.Go(func() { errs[i] = n.Init(ctx) })
	}
	starting.Wait()
	if err := errors.Join(errs...); err != nil {
		return g, err
	}
	return g, g.until("the chat converges", func(n *node.Node) bool { return len(n.Status().Present["chat"]) == size-1 })
}

func (g *group) start(ctx context.Context, name string, runtime files.FS) error {
	id, err := identity.Open(files.Mem(), 1, nil)
	if err != nil {
		return err
	}
	room, err := chat.New(chat.Config{})
	if err != nil {
		return err
	}
	set, err := broadcast.New(broadcast.Config{})
	if err != nil {
		return err
	}
	n, err := node.New(node.Config{
		Name: name, Identity: id, Network: netx.Real{}, Rendezvous: runtime,
		Extensions: []extension.Extension{room, set},
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	g.nodes, g.stops, g.ended = append(g.nodes, n), append(g.stops, stop), append(g.ended, ended)
	go func() { ended <- n.Run(ctx) }()
	return nil
}

// until waits for what must come true at all peers.
func (g *group) until(what string, ok func(*node.Node) bool) error {
	deadline := time.Now().Add(time.Minute)
	for i := 0; i < len(g.nodes); {
		if ok(g.nodes[i]) {
			i++
			continue
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not within a minute: %s", what)
		}
		time.Sleep(time.Millisecond) // the state of a node is asked for, not told
	}
	return nil
}

// leave has the last peers leave at once, and returns how long each took.
func (g *group) leave(leavers int) []time.Duration {
	took := make([]time.Duration, leavers)
	first := len(g.nodes) - leavers
	start := time.Now()
	var leaving sync.WaitGroup
	for i := range leavers {
		leaving.Go(func() {
			g.stops[first+i]()
			g.ended[first+i] <- <-g.ended[first+i] // for end
			took[i] = time.Since(start)
		})
	}
	leaving.Wait()
	g.nodes = g.nodes[:first]
	return took
}

// sawLeave waits until those that are left have seen the others leave.
func (g *group) sawLeave(leavers int) error {
	return g.until("all have seen the leave", func(n *node.Node) bool {
		left := 0
		for _, m := range n.Status().Members {
			if m.State == membership.Left {
				left++
			}
		}
		return left == leavers
	})
}

// end crashes who is left and waits for all.
func (g *group) end() (err error) {
	for _, n := range g.nodes {
		n.Crash()
	}
	for i, ended := range g.ended {
		err = errors.Join(err, <-ended)
		g.stops[i]()
	}
	return err
}
