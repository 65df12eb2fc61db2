package chat

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/peerlab/peerlab/peer/extension"
	"github.com/peerlab/peerlab/peer/guard"
)

// session is one run of a room. Everything in it is owned by the goroutine
// of serve, but for what is marked otherwise.
type session struct {
	room *Room
	cfg  *Config
	svc  extension.Services // anybody
	self extension.Member
	ctx  context.Context // of dials

	in      chan func()    // anybody, by post
	closed  chan struct{}  // closed when in is not served any more
	ended   chan struct{}  // closed when the last goroutine has ended
	wg      sync.WaitGroup // readers, writers, dialers
	buffers sync.Pool      // anybody: of *batch
	frames  sync.Pool      // anybody: of *frames

	peers   map[string]*peer // by id
	links   map[*link]bool   // every open one
	dirty   []*link          // with something new to write
	agenda  agenda
	present []extension.Member // presented last
	pings   map[uint64]chan<- error
	pinged  uint64 // the last number of a ping

	ready    func() // nil once called
	starting map[string]bool
	fields   map[string]any // of the event that is being recorded
	owed     []*peer        // whom the last message was for, by name; see audience
	sentTo   []string       // their names; never modified
	to       any            // sentTo as the field of an event, made once
	here     []string       // in the chat before us, to be shown when ready
}

func newSession(ctx context.Context, r *Room, svc extension.Services, ready func()) *session {
	return &session{
		room: r, cfg: &r.cfg, svc: svc, self: svc.Self(), ctx: ctx, ready: ready,
		in: make(chan func()), closed: make(chan struct{}), ended: make(chan struct{}),
		peers: map[string]*peer{}, links: map[*link]bool{}, pings: map[uint64]chan<- error{},
		starting: map[string]bool{}, fields: map[string]any{},
	}
}

// post hands f to the owner and waits until it is taken; false means that
// the session has closed and f will never run.
func (s *session) post(f func()) bool {
	select {
	case s.in <- f:
		return true
	case <-s.closed:
		return false
	}
}

// spawn runs f as a goroutine that leave waits for.
func (s *session) spawn(f func()) {
	s.wg.Go(func() {
		defer guard.Catch(s.ctx)
		f()
	})
}

// buffer returns an empty batch with some room.
func (s *session) buffer() *batch {
	if b, ok := s.buffers.Get().(*batch); ok && cap(b.bytes) <= maxFrame {
		b.bytes = b.bytes[:0]
		return b
	}
	return &batch{}
}

// noFrames returns an empty list of frames with some room.
func (s *session) noFrames() *frames {
	if f, ok := s.frames.Get().(*frames); ok {
		f.list = f.list[:0]
		return f
	}
	return &frames{}
}

// start dials everybody who is there.
func (s *session) start() {
	s.svc.Present(nil)
	for _, m := range s.svc.Members() {
		if p := s.know(m); p != nil {
			s.starting[p.id()] = true
			s.dial(p)
		}
	}
	s.agenda.after(s.cfg.StartWait, s.started)
	s.agenda.after(tick, s.tick)
	s.answered("")
}

// answered takes note that a member that was there at our start has answered,
// or has gone; when all have, the chat is ready.
func (s *session) answered(id string) {
	delete(s.starting, id)
	if len(s.starting) == 0 {
		s.started()
	}
}

// started calls ready, once, and shows who was here before us.
func (s *session) started() {
	if s.ready == nil {
		return
	}
	clear(s.starting)
	if len(s.here) > 0 {
		slices.Sort(s.here)
		s.svc.Show(extension.Line{Kind: extension.Good, Label: "info", Text: "here: " + strings.Join(s.here, ", ")})
	}
	ready := s.ready
	s.ready, s.here = nil, nil
	ready()
}

// burst is how many functions run at most before links are flushed.
const burst = 64

