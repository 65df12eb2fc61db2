package bootstrap_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
	"github.com/peerlab/peerlab/internal/netx"
)

// A service in this process, and two peers that find each other by it.
func Example() {
	handler, err := bootstrap.NewHandler(bootstrap.HandlerConfig{Store: bootstrap.NewMemoryStore()})
	if err != nil {
		fmt.Println(err)
		return
	}
	url, stop := listen(handler)
	defer stop()

	client, err := bootstrap.NewClient(bootstrap.ClientConfig{URL: url})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	for i, name := range []string{"alice", "bob"} {
		reply, err := client.Join(ctx, bootstrap.DefaultGroup, bootstrap.JoinRequest{
			ID: "id-" + name, Name: name, Boot: 1, Addr: fmt.Sprintf("192.0.2.1:%d", 4001+i),
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s is listed: %v, renews after %v\n", name, reply.Admitted, reply.Lease.RenewAfter)
		for _, p := range reply.Group.Peers {
			fmt.Println(" ", p.Name, p.Addr)
		}
	}
	// Output:
	// alice is listed: true, renews after 30s
	//   alice 192.0.2.1:4001
	// bob is listed: true, renews after 30s
	//   alice 192.0.2.1:4001
	//   bob 192.0.2.1:4002
}

// A refusal says what would be right; for a taken name also as a value.
func ExampleError() {
	s := bootstrap.NewState()
	for _, id := range []string{"id-1", "id-2"} {
		_, err := s.Join(epoch, bootstrap.JoinRequest{ID: id, Name: "alice", Boot: 1, Addr: "192.0.2.1:4001", TTL: 90e9}, "token")
		if refusal, ok := errors.AsType[*bootstrap.Error](err); ok && errors.Is(err, bootstrap.ErrNameTaken) {
			fmt.Println(err)
			fmt.Println(refusal.Free)
		}
	}
	// Output:
	// the name alice is taken by another peer: alice2 is free
	// alice2
}

// listen serves on a free port of the loopback interface.
func listen(h http.Handler) (url string, stop func()) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- netx.ServeHTTP(ctx, ln, h) }()
	return "http://" + ln.Addr().String(), func() {
		cancel()
		<-done
	}
}
