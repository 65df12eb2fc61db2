package testlink_test

import (
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/testlink"
)

// BenchmarkRoundTrip compares a command and its result with a bare echo of
// about as many bytes over TCP, measured in the same run.
func BenchmarkRoundTrip(b *testing.B) {
	s := newServer(b, nil)
	link := dial(b, s.config())
	stop, _ := serve(b, link, ok)
	conn := s.next(b).conn
	echo := newEcho(b)
	var ours, bare []time.Duration
	for b.Loop() {
		t := time.Now()
		conn.Command("msg hello")
		if _, is := (<-s.heard).m.(testlink.Finished); !is {
			b.Fatal("no result")
		}
		ours = append(ours, time.Since(t))
		t = time.Now()
		echo()
		bare = append(bare, time.Since(t))
	}
	stop()
	b.ReportMetric(float64(p50(ours).Microseconds()), "us-p50")
	b.ReportMetric(float64(p50(bare).Microseconds()), "us-p50-tcp")
	b.ReportMetric(float64(p50(ours))/float64(p50(bare)), "ratio")
}

func p50(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// newEcho returns a function that sends 64 bytes and reads them back.
func newEcho(b *testing.B) func() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	go func() {
		if c, err := l.Accept(); err == nil {
			_, _ = io.Copy(struct{ io.Writer }{c}, struct{ io.Reader }{c})
			c.Close()
		}
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	buf := make([]byte, 64)
	return func() {
		if _, err := c.Write(buf); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(c, buf); err != nil {
			b.Fatal(err)
		}
	}
}
