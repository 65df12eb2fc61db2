package scenario

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"testing"

	peer "github.com/peerlab/peerlab/peer/cli"
	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/inprocess"
	processes "github.com/peerlab/peerlab/testserver/local"
	"github.com/peerlab/peerlab/testserver/report"
)

// The first argument of a test binary that is not to run tests.
const (
	roleMain = "SCENARIO_MAIN" // in the environment: Main has been called in this program
	rolePeer = "peer"
	roleDog  = "watchdog"
)

// Main is a TestMain for tests whose peers are processes: the test binary is
// then their program as well. It does not return.
func Main(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case rolePeer:
			os.Exit(bePeer(os.Args[2:]))
		case roleDog:
			processes.Watch(os.Stdin)
			os.Exit(0)
		}
	}
	if self, err := os.Executable(); err == nil {
		_ = os.Setenv(roleMain, self) // without it a test that needs it says so
	}
	os.Exit(m.Run())
}

func bePeer(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return peer.Main(ctx, args, peer.Process{Env: os.Getenv, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr})
}

// errNoMain says what processes need.
var errNoMain = errors.New(`nothing to start peers with: add "func TestMain(m *testing.M) { scenario.Main(m) }" to the tests, or give scenario.Peer(path)`)

// world is where the peers of a run live.
func (o *options) world(dir *report.Dir) (coordinator.World, error) {
	if o.engine == sim {
		return inprocess.New(inprocess.Config{Seed: o.seed}), nil
	}
	cfg := processes.Config{Env: os.Environ(), Dir: dir.Peer, Seed: o.seed, Program: []string{o.peer}}
	self := os.Getenv(roleMain)
	if o.peer == "" {
		if self == "" {
			return nil, errNoMain
		}
		cfg.Program = []string{self, rolePeer}
	}
	if runtime.GOOS != "linux" && self != "" {
		cfg.Watchdog = []string{self, roleDog}
	}
	return processes.NewWorld(cfg), nil
}
