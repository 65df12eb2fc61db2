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
	startAndRead(t, cmd, wrong)
	wrong.Close()
	_ = cmd.Wait() // the status tells
	if got := cmd.ProcessState.ExitCode(); got != 141 {
		t.Errorf("%s, want status 141", cmd.ProcessState)
	}
}

// startAndRead starts a program, which is killed if it takes too long to end, and
// returns when it has printed a line. The timer kills it.
func startAndRead(t *testing.T, cmd *exec.Cmd, printed io.Reader) *time.Timer {
	t.Helper()
	if err := childtest.Start(t, cmd); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() { timer.Stop() })
	if _, err := bufio.NewReader(printed).ReadString('\n'); err != nil {
		t.Error(err)
	}
	return timer
}

// nonsense is endless, and no command.
type nonsense struct{}

func (nonsense) Read(b []byte) (int, error) {
	if len(b) < 2 {
		return 0, io.ErrShortBuffer
	}
	return copy(b, "y\n"), nil
}
