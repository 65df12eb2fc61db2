// Package server is the program bootstrap-server as a function: flags in, a
// running service, an exit status out. Everything that the program takes from
// its surroundings (arguments, environment, streams, the signal to stop) is
// an argument, so that tests run it in their own process.
//
// The service itself is package bootstrap; here is only what a program adds:
// flags, a listener, the choice of a store, and the refusal to be open to
// strangers by accident.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
	"github.com/peerlab/peerlab/bootstrap-api/filestore"
	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/internal/netx"
	"github.com/peerlab/peerlab/internal/program"
)

const help = `The bootstrap service of Peerlab: starting peers ask it whom to contact first.

Peers that run as one user on one machine need no such program, they host the
service among themselves. Start one when peers of several machines or users
shall meet, and give them its URL: peer NAME --bootstrap URL.

Each flag can also be given in the environment: --token-file as
PEERLAB_TOKEN_FILE. A flag wins over the environment.`

const examples = `  bootstrap-server
  bootstrap-server --store file:bootstrap.json
  bootstrap-server --addr 0.0.0.0:8080 --token-file token --allow-host lab.example`

// options are the program's flags.
type options struct {
	addr       string
	store      string
	ttl        time.Duration
	tokenFile  string
	allowHosts []string
	open       bool
}

// Run is the program: args are those after its name, env is as os.Environ
// gives it. It serves until ctx ends and returns the exit status: 0 for an
// orderly end, 1 if something was wrong, which it has then told on stderr.
// When it serves, it prints one line with its URL on stdout.
func Run(ctx context.Context, args, env []string, stdin io.Reader, stdout, stderr io.Writer) int {
	cmd := command(lookup(env))
	cmd.SetArgs(args)
	cmd.SetIn(stdin)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	program.Complete(cmd, args)
	if err := cmd.ExecuteContext(ctx); err != nil {
		fmt.Fprintf(stderr, "bootstrap-server: %s\n", program.Line(err))
		return 1
	}
	return 0
}

// Command is the program with its flags, to be written down in a manual. It
// is not for running: see Run.
func Command() *cobra.Command { return command(lookup(nil)) }

func command(env func(name string) string) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:           "bootstrap-server",
		Short:         "The bootstrap service of Peerlab",
		Long:          help,
		Example:       examples,
		Version:       program.Version(),
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serve(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.addr, "addr", "127.0.0.1:8080", "`HOST:PORT` to listen on; port 0 is a free one")
	f.StringVar(&o.store, "store", "mem", "where groups are kept: mem, or file:`PATH`")
	f.DurationVar(&o.ttl, "ttl", 90*time.Second, "how long a peer is listed that does not renew its record")
	f.StringVar(&o.tokenFile, "token-file", "", "`FILE` with the token that peers must give")
	f.StringSliceVar(&o.allowHosts, "allow-host", nil, "`NAME` under which others address this machine (repeatable)")
	f.BoolVar(&o.open, "open", false, "let in everybody who can reach a non-loopback address")
	program.Prepare(cmd, env)
	return cmd
}

// lookup finds a variable in an environment.
func lookup(env []string) func(name string) string {
	return func(name string) string {
		for _, entry := range env {
			if value, ok := strings.CutPrefix(entry, name+"="); ok {
				return value
			}
		}
		return ""
	}
}

func serve(ctx context.Context, o options, stdout, stderr io.Writer) (err error) {
	token, err := readToken(o.tokenFile)
	if err != nil {
		return err
	}
	if err := checkExposure(o, token); err != nil {
		return err
	}
	if o.ttl < time.Second || o.ttl > maxTTL || o.ttl%time.Second != 0 {
		return fmt.Errorf("--ttl %v: give whole seconds, from 1s to %v", o.ttl, maxTTL)
	}
	store, closeStore, err := openStore(o.store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	handler, err := newHandler(o, token, store, stderr)
	if err != nil {
		return err
	}
	ln, err := netx.Real{}.Listen(ctx, o.addr)
	if err != nil {
		return listenError(o.addr, err)
	}
	fmt.Fprintf(stdout, "serving http://%s (store %s, leases of %v, %s)\n", ln.Addr(), o.store, o.ttl, doorWord(token))
	return netx.ServeHTTP(ctx, ln, handler)
}

// maxTTL is longer than anybody is away who shall still be listed.
const maxTTL = 24 * time.Hour

func newHandler(o options, token string, store bootstrap.Store, stderr io.Writer) (http.Handler, error) {
	h, err := bootstrap.NewHandler(bootstrap.HandlerConfig{
		Store: store, Token: token, TTL: o.ttl, AllowHosts: o.allowHosts,
		Logf: func(format string, args ...any) {
			fmt.Fprintf(stderr, "bootstrap-server: "+format+"\n", args...)
		},
	})
	if err != nil {
		return nil, fmt.Errorf("%w: look at --ttl and --token-file", err)
	}
	return h, nil
}

func doorWord(token string) string {
	if token == "" {
		return "open"
	}
	return "with a token"
}

const howToken = "write one line of visible ASCII characters, such as 32 random ones"

func readToken(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the token: %w: %s", err, howToken)
	}
	token := strings.TrimSpace(string(data))
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("the token in %s is none: %s", file, howToken)
	}
	return token, nil
}

// checkExposure refuses an address that strangers can reach, unless there is
// a token or it was asked for.
func checkExposure(o options, token string) error {
	host, _, err := net.SplitHostPort(o.addr)
	if err != nil {
		return fmt.Errorf("%q is no address to listen on: give --addr HOST:PORT, such as 127.0.0.1:8080", o.addr)
	}
	ip, err := netip.ParseAddr(host)
	loopback := host == "localhost" || err == nil && ip.Unmap().IsLoopback()
	if loopback || token != "" || o.open {
		return nil
	}
	return fmt.Errorf("others than this machine can reach %s: give --token-file FILE to let in who has the token, or --open to let in everybody", o.addr)
}

// openStore opens what --store names, and tells how to close it.
func openStore(name string) (bootstrap.Store, func() error, error) {
	if name == "mem" {
		return bootstrap.NewMemoryStore(), func() error { return nil }, nil
	}
	path, ok := strings.CutPrefix(name, "file:")
	if !ok || path == "" {
		return nil, nil, fmt.Errorf("store %q is unknown: use mem, or file:PATH", name)
	}
	dir, err := files.Dir(filepath.Dir(path))
	if err != nil {
		return nil, nil, fmt.Errorf("open bootstrap store %s: %w", path, err)
	}
	s, err := filestore.Open(dir, filepath.Base(path))
	if err != nil {
		return nil, nil, err
	}
	return s, s.Close, nil
}

func listenError(addr string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("address %s is in use: stop the program that has it, or choose another one with --addr; port 0 is a free one: %w", addr, err)
	}
	return fmt.Errorf("listen on %s: %w; choose an address of this machine with --addr", addr, err)
}
