package node

import (
	"errors"
	"fmt"
	"iter"

	"github.com/peerlab/peerlab/internal/journal"
)

// journalName is the journal in the data directory, as openJournal names it.
const journalName = "journal.jsonl"

// ErrNoJournal is matched when the peer keeps none, because it has no data
// directory.
var ErrNoJournal = errors.New("this peer keeps no journal")

// History yields what the journal still has of this boot, the oldest event
// first, up to about now. It stops after the first error.
func (n *Node) History() iter.Seq2[journal.Event, error] {
	return func(yield func(journal.Event, error) bool) {
		if n.cfg.Data == nil {
			yield(journal.Event{}, fmt.Errorf("%w: start it with --data", ErrNoJournal))
			return
		}
		for e, err := range journal.Kept(n.cfg.Data, journalName) {
			if err == nil && e.Boot != n.cfg.Identity.Boot {
				continue
			}
			if !yield(e, err) {
				return
			}
		}
	}
}
