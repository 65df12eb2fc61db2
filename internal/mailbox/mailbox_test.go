package mailbox_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/peerlab/peerlab/internal/mailbox"
)

func TestEveryValueArrivesOnceAndInOrder(t *testing.T) {
	const senders, each = 4, 500
	type value struct{ sender, n int }
	box := mailbox.New[value]()
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for n := range each {
				if !box.Put(value{s, n}) {
					t.Error("an open box refuses a value")
				}
			}
		})
	}
	next := make([]int, senders)
	for got := 0; got < senders*each; {
		<-box.Ready()
		for _, v := range box.Take() {
			if v.n != next[v.sender] {
				t.Fatalf("value %d of sender %d where %d was due", v.n, v.sender, next[v.sender])
			}
			next[v.sender]++
			got++
		}
	}
	wg.Wait()
	if left := box.Take(); len(left) > 0 {
		t.Errorf("%d values more than were put", len(left))
	}
}

func TestAClosedBoxTakesNothing(t *testing.T) {
	box := mailbox.New[int]()
	box.Put(1)
	box.Put(2)
	if left := box.Close(); !slices.Equal(left, []int{1, 2}) {
		t.Errorf("Close returned %v", left)
	}
	if box.Put(3) || len(box.Close()) != 0 {
		t.Error("a closed box has taken a value")
	}
}
