package cli_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"
	"golang.org/x/sync/errgroup"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
	"github.com/peerlab/peerlab/internal/childtest"
	"github.com/peerlab/peerlab/internal/journal"
	harness "github.com/peerlab/peerlab/testserver/cli"
)

// The anchor of the figures below: a process that is nothing but a memberlist
// node, with the configuration that peers have. It prints its address, then
// "whole" when it knows as many members as it was told, and ends with its
// input.
//
//	bare SIZE [SEED]
func bare() {
	c := memberlist.DefaultLANConfig()
	c.TCPTimeout = 3 * time.Second
	c.DeadNodeReclaimTime = time.Second
	c.EnableCompression = false
	c.Name = strconv.Itoa(os.Getpid())
	c.BindAddr, c.BindPort, c.AdvertisePort = "127.0.0.1", 0, 0
	c.LogOutput = io.Discard
	changed := make(chan struct{}, 1)
	c.Events = bareEvents(changed)
	m, err := memberlist.Create(c)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.LocalNode().Address())
	size, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	if len(os.Args) > 2 {
		if _, err := m.Join(os.Args[2:]); err != nil {
			log.Fatal(err)
		}
	}
	go func() {
		for m.NumMembers() < size {
			<-changed
		}
		fmt.Println("whole")
	}()
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends
}

type bareEvents chan struct{}

func (e bareEvents) note() {
	select {
	case e <- struct{}{}:
	default:
	}
}
func (e bareEvents) NotifyJoin(*memberlist.Node)   { e.note() }
func (e bareEvents) NotifyLeave(*memberlist.Node)  { e.note() }
func (e bareEvents) NotifyUpdate(*memberlist.Node) { e.note() }

// crowd is a number of processes that end together.
type crowd struct {
	b    *testing.B
	cmds []*exec.Cmd
	ins  []io.Closer
}

func (c *crowd) start(env []string, name string, args ...string) io.Reader {
	c.b.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		c.b.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = env
	in, err := cmd.StdinPipe()
	if err != nil {
		c.b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		c.b.Fatal(err)
	}
	if err := childtest.Start(c.b, cmd); err != nil {
		c.b.Fatal(err)
	}
	c.cmds, c.ins = append(c.cmds, cmd), append(c.ins, in)
	return out
}

// end kills all and waits, so that no run leans on the one before.
func (c *crowd) end() {
	for i, cmd := range c.cmds {
		_ = cmd.Process.Kill() // it may have ended
		c.ins[i].Close()
	}
	for _, cmd := range c.cmds {
		_ = cmd.Wait() // it was killed
	}
}

// pss is the mean proportional set size of the processes, in bytes; 0 where
// the system does not tell.
func (c *crowd) pss() float64 {
	total := 0.0
	for _, cmd := range c.cmds {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", cmd.Process.Pid))
		if err != nil {
			return 0
		}
		for _, line := range strings.Split(string(raw), "\n") {
			var kb float64
			if n, _ := fmt.Sscanf(line, "Pss: %f kB", &kb); n == 1 {
				total += kb * 1024
			}
		}
	}
	return total / float64(len(c.cmds))
}

// convergeBare spawns size bare nodes and returns how long it took until each
// knew all.
func convergeBare(b *testing.B, size int) (took time.Duration, pss float64) {
	c := &crowd{b: b}
	defer c.end()
	start := time.Now()
	var outs []*bufio.Scanner
	seed := ""
	for i := range size {
		args := []string{strconv.Itoa(size)}
		if i > 0 {
			args = append(args, seed)
		}
		s := bufio.NewScanner(c.start(os.Environ(), "bare", args...))
		outs = append(outs, s)
		if i == 0 {
			if !s.Scan() {
				b.Fatal("the first bare node did not start")
			}
			seed = s.Text()
		}
	}
	for i, s := range outs {
		for s.Scan() && s.Text() != "whole" {
		}
		if s.Text() != "whole" {
			b.Fatalf("bare node %d ended early", i)
		}
	}
	took = time.Since(start)
	return took, c.pss()
}

