package trust_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/testserver/cli"
	"github.com/peerlab/peerlab/testserver/report"
)

// The environment that tells a peer how to lie: the name of the lie, and of
// the peers that do it, with commas between them.
const (
	envLie  = "LIE"
	envLiar = "LIAR"
)

// atOnce is how many runs are under way at a time. They wait most of the time.
const atOnce = 16

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "peer" || os.Args[1] == "watchdog" || os.Args[1] == "run") {
		os.Exit(program())
	}
	flag.Parse()
	if err := flag.Set("test.parallel", fmt.Sprint(atOnce)); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// program is the program testserver, whose peers may lie.
func program() int {
	ctx, stop := untilSignal()
	defer stop()
	if os.Args[1] == "peer" && slices.Contains(strings.Split(os.Getenv(envLiar), ","), os.Args[2]) {
		return lyingPeer(ctx, os.Args[2:], os.Getenv(envLie))
	}
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return cli.Main(ctx, os.Args[1:], cli.Process{
		Self: self, Environ: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	})
}

// trial is a run that must not pass.
type trial struct {
	name      string
	file      string   // the scenario
	lie, liar string   // how the peer of that name lies; empty for nobody
	flags     []string // of testserver run
	want      []int    // exit statuses, any of them
	says      []string // what the report has to say, all of it
	hasty     bool     // waits are short, for one of them is in vain
	rare      bool     // it takes long: it is not tried every day
}

// tried is how it ended.
type tried struct {
	status int
	out    string
	took   time.Duration
	result *report.Result // nil if there is none
}

// slowest is how long a trial may take.
const slowest = 60 * time.Second

// patience is how long a command may take. A machine that does much else has
// to get through with it.
func (tr trial) patience() string {
	if tr.hasty {
		return "3s"
	}
	return "15s"
}

func (tr trial) run(t *testing.T) tried {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "x.cmd")
	if err := os.WriteFile(file, []byte(tr.file), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	args := append([]string{"run", "--out", filepath.Join(dir, "runs"), "--timeout", tr.patience(), "--seed", "1"}, tr.flags...)
	env := append(os.Environ(), "HOME="+dir, envLie+"="+tr.lie, envLiar+"="+tr.liar)
	ctx, cancel := context.WithTimeout(t.Context(), slowest)
	defer cancel()
	began := time.Now()
	status := cli.Main(ctx, append(args, file), cli.Process{Self: self, Environ: env, Stdout: &out, Stderr: &out})
	got := tried{status: status, out: out.String(), took: time.Since(began)}
	if data, err := os.ReadFile(filepath.Join(dir, "runs", "latest", "result.json")); err == nil {
		got.result = &report.Result{}
		if err := json.Unmarshal(data, got.result); err != nil {
			t.Error(err)
		}
	}
	return got
}

// check runs the trial and compares.
func (tr trial) check(t *testing.T) {
	t.Helper()
	got := tr.run(t)
	if !slices.Contains(tr.want, got.status) {
		t.Errorf("exit status %d, not one of %v", got.status, tr.want)
	}
	for _, s := range tr.says {
		if !strings.Contains(got.out, whole(s)) {
			t.Errorf("the report does not say %q", s)
		}
	}
	if got.result != nil && got.result.ExitStatus != got.status {
		t.Errorf("result.json says %d", got.result.ExitStatus)
	}
	if got.took >= slowest {
		t.Errorf("it took %s", got.took)
	}
	if t.Failed() || testing.Verbose() {
		t.Logf("after %s:\n%s", got.took.Round(time.Millisecond), got.out)
	}
}

// whole is a line of the scenario such that x.cmd:1 is not x.cmd:12.
func whole(s string) string {
	if n, is := strings.CutPrefix(s, "x.cmd:"); is && n != "" {
		return s + ":"
	}
	return s
}

// always tells whether everything is tried, and not only what is quick.
func always() bool { return os.Getenv("PEERLAB_TRUST") != "" }

// try tries them all. With the race detector, which makes peers slow, it tries
// some: what it looks at is the same program in all of them.
func try(t *testing.T, trials []trial) {
	t.Helper()
	for i, tr := range trials {
		t.Run(tr.name, func(t *testing.T) {
			if !always() && (tr.rare || testing.Short() || raced && i%8 != 0) {
				t.Skip("takes long: run make trust")
			}
			t.Parallel()
			tr.check(t)
		})
	}
}
