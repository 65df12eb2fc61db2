package netx_test

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/peerlab/peerlab/internal/netsim"
	"github.com/peerlab/peerlab/internal/netx"
)

// BenchmarkDial compares opening a stream with a preface, one byte there and
// the end back, with a plain one.
func BenchmarkDial(b *testing.B) {
	sim := netsim.New()
	for _, network := range []struct {
		name string
		netx.Network
		addr string
	}{{"real", netx.Real{}, "127.0.0.1:0"}, {"netsim", sim.Host("10.0.0.1"), ":0"}} {
		for name, label := range map[string]string{"plain": "", "preface": "chat"} {
			b.Run(network.name+"/"+name, func(b *testing.B) { benchDial(b, network, network.addr, label) })
		}
	}
}

func benchDial(b *testing.B, n netx.Network, addr, label string) {
	e, err := netx.Open(b.Context(), netx.EndpointConfig{Network: n, Addr: addr})
	if err != nil {
		b.Fatal(err)
	}
	var answers sync.WaitGroup
	e.Handle(label, func(conn net.Conn) {
		answers.Go(func() {
			io.ReadFull(conn, make([]byte, 1))
			conn.Close()
		})
	})
	ended := make(chan error, 1)
	go func() { ended <- e.Serve(context.Background()) }()
	for b.Loop() {
		conn, err := e.Dial(b.Context(), e.Addr().String(), label)
		if err != nil {
			b.Fatal(err)
		}
		conn.Write([]byte("x"))
		conn.Read(make([]byte, 1))
		conn.Close()
	}
	e.Close()
	<-ended
	answers.Wait()
}
