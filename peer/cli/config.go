package cli

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/peerlab/peerlab/internal/faulty"
	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/internal/netx"
	"github.com/peerlab/peerlab/internal/program"
	"github.com/peerlab/peerlab/peer/broadcast"
	"github.com/peerlab/peerlab/peer/chat"
	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/identity"
	"github.com/peerlab/peerlab/peer/logbook"
	"github.com/peerlab/peerlab/peer/node"
)

// setup is what the flags ask for, opened: a peer that has not been started.
type setup struct {
	cfg   node.Config
	book  *logbook.Book
	notes []string // what the person should know before it starts
}

// open turns flags into the configuration of a peer called name. The setup
// holds the data directory until it is closed.
func (f flags) open(name string, p Process) (*setup, error) {
	level, err := logbook.ParseLevel(f.logLevel)
	if err != nil {
		return nil, program.Usage(fmt.Errorf("--log-level: %w", err))
	}
	advertise, err := f.addresses()
	if err != nil {
		return nil, program.Usage(err)
	}
	token, err := f.token()
	if err != nil {
		return nil, err
	}
	s := &setup{book: logbook.New(level)}
	data, err := s.data(f, name, p)
	if err != nil {
		return nil, err
	}
	id, err := identity.Open(data, os.Getpid(), nil)
	if err != nil {
		return nil, elsewhere(err)
	}
	network, faults := f.network()
	s.cfg = node.Config{
		Name: name, Group: f.group, Identity: id, PID: os.Getpid(),
		Network: network, Faults: faults, Bind: f.bind, Advertise: advertise,
		Service: f.bootstrap, Token: token, Join: f.join,
		Data: data, Log: s.book.Logger, Probes: f.test != "",
	}
	if s.cfg.Extensions, err = extensions(); err != nil {
		return nil, errors.Join(err, id.Close())
	}
	s.cfg.Extensions = append(s.cfg.Extensions, p.Extensions...)
	s.meet(f, p)
	if err := s.openLog(f, data); err != nil {
		return nil, errors.Join(err, id.Close())
	}
	return s, nil
}

// elsewhere adds what to do about a data directory that cannot be used. One
// that is in use, or damaged, has said so itself.
func elsewhere(err error) error {
	var inUse *identity.InUseError
	if errors.As(err, &inUse) || errors.Is(err, identity.ErrCorrupt) {
		return err
	}
	return fmt.Errorf("%w; choose another data directory with --data", err)
}

// network is the network of the machine. Who drives a peer for development, or
// one of a test, may break it; to others the faults are not even there.
func (f flags) network() (netx.Network, *faulty.Network) {
	if !f.dev && f.test == "" {
		return netx.Real{}, nil
	}
	faults := faulty.New(netx.Real{})
	return faults, faults
}

// extensions are what a peer runs on top of membership, in the order in which
// they start.
func extensions() ([]extension.Extension, error) {
	room, err := chat.New(chat.Config{})
	if err != nil {
		return nil, err
	}
	set, err := broadcast.New(broadcast.Config{})
	if err != nil {
		return nil, err
	}
	return []extension.Extension{room, set}, nil
}

// token reads the token of the bootstrap service.
func (f flags) token() (string, error) {
	if f.tokenFile == "" {
		return "", nil
	}
	if f.bootstrap == "" {
		return "", program.Usage(errors.New("--token-file is for the service that --bootstrap names: give both"))
	}
	raw, err := os.ReadFile(f.tokenFile)
	if err != nil {
		return "", fmt.Errorf("--token-file: %w", err)
	}
	token := strings.TrimSpace(string(raw))
	if token == "" || len(token) > maxToken {
		return "", fmt.Errorf("--token-file %s: it must hold one token, of at most %d bytes", f.tokenFile, maxToken)
	}
	return token, nil
}

// addresses checks all addresses of the flags.
func (f flags) addresses() (advertise netip.AddrPort, err error) {
	if _, err := netip.ParseAddrPort(f.bind); err != nil && !strings.HasPrefix(f.bind, "localhost:") {
		return advertise, fmt.Errorf("--bind %q is no HOST:PORT with an IP address as host; port 0 chooses a free one", f.bind)
	}
	for _, a := range f.join {
		if _, port, err := net.SplitHostPort(a); err != nil || port == "" {
			return advertise, fmt.Errorf("--join %q is no HOST:PORT", a)
		}
	}
	if f.advertise == "" {
		return advertise, nil
	}
	if advertise, err = netip.ParseAddrPort(f.advertise); err != nil || advertise.Port() == 0 {
		return advertise, fmt.Errorf("--advertise %q is no HOST:PORT with an IP address as host", f.advertise)
	}
	return advertise, nil
}

// data opens the peer's data directory.
func (s *setup) data(f flags, name string, p Process) (files.FS, error) {
	dir := f.data
	if dir == "" {
		state, lasting := stateDir(p.Env)
		dir = filepath.Join(state, name)
		if !lasting {
			s.notes = append(s.notes, "no home directory to write to: the data of this peer is kept in "+dir)
		}
	}
	data, err := files.Dir(dir)
	if err != nil {
		return nil, elsewhere(fmt.Errorf("data directory: %w", err))
	}
	return data, nil
}

// meet finds the rendezvous. A peer can do without it, and one with a service
// of its own needs it for `bootstrapswitch local` only. A peer of a test never
// goes there: the peers of the person who runs the test meet there.
func (s *setup) meet(f flags, p Process) {
	if f.test != "" && f.bootstrap != "" {
		return
	}
	dir, err := openRuntime(p.Env)
	if err != nil && f.bootstrap == "" {
		s.notes = append(s.notes, err.Error())
	}
	if err != nil {
		return
	}
	s.cfg.Rendezvous = dir
}

func (s *setup) openLog(f flags, data files.FS) error {
	if f.log == "" {
		return s.book.On(data, "peer.log")
	}
	dir, base, err := place(f.log)
	if err != nil {
		return fmt.Errorf("--log: %w", err)
	}
	return s.book.On(dir, base)
}

// close releases what open took.
func (s *setup) close() error {
	return errors.Join(s.cfg.Identity.Close(), s.book.Off())
}
