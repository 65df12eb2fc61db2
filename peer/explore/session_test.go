package explore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/childtest"
)

// buildHost builds the program of testdata/host, once for all tests: a test
// binary has no build information, so it cannot load plugins itself.
var buildHost = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "peerlab-host")
	if err != nil {
		return "", err
	}
	hostDir = dir
	file := filepath.Join(dir, "host")
	if out, err := exec.Command("go", "build", "-o", file, "./testdata/host").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return file, nil
})

// hostDir is what buildHost made, for TestMain to remove.
var hostDir string

func TestMain(m *testing.M) {
	code := m.Run()
	if hostDir != "" {
		_ = os.RemoveAll(hostDir)
	}
	os.Exit(code)
}

// program is a running host.
type program struct {
	in  io.WriteCloser
	out *bufio.Scanner
}

// start starts a host that dies with the test.
func start(t testing.TB) *program {
	t.Helper()
	childtest.Needs(t, "go", "gcc")
	file, err := buildHost()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute) // the test's own ends before its clean-up
	cmd := exec.CommandContext(ctx, file)
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir()) // where nothing has been linked before
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := childtest.Start(t, cmd); err != nil {
		t.Fatal(err)
	}
	p := &program{in: in, out: bufio.NewScanner(out)}
	p.out.Buffer(nil, 1<<20)
	t.Cleanup(func() {
		defer cancel()
		_ = in.Close()
		if err := cmd.Wait(); err != nil && !t.Failed() {
			t.Error("host:", err)
		}
	})
	return p
}

// eval evaluates one input in the host.
func (p *program) eval(src string) (string, error) {
	if _, err := fmt.Fprintln(p.in, strconv.Quote(src)); err != nil {
		return "", err
	}
	if !p.out.Scan() {
		return "", errors.Join(errors.New("the host has died"), p.out.Err())
	}
	return strconv.Unquote(p.out.Text())
}

// line is one entry of a table: what is typed, and all that it prints.
type line struct{ src, want string }

// readLines reads a table: "> " begins an input, "! " one that has to be
// stopped, "| " goes on with it, all else is what it prints.
func readLines(t *testing.T, file string) []line {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []line
	for l := range strings.Lines(string(data)) {
		l = strings.TrimSuffix(l, "\n")
		text, isInput := strings.CutPrefix(l, "> ")
		stop, isStop := strings.CutPrefix(l, "! ")
		more, isMore := strings.CutPrefix(l, "| ")
		switch {
		case strings.HasPrefix(l, "# "):
		case isInput:
			all = append(all, line{src: text})
		case isStop:
			all = append(all, line{src: "//stop\n" + stop})
		case isMore:
			all[len(all)-1].src += "\n" + more
		default:
			all[len(all)-1].want += l + "\n"
		}
	}
	return all
}

// varying is what differs from run to run: addresses and times.
var varying = regexp.MustCompile(`0x[0-9a-f]{6,}|\b\d+(\.\d+)?(ms|µs|s)\b`)

func runTable(t *testing.T, file string) {
	p := start(t)
	for i, l := range readLines(t, file) {
		got, err := p.eval(l.src)
		if err != nil {
			t.Fatalf("%d: %s: %v", i+1, l.src, err)
		}
		if got != "" && !strings.HasSuffix(got, "\n") {
			got += "\n" // so does the shell, and a table cannot say it otherwise
		}
		if varying.ReplaceAllString(got, "~") != varying.ReplaceAllString(l.want, "~") {
			t.Errorf("%d: %s\n got %s\nwant %s", i+1, l.src, got, l.want)
		}
	}
}

// TestShort runs a table that has a line of every kind.
func TestShort(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds a program: run without -short")
	}
	runTable(t, "testdata/short.txt")
}

// TestTables runs all tables. Each line costs a quarter of a second.
func TestTables(t *testing.T) {
	if os.Getenv("PEERLAB_SOAK") == "" {
		t.Skip("takes minutes: set PEERLAB_SOAK=1, or run make soak")
	}
	files, err := filepath.Glob("testdata/lines/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no tables", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) { runTable(t, f) })
	}
}
