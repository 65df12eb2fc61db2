package shell_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/peerlab/peerlab/peer/chat"
	"github.com/peerlab/peerlab/peer/explore/workbench"
	"github.com/peerlab/peerlab/peer/shell"
)

// Commands that were kept, and whose file lies in this folder, do what the
// examples in their help say.
func TestKeptCommands(t *testing.T) {
	for _, c := range keptCommands(t) {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRoom(t)
				r.peer("bob", nil).must("init")
				alice := r.peer("alice", withRoom)
				alice.must("init")
				for _, line := range c.examples {
					t.Logf("%s\n%s", line, alice.must(line))
				}
				if len(c.examples) == 0 {
					t.Error("its help has no example: a line that begins with a tab")
				}
			})
		})
	}
}

// withRoom gives kept commands the chat of their peer.
func withRoom(c *shell.Config) {
	for _, e := range c.Node.Extensions() {
		if room, ok := e.(*chat.Room); ok {
			c.Room = workbench.New(workbench.Config{Node: c.Node, Room: room}).Room()
		}
	}
}

type keptCommand struct {
	name     string
	examples []string
}

func keptCommands(t *testing.T) []keptCommand {
	var all []keptCommand
	synctest.Test(t, func(t *testing.T) {
		for _, c := range newRoom(t).peer("alice", nil).Table().Commands() {
			if c.Group != "kept" {
				continue
			}
			k := keptCommand{name: c.Name}
			for line := range strings.Lines(c.Help) {
				if example, ok := strings.CutPrefix(line, "\t"); ok {
					k.examples = append(k.examples, strings.TrimSpace(example))
				}
			}
			all = append(all, k)
		}
	})
	return all
}