// serve runs what is handed in until the context ends. While more is there,
// it does not write yet: so that under load a write carries many frames, and
// without load none waits.
func (s *session) serve() {
	defer close(s.closed)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		for more, n := true, 0; more && n < burst; n++ {
			select {
			case f := <-s.in:
				f()
			default:
				more = false
			}
		}
		s.flush()
		s.agenda.arm(timer)
		select {
		case f := <-s.in:
			f()
		case <-s.room.mail.signal:
			s.collect()
		case <-timer.C:
			s.agenda.run()
		case <-s.ctx.Done():
			return
		}
	}
}

// flush lets links write what is new.
func (s *session) flush() {
	for _, l := range s.dirty {
		l.flush()
	}
	clear(s.dirty)
	s.dirty = s.dirty[:0]
}

// collect takes what is in the mailbox.
func (s *session) collect() {
	changes, streams := s.room.mail.take()
	for _, c := range changes {
		s.changed(c)
	}
	for _, stream := range streams {
		s.open(stream, extension.Member{})
	}
	if len(changes) > 0 {
		s.lookAgain()
	}
}

// open starts to serve a stream, whose handshake has to come about in time.
func (s *session) open(stream extension.Stream, to extension.Member) *link {
	l := &link{s: s, stream: stream, member: to, lastIn: time.Now()}
	s.links[l] = true
	s.spawn(l.read)
	s.agenda.after(helloWait, func() {
		if !l.welcome {
			s.drop(l)
		}
	})
	return l
}

// hangUp closes every link without a word.
func (s *session) hangUp() {
	for l := range s.links {
		l.stream.Close()
	}
	clear(s.links)
}

// leave says goodbye on every link and waits until the others have closed
// theirs, for a bounded time.
func (s *session) leave() {
	by := time.Now().Add(s.cfg.LeaveWait)
	for l := range s.links {
		if !l.welcome {
			l.stream.Close()
			continue
		}
		l.stream.SetDeadline(by)
		l.say(frame{kind: kindLeave})
	}
	s.flush()
	s.wg.Wait()
	for _, p := range s.peers {
		p.queue.drop()
	}
	s.svc.Present(nil)
}

// presentNow tells who is in the chat if that has changed.
func (s *session) presentNow() {
	var list []extension.Member
	for _, p := range s.peers {
		if p.state == open && p.present {
			list = append(list, p.member)
		}
	}
	slices.SortFunc(list, func(a, b extension.Member) int { return cmp.Compare(a.Name, b.Name) })
	if !slices.Equal(list, s.present) {
		s.present = list
		s.svc.Present(slices.Clone(list))
	}
}

// names lists the others in the chat.
func (s *session) names() []string {
	names := make([]string, 0, len(s.present))
	for _, m := range s.present {
		names = append(names, m.Name)
	}
	return names
}

// send queues a message for everybody.
func (s *session) send(m *message) {
	s.room.seq++
	m.seq, m.sent = s.room.seq, time.Now()
	owed := s.audience()
	m.encode(s.stampSent(m))
	m.targets = make([]target, len(owed))
	for i, p := range owed {
		m.targets[i] = target{message: m, name: p.member.Name}
		s.enqueue(p, &m.targets[i])
	}
	if m.waiting == 0 {
		m.finish()
	}
}

// audience is whom a message is for: the peers in the chat, and those that may
// return to it. Nearly always it is the same as the last time.
func (s *session) audience() []*peer {
	if s.sameAudience() {
		return s.owed
	}
	s.owed = nil
	for _, p := range s.peers {
		if p.listens() {
			s.owed = append(s.owed, p)
		}
	}
	slices.SortFunc(s.owed, func(a, b *peer) int { return cmp.Compare(a.member.Name, b.member.Name) })
	s.sentTo = make([]string, len(s.owed))
	for i, p := range s.owed {
		s.sentTo[i] = p.member.Name
	}
	s.to = s.sentTo
	return s.owed
}

// sameAudience tells whether a message is for the same as the last one.
func (s *session) sameAudience() bool {
	n := 0
	for _, p := range s.peers {
		if p.listens() {
			n++
		}
	}
	if n != len(s.owed) || s.to == nil {
		return false
	}
	for i, p := range s.owed {
		if !p.listens() || p.member.Name != s.sentTo[i] || s.peers[p.id()] != p {
			return false
		}
	}
	return true
}

