package cli_test

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/peerlab/peerlab/internal/childtest"
	"github.com/peerlab/peerlab/testserver/cli"
	"github.com/peerlab/peerlab/testserver/report"
)

// The test binary is also the program: `testserver` on the path runs it.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"testserver": program})
}

func program() {
	childtest.Follow()
	self, err := exec.LookPath("testserver")
	if err != nil {
		panic(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(cli.Main(ctx, os.Args[1:], cli.Process{
		Self: self, Environ: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	}))
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			root, err := filepath.Abs("../..")
			e.Setenv("ROOT", root)
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": status, "lines": lines,
		},
	})
}

// status N COMMAND...: the command ends with exactly this status.
func status(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("status %d, want %d", got, want)
	}
}

// lines OP N REGEXP: the standard output of the last command has so many
// lines that match. OP is = or <=.
func lines(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	re, err := regexp.Compile(args[2])
	ts.Check(err)
	got := 0
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		if re.MatchString(strings.TrimSuffix(line, "\n")) {
			got++
		}
	}
	if args[0] == "=" && got != n || got > n {
		ts.Fatalf("%d lines match %s, want %s %d", got, args[2], args[0], n)
	}
}

// start starts the program in a directory of its own.
func start(t *testing.T, env []string, args ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, "testserver", args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := childtest.Start(t, cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd, bufio.NewScanner(out)
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs the signals of Unix: run it there")
	}
	file, out := write(t, "long.cmd", "alice init\nalice sleep 20\n"), t.TempDir()
	cmd, lines := start(t, nil, "run", "-v", "--out", out, file)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "alice init") {
			break
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	last := ""
	for lines.Scan() {
		last = lines.Text()
	}
	_ = cmd.Wait()
	if cmd.ProcessState.ExitCode() != 130 || !strings.HasPrefix(last, "INTERRUPTED") {
		t.Errorf("%s; last line %q", cmd.ProcessState, last)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("took %s to end", took)
	}
	r, err := report.Load(filepath.Join(out, "latest"))
	if err != nil || r.Verdict != report.Interrupted {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestInterruptSuite interrupts two of three scenarios: their cleanups run, no
// run is shrunk, and what was not run is said.
func TestInterruptSuite(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs the signals of Unix: run it there")
	}
	dir, out := t.TempDir(), t.TempDir()
	for _, name := range []string{"a.cmd", "b.cmd", "c.cmd"} {
		text := "peers alice\nalice sleep 30\ncleanup { alice echo tidied }\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd, lines := start(t, nil, "run", "--parallel", "2", "--shrink", "--out", out, dir)
	sleeping := func(name string) bool {
		found, _ := filepath.Glob(filepath.Join(out, "*-"+name, "journal.jsonl"))
		data := []byte{}
		if len(found) == 1 {
			data, _ = os.ReadFile(found[0])
		}
		return strings.Contains(string(data), "start alice")
	}
	// What a run has come to stands in its files, and nobody tells when they grow.
	for deadline := time.Now().Add(30 * time.Second); !sleeping("a") || !sleeping("b"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("they have not started")
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var all []string
	for lines.Scan() {
		all = append(all, lines.Text())
	}
	_ = cmd.Wait()
	text := strings.Join(all, "\n")
	if cmd.ProcessState.ExitCode() != 130 {
		t.Errorf("%s", cmd.ProcessState)
	}
	for _, want := range []string{`\nINTERRUPTED +[0-9.]+ +\S+a.cmd `, `\nINTERRUPTED +[0-9.]+ +\S+b.cmd `, `\nNOT RUN +- +\S+c.cmd\n`,
		`\n2 runs: 0 passed, .*, 2 interrupted; 1 scenario not run$`} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "shrink") {
		t.Error("something was shrunk")
	}
	r, err := report.Load(filepath.Join(out, "latest"))
	if err != nil || len(r.Rows) != 2 || strings.TrimSpace(r.Rows[1].Output) != "tidied" || r.Rows[1].Status != report.OK {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestServe(t *testing.T) {
	home := t.TempDir()
	env := []string{"HOME=" + home, "XDG_RUNTIME_DIR=" + home, "PEERLAB_TOKEN=abc"}
	file := write(t, "two.cmd", "alice init\nbob init\nalice testfilter messagesView 1 <bob> hi\nbob msg hi\nalice quit\n")
	server, lines := start(t, env, "serve", "--out", t.TempDir(), file)
	lines.Scan()
	url := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "url:"))
	if lines.Scan(); lines.Text() != "token: abc" {
		t.Fatalf("second line %q", lines.Text())
	}
	var peers []*exec.Cmd
	for _, name := range []string{"alice", "bob"} {
		p, _ := start(t, env, "peer", name, "--test", url, "--headless", "--plain", "--group", "serve-test")
		peers = append(peers, p)
	}
	var last string
	for lines.Scan() {
		last = lines.Text()
	}
	_ = server.Wait()
	if server.ProcessState.ExitCode() != 0 || !strings.HasPrefix(last, "PASSED") {
		t.Errorf("%s: %s", server.ProcessState, last)
	}
	for _, p := range peers { // told that the run is over, they end
		if err := p.Wait(); err != nil {
			t.Logf("%v: %v", p.Args, err)
		}
	}
}

// TestHelp keeps the help of every command useful: a summary, and a text for
// every flag.
func TestHelp(t *testing.T) {
	var out strings.Builder
	for _, name := range []string{"run", "serve", "list", "report", "lint", "fmt"} {
		out.Reset()
		if s := cli.Main(t.Context(), []string{name, "--help"}, cli.Process{Stdout: &out, Stderr: &out}); s != 0 {
			t.Errorf("%s --help: status %d", name, s)
		}
		if !strings.Contains(out.String(), "Usage:") || strings.Contains(out.String(), "watchdog") {
			t.Errorf("%s", out.String())
		}
	}
}

func TestWrongFlags(t *testing.T) {
	for _, args := range [][]string{
		{"nonsense"}, {"run"}, {"run", "--nonsense", "x"}, {"run", "/nowhere/x.cmd"}, {"run", "--budget", "-1s", "x"},
		{"run", "--filter", "(", "."}, {"report", "/nowhere"}, {"serve"}, {"lint"}, {"fmt"}, {"fmt", "-w", "--check", "x"},
	} {
		var out, errs strings.Builder
		if s := cli.Main(t.Context(), args, cli.Process{Stdout: &out, Stderr: &errs}); s != cli.StatusBroken {
			t.Errorf("%q: status %d", args, s)
		}
		if !strings.HasPrefix(errs.String(), "testserver: ") {
			t.Errorf("%q says %q", args, errs.String())
		}
	}
	env := []string{"PEERLAB_BUDGET=soon"}
	var errs strings.Builder
	if s := cli.Main(t.Context(), []string{"run", "."}, cli.Process{Environ: env, Stderr: &errs}); s != cli.StatusBroken || !strings.Contains(errs.String(), "PEERLAB_BUDGET") {
		t.Errorf("%d: %s", s, errs.String())
	}
}

// BenchmarkDefault is how long the default scenario takes, program start and
// all, beside the second of stability and the half second of holding.
func BenchmarkDefault(b *testing.B) {
	file, err := filepath.Abs("../../scripts/scenario/default.cmd")
	if err != nil {
		b.Fatal(err)
	}
	self, err := exec.LookPath("testserver")
	if err != nil {
		b.Fatal(err)
	}
	var took []time.Duration
	out := b.TempDir()
	for b.Loop() {
		began := time.Now()
		if output, err := childtest.CombinedOutput(exec.Command(self, "run", "--out", out, file)); err != nil {
			b.Fatalf("%v\n%s", err, output)
		}
		took = append(took, time.Since(began)-1500*time.Millisecond)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "ms-p50-without-waits")

}
