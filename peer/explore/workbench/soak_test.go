package workbench_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// rss is the resident memory of a process, in MB.
func rss(t *testing.T, pid int) float64 {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), "VmRSS:")
	var kb float64
	if _, err := fmt.Sscan(rest, &kb); err != nil {
		t.Fatal(err)
	}
	return kb / 1024
}

// TestManyLines has 300 lines compiled in one session of a peer that is online,
// with the peer's own objects in them. The memory that each costs for ever is
// bounded, a new process is offered in time, and nobody loses sight of the
// peer. It logs how long the lines take, fifty by fifty.
func TestManyLines(t *testing.T) {
	if os.Getenv("PEERLAB_SOAK") == "" {
		t.Skip("takes minutes: set PEERLAB_SOAK=1, or run make soak")
	}
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc: run it on Linux")
	}
	g := newGroup(t, false)
	line := func(i int) {
		objects := []string{`len(members())`, `len(peer.Members())`, `ml.NumMembers()`}
		from := g.alice.enter(fmt.Sprintf(`go type n%d struct{ v int }; func f%d(x n%d) int { return x.v * %d }; f%d(n%d{%s})`, i, i, i, i, i, i, objects[i%3]))
		g.alice.until(from, fmt.Sprintf(`(?m)^%d :: int`, 3*i))
	}
	line(1) // what is made once does not count
	before := rss(t, g.alice.pid)
	const lines, step = 300, 50
	for i := 2; i <= lines+1; {
		start := time.Now()
		for range step {
			line(i)
			i++
		}
		now := rss(t, g.alice.pid)
		t.Logf("%3d lines: %4d ms a line, %.0f MB, %.2f MB a line", i-2, time.Since(start).Milliseconds()/step, now, (now-before)/float64(i-2))
		g.well(t, fmt.Sprint(i-2, " lines"))
	}
	if each := (rss(t, g.alice.pid) - before) / lines; each > 3 {
		t.Errorf("a line costs %.2f MB", each)
	}
	if !strings.Contains(g.alice.text(0), "reboot") {
		t.Error("no new process was offered")
	}
}
