package chat_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/peerlab/peerlab/peer/chat"
	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/extension/extensiontest"
)

// The fan-out of one sender, over loopback TCP, all receivers in this
// process: the room against two anchors in the same run, turn by turn. One
// dials each receiver for each message, the other writes each message to
// connections that stay open. Neither queues, numbers, acknowledges or shows.
//
//	go test -run XXX -bench FanOut -benchtime 10x ./peer/chat

// fan is one way to send 64 bytes to everybody.
type fan interface {
	send(i int)                // may return before the message has arrived
	shown(f func(i int))       // f is called at each receiver, by any goroutine
	concurrent() (senders int) // how many goroutines may send at once
}

const textSize = 64

func BenchmarkFanOutFlatOut(b *testing.B) {
	for _, peers := range []int{2, 10, 50} {
		b.Run(fmt.Sprint(peers, "-peers"), func(b *testing.B) {
			room, dial, bare := newRoomFan(b, peers), newDialFan(b, peers), newBareFan(b, peers)
			n := 150000 / peers
			flatOut(room, n, peers-1) // warm
			var rates, overDial, overBare []float64
			for b.Loop() {
				d1 := flatOut(dial, max(n/200, 20), peers-1)
				p1 := flatOut(bare, n, peers-1)
				r1 := flatOut(room, n, peers-1)
				r2 := flatOut(room, n, peers-1)
				p2 := flatOut(bare, n, peers-1)
				d2 := flatOut(dial, max(n/200, 20), peers-1)
				rates = append(rates, (r1+r2)/2)
				overDial = append(overDial, (r1+r2)/(d1+d2))
				overBare = append(overBare, (r1+r2)/(p1+p2))
			}
			b.ReportMetric(median(rates), "msg/s")
			b.ReportMetric(median(overDial), "x-dial")
			b.ReportMetric(median(overBare), "x-bare")
		})
	}
}

func BenchmarkFanOutPaced(b *testing.B) {
	for _, peers := range []int{2, 10, 50} {
		b.Run(fmt.Sprint(peers, "-peers"), func(b *testing.B) {
			room, bare := newRoomFan(b, peers), newBareFan(b, peers)
			paced(room, 10, peers-1)
			var p50, overBare []float64
			for b.Loop() {
				p1 := paced(bare, 50, peers-1)
				r1 := paced(room, 50, peers-1)
				r2 := paced(room, 50, peers-1)
				p2 := paced(bare, 50, peers-1)
				p50 = append(p50, (r1+r2)/2)
				overBare = append(overBare, (r1+r2)/(p1+p2))
			}
			b.ReportMetric(median(p50)*1e6, "µs-p50")
			b.ReportMetric(median(overBare), "x-bare-p50")
		})
	}
}

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}

// flatOut sends n messages as fast as possible and returns how many a second
// reached everybody.
func flatOut(f fan, n, receivers int) float64 {
	var left atomic.Int64
	left.Store(int64(n * receivers))
	done := make(chan struct{})
	f.shown(func(int) {
		if left.Add(-1) == 0 {
			close(done)
		}
	})
	start := time.Now()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range f.concurrent() {
		wg.Go(func() {
			for i := int(next.Add(1)); i <= n; i = int(next.Add(1)) {
				f.send(i)
			}
		})
	}
	wg.Wait()
	await(done, func() any { return fmt.Sprintf("%T %d of %d", f, left.Load(), n) })
	return float64(n) / time.Since(start).Seconds()
}

// await waits for the last message, but not for ever.
func await(done chan struct{}, missing func() any) {
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		panic(fmt.Sprint("not delivered: ", missing()))
	}
}

// paced sends n messages, one every 5 ms, and returns the median time in
// seconds until a receiver had one.
func paced(f fan, n, receivers int) float64 {
	sent := make([]atomic.Int64, n)
	start := time.Now()
	var mu sync.Mutex
	var took []float64
	done := make(chan struct{})
	f.shown(func(i int) {
		d := time.Since(start) - time.Duration(sent[i].Load())
		mu.Lock()
		defer mu.Unlock()
		if took = append(took, d.Seconds()); len(took) == n*receivers {
			close(done)
		}
	})
	for i := range n {
		time.Sleep(5 * time.Millisecond) // the pace of the messages, which are not to wait for each other
		sent[i].Store(int64(time.Since(start)))
		f.send(i)
	}
	await(done, func() any { return n })
	return median(took)
}