// stampSent records that a message is on its way to the audience, before
// anything of it is, and returns the time of that, nil if there is none.
func (s *session) stampSent(m *message) []byte {
	clear(s.fields)
	s.fields["id"], s.fields["to"] = messageID(s.self, m.seq), s.to
	return s.svc.Sent(extension.Event{Type: "sent", Text: m.text, Fields: s.fields})
}

// enqueue queues a message for one peer.
func (s *session) enqueue(p *peer, t *target) {
	m := t.message
	if !p.queue.fits(m, s.cfg) {
		t.fate = dropped
		return
	}
	if p.present && !p.owes(m.sent, s.cfg.AckWait) {
		t.awaited = true
		m.waiting++
	}
	p.queue.push(t)
	if p.link != nil {
		p.link.push(m.encoded)
	}
}

// ping asks a member for a sign of life.
func (s *session) ping(name string, answer chan<- error) {
	i := slices.IndexFunc(s.present, func(m extension.Member) bool { return m.Name == name })
	if i < 0 {
		answer <- noMember(name, s.names())
		return
	}
	p := s.peers[s.present[i].ID]
	if p.link == nil {
		answer <- noStream(name)
		return
	}
	s.pinged++
	n := s.pinged
	s.pings[n] = answer
	s.agenda.after(pingKeep, func() { delete(s.pings, n) })
	p.link.say(frame{kind: kindPing, num: n})
}

// received handles what came in on a link.
func (s *session) received(l *link, frames *frames) {
	if l.gone {
		return
	}
	l.lastIn, l.asked = time.Now(), time.Time{}
	l.heard()
	if l.unconfirmed {
		l.unconfirmed = false
		s.answered(l.peer.id())
	}
	for i := range frames.list {
		if ok := s.handle(l, &frames.list[i]); !ok {
			s.drop(l)
		}
		if l.gone {
			return
		}
	}
	s.frames.Put(frames)
	if l.peer != nil && l.peer.toAck > 0 {
		l.acknowledge(l.peer.toAck)
		l.peer.toAck = 0
	}
}

// handle handles one frame; false means that it must not have come.
func (s *session) handle(l *link, f *frame) bool {
	if !l.welcome {
		return s.handshake(l, f)
	}
	switch f.kind {
	case kindStamp:
		l.past = append(l.past[:0], f.text...)
		return s.svc.Observe(l.past) == nil
	case kindMsg:
		return s.message(l, f)
	case kindAck:
		l.peer.queue.acknowledged(min(f.num, s.room.seq))
	case kindPing:
		l.say(frame{kind: kindPong, num: f.num})
	case kindPong:
		if answer, ok := s.pings[f.num]; ok {
			delete(s.pings, f.num)
			answer <- nil
		}
	case kindLeave:
		s.left(l.peer)
	default:
		return false
	}
	return true
}

// message shows a message that was not shown before.
func (s *session) message(l *link, f *frame) bool {
	p := l.peer
	h := s.room.seen[p.id()]
	if h == nil {
		h = &heard{}
		s.room.seen[p.id()] = h
	}
	if h.boot == p.member.Boot && f.num <= h.seq {
		p.toAck = h.seq
		return true
	}
	*h = heard{boot: p.member.Boot, seq: f.num}
	clear(s.fields)
	s.fields["from"], s.fields["id"], s.fields["late"] = p.member.Name, messageID(p.member, f.num), f.late
	if f.late {
		s.fields["sent"] = time.Unix(0, int64(f.time)).UTC().Format(time.RFC3339Nano)
	}
	s.svc.Show(extension.Line{Label: p.member.Name, Text: f.text})
	p.toAck = f.num
	e := extension.Event{Type: "chat", Text: f.text, Fields: s.fields}
	if len(l.past) == 0 {
		s.svc.Record(e)
		return true
	}
	return s.svc.Received(l.past, e) == nil
}
