package explore_test

import (
	"io"
	"slices"
	"testing"
	"time"

	"github.com/peerlab/peerlab/peer/explore"
	"github.com/peerlab/peerlab/peer/explore/lab"
)

// crowd is a peer among others.
type crowd struct{ lab.Backend }

func (crowd) Name() string { return "alice" }

func (crowd) Members() []lab.Member {
	return []lab.Member{{Name: "alice", Self: true, State: "alive"}, {Name: "bob", State: "alive"}, {Name: "charly", State: "suspect"}}
}

// BenchmarkExpression is a line that needs no compiler, from its text to what
// it prints: parsed, checked, evaluated and shown.
func BenchmarkExpression(b *testing.B) {
	p := lab.NewPeer(crowd{})
	began := time.Now()
	s, err := explore.New(explore.Config{Bound: map[string]any{"peer": p, "members": p.Members}})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Eval(b.Context(), `n := len(members())`, io.Discard); err != nil {
		b.Fatal(err)
	}
	b.Logf("session and first line: %v", time.Since(began))
	for _, src := range []string{`1 + 2*3`, `len(members()) == 3`, `peer.Members()[1].Name`, `strings.ToUpper("x") + peer.Name()`, `n * n`, `n++`, `x := members()[1]`} {
		b.Run(src, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				if err := s.Eval(b.Context(), src, io.Discard); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-us")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-us")
		})
	}
}
