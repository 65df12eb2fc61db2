package shell

import (
	"reflect"

	"github.com/peerlab/peerlab/peer/explore/inside"
	"github.com/peerlab/peerlab/peer/explore/lab"
	"github.com/peerlab/peerlab/peer/membership"
	"github.com/peerlab/peerlab/repl"
)

// kept is what commands have that were made in a running peer, by `keep NAME`,
// and whose file NAME_command.go was put into this folder. Such a file has one
// method of kept,
//
//	func (k kept) NAME() repl.Command
//
// and that it is there is all it takes: nothing lists these methods but the
// compiler.
type kept struct {
	peer  *lab.Peer
	room  *lab.Room
	group func() (*membership.Group, error) // the error says that none is live
}

// permanent are the commands that methods of kept make, by name.
func (p *peer) permanent() []repl.Command {
	k := kept{peer: lab.NewPeer(inside.Backend{Node: p.Node, Run: p.execute}), room: lab.NewRoom(p.Room), group: p.Node.Membership}
	if p.Room == nil {
		k.room = lab.NewRoom(noRoom{})
	}
	return commandsOf(reflect.ValueOf(k))
}

// commandsOf calls the exported methods of v that make a command.
func commandsOf(v reflect.Value) []repl.Command {
	var all []repl.Command
	for i := range v.NumMethod() {
		if f, ok := v.Method(i).Interface().(func() repl.Command); ok {
			all = append(all, f())
		}
	}
	return all
}
