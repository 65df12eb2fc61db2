package netsim_test

import (
	"io"
	"net"
	"testing"

	"github.com/peerlab/peerlab/internal/netsim"
)

// BenchmarkStream compares a stream with net.Pipe, in chunks of 32 KB and of
// 100 bytes.
func BenchmarkStream(b *testing.B) {
	for _, size := range []struct {
		name  string
		bytes int
	}{{"32KB", 32 << 10}, {"100B", 100}} {
		b.Run(size.name+"/netsim", func(b *testing.B) {
			near, far := benchStream(b)
			benchCopy(b, near, far, size.bytes)
		})
		b.Run(size.name+"/pipe", func(b *testing.B) {
			near, far := net.Pipe()
			benchCopy(b, near, far, size.bytes)
		})
	}
}

func benchStream(b *testing.B) (near, far net.Conn) {
	n := netsim.New()
	ln, err := n.Host(ipB).Listen(b.Context(), ":7000")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	near, err = n.Host(ipA).Dial(b.Context(), ln.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	far, err = ln.Accept()
	if err != nil {
		b.Fatal(err)
	}
	return near, far
}

func benchCopy(b *testing.B, near, far net.Conn, size int) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer far.Close()
		buf := make([]byte, 32<<10)
		for {
			if _, err := far.Read(buf); err != nil {
				return
			}
		}
	}()
	chunk := make([]byte, size)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := near.Write(chunk); err != nil {
			b.Fatal(err)
		}
	}
	near.Close()
	<-done
}

// BenchmarkPacket compares a packet of 500 bytes there and back with the same
// over net.Pipe.
func BenchmarkPacket(b *testing.B) {
	b.Run("netsim", func(b *testing.B) {
		n := netsim.New()
		near, err := n.Host(ipA).ListenPacket(b.Context(), ":1")
		if err != nil {
			b.Fatal(err)
		}
		far, err := n.Host(ipB).ListenPacket(b.Context(), ":2")
		if err != nil {
			b.Fatal(err)
		}
		benchEcho(b,
			func(p []byte) (int, error) { return near.WriteTo(p, far.LocalAddr()) },
			func(p []byte) (int, error) { n, _, err := near.ReadFrom(p); return n, err },
			func(p []byte) error {
				n, from, err := far.ReadFrom(p)
				if err == nil {
					_, err = far.WriteTo(p[:n], from)
				}
				return err
			},
			func() { near.Close(); far.Close() })
	})
	b.Run("pipe", func(b *testing.B) {
		near, far := net.Pipe()
		benchEcho(b, near.Write,
			func(p []byte) (int, error) { return io.ReadFull(near, p) },
			func(p []byte) error {
				_, err := io.ReadFull(far, p)
				if err == nil {
					_, err = far.Write(p)
				}
				return err
			},
			func() { near.Close(); far.Close() })
	})
}

func benchEcho(b *testing.B, write, read func([]byte) (int, error), echo func([]byte) error, stop func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 500)
		for echo(buf) == nil {
		}
	}()
	buf := make([]byte, 500)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := write(buf); err != nil {
			b.Fatal(err)
		}
		if _, err := read(buf); err != nil {
			b.Fatal(err)
		}
	}
	stop()
	<-done
}