// company counts, from what a peer shows, how many others are in its chat.
func company(out *bufio.Scanner, want int) error {
	present := map[string]bool{}
	for len(present) < want {
		if !out.Scan() {
			return fmt.Errorf("a peer ended when it had seen %d of %d others", len(present), want)
		}
		label, text, _ := strings.Cut(out.Text(), " ")
		name, rest, _ := strings.Cut(text, " ")
		switch {
		case label == "<joined>":
			present[name] = true
		case label == "<info>" && name == "here:":
			for _, n := range strings.Split(rest, ", ") {
				present[n] = true
			}
		case label == "<lost>" || label == "<left>":
			delete(present, name)
		}
	}
	return nil
}

// convergePeers spawns size peers as a person would, with a bootstrap service
// that is there already, and returns how long it took until each had seen all
// others enter its chat, which they do after they have become members.
func convergePeers(b *testing.B, size int) (took time.Duration, pss float64) {
	service, err := bootstrap.NewHandler(bootstrap.HandlerConfig{Store: bootstrap.NewMemoryStore()})
	if err != nil {
		b.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: service}
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(ln) }()
	defer func() { server.Close(); <-served }()

	c := &crowd{b: b}
	defer c.end()
	dir := b.TempDir()
	var all errgroup.Group
	start := time.Now()
	for i := range size {
		out := c.start(os.Environ(), "peer", fmt.Sprintf("p%d", i+1),
			"--bootstrap", "http://"+ln.Addr().String(), "--data", filepath.Join(dir, strconv.Itoa(i)))
		all.Go(func() error { return company(bufio.NewScanner(out), size-1) })
	}
	if err := all.Wait(); err != nil {
		b.Fatal(err)
	}
	took = time.Since(start)
	return took, c.pss()
}

// BenchmarkConverge compares peers with bare memberlist nodes: the time from
// the first spawn until everybody knows everybody, and the memory of a
// process, in pairs of runs that take turns. A peer knows somebody when he is
// in its chat, a bare node when he is in its list.
func BenchmarkConverge(b *testing.B) {
	for _, size := range []int{3, 10, 50} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			var bareMS, peerMS, ratio, mem []float64
			for b.Loop() {
				plain, plainPSS := convergeBare(b, size)
				took, pss := convergePeers(b, size)
				bareMS = append(bareMS, ms(plain))
				peerMS = append(peerMS, ms(took))
				ratio = append(ratio, float64(took)/float64(plain))
				if plainPSS > 0 {
					mem = append(mem, pss/plainPSS)
				}
			}
			b.ReportMetric(0, "ns/op") // the figures below say it better
			b.ReportMetric(median(bareMS), "bare-ms")
			b.ReportMetric(median(peerMS), "peers-ms")
			b.ReportMetric(median(ratio), "peers/bare")
			b.ReportMetric(slices.Max(ratio), "worst-peers/bare")
			if len(mem) > 0 {
				b.ReportMetric(median(mem), "pss/bare")
			}
		})
	}
}

// testserver is the program of that name, for the figure below.
func testserver() {
	childtest.Follow()
	self, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	os.Exit(harness.Main(context.Background(), os.Args[1:], harness.Process{
		Self: self, Environ: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	}))
}

// BenchmarkScenario runs scripts/scenario/default.cmd and reports how long it
// took from the start of the program until the last filter had its count, less
// the second of stability that its inserted await waits for. The anchor is
// three bare nodes that converge.
func BenchmarkScenario(b *testing.B) {
	script, err := filepath.Abs("../../scripts/scenario/default.cmd")
	if err != nil {
		b.Fatal(err)
	}
	var bareMS, tookMS, over []float64
	for b.Loop() {
		plain, _ := convergeBare(b, 3)
		took := scenario(b, script) - time.Second
		bareMS, tookMS = append(bareMS, ms(plain)), append(tookMS, ms(took))
		over = append(over, ms(took)-ms(plain))
	}
	b.ReportMetric(0, "ns/op") // the figures below say it better
	b.ReportMetric(median(bareMS), "bare-ms")
	b.ReportMetric(median(tookMS), "scenario-ms")
	b.ReportMetric(median(over), "over-ms")
	b.ReportMetric(slices.Max(over), "worst-over-ms")
}

