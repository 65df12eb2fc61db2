//go:build unix

package readline

import (
	"time"

	"github.com/peerlab/peerlab/repl"
)

// The requests for a terminal's state, and to set it.
const (
	GetTermios = getTermios
	SetTermios = setTermios
)

// SetPatience sets how long Print of a new reader waits for a terminal that
// takes nothing.
func SetPatience(r repl.LineReader, d time.Duration) { r.(*reader).screen.queue.Patience = d }

// SetPastePause sets how long a paste may pause, of a new reader.
func SetPastePause(r repl.LineReader, d time.Duration) {
	r.(*reader).keys.quiet = int(d.Milliseconds())
}
