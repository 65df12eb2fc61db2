//go:build unix

package local_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/peer/cli"
	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/local"
	"github.com/peerlab/peerlab/testserver/report"
)

// The test binary is also the programs that the tests start: fake peers, a
// watchdog, a runner that gets killed, and something that just stays.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "fake-peer":
			os.Exit(fakePeer(os.Args[2], os.Args[3:]))
		case "fake-runner":
			os.Exit(fakeRunner(os.Args[2]))
		case "fake-world":
			os.Exit(fakeWorld(os.Args[2]))
		case "peer":
			os.Exit(realPeer(os.Args[2:]))
		case "watchdog":
			local.Watch(os.Stdin)
			os.Exit(0)
		case "stay":
			stay()
		}
	}
	goleak.VerifyTestMain(m)
}

// realPeer is the program peer.
func realPeer(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	return cli.Main(ctx, args, cli.Process{Env: os.Getenv, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr})
}

func stay() {
	signal.Ignore(syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT)
	time.Sleep(time.Minute) // until it is killed
	os.Exit(0)
}

// fakePeer is a peer that behaves as its mode says, and well otherwise.
func fakePeer(mode string, args []string) int {
	name, url := args[0], args[2]
	f := os.NewFile(3, "token")
	token, err := io.ReadAll(f)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	hello := testlink.Hello{Name: name, Boot: 1, PID: os.Getpid()}
	cfg := testlink.Config{URL: url, Token: string(token), Hello: hello}
	switch mode {
	case "no flags":
		fmt.Fprintln(os.Stderr, "fake: unknown flag --test")
		return 2
	case "silent":
		stay()
	case "undead":
		signal.Ignore(syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT)
	case "wrong token":
		cfg.Token += "x"
	case "another name":
		cfg.Hello.Name = "mallory"
	case "another version":
		return anotherVersion(url, string(token))
	case "flood":
		cfg.Queue = 100
	}
	link, err := testlink.Dial(context.Background(), cfg)
	if err != nil {
		fmt.Fprintln(os.Stderr, "fake:", err)
		return 1
	}
	p := &fake{mode: mode, name: name, link: link}
	ctx, cancel := context.WithCancel(context.Background())
	p.leave = cancel
	if err := link.Run(ctx, testlink.HandlerFunc(p.command)); err != nil {
		fmt.Fprintln(os.Stderr, "fake:", err)
		if mode == "undead" {
			stay()
		}
		return 1
	}
	if mode == "lives on" {
		stay()
	}
	return 0
}

func anotherVersion(url, token string) int {
	ws, _, err := websocket.Dial(context.Background(), url+testlink.Path, &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + token}},
	})
	if err != nil {
		return 9
	}
	_ = ws.Write(context.Background(), websocket.MessageText, []byte(`{"v":2,"type":"hello"}`))
	_, answer, _ := ws.Read(context.Background())
	fmt.Fprintln(os.Stderr, string(answer))
	return 1
}

type fake struct {
	mode, name string
	link       *testlink.Link
	leave      func()
	seq        atomic.Uint64
}

func (p *fake) record(text string) {
	n := p.seq.Add(1)
	line, _ := json.Marshal(journal.Event{V: 1, Time: time.Now(), Peer: p.name, Boot: 1, Seq: n, Type: "view", Text: text})
	p.link.Sink(journal.Event{}, line)
}

// command knows init, testfilter, misbehave and quit.
func (p *fake) command(ctx context.Context, line string) testlink.Result {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "init":
		p.link.Status(testlink.Status{Ready: true, Self: testlink.Node{Name: p.name, Boot: 1}})
	case "testfilter":
		f := strings.SplitN(rest, " ", 3)
		n, _ := strconv.Atoi(f[1])
		if err := p.link.Register(ctx, testlink.Filter{Stream: f[0], Count: n, Pattern: f[2]}); err != nil {
			return testlink.Result{Error: err.Error()}
		}
	case "misbehave":
		return p.misbehave(ctx)
	case "quit":
		p.leave()
	}
	return testlink.Result{OK: true}
}

