// Package inside makes a running node what package lab shows of a peer: for Go
// at the prompt, and for commands that came from there.
package inside

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"

	"github.com/peerlab/peerlab/peer/explore/lab"
	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/membership"
	"github.com/peerlab/peerlab/peer/node"
)

// Backend is a node as a lab.Backend.
type Backend struct {
	Node *node.Node // required
	// Run runs a line of commands. Nil refuses all.
	Run func(ctx context.Context, line string, out io.Writer) error
}

// Name implements lab.Backend.
func (b Backend) Name() string { return b.Node.Name() }

// Group implements lab.Backend.
func (b Backend) Group() string { return b.Node.Group() }

// Ready implements lab.Backend.
func (b Backend) Ready() bool { return b.Node.Status().Ready }

// Members implements lab.Backend.
func (b Backend) Members() []lab.Member {
	s := b.Node.Status()
	if !s.Started {
		return nil
	}
	all := []lab.Member{member(s.Self)}
	all[0].State, all[0].Self = string(membership.Alive), true
	for _, i := range s.Members {
		if i.State != membership.Alive && i.State != membership.Suspect {
			continue
		}
		m := member(i.Member)
		m.State, m.Since, m.RTT = string(i.State), i.Since, i.RTT
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b lab.Member) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

func member(m extension.Member) lab.Member {
	return lab.Member{Name: m.Name, ID: m.ID, Boot: m.Boot, Addr: m.Addr}
}

// Command implements lab.Backend.
func (b Backend) Command(ctx context.Context, line string, out io.Writer) error {
	if b.Run == nil {
		return errors.New("this peer takes no commands from Go")
	}
	return b.Run(ctx, line, out)
}

var _ lab.Backend = Backend{}
