package filestore_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
	"github.com/peerlab/peerlab/bootstrap-api/storetest"
)

// BenchmarkMutation measures a join and a leave in a group of 48 peers, by
// the number of clients at once. "fsync" is what no durable store can beat:
// writing as many bytes, fsync and rename, by one client. Compare within one
// run only.
func BenchmarkMutation(b *testing.B) {
	b.Run("bare/rename", func(b *testing.B) { bare(b, false) })
	b.Run("bare/fsync", func(b *testing.B) { bare(b, true) })
	for _, clients := range []int{1, 16, 32} {
		b.Run(fmt.Sprintf("memory/c=%d", clients), func(b *testing.B) {
			mutate(b, bootstrap.NewMemoryStore(), clients)
		})
		b.Run(fmt.Sprintf("file/c=%d", clients), func(b *testing.B) {
			mutate(b, open(b, dir(b, b.TempDir())), clients)
		})
	}
}

// bare writes two files after one another, as one join and leave would.
func bare(b *testing.B, durable bool) {
	path := b.TempDir()
	content := make([]byte, 48*260)
	var took []time.Duration
	for b.Loop() {
		begin := time.Now()
		for range 2 {
			if err := replace(path, content, durable); err != nil {
				b.Fatal(err)
			}
		}
		took = append(took, time.Since(begin))
	}
	report(b, took)
}

func replace(path string, content []byte, durable bool) error {
	f, err := os.Create(filepath.Join(path, "new"))
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(content); err != nil {
		return err
	}
	if durable {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	return os.Rename(f.Name(), filepath.Join(path, "file"))
}

func mutate(b *testing.B, s bootstrap.Store, clients int) {
	for n := range 48 - clients {
		join(b, s, "lab", 1000+n)
	}
	var next atomic.Int64
	all := make([][]time.Duration, clients)
	b.ResetTimer()
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			for next.Add(1) <= int64(b.N) {
				begin := time.Now()
				join(b, s, "lab", c)
				leave(b, s, c)
				all[c] = append(all[c], time.Since(begin))
			}
		})
	}
	wg.Wait()
	report(b, slices.Concat(all...))
}

func leave(b *testing.B, s bootstrap.Store, n int) {
	err := s.Update(context.Background(), "lab", func(s *bootstrap.State) error {
		return s.Leave(time.Now(), storetest.Peer(n).ID, "token")
	})
	if err != nil {
		b.Error(err)
	}
}

func report(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-us/pair")
	b.ReportMetric(float64(len(took))/b.Elapsed().Seconds(), "pairs/s")
}