func (p *fake) misbehave(ctx context.Context) testlink.Result {
	switch p.mode {
	case "crash":
		fmt.Fprintln(os.Stderr, "panic: boom")
		os.Exit(2)
	case "hang":
		<-ctx.Done()
		return testlink.Result{Error: "cancelled"}
	case "deaf":
		select {}
	case "stop":
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		select {} // the signal may take a moment to stop all threads
	case "flood":
		line, _ := json.Marshal(journal.Event{V: 1, Peer: p.name, Boot: 1, Seq: 1, Type: "view", Text: strings.Repeat("x", 20_000)})
		for range 5000 {
			p.link.Sink(journal.Event{}, line)
		}
	case "lie":
		line, _ := json.Marshal(journal.Event{V: 1, Peer: "bob", Boot: 1, Seq: 1, Type: "view"})
		p.link.Sink(journal.Event{}, line)
	case "race":
		fmt.Fprintln(os.Stderr, "WARNING: DATA RACE")
	case "leave somebody behind":
		if err := exec.Command(os.Args[0], "stay").Start(); err != nil {
			return testlink.Result{Error: err.Error()}
		}
	case "lives on", "undead":
		p.leave()
	case "print":
		p.record("PEERLAB_BUDGET=" + os.Getenv("PEERLAB_BUDGET") + " HOME=" + os.Getenv("HOME"))
	}
	return testlink.Result{OK: true}
}

// fakeRunner runs a world with two peers that do not end by themselves, and
// prints their process ids.
func fakeRunner(dir string) int {
	w := local.NewWorld(local.Config{Program: []string{os.Args[0], "fake-peer", "undead"}, Dir: func(name string) (string, error) {
		return dir, nil
	}})
	for i, name := range []string{"alice", "bob"} {
		w.Do(coordinator.Order{ID: uint64(i), Verb: coordinator.Start, Peer: name})
	}
	err := w.Run(context.Background(), func(m coordinator.Message) {
		if o, is := m.Body.(testlink.Opened); is {
			fmt.Println(o.Hello.PID)
		}
	})
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// fakeWorld runs a world with peers that do not end by themselves, of which
// one is paused, and prints what is told of them.
func fakeWorld(dir string) int {
	w := local.NewWorld(local.Config{Program: []string{os.Args[0], "fake-peer", "undead"}, Dir: func(name string) (string, error) {
		dir := filepath.Join(dir, name)
		return dir, os.MkdirAll(dir, 0o755)
	}})
	for i, o := range []coordinator.Order{
		{Verb: coordinator.Start, Peer: "alice"}, {Verb: coordinator.Start, Peer: "bob"},
		{Verb: coordinator.Pause, Peer: "bob"}, {Verb: coordinator.Start, Peer: "charly"},
	} {
		o.ID = uint64(i)
		w.Do(o)
	}
	err := w.Run(context.Background(), func(m coordinator.Message) {
		if m.Link != nil {
			m.Link.Command("init")
		}
		fmt.Printf("%T\n", m.Body)
	})
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// play runs a file with fake peers of the given mode.
func play(t *testing.T, mode, file string, change func(*coordinator.Config, *local.Config)) (*report.Result, *report.Dir) {
	t.Helper()
	script, err := language.Parse("x.cmd", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := report.Create(t.TempDir(), "x", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	world := local.Config{Program: []string{os.Args[0], "fake-peer", mode}, Env: os.Environ(), Dir: dir.Peer}
	cfg := coordinator.Config{Script: script, Recorder: dir, Hold: time.Millisecond, Settle: time.Millisecond}
	if change != nil {
		change(&cfg, &world)
	}
	cfg.World = local.NewWorld(world)
	r, err := coordinator.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r, dir
}
