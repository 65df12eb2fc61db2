package server_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
	"github.com/peerlab/peerlab/bootstrap-api/storetest"
	"github.com/peerlab/peerlab/bootstrap-server/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start runs the program and returns its URL. It is ended, and must end in
// order, with the test.
func start(t *testing.T, args, env []string) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	out, stdout := io.Pipe()
	var stderr bytes.Buffer
	status := make(chan int, 1)
	go func() {
		status <- server.Run(ctx, args, env, strings.NewReader(""), stdout, &stderr)
		stdout.Close()
	}()
	t.Cleanup(func() {
		stop()
		if got := <-status; got != 0 || stderr.Len() > 0 {
			t.Errorf("status %d, stderr %q", got, &stderr)
		}
	})
	line := make([]byte, 200) // the program prints its line in one write
	n, _ := out.Read(line)
	m := regexp.MustCompile(`^serving (http://\S+) \(.+\)\n$`).FindStringSubmatch(string(line[:n]))
	if m == nil {
		stop()
		t.Fatalf("line %q, stderr %q", line[:n], &stderr)
	}
	return m[1]
}

func TestConformance(t *testing.T) {
	c, err := bootstrap.NewClient(bootstrap.ClientConfig{URL: start(t, []string{"--addr", "127.0.0.1:0"}, nil), Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	storetest.RunService(t, c)
}

func TestTTLFromEnvironment(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		want int
	}{
		"environment": {[]string{"--addr", "127.0.0.1:0"}, 33},
		"flag wins":   {[]string{"--addr", "127.0.0.1:0", "--ttl", "44s"}, 44},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := bootstrap.NewClient(bootstrap.ClientConfig{URL: start(t, tt.args, []string{"PEERLAB_TTL=33s", "HOME"})})
			if err != nil {
				t.Fatal(err)
			}
			if info, err := c.Info(t.Context()); err != nil || info.TTLSeconds != tt.want {
				t.Errorf("%+v, %v; want leases of %d s", info, err, tt.want)
			}
		})
	}
}

func TestPortInUse(t *testing.T) {
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	var stdout, stderr bytes.Buffer
	status := server.Run(t.Context(), []string{"--addr", ln.Addr().String()}, nil, strings.NewReader(""), &stdout, &stderr)
	if status != 1 || stdout.Len() > 0 || !strings.Contains(stderr.String(), "is in use: stop the program that has it, or choose another one with --addr") {
		t.Errorf("status %d, stdout %q, stderr %q", status, &stdout, &stderr)
	}
}
