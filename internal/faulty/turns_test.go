package faulty_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerlab/peerlab/internal/faulty"
)

// This file is about the moments at which rules come and go while calls are
// under way.

func slow() faulty.Rule { return faulty.Rule{Latency: 100 * ms} }

// big is more than all buffers of a stream take.
func big(b byte) []byte { return bytes.Repeat([]byte{b}, 1<<20) }

// readAll reads a stream to its end, and says what came as "1048576 a, 1 b".
func readAll(t *testing.T, c net.Conn) (got string) {
	t.Helper()
	all, err := io.ReadAll(c)
	if err != nil {
		t.Error(err)
	}
	for len(all) > 0 {
		rest := bytes.TrimLeft(all, string(all[:1]))
		if got != "" {
			got += ", "
		}
		got += fmt.Sprint(len(all)-len(rest), " ", string(all[:1]))
		all = rest
	}
	return got
}

// A write that waits for the other side when a rule comes ends before the next
// one begins.
func TestRuleDuringAWrite(t *testing.T) {
	pair(t, func(t *testing.T, a, b *host) {
		near, far := stream(t, a, b)
		var writes sync.WaitGroup
		writes.Go(func() { near.Write(big('a')) })
		synctest.Wait() // it waits for room
		a.rule(b, slow(), faulty.Rule{})
		writes.Go(func() { near.Write([]byte("b")) })
		go func() {
			writes.Wait()
			near.Close()
		}()
		time.Sleep(time.Second)
		if got := readAll(t, far); got != "1048576 a, 1 b" {
			t.Errorf("read %s", got)
		}
	})
}

// Its deadline stays its own.
func TestDeadlineDuringAWrite(t *testing.T) {
	pair(t, func(t *testing.T, a, b *host) {
		near, _ := stream(t, a, b)
		start := time.Now()
		near.SetWriteDeadline(start.Add(2 * time.Second))
		ended := make(chan error)
		go func() { ended <- second(near.Write(big('a'))) }()
		synctest.Wait()
		a.rule(b, slow(), faulty.Rule{})
		near.Write([]byte("b"))
		time.Sleep(time.Second)
		near.SetWriteDeadline(start.Add(3 * time.Second))
		if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("the write ends with %v after %v", err, time.Since(start))
		}
	})
}

// A stream that was closed ends when the other side takes nothing any more.
func TestCloseForOneWhoIsGone(t *testing.T) {
	pair(t, func(t *testing.T, a, b *host) {
		near, far := stream(t, a, b)
		a.rule(b, slow(), faulty.Rule{})
		near.Write([]byte("a"))
		near.Close()
		far.Close()
		time.Sleep(time.Second)
		if n, err := a.Reset([]string{"bob"}); n != 0 || err != nil {
			t.Errorf("%d streams are left, %v", n, err)
		}
	})
}

// A read that waits when its stream is closed in a cut ends at once.
func TestCloseDuringARead(t *testing.T) {
	pair(t, func(t *testing.T, a, b *host) {
		near, _ := stream(t, a, b)
		ended := make(chan error)
		go func() { ended <- second(near.Read(make([]byte, 1))) }()
		synctest.Wait()
		a.rule(b, faulty.Rule{Cut: true}, faulty.Rule{Cut: true})
		start := time.Now()
		near.Close()
		if err := <-ended; !errors.Is(err, net.ErrClosed) || time.Since(start) != 0 {
			t.Errorf("the read ends with %v after %v", err, time.Since(start))
		}
	})
}

// What was written under a rule goes its way when the rule is gone, and the
// stream is closed.
func TestCloseAfterARule(t *testing.T) {
	for name, content := range map[string][]byte{"under way": []byte("a"), "more than the other side takes": big('a')[:400<<10], "one byte more": big('a')[:256<<10+1]} {
		t.Run(name, func(t *testing.T) {
			pair(t, func(t *testing.T, a, b *host) {
				near, far := stream(t, a, b)
				a.rule(b, slow(), faulty.Rule{})
				if _, err := near.Write(content); err != nil {
					t.Fatal(err)
				}
				if len(content) > 1 {
					time.Sleep(time.Second)
				}
				a.set(faulty.Table{})
				near.Close()
				if got, want := readAll(t, far), fmt.Sprint(len(content), " a"); got != want {
					t.Errorf("read %s, want %s", got, want)
				}
			})
		})
	}
}

