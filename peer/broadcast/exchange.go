package broadcast

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/peerlab/peerlab/peer/extension"
)

// An exchange is one short stream. The dialer says who it is, and then one of
//
//   - its change: entries and end; the answer is done;
//   - sync and the digest of its state; the answer is same, or the whole state
//     of the other, to which the dialer answers with what the other lacks, and
//     the answer to that is done;
//   - bye.
//
// Done means that the entries were merged and recorded.

const (
	exchangeWait = 5 * time.Second // how long an exchange may take
	knowWait     = 3 * time.Second // how long the membership may take to know a dialer
)

// exchange is one end of a stream.
type exchange struct {
	n      *session
	stream extension.Stream
	r      *bufio.Reader
	peer   extension.Member
	heard  string // the last stamp that came
}

// dial opens an exchange with a member; ctx has a deadline. The caller closes
// it.
func (n *session) dial(ctx context.Context, m extension.Member) (*exchange, error) {
	stream, err := n.svc.Open(ctx, m)
	if err != nil {
		if errors.Is(err, extension.ErrClosed) {
			n.mark(m, false)
		}
		return nil, err
	}
	by, _ := ctx.Deadline()
	if err := stream.SetDeadline(by); err != nil {
		return nil, errors.Join(err, stream.Close())
	}
	return &exchange{n: n, stream: stream, r: bufio.NewReader(stream), peer: m}, nil
}

// within ends an exchange early when ctx ends. The caller calls stop.
func (x *exchange) within(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { x.stream.Close() })
}

// run opens an exchange with a member, says hello and goes on with f.
func (n *session) run(ctx context.Context, m extension.Member, f func(*exchange, []byte) error) error {
	ctx, cancel := context.WithTimeout(ctx, exchangeWait)
	defer cancel()
	x, err := n.dial(ctx, m)
	if err != nil {
		return err
	}
	defer x.stream.Close()
	defer x.within(ctx)()
	hello := frame{kind: kindHello, version: wireVersion, text: n.self.Name, id: n.self.ID, boot: uint64(n.self.Boot)}
	return f(x, hello.append(nil))
}

// bring pushes a change to a member.
func (n *session) bring(ctx context.Context, m extension.Member, entries []entry) error {
	return n.run(ctx, m, func(x *exchange, hello []byte) error {
		if err := x.write(appendEntries(x.stamp(hello), entries)); err != nil {
			return err
		}
		return x.done()
	})
}

// bye tells a member that this set closes, and waits until it has read that.
func (n *session) bye(ctx context.Context, m extension.Member) error {
	return n.run(ctx, m, func(x *exchange, hello []byte) error {
		if err := x.write((&frame{kind: kindBye}).append(hello)); err != nil {
			return err
		}
		_, err := x.next()
		return err
	})
}

// compare makes the state of a member and ours equal.
func (n *session) compare(ctx context.Context, m extension.Member) error {
	return n.run(ctx, m, func(x *exchange, hello []byte) error {
		var digest []byte
		if !n.call(func() { digest = n.store.digest() }) {
			return ErrNotOpen
		}
		if err := x.write((&frame{kind: kindSync, text: string(digest)}).append(hello)); err != nil {
			return err
		}
		f, err := x.next()
		if err != nil {
			return err
		}
		if f.kind == kindSame {
			n.mark(m, true)
			return nil
		}
		return x.settle(f)
	})
}

// settle takes over the state of the other and sends what that lacks.
func (x *exchange) settle(first frame) error {
	theirs, err := x.entries(first)
	if err != nil {
		return err
	}
	var lacks []entry
	ok := x.n.call(func() {
		x.merge(theirs)
		lacks = x.n.store.newerThan(theirs)
	})
	if !ok {
		return ErrNotOpen
	}
	if err := x.write(appendEntries(x.stamp(nil), lacks)); err != nil {
		return err
	}
	return x.done()
}

// merge takes entries over; in the owner.
func (x *exchange) merge(entries []entry) {
	if x.heard != "" && x.n.svc.Observe([]byte(x.heard)) != nil {
		x.heard = "" // a malformed stamp changes nothing
	}
	x.n.apply(entries, x.peer.Name)
}