// roomFan is the subject.
type roomFan struct {
	room  *chat.Room
	peers []*extensiontest.Peer
}

func newRoomFan(b *testing.B, n int) *roomFan {
	l := newListener(b)
	w := extensiontest.NewWorld(b)
	w.Connect = func() (extension.Stream, extension.Stream, error) {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			return nil, nil, err
		}
		d, err := l.Accept()
		return c, d, err
	}
	f := &roomFan{}
	var all []*extensiontest.Peer
	for i := range n {
		p, r := w.Peer(fmt.Sprint("p", i)), newRoom(b, chat.Config{AckWait: 20 * time.Second})
		if i == 0 {
			f.room = r
			p.OnShow(func(extension.Line) {}) // so that its events are not kept
		} else {
			f.peers = append(f.peers, p)
		}
		all = append(all, p)
		p.Start(r)
		p.Ready()
	}
	w.Wait("everybody is in the chat", func() bool {
		return !slices.ContainsFunc(all, func(p *extensiontest.Peer) bool { return len(p.Present()) < n-1 })
	})
	return f
}

func (f *roomFan) send(i int) {
	text := fmt.Sprintf("%-*d", textSize-1, i) + "."
	d, err := f.room.Send(context.Background(), text)
	if err != nil || len(d.Reached)+len(d.Pending) != len(f.peers) {
		panic(fmt.Sprint(d, err))
	}
}

func (f *roomFan) shown(g func(int)) {
	for _, p := range f.peers {
		p.OnShow(func(l extension.Line) {
			if l.Kind == extension.Plain {
				var i int
				for _, c := range l.Text[:strings.IndexByte(l.Text, ' ')] {
					i = 10*i + int(c-'0')
				}
				g(i)
			}
		})
	}
}

func (f *roomFan) concurrent() int { return 240 }

// receiver reads messages of the anchors.
type receiver struct {
	mu sync.Mutex
	f  func(int)
}

func (r *receiver) shown(f func(int)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.f = f
}

func (r *receiver) serve(c net.Conn) {
	defer c.Close()
	var buf [textSize]byte
	for {
		if _, err := io.ReadFull(c, buf[:]); err != nil {
			return
		}
		r.mu.Lock()
		f := r.f
		r.mu.Unlock()
		f(int(binary.BigEndian.Uint32(buf[:])))
	}
}

func newListener(b *testing.B) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	return l
}

// listen starts a receiver.
func (r *receiver) listen(b *testing.B) (addr string) {
	l := newListener(b)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go r.serve(c)
		}
	}()
	return l.Addr().String()
}

func payload(i int) []byte {
	buf := make([]byte, textSize)
	binary.BigEndian.PutUint32(buf, uint32(i))
	return buf
}

// dialFan dials for each message and receiver.
type dialFan struct {
	receiver
	addrs []string
}

func newDialFan(b *testing.B, n int) *dialFan {
	f := &dialFan{}
	for range n - 1 {
		f.addrs = append(f.addrs, f.listen(b))
	}
	return f
}

func (f *dialFan) send(i int) {
	buf := payload(i)
	for _, addr := range f.addrs {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			panic(err)
		}
		c.Write(buf)
		c.Close()
	}
}

func (f *dialFan) concurrent() int { return 1 }

// bareFan writes to connections that stay open.
type bareFan struct {
	receiver
	conns []net.Conn
}

func newBareFan(b *testing.B, n int) *bareFan {
	f := &bareFan{}
	for range n - 1 {
		c, err := net.Dial("tcp", f.listen(b))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { c.Close() })
		f.conns = append(f.conns, c)
	}
	return f
}

func (f *bareFan) send(i int) {
	buf := payload(i)
	for _, c := range f.conns {
		if _, err := c.Write(buf); err != nil {
			panic(err)
		}
	}
}

func (f *bareFan) concurrent() int { return 1 }