func TestWritesDoNotMix(t *testing.T) {
	pair(t, func(t *testing.T, a, b *host) {
		near, far := stream(t, a, b)
		a.rule(b, slow(), faulty.Rule{})
		var writes sync.WaitGroup
		for _, text := range []byte("ab") {
			writes.Go(func() { near.Write(big(text)) })
		}
		go func() {
			writes.Wait()
			near.Close()
		}()
		if got := readAll(t, far); got != "1048576 a, 1048576 b" && got != "1048576 b, 1048576 a" {
			t.Errorf("read %s", got)
		}
	})
}

// Who does not read pushes back on the other side, through a cut too.
func TestCutPushesBack(t *testing.T) {
	pair(t, func(t *testing.T, a, b *host) {
		near, far := stream(t, a, b)
		a.rule(b, faulty.Rule{Cut: true}, faulty.Rule{Cut: true})
		near.SetReadDeadline(time.Now().Add(time.Second))
		near.Read(make([]byte, 1)) // from now on there is a queue
		far.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := far.Write(make([]byte, 10<<20))
		if !errors.Is(err, os.ErrDeadlineExceeded) || n > 2<<20 {
			t.Errorf("wrote %d bytes to one who does not read, %v", n, err)
		}
	})
}

// A packet that arrived and is kept does not pass a cut that came meanwhile.
func TestCutStopsWhatIsKept(t *testing.T) {
	pair(t, func(t *testing.T, a, b *host) {
		table := func(from faulty.Rule) faulty.Table {
			return faulty.Table{Self: "alice", Alone: true, Peers: []faulty.Peer{{Name: "bob", Addr: b.addr, From: from}}}
		}
		a.set(table(slow()))
		start := time.Now()
		time.AfterFunc(50*ms, func() { a.set(table(faulty.Rule{Cut: true})) })
		time.AfterFunc(200*ms, func() { a.set(table(faulty.Rule{})) })
		b.send(a, "x")
		if got := a.arrives(start, time.Second); got != "" {
			t.Errorf("arrived %q", got)
		}
	})
}

// A link has the same fates whichever of its ends applies them, and a seed the
// same whatever seed there was before.
func TestFatesBelongToTheLink(t *testing.T) {
	rule := faulty.Rule{Loss: 0.3, Dup: 0.3, Jitter: 100 * ms}
	run := func(apply func(a, b *host)) (got string) {
		pair(t, func(t *testing.T, a, b *host) {
			start := time.Now()
			apply(a, b)
			for i := range 40 {
				a.send(b, fmt.Sprint(i))
			}
			got = b.arrives(start, time.Second)
		})
		return got
	}
	atAlice := func(seed uint64) func(a, b *host) {
		return func(a, b *host) {
			a.set(faulty.Table{Seed: seed, Self: "alice", Peers: []faulty.Peer{{Name: "bob", Addr: b.addr, To: rule}}})
		}
	}
	want := run(atAlice(7))
	atBob := run(func(a, b *host) {
		b.set(faulty.Table{Seed: 7, Self: "bob", Alone: true, Peers: []faulty.Peer{{Name: "alice", Addr: a.addr, From: rule}}})
	})
	if atBob != want {
		t.Errorf("where bob applies it there arrive\n%s\nwhere alice does\n%s", atBob, want)
	}
	later := run(func(a, b *host) {
		atAlice(3)(a, b)
		for range 10 {
			a.packets.WriteTo([]byte("x"), net.UDPAddrFromAddrPort(b.addr))
		}
		b.arrives(time.Now(), 200*ms)
		atAlice(7)(a, b)
	})
	if len(later) == 0 || texts(later) != texts(want) {
		t.Errorf("after another seed there arrive\n%s\nwant\n%s", later, want)
	}
}

// texts are the packets of what arrived, without their times.
func texts(arrived string) (all string) {
	for _, p := range bytes.Split([]byte(arrived), []byte(", ")) {
		text, _, _ := bytes.Cut(p, []byte(" "))
		all += string(text) + " "
	}
	return all
}
