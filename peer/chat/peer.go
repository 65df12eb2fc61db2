package chat

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/peerlab/peerlab/peer/extension"
)

// The rhythm of links.
const (
	tick       = time.Second            // how often links are looked after
	quiet      = 30 * time.Second       // a link on which nothing came for so long is pinged
	dead       = 5 * time.Second        // or for so long while something is owed; and closed without an answer in this time
	helloWait  = 5 * time.Second        // how long a handshake may take
	pingKeep   = 30 * time.Second       // how long a pong is waited for
	firstRetry = 100 * time.Millisecond // redials wait so long, doubled at each
	lastRetry  = 2 * time.Second        // up to this
	closedWait = 5 * time.Second        // a chat closed for so long has been left; we look so often
	young      = time.Second            // a link that young beats one dialled across it
	yielding   = 500 * time.Millisecond // the larger id lets the other dial first
	absent     = 1024                   // members gone that are remembered
)

// state is how far a peer takes part in the chat, as we know it.
type state int

const (
	unknown state = iota // never heard of its chat
	open                 // in the chat
	away                 // was in the chat and may return: its queue is kept
	closed               // left
)

// peer is another member, through all its boots.
type peer struct {
	member  extension.Member // its newest boot
	present bool             // in the group
	arrived time.Time        // since when its newest boot is known to be there
	state   state
	lost    bool      // has been lost since it was last in the chat
	shown   bool      // the person here believes that it is in the chat
	boot    int       // with which it was last in the chat, or 0
	since   time.Time // when it became away, lost or closed

	link    *link
	trying  *link // dialled, not answered yet
	dialing bool
	waiting bool // a redial is on the agenda
	retries int
	refused time.Time // since when its chat is closed when we dial; zero if it is not
	warned  string    // the last refusal shown

	queue queue
	toAck uint64 // what came in and has to be acknowledged, or 0
}

func (p *peer) id() string { return p.member.ID }

// listens tells whether messages are for this peer: it is in the chat, or may
// return to it.
func (p *peer) listens() bool { return p.state == open || p.state == away }

// owes tells whether the peer has owed an acknowledgement for d or longer.
func (p *peer) owes(now time.Time, d time.Duration) bool {
	since := p.arrived
	if p.link != nil {
		since = p.link.since
	}
	owed, ok := p.queue.owed(since)
	return ok && now.Sub(owed) >= d
}

// messageID names a message of a member for all and ever.
func messageID(m extension.Member, seq uint64) string {
	b := make([]byte, 0, 64)
	b = append(append(b, m.ID...), '/')
	b = append(strconv.AppendInt(b, int64(m.Boot), 10), '/')
	return string(strconv.AppendUint(b, seq, 10))
}

// know takes note of a member that is in the group; nil means that it is no
// member that could chat.
func (s *session) know(m extension.Member) *peer {
	if m.Foreign || m.ID == "" || m.ID == s.self.ID {
		return nil
	}
	p := s.peers[m.ID]
	if p == nil {
		p = &peer{member: m}
		s.peers[m.ID] = p
	}
	if m.Boot < p.member.Boot {
		return nil
	}
	if m.Boot > p.member.Boot {
		s.reboot(p)
	}
	if !p.present || m.Boot > p.member.Boot {
		p.arrived = time.Now()
	}
	p.member, p.present = m, true
	return p
}

// reboot forgets what belonged to the last boot of a peer.
func (s *session) reboot(p *peer) {
	s.unlink(p)
	p.retries, p.refused, p.warned = 0, time.Time{}, ""
	if p.state == open {
		p.state, p.since = away, time.Now()
	}
}

// changed handles a change of the membership.
func (s *session) changed(c extension.Change) {
	switch c.Kind {
	case extension.Joined, extension.Back:
		if p := s.know(c.Member); p != nil {
			s.expect(p)
		}
	case extension.Left:
		if p := s.gone(c.Member); p != nil {
			s.left(p)
		}
	case extension.Lost:
		if p := s.gone(c.Member); p != nil {
			s.lose(p)
		}
	}
	s.presentNow()
}

// gone takes a member out of the group; nil means that this is no news.
func (s *session) gone(m extension.Member) *peer {
	p := s.peers[m.ID]
	if p == nil || m.ID == "" || m.Boot < p.member.Boot {
		return nil
	}
	p.present = false
	s.unlink(p)
	s.answered(p.id())
	return p
}

// left handles the leave of a peer from the chat, or from the group.
func (s *session) left(p *peer) {
	s.unlink(p)
	if p.shown {
		s.show(p, extension.Caution, "left", " is leaving")
	}
	p.state, p.shown, p.lost, p.since = closed, false, false, time.Now()
	p.queue.drop()
	s.answered(p.id())
	s.forget()
	s.presentNow()
}

// lose handles the loss of a peer: its queue is kept for a while.
func (s *session) lose(p *peer) {
	if p.shown {
		s.show(p, extension.Bad, "lost", " is gone")
		p.shown = false
	}
	if p.state == open {
		p.state = away
	}
	p.lost, p.since = true, time.Now()
	s.forget()
}

func (s *session) show(p *peer, kind extension.LineKind, label, text string) {
	s.svc.Show(extension.Line{Kind: kind, Label: label, Text: p.member.Name + text})
}

// forget bounds what is kept of those that are not there: queues of the lost
// by number, and all others.
func (s *session) forget() {
	s.bound(s.cfg.KeepPeers, func(p *peer) bool { return !p.present && p.state == away }, s.abandon)
	s.bound(absent, func(p *peer) bool { return !p.present && p.state != away }, func(p *peer) {
		delete(s.peers, p.id())
		delete(s.room.seen, p.id())
	})
}

