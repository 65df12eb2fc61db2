package filestore_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
	"github.com/peerlab/peerlab/bootstrap-api/filestore"
	"github.com/peerlab/peerlab/bootstrap-api/storetest"
	"github.com/peerlab/peerlab/internal/childtest"
	"github.com/peerlab/peerlab/internal/files"
)

// childVar is the order of the child of the crash test, "DIR|GROUP": join
// peers there until killed.
const childVar = "PEERLAB_TEST_FILESTORE_CHILD"

func TestMain(m *testing.M) {
	if order := os.Getenv(childVar); order != "" {
		path, group, _ := strings.Cut(order, "|")
		if err := joinUntilKilled(path, group); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// joinUntilKilled joins peers from four goroutines and prints the id of each
// one that was acknowledged.
func joinUntilKilled(path, group string) error {
	fsys, err := files.Dir(path)
	if err != nil {
		return err
	}
	s, err := filestore.Open(fsys, name)
	if err != nil {
		return err
	}
	const workers, each = 4, 100
	failed := make(chan error, workers)
	for w := range workers {
		go func() {
			for i := range each {
				r := storetest.Peer(w*each + i)
				r.TTL = time.Hour
				err := s.Update(context.Background(), group, func(s *bootstrap.State) error {
					s.Config.MaxPeers = bootstrap.MaxPeers
					_, err := s.Join(time.Now(), r, "token")
					return err
				})
				if err != nil {
					failed <- err
					return
				}
				fmt.Println(r.ID)
			}
			failed <- nil
		}()
	}
	for range workers {
		if err := <-failed; err != nil {
			return err
		}
	}
	return nil
}

// A process that is killed at any moment has lost nothing that it
// acknowledged, and leaves a file that the next one can read.
func TestKilled(t *testing.T) {
	rounds := 20
	if os.Getenv("PEERLAB_SOAK") != "" {
		rounds = 300
	}
	path := t.TempDir()
	acked := make(map[string][]string)
	for round := range rounds {
		group := fmt.Sprintf("round-%d", round)
		acked[group] = killAfter(t, path, group, 1+round*7%40)
		delete(acked, fmt.Sprintf("round-%d", round-3)) // whose file is long read again
		checkKept(t, path, acked)
	}
}

// killAfter runs a child, kills it when it has acknowledged so many joins,
// and returns all that it had acknowledged by then.
func killAfter(t *testing.T, path, group string, acks int) (ids []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0])
	child.Env = append(os.Environ(), childVar+"="+path+"|"+group)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := childtest.Start(t, child); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		ids = append(ids, lines.Text())
		if len(ids) == acks {
			_ = child.Process.Kill() // it may have come to its end
		}
	}
	_ = child.Wait()
	if len(ids) < acks {
		t.Fatalf("the child ended after %d acknowledged joins", len(ids))
	}
	return ids
}

func checkKept(t *testing.T, path string, acked map[string][]string) {
	t.Helper()
	s, err := filestore.Open(dir(t, path), name)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for group, ids := range acked {
		kept := make(map[string]bool)
		for _, r := range read(t, s, group).Records {
			kept[r.ID] = true
		}
		for _, id := range ids {
			if !kept[id] {
				t.Errorf("%s: join of %s was acknowledged and is lost", group, id)
			}
		}
	}
}
