package inprocess_test

import (
	"strings"
	"testing"

	"github.com/peerlab/peerlab/testserver/report"
)

// golang asks peers by Go, which needs no compiler. Virtual time makes an hour
// short.
const golang = `peers alice bob charly
all init
await converged
alice go len(members()) == 3
stdout "true :: bool"
bob go ml.NumMembers() == len(members()) && peer.Name() == "bob"
all go peer.Ready()
alice go room.Ping(ctx, "bob")
alice go time.Sleep(10 * time.Second)
alice go room.Send(ctx, "from Go")
bob,charly expect chat "from Go" count == 1
alice go import "strings"
alice go strings.ToUpper(members()[2].Name)
stdout "CHARLY"
! alice go len(members()) == 4
stderr "not true: len(members()) == 4"
! alice go func() int { return 1 }()
stderr "this needs a compiler: this process cannot load what one makes: a peer in a process of its own, started with --dev, can"
! alice import github.com/google/uuid
stderr "a peer in a process of its own"
! alice go peer.Nothing()
stderr "peer.Nothing undefined"
! alice go panic("boom")
stderr "panic: boom at"
alice vars
kill charly
await converged
alice await members.count == 2 within 20s
alice go len(members()) == 2
`

func TestGo(t *testing.T) { play(t, "golang.cmd", golang, report.Passed) }

// TestGoIsAsked: an assertion in Go that does not hold fails the scenario.
func TestGoIsAsked(t *testing.T) {
	r, _ := play(t, "golang.cmd", strings.Replace(golang, "len(members()) == 3", "len(members()) == 2", 1), report.Failed)
	for _, row := range r.Rows {
		if row.Status == report.Fail {
			if row.Line != 4 {
				t.Errorf("line %d has failed, %s; want line 4", row.Line, row.Text)
			}
			return
		}
	}
	t.Error("no row has failed")
}
