package node_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/internal/netx"
	"github.com/peerlab/peerlab/peer/broadcast"
	"github.com/peerlab/peerlab/peer/chat"
	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/identity"
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

func initAll(ctx context.Context, size int) (err error) {
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	var nodes []*node.Node
	runtime := files.Mem()
	for i := range size {
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
			Name: fmt.Sprintf("p%d", i), Identity: id, Network: netx.Real{}, Rendezvous: runtime,
			Extensions: []extension.Extension{room, set},
		})
		if err != nil {
			return err
		}
		nodes = append(nodes, n)
		running.Go(func() { err = errors.Join(err, n.Run(ctx)); n.Crash() })
	}
	var starting sync.WaitGroup
	errs := make([]error, size)
	for i, n := range nodes {
		starting.Go(func() { errs[i] = n.Init(ctx) })
	}
	starting.Wait()
	deadline := time.Now().Add(time.Minute)
	for i := 0; i < len(nodes); {
		if len(nodes[i].Status().Present["chat"]) == size-1 {
			i++
			continue
		}
		if time.Now().After(deadline) {
			return errors.New("the chat did not converge within a minute")
		}
		time.Sleep(time.Millisecond)
	}
	for _, n := range nodes {
		n.Crash()
	}
	return errors.Join(errs...)
}
