package discovery

import (
	"context"
	"errors"
	"fmt"

	bootstrap "github.com/peerlab/peerlab/bootstrap-api"
	"github.com/peerlab/peerlab/peer/guard"
)

// Switched tells how a change of the service went.
type Switched struct {
	Old, New string // URLs; Old is empty if there was none
	Left     error  // why our record at the old one could not be removed; it goes with its lease
}

// Switch makes url the service from now on; empty is the rendezvous of this
// machine. If we are listed at the old one, we are listed at the new one when
// Switch returns, and removed at the old one, if that answers. On an error
// nothing has changed.
func (d *Discovery) Switch(ctx context.Context, url string) (Switched, error) {
	if err := d.enter(ctx); err != nil {
		return Switched{}, err
	}
	defer d.exit()
	if url == "" && d.cfg.Rendezvous == nil {
		return Switched{}, fmt.Errorf("%w: this peer has no rendezvous to go to: give a URL", ErrNoService)
	}
	var next *service
	if url != "" {
		var err error
		if next, err = d.at(url, d.tokenFor(url)); err != nil {
			return Switched{}, err
		}
		if err := d.try(ctx, next); err != nil {
			return Switched{}, fmt.Errorf("%w; the service stays what it was", err)
		}
	}
	old := d.turnTo(url, next)
	if url == "" {
		d.setMeets(true)
	}
	if err := d.arrive(ctx); err != nil {
		d.turnTo(old.url, old.service)
		d.restore(old)
		return Switched{}, fmt.Errorf("%w; the service stays what it was", err)
	}
	s := Switched{Old: old.name()}
	s.New, _ = d.Service()
	if s.Old != s.New {
		s.Left = d.depart(ctx, old)
	}
	d.setMeets(url == "") // only now: a service that we hosted has heard that we go
	d.cfg.Record(fmt.Sprintf("switched from %s to %s", s.Old, s.New))
	return s, nil
}

// tokenFor is the token for a service. What was given for one is told to no
// other.
func (d *Discovery) tokenFor(url string) string {
	if url == d.cfg.URL {
		return d.cfg.Token
	}
	return ""
}

// try asks whether a service is one.
func (d *Discovery) try(ctx context.Context, s *service) error {
	_, err := s.client.Info(ctx)
	if errors.Is(err, bootstrap.ErrUnauthorized) {
		return fmt.Errorf("%w: start the peer with --bootstrap and --token-file to use it", err)
	}
	return err
}

// past is what was true before a switch.
type past struct {
	url     string
	service *service
	group   *bootstrap.Group
	token   string // of our lease
}

func (p past) name() string {
	if p.service == nil {
		return ""
	}
	return p.service.url
}

// turnTo makes url and s the present; s is nil for the rendezvous, which has
// to be found unless it is the present one.
func (d *Discovery) turnTo(url string, s *service) past {
	d.mu.Lock()
	defer d.mu.Unlock()
	old := past{url: d.url, service: d.service, group: d.group}
	if d.me != nil {
		old.token = d.me.Token
	}
	if url == "" && old.url == "" {
		return old
	}
	if d.me != nil {
		d.me.Token = ""
	}
	d.url, d.service, d.group, d.problem = url, s, nil, ErrNoService
	d.announce()
	return old
}

// restore gives back what turnTo has forgotten.
func (d *Discovery) restore(old past) {
	d.mu.Lock()
	d.group = old.group
	if d.me != nil {
		d.me.Token = old.token
	}
	d.mu.Unlock()
	d.setMeets(old.url == "")
}

// setMeets says whether the rendezvous is to be followed.
func (d *Discovery) setMeets(meets bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.meets != meets {
		d.meets = meets
		close(d.turned)
		d.turned = make(chan struct{})
	}
}

// arrive gets listed at the present service if we want to be listed.
func (d *Discovery) arrive(ctx context.Context) error {
	if _, err := d.find(ctx); err != nil {
		return err
	}
	if _, listed := d.wish(); !listed {
		return nil
	}
	_, err := d.renew(ctx)
	return err
}

// depart takes our record off the list of the old service.
func (d *Discovery) depart(ctx context.Context, old past) error {
	me, listed := d.wish()
	if old.service == nil || !listed {
		return nil
	}
	return old.service.client.Leave(ctx, d.cfg.Group, me.ID, old.token)
}

// meetWhileMeant follows the rendezvous as long as it is meant to, until ctx
// ends. Who hosts the service and turns to another one hands it over.
func (d *Discovery) meetWhileMeant(ctx context.Context) {
	for ctx.Err() == nil {
		d.mu.Lock()
		meets, turned := d.meets, d.turned
		d.mu.Unlock()
		if meets {
			d.meetUntil(ctx, turned)
		}
		select {
		case <-turned:
		case <-ctx.Done():
		}
	}
}

// meetUntil follows the rendezvous until the channel is closed or ctx ends.
func (d *Discovery) meetUntil(ctx context.Context, turned <-chan struct{}) {
	ctx, cancel := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() { // ends when meet has ended
		defer close(watched)
		defer guard.Catch(ctx)
		select {
		case <-turned:
			cancel()
		case <-ctx.Done():
		}
	}()
	d.meet(ctx)
	cancel()
	<-watched
}

// Config asks the service how the group is run.
func (d *Discovery) Config(ctx context.Context) (bootstrap.Config, error) {
	s, err := d.find(ctx)
	if err != nil {
		return bootstrap.Config{}, err
	}
	return s.client.Config(ctx, d.cfg.Group)
}

// Configure tells the service how to run the group.
func (d *Discovery) Configure(ctx context.Context, c bootstrap.Config) (bootstrap.Config, error) {
	s, err := d.find(ctx)
	if err != nil {
		return bootstrap.Config{}, err
	}
	return s.client.SetConfig(ctx, d.cfg.Group, c, nil)
}

// ErrNotListed is matched when something needs us to be on the service's list.
var ErrNotListed = errors.New("this peer is not listed: use bootstrapjoin")

// Listed tells whether we want to be on the service's list.
func (d *Discovery) Listed() bool { _, listed := d.wish(); return listed }

// Refill asks the service for a place in the list, for a peer on standby.
func (d *Discovery) Refill(ctx context.Context) (bootstrap.Placement, error) {
	s, err := d.find(ctx)
	if err != nil {
		return bootstrap.Placement{}, err
	}
	me, listed := d.wish()
	if !listed {
		return bootstrap.Placement{}, ErrNotListed
	}
	p, err := s.client.Refill(ctx, d.cfg.Group, me.ID)
	if errors.Is(err, bootstrap.ErrNotFound) {
		return bootstrap.Placement{}, fmt.Errorf("%w: %w", err, ErrNotListed)
	}
	if err == nil {
		d.listed(p.Group)
	}
	return p, err
}

// Reset makes the service forget all peers of the group. Those that live come
// back as they renew their leases.
func (d *Discovery) Reset(ctx context.Context) (bootstrap.Group, error) {
	s, err := d.find(ctx)
	if err != nil {
		return bootstrap.Group{}, err
	}
	g, err := s.client.Reset(ctx, d.cfg.Group)
	if err == nil {
		d.listed(g)
	}
	return g, err
}
