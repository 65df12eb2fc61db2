package local

import (
	"os/exec"
	"runtime"
)

// spawner starts processes from one operating system thread, and keeps that
// thread alive: on Linux the death of the thread that started a process is
// what kills the process, and a thread of the Go runtime may end at any time.
type spawner struct{ starts chan start }

type start struct {
	cmd *exec.Cmd
	err chan<- error
}

func newSpawner() *spawner { return &spawner{starts: make(chan start)} }

// run serves start until stop. The thread is never given back: it ends with
// this goroutine, when no child is left.
func (s *spawner) run() {
	runtime.LockOSThread()
	for st := range s.starts {
		st.err <- st.cmd.Start()
	}
}

func (s *spawner) start(cmd *exec.Cmd) error {
	err := make(chan error, 1)
	s.starts <- start{cmd, err}
	return <-err
}

func (s *spawner) stop() { close(s.starts) }
