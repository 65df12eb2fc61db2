package bootstrap

import (
	"encoding/json"
	"net/netip"
	"regexp"
	"time"
)

// Version is the version of the contract: the first element of every path.
const Version = 1

// DefaultGroup is the group of peers that were not told another one.
const DefaultGroup = "lab"

// Bounds of the contract. They hold for every service, whatever its store.
const (
	MaxBody     = 16 << 10 // bytes of a request body
	MaxReply    = 1 << 20  // bytes of an answer that a client reads
	MaxPeers    = 1024     // largest Config.MaxPeers and Config.MinRefillCandidates
	MaxGroups   = 1000     // groups that one store keeps
	MaxBoot     = 1<<31 - 1
	maxAddr     = 64  // bytes of an address
	maxToken    = 256 // bytes of a bearer or lease token
	maxNameSize = 32
)

// Peer is one listed peer.
type Peer struct {
	ID      string    `json:"id"`      // who it is: [A-Za-z0-9] and then [A-Za-z0-9._-], at most 64; a UUID by convention
	Name    string    `json:"name"`    // what people call it: [a-z][a-z0-9_-]{0,31}, unique in the group
	Boot    int       `json:"boot"`    // counts its starts, from 1
	Addr    string    `json:"addr"`    // its one address: IP:port
	Joined  uint64    `json:"joined"`  // its place in the order of joining, from 1; kept over renewals and restarts
	Expires time.Time `json:"expires"` // when its lease runs out, by the service's clock
}

// Config is how a group is run. Use DefaultConfig: the zero value lists nobody.
type Config struct {
	MaxPeers            int `json:"maxPeers"`            // how many peers are listed; 0 to MaxPeers
	MinRefillCandidates int `json:"minRefillCandidates"` // how many more are kept on standby; 0 to MaxPeers
}

// DefaultConfig is the configuration of a group that nobody configured: all
// peers of a laboratory on one machine find each other, and a group of
// hundreds still has a short list.
func DefaultConfig() Config { return Config{MaxPeers: 64, MinRefillCandidates: 16} }

// Group is what the service tells of a group.
type Group struct {
	Revision uint64 `json:"revision"` // grows with each change; never used twice
	Config   Config `json:"config"`
	Standby  int    `json:"standby"` // how many peers are on standby now
	Peers    []Peer `json:"peers"`   // the listed ones, longest-joined first; never null
}

// Placement is where a peer stands in its group.
type Placement struct {
	Admitted bool  `json:"admitted"` // it is listed
	Standby  bool  `json:"standby"`  // it is remembered, and moves up when there is room
	Group    Group `json:"group"`
}

// JoinRequest is a peer's wish to be listed, or to stay listed.
type JoinRequest struct {
	ID   string        // as Peer.ID
	Name string        // as Peer.Name
	Boot int           // as Peer.Boot
	Addr string        // as Peer.Addr
	TTL  time.Duration // how long the lease shall last, rounded up to seconds; 0 leaves it to the service

	// Token is the lease token of the last join, which the lease then keeps.
	// Empty, or one that the service does not know, gets a new one.
	Token string
}

// JoinReply answers a join. A peer that is neither listed nor on standby has
// no lease: its token is empty, and it asks again when it wants to.
type JoinReply struct {
	Placement
	Lease Lease `json:"lease"`
}

// Lease is a peer's right to its record.
type Lease struct {
	Token      string        // proves to Leave that the record is one's own
	Expires    time.Time     // by the service's clock
	RenewAfter time.Duration // join again after this time, give or take some jitter
}

// Info is what a service tells of itself.
type Info struct {
	Service       string `json:"service"` // "peerlab-bootstrap"
	Version       int    `json:"version"` // of the contract
	TTLSeconds    int    `json:"ttlSeconds"`
	MinTTLSeconds int    `json:"minTTLSeconds"`
	MaxTTLSeconds int    `json:"maxTTLSeconds"`
	MaxPeers      int    `json:"maxPeers"`
	MaxBodyBytes  int    `json:"maxBodyBytes"`
}

// serviceName is Info.Service of every implementation of the contract.
const serviceName = "peerlab-bootstrap"

// leaseHeader carries the lease token of a request.
const leaseHeader = "Peerlab-Lease"

// The bodies that are no public types.
type (
	joinBody struct {
		Name       string `json:"name"`
		Boot       int    `json:"boot"`
		Addr       string `json:"addr"`
		TTLSeconds int64  `json:"ttlSeconds,omitempty"`
	}
	refillBody struct {
		ID string `json:"id"`
	}
	resetBody struct {
		Confirm string `json:"confirm"`
	}
	leaseBody struct {
		Token             string    `json:"token"`
		Expires           time.Time `json:"expires"`
		RenewAfterSeconds float64   `json:"renewAfterSeconds"`
	}
	healthBody struct {
		Status string `json:"status"`
	}
)

