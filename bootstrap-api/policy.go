package bootstrap

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"
)

// State is a group as a store keeps it. Its methods are the policy: they are
// pure, take the time as an argument, and leave the state as it was when they
// return an error. A method that is given a time first forgets the records
// whose lease ran out by then.
//
// Who is listed is not kept but follows from the order: the records are
// sorted by Joined, the first Config.MaxPeers of them are listed, the next
// Config.MinRefillCandidates are on standby, and there are no others.
type State struct {
	Revision uint64   `json:"revision"` // set by the store; the policy never touches it
	Joins    uint64   `json:"joins"`    // joins so far: Joined of the newest record
	Config   Config   `json:"config"`
	Records  []Record `json:"records"`
}

// Record is a peer as a store keeps it. Records may be compared with ==.
type Record struct {
	Peer
	Lease string `json:"lease"` // SHA-256 of the lease token, in hex
}

// NewState is the state of a group that nobody changed yet.
func NewState() State { return State{Config: DefaultConfig()} }

// Clone returns a copy that shares nothing with s.
func (s State) Clone() State {
	s.Records = slices.Clone(s.Records)
	return s
}

// Equal tells whether two states are the same, their revisions aside.
func (s State) Equal(o State) bool {
	return s.Joins == o.Joins && s.Config == o.Config && slices.Equal(s.Records, o.Records)
}

// Vacant tells that forgetting the group at that time would lose nothing: it
// has no live record, and nobody configured it.
func (s State) Vacant(now time.Time) bool {
	return s.Config == DefaultConfig() && !slices.ContainsFunc(s.Records, func(r Record) bool { return r.Expires.After(now) })
}

// Expire forgets the records whose lease ran out. A lease is over at the very
// moment it expires.
func (s *State) Expire(now time.Time) {
	s.Records = slices.DeleteFunc(s.Records, func(r Record) bool { return !r.Expires.After(now) })
}

// Join takes a peer in, or renews its lease. A known id keeps its place in
// the order; a newer boot or another address replaces the old one. The lease
// lasts r.TTL, which must be positive; fresh is the lease token to use unless
// r.Token is the one that the record has.
//
// The lease returned is empty when there was no room, not even on standby:
// then nothing changed. The errors are ErrInvalid, ErrNameTaken (with
// Error.Free) and, for an older boot than the one known, ErrConflict.
func (s *State) Join(now time.Time, r JoinRequest, fresh string) (Lease, error) {
	if err := r.check(); err != nil {
		return Lease{}, err
	}
	live := s.Clone()
	live.Expire(now)
	lease, err := live.admit(now, r, fresh)
	if err == nil {
		*s = live
	}
	return lease, err
}

func (s *State) admit(now time.Time, r JoinRequest, fresh string) (Lease, error) {
	i := s.index(r.ID)
	if i >= 0 && r.Boot < s.Records[i].Boot {
		return Lease{}, refuse(ErrConflict, "boot %d of this peer is known already, this is boot %d: stop one of the two", s.Records[i].Boot, r.Boot)
	}
	if err := s.checkFree(r.Name, r.ID); err != nil {
		return Lease{}, err
	}
	if i < 0 {
		if len(s.Records) >= s.room() {
			return Lease{}, nil
		}
		s.Joins++
		s.Records = append(s.Records, Record{Peer: Peer{ID: r.ID, Joined: s.Joins}})
		i = len(s.Records) - 1
	}
	rec := &s.Records[i]
	rec.Name, rec.Boot, rec.Addr = r.Name, r.Boot, r.Addr
	rec.Expires = now.UTC().Truncate(time.Millisecond).Add(r.TTL)
	token := r.Token
	if token == "" || rec.Lease != hashToken(token) {
		token, rec.Lease = fresh, hashToken(fresh)
	}
	return Lease{Token: token, Expires: rec.Expires, RenewAfter: r.TTL / 3}, nil
}

