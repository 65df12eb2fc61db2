package trust_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/peerlab/peerlab/testserver/cli"
)

// TestTheGalleryStaysGreen runs all scenarios of the repository again and
// again, several at once: none of them is red without a reason. It is for
// `make trust`; PEERLAB_TRUST says how often.
func TestTheGalleryStaysGreen(t *testing.T) {
	rounds, err := strconv.Atoi(os.Getenv("PEERLAB_TRUST"))
	if err != nil {
		t.Skip("takes long: run make trust")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	err = filepath.WalkDir(filepath.Join("..", "..", "scripts", "scenario"), func(path string, _ os.DirEntry, err error) error {
		if filepath.Ext(path) == ".cmd" {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	type one struct{ file, seed string }
	queue := make(chan one)
	var wg sync.WaitGroup
	began := time.Now()
	for range 6 {
		wg.Go(func() {
			for next := range queue {
				var out bytes.Buffer
				status := cli.Main(t.Context(), []string{"run", "--out", filepath.Join(t.TempDir(), "runs"), "--seed", next.seed, next.file},
					cli.Process{Self: self, Environ: os.Environ(), Stdout: &out, Stderr: &out})
				if status != 0 {
					t.Errorf("%s, seed %s: exit status %d\n%s", next.file, next.seed, status, out.String())
				}
			}
		})
	}
	for i := range rounds {
		for _, f := range files {
			queue <- one{f, fmt.Sprint(i + 1)}
		}
	}
	close(queue)
	wg.Wait()
	t.Logf("%d scenarios, %d times each, in %s", len(files), rounds, time.Since(began).Round(time.Second))
}
