package membership

import (
	"math/rand/v2"
	"net"
	"time"

	"github.com/hashicorp/memberlist"
	"golang.org/x/sync/errgroup"

	"github.com/peerlab/peerlab/peer/guard"
)

// memberlist leaves by a broadcast, and waits until its gossip has sent that
// often enough: at one packet in each interval between two members, nearly a
// second. But it lets broadcasts travel with whatever it sends; so we ping the
// others meanwhile, who get the word with the ping, and answer.
//
// The word has two parts, one after the other: the metadata, which says that we
// leave, and the death of the node, which alone would be taken for a loss. Of
// what arrives at once memberlist handles the last first.

// sayGoodbye leaves. It returns when the word is out, or wait has passed.
func (g *Group) sayGoodbye(list *memberlist.Memberlist, wait time.Duration) error {
	word, others := goodbye(g.NodeName()), g.others()
	for i := range others {
		_ = list.SendBestEffort(&others[i], word) // what follows says it too
	}
	if len(others) == 0 {
		return nil
	}
	out, ended := make(chan struct{}), make(chan struct{})
	if err := g.spawn(func(list *memberlist.Memberlist) {
		defer close(ended)
		g.spread(list, others, out)
	}); err != nil {
		return err
	}
	by := time.Now().Add(wait)
	_ = list.UpdateNode(max(wait/2, time.Millisecond)) // our metadata says that we leave
	err := list.Leave(max(time.Until(by), time.Millisecond))
	close(out)
	if err == nil {
		<-ended
	}
	return err
}

// others are the nodes that memberlist lists, without us. Its own list changes
// while it is read.
func (g *Group) others() (nodes []memberlist.Node) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for name, a := range g.listing {
		if name != g.NodeName() {
			nodes = append(nodes, memberlist.Node{Name: name, Addr: a.Addr().AsSlice(), Port: a.Port()})
		}
	}
	return nodes
}

// askAgain is when a member that has answered is pinged again.
const askAgain = time.Millisecond

// spread pings the others, in random order and again, until out is closed. It
// returns when those that were asked have answered, or have had the time to.
func (g *Group) spread(list *memberlist.Memberlist, others []memberlist.Node, out <-chan struct{}) {
	rand.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	var eg errgroup.Group
	eg.SetLimit(min(parallel, len(others)))
	for i := 0; !closed(out); i++ {
		m := others[i%len(others)]
		eg.Go(func() error {
			defer guard.Catch(g.run)
			pause := askAgain
			if _, err := list.Ping(m.Name, &net.UDPAddr{IP: m.Addr, Port: int(m.Port)}); err != nil {
				pause = 50 * askAgain // it hears of it from others
			}
			select {
			case <-out:
			case <-time.After(pause):
			}
			return nil
		})
	}
	_ = eg.Wait() // its functions return nil
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
