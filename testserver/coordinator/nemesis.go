package coordinator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/peerlab/peerlab/internal/faulty"
	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/report"
)

// Strike is one fault of a nemesis.
type Strike struct {
	At, For time.Duration // since the nemesis began; how long it lasts
	Kind    string        // as in the language
	A, B    []string      // sides, or in A whom it hits
	Rule    faulty.Rule   // for partition, oneway and link
}

// Schedule is what a nemesis does to peers, as a function of the seed and the
// number of the nemesis in the run, so that the same seed makes the same
// faults however the peers behave. A strike is over before the next begins.
func Schedule(seed, number uint64, peers []string, n language.Nemesis) []Strike {
	var all []Strike
	for i := uint64(0); len(n.Kinds) > 0 && n.Every > 0; i++ {
		at := time.Duration(i) * n.Every
		if at >= n.For {
			break
		}
		roll := func(what, of uint64) uint64 { return random(seed, number, i, what) % of }
		s := Strike{At: at, Kind: n.Kinds[roll(0, uint64(len(n.Kinds)))]}
		quarter := n.Every / 4
		s.For = min(quarter+time.Duration(roll(1, uint64(2*quarter)+1)), n.For-at)
		s.aim(peers, roll)
		all = append(all, s)
	}
	return all
}

// The numbers of the draws of a strike, after kind and length.
const (
	drawSize = iota + 2
	drawWhom
	drawLatency
	drawLoss
)

// aim draws whom a strike hits, and how.
func (s *Strike) aim(peers []string, roll func(what, of uint64) uint64) {
	pick := func(n int) []string { return draw(peers, n, roll(drawWhom, 1<<63)) }
	switch s.Kind {
	case "partition":
		if len(peers) < 2 {
			return
		}
		s.Rule.Cut = true
		s.A = pick(1 + int(roll(drawSize, uint64(len(peers)-1))))
		s.B = slices.DeleteFunc(slices.Clone(peers), func(p string) bool { return slices.Contains(s.A, p) })
	case "oneway", "link":
		if len(peers) < 2 {
			return
		}
		two := pick(2)
		if roll(drawSize, 2) == 1 {
			slices.Reverse(two)
		}
		s.A, s.B = two[:1], two[1:]
		s.Rule.Cut = s.Kind == "oneway"
		if s.Kind == "link" {
			s.Rule.Latency = time.Duration(50+roll(drawLatency, 450)) * time.Millisecond
			s.Rule.Loss = float64(1+roll(drawLoss, 20)) / 100
		}
	case "kill", "pause":
		s.A = pick(1)
	}
}

// String is the strike in the language's words.
func (s Strike) String() string {
	a, b := strings.Join(s.A, ","), strings.Join(s.B, ",")
	switch s.Kind {
	case "partition":
		return fmt.Sprintf("partition %s | %s", a, b)
	case "oneway":
		return fmt.Sprintf("oneway %s -> %s", a, b)
	case "link":
		return fmt.Sprintf("link %s <-> %s %s", a, b, s.Rule)
	case "bootstrap":
		return "bootstrap down"
	}
	return s.Kind + " " + a
}

// nemesis makes random faults for a while. Each is undone before the next,
// and when the branch is cancelled too.
func (b *branch) nemesis(st language.Statement, do language.Nemesis, row *report.Row) {
	m := b.m
	m.nemeses++
	row.Expected = "every fault can be made and undone"
	began := m.now
	var said []string
	for _, s := range Schedule(m.cfg.Seed, m.nemeses, m.cfg.Script.Peers, do) {
		if err := b.wait(began.Add(s.At), never); !errors.Is(err, errTime) {
			break
		}
		left, err := b.strike(s, began, place(st.Pos))
		line := fmt.Sprintf("%s at %s for %s", s, s.At, s.For.Round(time.Millisecond))
		if left != "" {
			line += ", left out: " + left
		}
		said = append(said, line)
		if err != nil {
			fail(row, fmt.Sprintf("%s: %v", s, err))
			break
		}
	}
	row.Output = strings.Join(said, "\n")
	if row.Status == report.Open && errors.Is(b.wait(began.Add(do.For), never), errTime) {
		row.Status = report.OK
	}
}

// strike makes a fault and undoes it. left says why it was left out: its peer
// is not there, or the script has paused it.
func (b *branch) strike(s Strike, began time.Time, where string) (left string, err error) {
	m := b.m
	if s.Kind == "kill" || s.Kind == "pause" {
		if why := m.peers[s.A[0]].why(); why != "" {
			return why, nil
		}
	}
	undo, err := b.hit(s, where)
	if err == nil {
		_ = b.wait(began.Add(s.At+s.For), never)
	}
	b.shielded(func() {
		if undone := undo(); err == nil {
			err = undone
		}
	})
	return "", err
}

// hit makes a fault, and returns what undoes it.
func (b *branch) hit(s Strike, where string) (undo func() error, err error) {
	switch s.Kind {
	case "kill":
		undo := func() error {
			if m := b.m; m.peers[s.A[0]].gone == nil {
				return nil
			}
			return b.restart(s.A, false, where)
		}
		return undo, b.live(language.Kill, false, s.A, where)
	case "pause":
		undo := func() error {
			if p := b.m.peers[s.A[0]]; !p.paused {
				return nil
			}
			return b.live(language.Resume, false, s.A, where)
		}
		return undo, b.live(language.Pause, false, s.A, where)
	case "bootstrap":
		f := &fault{text: s.String(), ail: &language.ServiceFault{Down: true}, block: true}
		b.m.force(f, nil)
		return func() error { return b.end(f) }, b.ail()
	}
	f := &fault{text: s.String(), block: true}
	for _, p := range pairs(s.A, s.B) {
		f.links = append(f.links, link{p[0], p[1], s.Rule})
		if s.Kind != "oneway" {
			f.links = append(f.links, link{p[1], p[0], s.Rule})
		}
	}
	b.m.force(f, nil)
	return func() error { return b.end(f) }, b.inPlace(nil)
}