// MarshalJSON writes {token, expires, renewAfterSeconds}.
func (l Lease) MarshalJSON() ([]byte, error) {
	return json.Marshal(leaseBody{l.Token, l.Expires, l.RenewAfter.Seconds()})
}

// maxLease is the longest lease that makes sense on the wire.
const maxLease = 366 * 24 * time.Hour

// UnmarshalJSON reads what MarshalJSON writes.
func (l *Lease) UnmarshalJSON(data []byte) error {
	var b leaseBody
	if err := json.Unmarshal(data, &b); err != nil {
		return err
	}
	if !(b.RenewAfterSeconds >= 0 && b.RenewAfterSeconds <= maxLease.Seconds()) {
		return refuse(ErrInvalid, "renewAfterSeconds %v is out of range", b.RenewAfterSeconds)
	}
	*l = Lease{b.Token, b.Expires, time.Duration(b.RenewAfterSeconds * float64(time.Second))}
	return nil
}

var (
	groupPattern = regexp.MustCompile(`^[a-z0-9_-][a-z0-9._-]{0,62}$`)
	idPattern    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	namePattern  = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)
)

// CheckGroup tells whether a group may be called that: 1 to 63 of a-z, 0-9,
// dot, underscore and hyphen, not beginning with a dot. The error is ErrInvalid.
func CheckGroup(name string) error {
	if !groupPattern.MatchString(name) {
		return refuse(ErrInvalid, "%.70q is no group name: use 1 to 63 of a-z, 0-9, '.', '_' and '-', and no '.' at the start", name)
	}
	return nil
}

// CheckName tells whether a peer may be called that: a letter of a-z, then up
// to 31 of a-z, 0-9, underscore and hyphen. The error is ErrInvalid.
func CheckName(name string) error {
	if !namePattern.MatchString(name) {
		return refuse(ErrInvalid, "%.40q is no name for a peer: use a letter, then up to 31 of a-z, 0-9, '_' and '-'", name)
	}
	return nil
}

// CheckAddr tells whether others can reach a peer at that address: IP:port,
// not of port 0, not the unspecified address, no multicast. The error is
// ErrInvalid.
func CheckAddr(addr string) error {
	ap, err := netip.ParseAddrPort(addr)
	switch {
	case err != nil || len(addr) > maxAddr || ap.Addr().Zone() != "":
		return refuse(ErrInvalid, "%.70q is no address of a peer: give IP:port", addr)
	case ap.Port() == 0:
		return refuse(ErrInvalid, "address %s has port 0: give the port that the peer listens on", addr)
	case ap.Addr().IsUnspecified() || ap.Addr().IsMulticast():
		return refuse(ErrInvalid, "nobody can reach a peer at %s: advertise an address of one interface", addr)
	}
	return nil
}

func checkID(id string) error {
	if !idPattern.MatchString(id) {
		return refuse(ErrInvalid, "%.70q is no peer id: use a UUID, or up to 64 of A-Z, a-z, 0-9, '.', '_' and '-', beginning with a letter or digit", id)
	}
	return nil
}

func checkBoot(boot int) error {
	if boot < 1 || boot > MaxBoot {
		return refuse(ErrInvalid, "boot %d is out of range: starts are counted from 1 to %d", boot, MaxBoot)
	}
	return nil
}

// check tells what is wrong with a request, the service's bounds on TTL
// excepted.
func (r JoinRequest) check() error {
	if r.TTL < 0 {
		return refuse(ErrInvalid, "a lease of %v: give a positive time, or 0 to leave it to the service", r.TTL)
	}
	return firstError(checkID(r.ID), CheckName(r.Name), checkBoot(r.Boot), CheckAddr(r.Addr))
}

func (c Config) check() error {
	for _, f := range []struct {
		name  string
		value int
	}{{"maxPeers", c.MaxPeers}, {"minRefillCandidates", c.MinRefillCandidates}} {
		if f.value < 0 || f.value > MaxPeers {
			return refuse(ErrInvalid, "%s %d is out of range: use 0 to %d", f.name, f.value, MaxPeers)
		}
	}
	return nil
}

func (p Peer) check() error {
	return firstError(checkID(p.ID), CheckName(p.Name), checkBoot(p.Boot), CheckAddr(p.Addr))
}

// check tells whether a service may say that of a group.
func (g Group) check() error {
	if g.Peers == nil {
		return refuse(ErrInvalid, "it has no peers, not even an empty list of them")
	}
	if len(g.Peers) > MaxPeers {
		return refuse(ErrInvalid, "%d peers are more than the %d that a group may list", len(g.Peers), MaxPeers)
	}
	for _, p := range g.Peers {
		if err := p.check(); err != nil {
			return err
		}
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