// bound removes those that went first while more than most match.
func (s *session) bound(most int, match func(*peer) bool, remove func(*peer)) {
	n := 0
	var first *peer
	for _, p := range s.peers {
		if match(p) {
			n++
			if first == nil || p.since.Before(first.since) {
				first = p
			}
		}
	}
	if n > most {
		remove(first)
	}
}

// abandon gives up the queue of a lost peer.
func (s *session) abandon(p *peer) {
	p.state = closed
	if n := p.queue.drop(); n > 0 {
		s.svc.Show(extension.Line{Kind: extension.Caution, Label: "warn",
			Text: fmt.Sprintf("%s was gone for too long: %d messages are no longer kept for it", p.member.Name, n)})
	}
}

// tick looks after links and queues.
func (s *session) tick() {
	now := time.Now()
	for l := range s.links {
		s.watch(l, now)
	}
	for _, p := range s.peers {
		if p.state == away && now.Sub(p.since) > s.cfg.KeepFor {
			s.abandon(p)
		}
	}
	s.agenda.after(tick, s.tick)
}

// watch pings a link that is quiet, and closes one that is dead.
func (s *session) watch(l *link, now time.Time) {
	switch silent := now.Sub(l.lastIn); {
	case !l.welcome:
	case !l.asked.IsZero():
		if now.Sub(l.asked) >= dead {
			s.drop(l)
		}
	case silent >= quiet, silent >= dead && l.peer.owes(now, dead):
		l.asked = now
		l.say(frame{kind: kindPing})
	}
}

// expect dials a peer, unless it is more likely that it dials us first: the
// one with the larger id waits a little, so that streams seldom cross.
func (s *session) expect(p *peer) {
	if s.self.ID < p.id() {
		s.dial(p)
		return
	}
	s.redial(p, yielding)
}

// redial dials later, once.
func (s *session) redial(p *peer, after time.Duration) {
	if p.waiting {
		return
	}
	p.waiting = true
	after += time.Duration(s.cfg.Rand.Int64N(int64(after)/2 + 1))
	s.agenda.after(after, func() {
		p.waiting = false
		s.dial(p)
	})
}

// retry dials again after a failure, later each time.
func (s *session) retry(p *peer) {
	d := min(firstRetry<<min(p.retries, 8), lastRetry)
	p.retries++
	s.redial(p, d)
}

// dial opens a stream to a peer, unless there is one.
func (s *session) dial(p *peer) {
	if !p.present || p.link != nil || p.dialing {
		return
	}
	p.dialing = true
	to := p.member
	s.spawn(func() {
		ctx, cancel := context.WithTimeout(s.ctx, helloWait)
		defer cancel()
		stream, err := s.svc.Open(ctx, to)
		if !s.post(func() { s.dialled(p, to, stream, err) }) && err == nil {
			stream.Close()
		}
	})
}

// dialled goes on when a stream was opened, or could not be.
func (s *session) dialled(p *peer, to extension.Member, stream extension.Stream, err error) {
	switch {
	case errors.Is(err, extension.ErrClosed) && to.Boot == p.member.Boot:
		p.dialing = false
		s.notOpen(p)
	case err != nil:
		p.dialing = false
		s.answered(p.id()) // nobody answers there; our start need not wait
		s.retry(p)
	case p.link != nil || !p.present || to.Boot != p.member.Boot:
		p.dialing = false
		stream.Close()
		s.retry(p)
	default:
		l := s.open(stream, to)
		p.trying = l
		l.say(s.introduction(kindHello))
	}
	s.lookAgain()
}

// notOpen takes note that the chat of a peer is closed. It will dial us when
// it opens; one that was in the chat and stays closed has left.
func (s *session) notOpen(p *peer) {
	now := time.Now()
	s.answered(p.id())
	if p.refused.IsZero() {
		p.refused = now
	}
	if p.state == open && now.Sub(p.refused) >= closedWait {
		s.left(p)
	}
	if p.state == open {
		s.retry(p)
		return
	}
	s.redial(p, closedWait)
}

// unlink closes the streams of a peer without dialling again.
func (s *session) unlink(p *peer) {
	for _, l := range []*link{p.link, p.trying} {
		if l != nil {
			s.detach(l)
		}
	}
}

// detach closes a link and ignores what it still says.
func (s *session) detach(l *link) {
	if l.gone {
		return
	}
	l.gone = true
	delete(s.links, l)
	l.stream.Close()
	if p := l.peer; p != nil && p.link == l {
		p.link = nil
	}
	if p := s.peers[l.member.ID]; p != nil && p.trying == l {
		p.trying, p.dialing = nil, false
	}
}

// drop closes a link that failed and sees to it that there will be another.
func (s *session) drop(l *link) {
	if l.gone {
		return
	}
	s.detach(l)
	p := l.peer
	if p == nil {
		p = s.peers[l.member.ID]
	}
	if p != nil {
		s.retry(p)
	}
	s.lookAgain()
}

// introduction says who we are.
func (s *session) introduction(k kind) frame {
	return frame{kind: k, num: version, text: s.self.Name, id: s.self.ID, boot: uint64(s.self.Boot)}
}

func noMember(name string, names []string) error {
	if len(names) == 0 {
		return fmt.Errorf("%w %s: nobody else is in the chat", ErrNoMember, name)
	}
	return fmt.Errorf("%w %s: there are %s", ErrNoMember, name, strings.Join(names, ", "))
}

func noStream(name string) error {
	return fmt.Errorf("%s cannot be reached right now: the stream to it is broken and being dialled again", name)
}
