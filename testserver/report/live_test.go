package report_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hinshun/vt10x"

	"github.com/peerlab/peerlab/testserver/report"
)

// screen is a terminal that can be looked at. It counts writes.
type screen struct {
	mu     sync.Mutex
	vt     vt10x.Terminal
	writes int
	c, r   int
}

func newScreen(columns, rows int) *screen {
	return &screen{vt: vt10x.New(vt10x.WithSize(columns, rows)), c: columns, r: rows}
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	return s.vt.Write([]byte(strings.ReplaceAll(string(b), "\n", "\r\n")))
}

func (s *screen) size() (int, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.c, s.r
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for line := range strings.SplitSeq(s.vt.String(), "\n") {
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

func snapshot(peers int) report.Snapshot {
	s := report.Snapshot{
		Scenario: "split", Phase: "split, then whole again", Rows: 13, Statement: "alice await members == alice within 20s",
		Faults: []string{"partition alice | bob,charly"}, Elapsed: 12345 * time.Millisecond, Budget: 5 * time.Minute,
	}
	for i := range peers {
		s.Peers = append(s.Peers, report.PeerState{Name: fmt.Sprint("p", i+1), State: "ready", Boot: 1, Members: peers - 1, Chat: peers - 1})
	}
	return s
}

// live draws on a screen in a bubble, and ends.
func live(t *testing.T, s *screen, colour bool, use func(*report.Live)) {
	synctest.Test(t, func(t *testing.T) {
		l := report.NewLive(report.LiveConfig{Terminal: s, Size: s.size, Colour: colour})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- l.Run(ctx) }()
		use(l)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		fmt.Fprintf(l, "PASSED\n")
	})
}

func TestLive(t *testing.T) {
	s := newScreen(80, 24)
	live(t, s, true, func(l *report.Live) {
		first := snapshot(3)
		first.Peers[1] = report.PeerState{Name: "bob", State: "gone", Boot: 2, Command: "msg \x1b[31mhello"}
		l.Show(first)
		fmt.Fprintf(l, "row one\n")
		time.Sleep(time.Second)
		want := `row one
split  12.3 s of 5m0s  split, then whole again
13 rows done; now: alice await members == alice within 20s
faults: partition alice | bob,charly
peer  state    boot  members  chat  command
p1    ready       1        2     2
bob   gone        2        0     -  msg ` + "\ufffd" + `[31mhello
p3    ready       1        2     2`
		if got := s.text(); got != want {
			t.Errorf("got\n%s", got)
		}
		fmt.Fprintf(l, "row two\n")
		second := snapshot(2)
		second.Failed = 1
		l.Show(second)
		time.Sleep(time.Second)
		if got := s.text(); !strings.HasPrefix(got, "row one\nrow two\nsplit") || strings.Count(got, "\n") != 8 || !strings.Contains(got, "\n1 row FAILED\n") {
			t.Errorf("then\n%s", got)
		}
	})
	if got := s.text(); got != "row one\nrow two\nPASSED" {
		t.Errorf("in the end\n%s", got)
	}
}

func TestLiveIsNotDrawnTooOften(t *testing.T) {
	s := newScreen(80, 24)
	live(t, s, false, func(l *report.Live) {
		for range 1000 {
			l.Show(snapshot(3))
			time.Sleep(time.Millisecond)
		}
		time.Sleep(10 * time.Second)
	})
	if s.writes > 13 {
		t.Errorf("%d drawings in a second with changes and ten without", s.writes)
	}
}

func TestLiveFitsTheTerminal(t *testing.T) {
	for _, size := range []struct{ columns, rows int }{{80, 24}, {40, 10}, {20, 5}, {10, 2}, {200, 60}} {
		s := newScreen(size.columns, size.rows)
		live(t, s, true, func(l *report.Live) {
			all := snapshot(50)
			all.Peers[40].Command = "msg hello"
			for range 20 {
				l.Show(all)
				time.Sleep(time.Second)
			}
			got := s.text()
			if n := strings.Count(got, "split  12"); n != 1 && size.columns > 10 {
				t.Errorf("%v: the table stands there %d times:\n%s", size, n, got)
			}
			if size.rows > 10 && size.columns > 40 && !strings.Contains(got, "p41") {
				t.Errorf("%v: the busy peer is not shown:\n%s", size, got)
			}
		})
		if got := s.text(); got != "PASSED" {
			t.Errorf("%v: in the end\n%s", size, got)
		}
	}
}

// TestLiveSurvivesAResize makes the terminal narrower, which breaks the lines
// that stand there.
func TestLiveSurvivesAResize(t *testing.T) {
	s := newScreen(100, 30)
	live(t, s, false, func(l *report.Live) {
		l.Show(snapshot(5))
		time.Sleep(time.Second)
		s.mu.Lock()
		s.c = 60
		s.vt.Resize(60, 30)
		s.mu.Unlock()
		time.Sleep(time.Second)
		if got := s.text(); strings.Count(got, "split  12") != 1 || !strings.Contains(got, "p5") {
			t.Errorf("got\n%s", got)
		}
	})
}

// TestLiveSurvivesWhatIsTyped has the terminal echo what a person types there,
// such as the sign of ctrl-C.
func TestLiveSurvivesWhatIsTyped(t *testing.T) {
	s := newScreen(80, 24)
	live(t, s, false, func(l *report.Live) {
		l.Show(snapshot(3))
		time.Sleep(time.Second)
		before := s.text()
		if _, err := s.Write([]byte("^C and more")); err != nil {
			t.Fatal(err)
		}
		l.Show(snapshot(3))
		time.Sleep(time.Second)
		if got := s.text(); got != before {
			t.Errorf("got\n%s\nwant\n%s", got, before)
		}
		if _, err := s.Write([]byte("^C")); err != nil {
			t.Fatal(err)
		}
	})
	if got := s.text(); got != "PASSED" {
		t.Errorf("in the end\n%s", got)
	}
}

func TestLiveWithNothingToShowLeavesNoTrace(t *testing.T) {
	s := newScreen(80, 24)
	live(t, s, true, func(*report.Live) { time.Sleep(time.Second) })
	if got := s.text(); got != "PASSED" {
		t.Errorf("got %q", got)
	}
}
