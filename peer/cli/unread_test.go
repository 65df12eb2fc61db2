package cli_test

import (
	"bufio"
	"io"
	"os/exec"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/childtest"
)

// TestReaderOfErrorsGoesAway closes the pipe that a peer prints errors into,
// while every line of an endless input is one.
func TestReaderOfErrorsGoesAway(t *testing.T) {
	t.Parallel()
	path, err := exec.LookPath("peer")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "alice")
	cmd.Env = newUser(t).env
	cmd.Stdin = nonsense{}
	wrong, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := childtest.Start(t, cmd); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	if _, err := bufio.NewReader(wrong).ReadString('\n'); err != nil {
		t.Error(err)
	}
	wrong.Close()
	_ = cmd.Wait() // the status tells
	if got := cmd.ProcessState.ExitCode(); got != 141 {
		t.Errorf("%s, want status 141", cmd.ProcessState)
	}
}

// nonsense is endless, and no command.
type nonsense struct{}

func (nonsense) Read(b []byte) (int, error) {
	if len(b) < 2 {
		return 0, io.ErrShortBuffer
	}
	return copy(b, "y\n"), nil
}
