package local

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"sync"
)

// Watch is the watchdog process: it reads lines "+PID" and "-PID" and, when
// its input ends, kills those that were added and not removed, with the
// processes that they started. Its input is a pipe from the runner, which
// ends with the runner, in whatever way.
func Watch(in io.Reader) {
	watched := map[int]bool{}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		pid, err := strconv.Atoi(lines.Text())
		switch {
		case err != nil:
		case pid > 0:
			watched[pid] = true
		default:
			delete(watched, -pid)
		}
	}
	for pid := range watched {
		killGroup(pid)
	}
}

// watchdog is the runner's end.
type watchdog struct {
	cmd *exec.Cmd

	mu   sync.Mutex
	pipe io.WriteCloser
}

func startWatchdog(command []string) (*watchdog, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.SysProcAttr = detached()
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &watchdog{cmd: cmd, pipe: pipe}, nil
}

func (w *watchdog) watch(pid int)  { w.tell("+%d\n", pid) }
func (w *watchdog) forget(pid int) { w.tell("-%d\n", pid) }

func (w *watchdog) tell(format string, pid int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fmt.Fprintf(w.pipe, format, pid) // a dead watchdog is of no use, and no harm
}

// stop ends the watchdog, which kills what is still watched.
func (w *watchdog) stop() {
	w.mu.Lock()
	w.pipe.Close()
	w.mu.Unlock()
	_ = w.cmd.Wait()
}