// stamp appends our logical time.
func (x *exchange) stamp(b []byte) []byte {
	if s := x.n.svc.Stamp(); len(s) > 0 {
		b = (&frame{kind: kindStamp, text: string(s)}).append(b)
	}
	return b
}

func (x *exchange) write(b []byte) error {
	_, err := x.stream.Write(b)
	return err
}

// next reads a frame; stamps are put aside.
func (x *exchange) next() (frame, error) {
	for {
		f, err := readFrame(x.r)
		switch {
		case err != nil:
			return frame{}, err
		case f.kind == kindStamp:
			x.heard = f.text
		case f.kind == kindRefuse:
			return frame{}, fmt.Errorf("%s refuses: %s", x.peer.Name, f.text)
		default:
			return f, nil
		}
	}
}

// entries reads up to the end, beginning with a frame that has come.
func (x *exchange) entries(f frame) ([]entry, error) {
	var list []entry
	for f.kind == kindEntries && len(list) < maxState {
		list = append(list, f.entries...)
		var err error
		if f, err = x.next(); err != nil {
			return nil, err
		}
	}
	if f.kind != kindEnd {
		return nil, fmt.Errorf("%w: kind %d among entries, or too many of them", errFrame, f.kind)
	}
	return list, nil
}

// done reads the answer to a change.
func (x *exchange) done() error {
	f, err := x.next()
	if err != nil {
		return err
	}
	if f.kind != kindDone {
		return fmt.Errorf("%w: kind %d instead of done", errFrame, f.kind)
	}
	x.n.mark(x.peer, true)
	return nil
}

// answer serves an accepted stream.
func (n *session) answer(stream extension.Stream) {
	if stream.SetDeadline(time.Now().Add(exchangeWait)) != nil {
		return
	}
	x := &exchange{n: n, stream: stream, r: bufio.NewReader(stream)}
	hello, err := x.next()
	if err != nil || hello.kind != kindHello {
		return
	}
	if reason := x.identify(hello); reason != "" {
		_ = x.write((&frame{kind: kindRefuse, text: reason}).append(nil)) // it is gone anyway
		return
	}
	f, err := x.next()
	if err != nil {
		return
	}
	_ = x.reply(f) // the dialer sees it
}

// reply answers what a dialer wants.
func (x *exchange) reply(f frame) error {
	switch f.kind {
	case kindBye:
		x.n.mark(x.peer, false)
		return x.write((&frame{kind: kindDone}).append(nil))
	case kindSync:
		same, ours := false, []entry(nil)
		x.n.call(func() {
			if same = string(x.n.store.digest()) == f.text; !same {
				ours = x.n.store.all()
			}
		})
		if same {
			x.n.mark(x.peer, true)
			return x.write((&frame{kind: kindSame}).append(nil))
		}
		if err := x.write(appendEntries(x.stamp(nil), ours)); err != nil {
			return err
		}
		var err error
		if f, err = x.next(); err != nil {
			return err
		}
	}
	return x.takeOver(f)
}

// takeOver merges what the dialer sends and says when that is done.
func (x *exchange) takeOver(first frame) error {
	entries, err := x.entries(first)
	if err != nil {
		return err
	}
	if !x.n.call(func() { x.merge(entries) }) {
		return ErrNotOpen
	}
	x.n.mark(x.peer, true)
	return x.write((&frame{kind: kindDone}).append(x.stamp(nil)))
}

// identify waits until the membership knows the sender of a hello, and tells
// why it is not welcome.
func (x *exchange) identify(f frame) (reason string) {
	if f.version != wireVersion {
		return fmt.Sprintf("it speaks version %d, not %d: update the older of the two", wireVersion, f.version)
	}
	timer := time.NewTimer(knowWait)
	defer timer.Stop()
	for {
		changed := x.n.nextChange()
		for _, m := range x.n.members() {
			if m.ID == f.id && m.Name == f.text && uint64(m.Boot) == f.boot {
				x.peer = m
				return ""
			}
		}
		select {
		case <-changed:
		case <-timer.C:
			return "nobody knows " + f.text
		case <-x.n.ctx.Done():
			return "it is leaving"
		}
	}
}

// nextChange is closed at the next change of the membership.
func (n *session) nextChange() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.joined
}
