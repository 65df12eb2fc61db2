package workbench

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/peerlab/peerlab/peer/explore/live"
)

// The bounds at which a peer says what Go has cost. They are far from where it
// hurts.
const (
	manyLines = 200
	muchMore  = 400 << 20 // bytes
)

// memory is the account of what was loaded. Go unloads nothing.
type memory struct {
	mu     sync.Mutex
	loaded int           // plugins
	before int64         // bytes of the process before the first
	last   time.Duration // that the last one took to load
	warned bool
}

// counted is open, with an account of what it loads.
func (m *memory) counted(open func(file string) error) func(file string) error {
	if open == nil {
		return nil
	}
	return func(file string) error {
		begun := time.Now()
		m.mu.Lock()
		if m.before == 0 {
			m.before, _ = resident()
		}
		m.mu.Unlock()
		err := open(file)
		m.mu.Lock()
		defer m.mu.Unlock()
		if err == nil {
			m.loaded++
			m.last = time.Since(begun)
		}
		return err
	}
}

// resident is the memory of the process in bytes, and how it is counted.
func resident() (bytes int64, how string) {
	if raw, err := os.ReadFile("/proc/self/statm"); err == nil {
		if words := strings.Fields(string(raw)); len(words) > 1 {
			if pages, err := strconv.ParseInt(words[1], 10, 64); err == nil {
				return pages * int64(os.Getpagesize()), "resident, by the kernel"
			}
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys), "taken from the system, by Go's runtime, which does not see what was loaded"
}

// Memory prints what Go has cost.
func (w *Workbench) Memory(_ context.Context, out io.Writer) error {
	now, how := resident()
	w.memory.mu.Lock()
	loaded, before, last := w.memory.loaded, w.memory.before, w.memory.last
	w.memory.mu.Unlock()
	fmt.Fprintf(out, "lines compiled and loaded: %d\nmemory of the peer: %s (%s)\n", loaded, megabytes(now), how)
	if loaded > 0 {
		fmt.Fprintf(out, "more since the first: %s, %s a line\nloading the last took %s\n",
			megabytes(now-before), megabytes((now-before)/int64(loaded)), last.Round(100*time.Microsecond))
	}
	lines, goroutines := live.Running()
	_, err := fmt.Fprintf(out, "goroutines of lines, commands and files that run: %d, of %d\n", goroutines, lines)
	return err
}

func megabytes(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/(1<<20)) }

// warn says once that Go has cost a lot.
func (w *Workbench) warn(out io.Writer) {
	if loaded, more, much := w.memory.tooMuch(); much {
		fmt.Fprintf(out, "note: %d compiled lines and %s more memory, which only a new process gives back: reboot begins one, as the same peer and with what you have declared\n",
			loaded, megabytes(more))
	}
}

// tooMuch tells once that Go has cost a lot: lines, and bytes.
func (m *memory) tooMuch() (loaded int, more int64, much bool) {
	now, _ := resident()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.warned || m.loaded < manyLines && (m.loaded == 0 || now-m.before < muchMore) {
		return 0, 0, false
	}
	m.warned = true
	return m.loaded, now - m.before, true
}
