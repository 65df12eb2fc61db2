package discovery

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/internal/netx"
	"github.com/peerlab/peerlab/peer/guard"
)

// meetEvery is how often a peer looks whether the rendezvous has changed
// hands. The lock of a holder that died is free at once.
const meetEvery = 250 * time.Millisecond

// startingEvery is how soon it looks again while the holder is just starting;
// each time after that it waits twice as long.
const startingEvery = 10 * time.Millisecond

const rendezvousVersion = 1

// ErrCorrupt is matched when a file of this package cannot be read as what it
// should be. Such a file is never overwritten.
var ErrCorrupt = errors.New("damaged")

// rendezvous is the content of the file GROUP.json in the runtime directory.
type rendezvous struct {
	V      int    `json:"v"`
	Group  string `json:"group"`
	URL    string `json:"url"`
	Secret string `json:"secret"`
	PID    int    `json:"pid"`
}

func (d *Discovery) meetFile() string { return d.cfg.Group + ".json" }
func (d *Discovery) meetLock() string { return d.cfg.Group + ".lock" }

// meet follows the rendezvous until ctx ends: it hosts the service while it
// has the lock, and uses what the holder wrote while it has not.
func (d *Discovery) meet(ctx context.Context) {
	starting, told := startingEvery, ""
	for ctx.Err() == nil {
		wait, look := meetEvery, d.look()
		lock, err := d.cfg.Rendezvous.Lock(d.meetLock(), strconv.Itoa(d.cfg.PID))
		switch {
		case err == nil:
			err = d.host(ctx, lock)
		case errors.Is(err, files.ErrLocked):
			err = d.follow()
		default:
			err = fmt.Errorf("rendezvous: %w; --bootstrap URL or --join HOST:PORT does without", err)
		}
		switch {
		case errors.Is(err, ErrNoService):
			d.fail(look, err)
			wait, starting = starting, min(2*starting, meetEvery)
		case err != nil && ctx.Err() == nil:
			d.fail(look, err)
			if text := err.Error(); text != told {
				d.cfg.Log.Warn().Err(err).Msg("rendezvous")
				told = text // once, not each time that we look
			}
		}
		pause(ctx, wait)
	}
}

// host serves the service until ctx ends. The lock is released in any case.
func (d *Discovery) host(ctx context.Context, lock io.Closer) (err error) {
	defer func() { err = errors.Join(err, lock.Close()) }()
	_, err = d.read()
	inherits := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // a damaged file is not ours to overwrite
	}
	store := bootstrap.NewMemoryStore()
	if err := d.seed(ctx, store); err != nil {
		return err
	}
	ln, err := d.cfg.Network.Listen(ctx, net.JoinHostPort(d.cfg.HostOn, "0"))
	if err != nil {
		return fmt.Errorf("host the bootstrap service: %w", err)
	}
	r := rendezvous{V: rendezvousVersion, Group: d.cfg.Group, URL: "http://" + ln.Addr().String(), Secret: rand.Text(), PID: d.cfg.PID}
	h, err := bootstrap.NewHandler(bootstrap.HandlerConfig{Store: store, Token: r.Secret})
	if err == nil {
		err = d.write(r)
	}
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	d.cfg.Record("hosting " + r.URL)
	var eg errgroup.Group
	eg.Go(func() error {
		defer guard.Catch(ctx)
		return netx.ServeHTTP(ctx, ln, h)
	})
	if inherits {
		// The peers of a service that died must find ours before we ask it who
		// is there: the first list of a newcomer that hosts would be empty.
		pause(ctx, 2*meetEvery)
	}
	err = d.use(r, true)
	return errors.Join(err, eg.Wait(), d.tidy(store))
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, wait time.Duration) {
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// seed puts the peers of the last list into a new service, so that whoever
// asks it before they have renewed their records finds them all the same.
func (d *Discovery) seed(ctx context.Context, store bootstrap.Store) error {
	last, ok := d.Last()
	if !ok {
		return nil
	}
	return store.Update(ctx, d.cfg.Group, func(s *bootstrap.State) error {
		for _, p := range last.Peers {
			me := bootstrap.JoinRequest{ID: p.ID, Name: p.Name, Boot: p.Boot, Addr: p.Addr, TTL: seedTTL}
			if _, err := s.Join(time.Now(), me, rand.Text()); err != nil {
				return fmt.Errorf("take over the list: %w", err)
			}
		}
		return nil
	})
}

// seedTTL is how long a record is kept that its peer has not renewed with us.
const seedTTL = 15 * time.Second

// tidy removes the rendezvous file when nobody is left to come to it, so that
// the next one to start need not wait for others.
func (d *Discovery) tidy(store bootstrap.Store) error {
	vacant := false
	err := store.Update(context.Background(), d.cfg.Group, func(s *bootstrap.State) error {
		vacant = s.Vacant(time.Now())
		return nil
	})
	if err != nil || !vacant {
		return err
	}
	return d.cfg.Rendezvous.Remove(d.meetFile())
}

// follow uses the service that the holder of the lock hosts.
func (d *Discovery) follow() error {
	r, err := d.read()
	if errors.Is(err, fs.ErrNotExist) {
		return d.silent() // it is just starting
	}
	if err != nil {
		return err
	}
	if url, _ := d.Service(); url == r.URL {
		return nil
	}
	return d.use(r, false)
}

// silent is why there is no service while somebody has the lock.
func (d *Discovery) silent() error {
	holder, _ := d.cfg.Rendezvous.LockNote(d.meetLock())
	return fmt.Errorf("%w: process %s has %s and has not started one", ErrNoService,
		strings.TrimSpace(holder), d.cfg.Rendezvous.Path(d.meetLock()))
}

func (d *Discovery) read() (rendezvous, error) {
	raw, err := d.cfg.Rendezvous.ReadFile(d.meetFile())
	if err != nil {
		return rendezvous{}, err
	}
	path := d.cfg.Rendezvous.Path(d.meetFile())
	damaged := fmt.Errorf("rendezvous file %s is %w: remove it", path, ErrCorrupt)
	var head struct{ V int }
	if err := json.Unmarshal(raw, &head); err != nil {
		return rendezvous{}, damaged
	}
	if head.V != rendezvousVersion {
		return rendezvous{}, fmt.Errorf("rendezvous file %s has version %d, this program reads %d: end the other program, or use another --group", path, head.V, rendezvousVersion)
	}
	var r rendezvous
	if err := json.Unmarshal(raw, &r); err != nil {
		return rendezvous{}, damaged
	}
	if r.Group != d.cfg.Group || r.URL == "" || r.Secret == "" {
		return rendezvous{}, damaged
	}
	return r, nil
}

func (d *Discovery) write(r rendezvous) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := d.cfg.Rendezvous.WriteFile(d.meetFile(), append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("write rendezvous file: %w", err)
	}
	return nil
}