// Leave forgets a peer. An unknown one is no error; a lease token that is not
// the record's is ErrForbidden.
func (s *State) Leave(now time.Time, id, token string) error {
	if err := checkID(id); err != nil {
		return err
	}
	i := s.index(id)
	if i >= 0 && s.Records[i].Expires.After(now) && s.Records[i].Lease != hashToken(token) {
		return refuse(ErrForbidden, "this is not the lease token of peer %s: only a peer itself takes its record away; join again for a new token, or let the lease run out", s.Records[i].Name)
	}
	if i >= 0 {
		s.Records = slices.Delete(s.Records, i, i+1)
	}
	s.Expire(now)
	return nil
}

// Refill lets a standby peer ask for a place in the list. It gets one that is
// free, or that of a listed peer that joined after it; so the longest-joined
// peers always win, whatever the order in which they ask. As the list follows
// from the order of joining, there is nothing to do but to forget who
// expired. A peer that is not known is ErrNotFound.
func (s *State) Refill(now time.Time, id string) error {
	if err := checkID(id); err != nil {
		return err
	}
	if i := s.index(id); i < 0 || !s.Records[i].Expires.After(now) {
		return refuse(ErrNotFound, "peer %s is not known here: join first", id)
	}
	s.Expire(now)
	return nil
}

// SetConfig configures the group. Peers for which the new configuration has
// no room lose their place, newest first: from the list to standby, and from
// standby altogether. If old is not nil, the configuration must still be that
// one, or the error is ErrChanged. Numbers out of range are ErrInvalid.
func (s *State) SetConfig(now time.Time, config Config, old *Config) error {
	if err := config.check(); err != nil {
		return err
	}
	if old != nil && *old != s.Config {
		return refuse(ErrChanged, "the configuration is now maxPeers %d, minRefillCandidates %d: read it again, then decide", s.Config.MaxPeers, s.Config.MinRefillCandidates)
	}
	s.Config = config
	s.Expire(now)
	s.Records = s.Records[:min(len(s.Records), s.room())]
	return nil
}

// Reset forgets all peers and keeps the configuration.
func (s *State) Reset() { s.Records = nil }

// Group is what the service tells of the group, expired records included:
// call Expire before.
func (s State) Group() Group {
	listed := min(len(s.Records), s.Config.MaxPeers)
	g := Group{Revision: s.Revision, Config: s.Config, Standby: len(s.Records) - listed, Peers: make([]Peer, listed)}
	for i := range g.Peers {
		g.Peers[i] = s.Records[i].Peer
	}
	return g
}

// Place tells where a peer stands.
func (s State) Place(id string) Placement {
	i := s.index(id)
	return Placement{
		Admitted: i >= 0 && i < s.Config.MaxPeers,
		Standby:  i >= s.Config.MaxPeers,
		Group:    s.Group(),
	}
}

// Check tells whether the policy could have left this state behind. Stores
// use it on what they read.
func (s State) Check() error {
	if err := s.Config.check(); err != nil {
		return err
	}
	if len(s.Records) > s.room() {
		return refuse(ErrInvalid, "%d peers where there is room for %d", len(s.Records), s.room())
	}
	ids, names := make(map[string]bool), make(map[string]bool)
	last := uint64(0)
	for _, r := range s.Records {
		if err := r.Peer.check(); err != nil {
			return err
		}
		if ids[r.ID] || names[r.Name] || r.Joined <= last || r.Joined > s.Joins {
			return refuse(ErrInvalid, "peer %s: id or name twice, or out of order", r.Name)
		}
		ids[r.ID], names[r.Name], last = true, true, r.Joined
	}
	return nil
}

// room is how many records the group may have.
func (s State) room() int { return s.Config.MaxPeers + s.Config.MinRefillCandidates }

func (s State) index(id string) int {
	return slices.IndexFunc(s.Records, func(r Record) bool { return r.ID == id })
}

// checkFree tells whether nobody but id has the name.
func (s State) checkFree(name, id string) error {
	holds := func(n string) bool {
		return slices.ContainsFunc(s.Records, func(r Record) bool { return r.Name == n && r.ID != id })
	}
	if !holds(name) {
		return nil
	}
	free := name
	for n := 2; holds(free); n++ {
		suffix := fmt.Sprint(n)
		free = name[:min(len(name), maxNameSize-len(suffix))] + suffix
	}
	err := refuse(ErrNameTaken, "the name %s is taken by another peer: %s is free", name, free)
	err.Free = free
	return err
}

func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
