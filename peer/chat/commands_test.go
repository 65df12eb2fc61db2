package chat_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/peerlab/peerlab/peer/chat"
	"github.com/peerlab/peerlab/peer/extension/extensiontest"
	"github.com/peerlab/peerlab/repl"
)

// run runs a command of a peer's chat and returns its output, or its error
// after "error: ".
func (l *lab) run(p *extensiontest.Peer, name, text string, json bool) string {
	for _, c := range l.rooms[p].Commands() {
		if c.Name != name {
			continue
		}
		var out bytes.Buffer
		if err := c.Run(l.t.Context(), &repl.Call{Name: name, Args: strings.Fields(text), Text: text, JSON: json, Out: &out}); err != nil {
			return "error: " + err.Error()
		}
		return out.String()
	}
	return "no such command"
}

func (l *lab) wantOutput(got, want string) {
	l.t.Helper()
	if got != want {
		l.t.Errorf("printed %q, want %q", got, want)
	}
}

func TestCommands(t *testing.T) {
	const nobody = "nobody else is in the chat yet: start another peer with \"peer bob\"\n"
	inLab(t, chat.Config{QueueMessages: 2}, "alice", func(l *lab, p []*extensiontest.Peer) {
		a := p[0]
		l.wantOutput(l.run(a, "msg", "hello", false), nobody)
		l.wantOutput(l.run(a, "chatmembers", "", false), nobody)
		l.wantOutput(l.run(a, "chatmembers", "", true), "[]\n")
		b, c := l.Peer("bob"), l.Peer("charly")
		for _, q := range []*extensiontest.Peer{b, c} {
			l.start(q)
			q.Ready()
			synctest.Wait()
		}
		l.wantOutput(l.run(a, "msg", "hello", false), "delivered to 2\n")
		l.wantOutput(l.run(a, "chatmembers", "", false), "bob\ncharly\n")
		l.wantOutput(l.run(a, "chatmembers", "", true), "[\"bob\",\"charly\"]\n")
		l.wantOutput(l.run(a, "chatmemberping", "bob", false), "bob answered in 0s\n")
		l.wantOutput(l.run(a, "chatmemberping", "zoe", false), "error: no chat member zoe: there are bob, charly")
		l.wantOutput(l.run(a, "msg", " ", false), "error: not a message: it is empty")
		c.Crash()
		c.Lost()
		l.wantOutput(l.run(a, "msg", "one", false), "delivered to 1 of 2; not reached yet: charly (kept until it is back)\n")
		l.wantOutput(l.run(a, "msg", "two", false), "delivered to 1 of 2; not reached yet: charly (kept until it is back)\n")
		l.wantOutput(l.run(a, "msg", "three", false), "delivered to 1 of 2; not kept for charly: too many messages wait there already, or it has left\n")
		b.Leave()
		l.wantOutput(l.run(a, "msg", "four", false), "error: the message reached nobody; not kept for charly: too many messages wait there already, or it has left")
		l.wantOutput(l.run(a, "chatmemberping", "bob", false), "error: no chat member bob: nobody else is in the chat")
		a.Close()
		l.wantOutput(l.run(a, "msg", "five", false), "error: the chat is not open: type chatstart")
	})
}
