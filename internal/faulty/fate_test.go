package faulty_test

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/faulty"
)

var rough = faulty.Rule{Latency: 100 * time.Millisecond, Jitter: 50 * time.Millisecond, Loss: 0.2, Dup: 0.2, Reorder: 0.2}

// TestGolden holds the first fates of a link. What a seed promises is in them:
// whoever changes them makes every recorded seed worthless, and adds a file.
func TestGolden(t *testing.T) {
	var b strings.Builder
	for _, l := range []struct {
		seed     uint64
		from, to string
	}{{0, "alice", "bob"}, {0, "bob", "alice"}, {7, "alice", "bob"}, {0, "aliceb", "ob"}} {
		link := faulty.NewLink(l.seed, l.from, l.to)
		fmt.Fprintf(&b, "%d %s %s %016x\n", l.seed, l.from, l.to, uint64(link))
		for n := range uint64(8) {
			f := link.Fate(rough, n)
			fmt.Fprintln(&b, n, f.Copies, f.Delays[0], f.Delays[1], link.Late(rough, n))
		}
	}
	want, err := os.ReadFile("testdata/fates.v1")
	if err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != strings.ReplaceAll(string(want), "\r\n", "\n") {
		t.Errorf("the fates are\n%s", got)
	}
}

// TestShares draws often enough to see that the chances are what they say.
func TestShares(t *testing.T) {
	const packets = 20_000
	link := faulty.NewLink(1, "alice", "bob")
	var lost, doubled, held, late int
	var jitter time.Duration
	for n := range uint64(packets) {
		f := link.Fate(rough, n)
		switch f.Copies {
		case 0:
			lost++
			continue
		case 2:
			doubled++
		}
		if f.Delays[0] > rough.Latency+rough.Jitter {
			held++
		}
		if link.Late(rough, n) > rough.Latency+rough.Jitter {
			late++
		}
		jitter += link.Fate(faulty.Rule{Jitter: rough.Jitter}, n).Delays[0]
	}
	arrived := packets - lost
	for what, share := range map[string][2]float64{
		"lost":    {float64(lost) / packets, 0.2},
		"doubled": {float64(doubled) / float64(arrived), 0.2},
		"late":    {float64(late) / float64(arrived), 0.2},
		"jitter":  {float64(jitter) / float64(arrived) / float64(rough.Jitter), 0.5},
	} {
		if math.Abs(share[0]-share[1]) > 0.015 {
			t.Errorf("%s: %.3f, want %.3f", what, share[0], share[1])
		}
	}
	if share := float64(held) / float64(arrived); share < 0.13 || share > 0.2 {
		t.Errorf("held back: %.3f", share) // some are held for less than the jitter
	}
}

func TestFateOfACut(t *testing.T) {
	link := faulty.NewLink(0, "a", "b")
	if f := link.Fate(faulty.Rule{Cut: true, Dup: 1}, 1); f.Copies != 0 {
		t.Errorf("%+v passes a cut", f)
	}
	if f := link.Fate(faulty.Rule{Loss: 1}, 1); f.Copies != 0 {
		t.Errorf("%+v passes", f)
	}
	if f := link.Fate(faulty.Rule{}, 1); f != (faulty.Fate{Copies: 1}) {
		t.Errorf("%+v where nothing is wrong", f)
	}
	if f := link.Fate(faulty.Rule{Dup: 1, Latency: 5}, 1); f != (faulty.Fate{Copies: 2, Delays: [2]time.Duration{5, 5}}) {
		t.Errorf("%+v, want two copies", f)
	}
	if d := link.Late(faulty.Rule{Loss: 1, Latency: time.Second}, 1); d != 13600*time.Millisecond {
		t.Errorf("a part that is always lost is %v late", d)
	}
}
