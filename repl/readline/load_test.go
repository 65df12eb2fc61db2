//go:build unix

package readline_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/peerlab/peerlab/repl/readline"
)

const (
	loadMessages = 20000
	loadPerTick  = 10 // each millisecond
)

// BenchmarkLoad compares what a process pays for 10,000 messages a second on a
// terminal: with a line that somebody edits below them, and with plain
// writes. Each message must be there, whole, once and in order.
func BenchmarkLoad(b *testing.B) {
	var plain, edited, ratio []float64
	for b.Loop() {
		p, e := load(b, "plain printer"), load(b, "printer")
		plain, edited, ratio = append(plain, p), append(edited, e), append(ratio, e/p)
	}
	b.ReportMetric(median(plain), "plain-us/msg")
	b.ReportMetric(median(edited), "edited-us/msg")
	b.ReportMetric(median(ratio), "x-plain")
	b.ReportMetric(0, "ns/op")
}

func median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

// load runs a printer while keys are typed, and returns the processor time
// that it needed for a message, in microseconds.
func load(b *testing.B, role string) float64 {
	c := newConsole(b, 100, 30)
	cmd := c.startRole(role)
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	keys := time.NewTicker(100 * time.Millisecond)
	defer keys.Stop()
	for i := 0; ; i++ {
		select {
		case <-keys.C:
			if role == "printer" {
				c.types(string("abcdefghi\r"[i%10]))
			}
			continue
		case err := <-exited:
			if err != nil {
				b.Fatalf("%v; the screen is\n%s", err, c.text())
			}
		}
		break
	}
	c.wait("its figure", func() bool { return strings.Contains(c.output(), "microseconds") })
	checkMessages(b, c.output(), loadMessages)
	var perMessage float64
	_, figure, _ := strings.Cut(c.output(), "needed ")
	if _, err := fmt.Sscanf(figure, "%f microseconds", &perMessage); err != nil {
		b.Fatal(err)
	}
	return perMessage
}

// bePrinter prints messages, plainly or above a line that is edited, and says
// what it cost.
func bePrinter(plain bool) int {
	show := func(s string) { _, _ = os.Stdout.WriteString(s) }
	if !plain {
		r, err := readline.New(readline.Config{})
		if err != nil {
			fmt.Println(err)
			return 1
		}
		defer r.Close()
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error)
		go func() { ended <- serveLines(ctx, r) }()
		defer func() {
			cancel()
			<-ended
		}()
		show = r.Print
	}
	before := processorTime()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for i := 0; i < loadMessages; i += loadPerTick {
		<-tick.C
		for j := i; j < i+loadPerTick; j++ {
			show(fmt.Sprintf("<alice> message %d end, of sixty-five bytes like many others\n", j))
		}
	}
	needed := processorTime() - before
	show(fmt.Sprintf("needed %.3f microseconds\n", float64(needed.Microseconds())/loadMessages))
	return 0
}

// processorTime is what this process has needed so far.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