// scenario runs a script that must pass, and returns the time until the last
// line was shown at a peer.
func scenario(b *testing.B, script string) time.Duration {
	path, err := exec.LookPath("testserver")
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(path, "run", script)
	cmd.Dir = b.TempDir()
	start := time.Now()
	if out, err := childtest.CombinedOutput(cmd); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	raw, err := os.Open(filepath.Join(cmd.Dir, "runs", "latest", "journal.jsonl"))
	if err != nil {
		b.Fatal(err)
	}
	defer raw.Close()
	var last time.Time
	for e, err := range journal.Read(raw) {
		if err != nil {
			b.Fatal(err)
		}
		if e.Type == journal.TypeView && e.Time.After(last) {
			last = e.Time
		}
	}
	return last.Sub(start)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}

// readyBare starts a bare node and returns how long it took until it printed
// its address.
func readyBare(b *testing.B) time.Duration {
	c := &crowd{b: b}
	defer c.end()
	start := time.Now()
	if !bufio.NewScanner(c.start(os.Environ(), "bare", "1")).Scan() {
		b.Fatal("the bare node did not start")
	}
	return time.Since(start)
}

// readyPeer starts a peer of a user who has no other, and
// returns how long it took until it was ready.
func readyPeer(b *testing.B) time.Duration {
	c := &crowd{b: b}
	defer c.end()
	run := b.TempDir()
	if err := os.Chmod(run, 0o700); err != nil {
		b.Fatal(err)
	}
	env := append(os.Environ(), "XDG_RUNTIME_DIR="+run, "XDG_STATE_HOME="+b.TempDir())
	start := time.Now()
	out := bufio.NewScanner(c.start(env, "peer", "alice"))
	for out.Scan() {
		if strings.HasPrefix(out.Text(), "ready as alice") {
			return time.Since(start)
		}
	}
	b.Fatal("the peer did not start")
	return 0
}

// BenchmarkStart compares a peer's first start, with a key to be made and the
// bootstrap service to be hosted, with the start of a bare memberlist node.
func BenchmarkStart(b *testing.B) {
	var bareMS, peerMS, over []float64
	for b.Loop() {
		plain, took := readyBare(b), readyPeer(b)
		bareMS, peerMS = append(bareMS, ms(plain)), append(peerMS, ms(took))
		over = append(over, ms(took)-ms(plain))
	}
	b.ReportMetric(0, "ns/op") // the figures below say it better
	b.ReportMetric(median(bareMS), "bare-ms")
	b.ReportMetric(median(peerMS), "peer-ms")
	b.ReportMetric(median(over), "over-ms")
	b.ReportMetric(slices.Max(over), "worst-over-ms")
}

// BenchmarkScriptLines has a real peer execute a script of 10,000 lines of
// echo, each recorded in its journal, and reports the time of a line; then
// that of help.
func BenchmarkScriptLines(b *testing.B) {
	const lines = 10_000
	script := filepath.Join(b.TempDir(), "long.cmd")
	var text strings.Builder
	for i := range lines {
		fmt.Fprintf(&text, "echo line %d\n", i)
	}
	if err := os.WriteFile(script, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	c := &crowd{b: b}
	defer c.end()
	out := bufio.NewScanner(c.start(os.Environ(), "peer", "alice", "--group", "figures", "--data", b.TempDir()))
	timed := func(command, last string) time.Duration {
		start := time.Now()
		if _, err := fmt.Fprintf(c.ins[0].(io.Writer), "%s\necho %s\n", command, last); err != nil {
			b.Fatal(err)
		}
		for out.Scan() {
			if out.Text() == last {
				return time.Since(start)
			}
		}
		b.Fatal("the peer ended early")
		return 0
	}
	timed("members", "=ready=")
	var line, help []float64
	for b.Loop() {
		line = append(line, 1000*ms(timed("execute "+script, "=end="))/lines)
		help = append(help, ms(timed("help", "=help=")))
	}
	b.ReportMetric(0, "ns/op") // the figures below say it better
	b.ReportMetric(median(line), "us/line")
	b.ReportMetric(slices.Max(line), "worst-us/line")
	b.ReportMetric(median(help), "help-ms")
}
