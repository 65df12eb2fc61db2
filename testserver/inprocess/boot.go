package inprocess

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/rs/zerolog"

	"github.com/peerlab/peerlab/internal/faulty"
	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/internal/netsim"
	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/peer/broadcast"
	"github.com/peerlab/peerlab/peer/chat"
	"github.com/peerlab/peerlab/peer/explore/workbench"
	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/harness"
	"github.com/peerlab/peerlab/peer/identity"
	"github.com/peerlab/peerlab/peer/logbook"
	"github.com/peerlab/peerlab/peer/node"
	"github.com/peerlab/peerlab/peer/shell"
	"github.com/peerlab/peerlab/repl"
	"github.com/peerlab/peerlab/testserver/coordinator"
)

// boot is one node of a peer.
type boot struct {
	peer *peer
	host *netsim.Host
	id   *identity.Identity
	node *node.Node
	link *link

	harness harness.Peer
	bench   *workbench.Workbench // Go without a compiler: many peers share the process
	leave   context.CancelFunc   // begins the orderly end of the node
	ending  chan struct{}        // closed when a command ends the node
	gone    chan struct{}        // closed when the node has ended
	ended   error                // of the node; to be read after gone
	wishes  chan coordinator.Verb

	waiting []coordinator.Order // done when it is gone; guarded by the mutex of house
}

// newBoot makes a peer that does not run yet.
func newBoot(p *peer, host *netsim.Host) (*boot, error) {
	id, err := identity.Open(p.data, p.starts+1, nil)
	if err != nil {
		return nil, err
	}
	b := &boot{peer: p, host: host, id: id, ending: make(chan struct{}), gone: make(chan struct{}), wishes: make(chan coordinator.Verb, 2)}
	if err := b.wire(); err != nil {
		return nil, errors.Join(err, id.Close())
	}
	return b, nil
}

// wire puts the parts of the peer together, as the program peer does.
func (b *boot) wire() error {
	p := b.peer
	room, e1 := chat.New(chat.Config{})
	set, e2 := broadcast.New(broadcast.Config{})
	if err := errors.Join(e1, e2); err != nil {
		return err
	}
	faults, book := faulty.New(b.host), logbook.New(zerolog.InfoLevel)
	var err error
	b.node, err = node.New(node.Config{
		Name: p.name, Group: group, Identity: b.id, Network: faults, Faults: faults,
		Bind: p.ip + ":0", Service: serviceURL, Data: p.data, Log: book.Logger, Probes: true,
		Extensions: []extension.Extension{room, set},
	})
	if err != nil {
		return err
	}
	b.link = newLink(testlink.Hello{Name: p.name, ID: b.id.ID.String(), Boot: b.id.Boot, Version: "in process"}, faults)
	b.node.Journal().Attach(b.link.sink)
	b.harness = harness.Peer{Node: b.node, Tell: func(s testlink.Status) { b.link.say(s) }, End: b.end}
	b.bench = workbench.New(workbench.Config{Node: b.node, Room: room, Command: func(ctx context.Context, line string, out io.Writer) error {
		return b.harness.Shell.Execute(ctx, line, out)
	}})
	b.harness.Shell, err = shell.New(shell.Config{
		Node: b.node, Book: book, Harness: b.link, Dev: true, Open: p.open, Place: p.place, Go: b.bench, Room: b.bench.Room(),
	})
	return err
}

// open and place are the files of the peer's commands.
func (p *peer) open(name string) (io.ReadCloser, error) {
	data, err := p.work.ReadFile(path.Clean(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no file %s", repl.Quote(name))
	}
	return io.NopCloser(strings.NewReader(string(data))), err
}

func (p *peer) place(name string) (files.FS, string, error) {
	name = path.Clean(name)
	if !fs.ValidPath(name) {
		return nil, "", fmt.Errorf("%s: %w: give a relative name", repl.Quote(name), fs.ErrInvalid)
	}
	return p.work, name, nil
}

// wish asks for the end. There is room for a stop and a kill; more of them
// say nothing new.
func (b *boot) wish(v coordinator.Verb) {
	select {
	case b.wishes <- v:
	default:
	}
}

// live runs the peer until it ends by itself or is ended, and tells how.
func (b *boot) live(ctx context.Context) coordinator.Gone {
	nodeCtx, leave := context.WithCancel(context.WithoutCancel(ctx))
	work, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	b.leave = leave
	var tasks sync.WaitGroup
	go func() {
		defer close(b.gone)
		b.ended = b.node.Run(nodeCtx)
	}()
	tasks.Go(func() { b.harness.Report(work) })
	tasks.Go(func() {
		b.link.work(work, func(ctx context.Context, line string) testlink.Result {
			r, end := b.harness.Command(ctx, line)
			if end != nil {
				stop(end)
			}
			return r
		})
	})
	gone, last := b.await(ctx, work)
	stop(nil)
	tasks.Wait()
	b.link.close(last)
	leave()
	<-b.gone
	if err := errors.Join(b.ended, b.bench.Close(), b.id.Close()); err != nil {
		gone.OK, gone.Stderr = false, strings.Split(err.Error(), "\n")
	}
	b.host.Crash() // whatever is left of it is no host any more
	return gone
}

// await returns how the peer ended, and what its link is to say of that.
func (b *boot) await(ctx, work context.Context) (coordinator.Gone, error) {
	stopping := false
	for {
		select {
		case <-b.gone:
			return b.parting(work, stopping), testlink.ErrClosed
		case <-ctx.Done():
			return b.crash("killed at the end of the run"), testlink.ErrLost
		case v := <-b.wishes:
			if v == coordinator.Kill {
				return b.crash("killed by the script"), testlink.ErrLost
			}
			stopping = true
			b.leave()
		}
	}
}

// parting tells why the node has ended that was not killed.
func (b *boot) parting(work context.Context, stopping bool) coordinator.Gone {
	select {
	case <-b.ending:
		<-work.Done() // the command that did it returns soon
		return coordinator.Gone{State: "ended by its command", OK: b.ended == nil}
	default:
	}
	b.link.say(b.harness.Status())
	if stopping {
		return coordinator.Gone{State: "stopped by the script", OK: b.ended == nil}
	}
	return coordinator.Gone{State: fmt.Sprintf("ended by itself: %v", b.ended)}
}

// crash ends the peer at once: nothing that it does from now on is seen.
func (b *boot) crash(why string) coordinator.Gone {
	b.link.close(testlink.ErrLost)
	b.host.Crash()
	b.node.Crash()
	return coordinator.Gone{State: why}
}

// end is harness.Peer's End: the last command of the peer calls it.
func (b *boot) end(inOrder bool) {
	close(b.ending)
	if inOrder {
		b.leave()
	} else {
		b.host.Crash()
		b.node.Crash()
	}
	<-b.gone
}
