package chat

import (
	"fmt"
	"time"

	"github.com/peerlab/peerlab/peer/extension"
)

// Two members may dial each other at the same time. Then the stream of the
// smaller id is kept: the smaller lets a hello wait while its own dial is
// under way, and refuses it if that was answered less than young ago; in all
// other cases a new stream replaces what there was, since its dialer would not
// have dialled without need. What was under way on the other stream is not acknowledged,
// so it is sent again on the one that is kept.

// handshake handles the first frames of a link.
func (s *session) handshake(l *link, f *frame) bool {
	switch {
	case l.dialled() && f.kind == kindWelcome:
		return s.welcomed(l, f)
	case l.dialled() && f.kind == kindRefuse:
		s.refusal(l, f.text)
		return false
	case f.kind == kindStamp && l.hello == nil:
		l.early = f.text
		return true
	case !l.dialled() && f.kind == kindHello && l.hello == nil:
		return s.greeted(l, f)
	}
	return false
}

// greeted handles a hello.
func (s *session) greeted(l *link, f *frame) bool {
	if f.num != version {
		s.refuse(l, fmt.Sprintf("it speaks version %d, not %d: update the older of the two", version, f.num))
		return true
	}
	hello := *f // f will be used again
	l.hello = &hello
	if s.consider(l) {
		return true
	}
	for _, m := range s.svc.Members() { // its change may still be on its way
		if m.ID == f.id {
			s.know(m)
		}
	}
	s.consider(l)
	return true
}

// lookAgain considers the hellos that wait.
func (s *session) lookAgain() {
	for l := range s.links {
		if !l.welcome && !l.gone && l.hello != nil {
			s.consider(l)
		}
	}
}

// consider decides about a hello; false means that it has to wait: for the
// membership to know its sender, or for our own dial.
func (s *session) consider(l *link) bool {
	f := l.hello
	p := s.peers[f.id]
	switch {
	case p == nil || !p.present || uint64(p.member.Boot) < f.boot:
		return false
	case uint64(p.member.Boot) > f.boot:
		s.refuse(l, fmt.Sprintf("%s has started anew since", f.text))
	case p.member.Name != f.text:
		s.refuse(l, fmt.Sprintf("the id of %s belongs to %s", f.text, p.member.Name))
	case s.self.ID < p.id() && p.dialing:
		return false
	case s.crossed(p):
		s.detach(l)
	default:
		l.say(s.introduction(kindWelcome))
		s.attach(p, l)
	}
	return true
}

// crossed tells whether our own dial beats a stream that a peer opened.
func (s *session) crossed(p *peer) bool {
	return s.self.ID < p.id() && p.link != nil && p.link.dialled() && time.Since(p.link.since) < young
}

// welcomed handles the answer to our hello.
func (s *session) welcomed(l *link, f *frame) bool {
	m := l.member
	p := s.peers[m.ID]
	if f.num != version || f.id != m.ID || f.text != m.Name || f.boot != uint64(m.Boot) || p == nil || p.trying != l {
		return false
	}
	s.attach(p, l)
	return true
}

// refuse closes an accepted stream with a reason.
func (s *session) refuse(l *link, reason string) {
	l.gone = true
	delete(s.links, l)
	l.sayLast(frame{kind: kindRefuse, text: reason}, s.cfg.LeaveWait)
}

// refusal shows why a peer does not want our stream, once for each reason.
func (s *session) refusal(l *link, reason string) {
	p := s.peers[l.member.ID]
	if p == nil || p.warned == reason {
		return
	}
	p.warned = reason
	p.retries = max(p.retries, 8)
	s.svc.Show(extension.Line{Kind: extension.Caution, Label: "warn", Text: p.member.Name + " refuses to chat: " + reason})
}

// attach makes a link the one of its peer, which is in the chat from now on,
// and sends what waits for it.
func (s *session) attach(p *peer, l *link) {
	s.replace(p, l)
	if l.early != "" && s.svc.Observe([]byte(l.early)) != nil {
		l.early = "" // a malformed stamp changes nothing
	}
	l.past = []byte(l.early)
	l.peer, l.welcome, l.since = p, true, time.Now()
	p.retries, p.refused = 0, time.Time{}
	s.entered(p)
	p.state, p.lost, p.shown, p.boot = open, false, true, p.member.Boot
	if l.dialled() {
		s.answered(p.id())
	} else {
		s.confirm(l)
	}
	s.presentNow()
	for _, t := range p.queue.items() {
		m := t.message
		if l.since.Sub(m.sent) < s.cfg.AckWait {
			l.push(m.encoded)
			continue
		}
		l.push(m.stamp)
		l.say(frame{kind: kindMsg, num: m.seq, time: uint64(m.sent.UnixNano()), late: true, text: m.text})
	}
	s.lookAgain()
}

// confirm asks for a sign that our welcome has arrived. Until it comes, the
// dialler does not have us in its chat, and our start is not complete.
func (s *session) confirm(l *link) {
	l.unconfirmed = true
	s.pinged++
	l.say(frame{kind: kindPing, num: s.pinged})
}

// replace puts a link in the place of all others of its peer.
func (s *session) replace(p *peer, l *link) {
	for _, old := range []*link{p.link, p.trying} {
		if old != nil && old != l {
			s.detach(old)
		}
	}
	p.link, p.trying = l, nil
	if l.dialled() {
		p.dialing = false
	}
}

// entered shows that a peer is in the chat, if the person here does not
// believe that already of this very boot.
func (s *session) entered(p *peer) {
	switch {
	case p.shown && p.boot == p.member.Boot:
	case p.boot != 0 && (p.lost || p.boot != p.member.Boot):
		s.show(p, extension.Good, "joined", " is back")
	case s.ready != nil && s.starting[p.id()]:
		s.here = append(s.here, p.member.Name)
	default:
		s.show(p, extension.Good, "joined", " has joined")
	}
}
