package buildenv_test

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// BenchmarkYield is what lines cost, and what they cost the program that waits
// for them: by how much a sleep of a millisecond is too long meanwhile. The
// variants take turns.
func BenchmarkYield(b *testing.B) {
	l := newLab(b, true)
	for _, nice := range []int{-1, 5, 10} {
		b.Run(fmt.Sprintf("nice=%d", max(nice, 0)), func(b *testing.B) {
			cfg := l.config(b, b.TempDir())
			cfg.Nice = nice
			e := l.openWith(b, cfg)
			if err := e.Load(b.Context(), "fmt", "example.com/dep", "example.com/host/live"); err != nil {
				b.Fatal(err)
			}
			line(b, e, "repl/s1", first)
			stop, late := make(chan struct{}), make(chan []time.Duration)
			go func() { late <- overshoots(stop) }()
			n := 1
			for b.Loop() {
				n++
				line(b, e, fmt.Sprintf("repl/s%d", n), second)
			}
			close(stop)
			all := <-late
			slices.Sort(all)
			b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "ms-p50")
			b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "ms-p99")
			b.ReportMetric(float64(all[len(all)-1].Microseconds())/1000, "ms-max")
		})
	}
}

// overshoots are by how much sleeps of a millisecond were too long.
func overshoots(stop <-chan struct{}) (all []time.Duration) {
	for {
		select {
		case <-stop:
			return all
		default:
		}
		began := time.Now()
		time.Sleep(time.Millisecond) // this is what is measured
		all = append(all, time.Since(began)-time.Millisecond)
	}
}
