package judge

import (
	"fmt"
	"strings"
	"time"

	"github.com/peerlab/peerlab/internal/journal"
)

// blame is for how long before a death its reason is looked for.
const blame = 30 * time.Second

// slack is how much later than a peer its end may be noted by the test server.
const slack = time.Second

// membership is the checker of that name.
type membership struct {
	h      *history
	looked int
	deaths []death
}

// death is a peer that was called dead.
type death struct {
	of, by string
	at     time.Time
}

func (m *membership) Add(e journal.Event) {
	m.h.add(e)
	if e.Type != journal.TypeMember {
		return
	}
	m.looked++
	if of, is := strings.CutPrefix(e.Text, "dead "); is {
		m.deaths = append(m.deaths, death{of, e.Peer, e.Time})
	}
}

func (m *membership) Outcome() Outcome {
	out := Outcome{Looked: m.looked}
	for _, d := range m.deaths {
		if m.h.known(d.of) && !m.excused(d) {
			out.Wrong = append(out.Wrong, fmt.Sprintf("%s called %s dead, which ran, with no fault between them in the %s before", d.by, d.of, blame))
		}
	}
	return out
}

// excused tells whether a death has a reason.
func (m *membership) excused(d death) bool {
	from, to := d.at.Add(-blame), d.at.Add(slack)
	return m.h.disturbed(d.of, from, to) || m.h.disturbed(d.by, from, to) || m.h.touched(d.of, d.by, from, d.at)
}
