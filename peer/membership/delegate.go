package membership

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
	"github.com/rs/zerolog"

	"github.com/peerlab/peerlab/peer/guard"
)

// delegate is what memberlist calls, mostly with its locks held. It enqueues.
// The goroutines are memberlist's, so panics are caught where it calls.
type delegate struct{ g *Group }

func (d delegate) NotifyJoin(n *memberlist.Node)   { d.g.enqueue(nodeJoined, n) }
func (d delegate) NotifyLeave(n *memberlist.Node)  { d.g.enqueue(nodeGone, n) }
func (d delegate) NotifyUpdate(n *memberlist.Node) { d.g.enqueue(nodeUpdated, n) }

func (d delegate) GetBroadcasts(_, _ int) [][]byte { return nil }
func (d delegate) LocalState(bool) []byte          { return nil }
func (d delegate) MergeRemoteState([]byte, bool)   {}

// NodeMeta is what the others are told of us.
func (d delegate) NodeMeta(int) []byte {
	defer guard.Catch(d.g.run)
	return d.g.meta().encode()
}

// NotifyMsg takes the messages that members send each other directly.
func (d delegate) NotifyMsg(b []byte) {
	defer guard.Catch(d.g.run)
	if kind, node, ok := parseWord(b); ok {
		d.g.push(notice{kind: kind, node: node, at: time.Now()})
	}
}

func (d delegate) AckPayload() []byte { return nil }

func (d delegate) NotifyPingComplete(n *memberlist.Node, rtt time.Duration, _ []byte) {
	defer guard.Catch(d.g.run)
	d.g.push(notice{kind: nodeAnswered, node: n.Name, at: time.Now(), rtt: max(0, rtt)})
}

func (g *Group) enqueue(k noticeKind, n *memberlist.Node) {
	defer guard.Catch(g.run)
	ip, _ := netip.AddrFromSlice(n.Addr)
	g.push(notice{
		kind: k, node: n.Name, at: time.Now(),
		addr: netip.AddrPortFrom(ip.Unmap(), n.Port),
		meta: slices.Clone(n.Meta),
	})
}

func (g *Group) enqueueSuspect(node string) {
	g.push(notice{kind: nodeSuspect, node: node, at: time.Now()})
}

// push drops what the timers of a memberlist bring that has been shut down.
func (g *Group) push(n notice) {
	if g.ctx.Err() == nil {
		g.queue.put(n)
	}
}

// notice is one thing that memberlist told us.
type notice struct {
	kind noticeKind
	node string // memberlist's name for it
	addr netip.AddrPort
	meta []byte
	at   time.Time
	rtt  time.Duration
	done chan<- struct{} // for a barrier: closed when all before it was applied
}

type noticeKind int

const (
	nodeJoined noticeKind = iota
	nodeUpdated
	nodeAnswered
	nodeSuspect
	nodeLeaving // its word has come
	nodeHeard   // it has heard ours
	nodeGone
	barrier
)

// queue hands notices from memberlist's goroutines to ours. It never blocks
// and loses nothing; what waits in it is bounded by what memberlist knows.
type queue struct {
	signal chan struct{} // has one element while notices wait

	mu   sync.Mutex // guards wait
	wait []notice
}

func newQueue() *queue { return &queue{signal: make(chan struct{}, 1)} }

func (q *queue) put(n notice) {
	q.mu.Lock()
	q.wait = append(q.wait, n)
	q.mu.Unlock()
	select {
	case q.signal <- struct{}{}:
	default:
	}
}

func (q *queue) take() []notice {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := q.wait
	q.wait = nil
	return all
}

// logWriter turns memberlist's log lines into zerolog events, and finds in
// them what memberlist tells nowhere else: that it suspects a member.
type logWriter struct {
	log     zerolog.Logger
	suspect func(node string)
	guard   context.Context // where panics are reported
}

var (
	logPattern     = regexp.MustCompile(`\[(DEBUG|INFO|WARN|ERR)\] (?:memberlist: )?(.*)`)
	suspectPattern = regexp.MustCompile(`^Suspect (.+) has failed, no acks received$`)
)

func (w *logWriter) Write(p []byte) (int, error) {
	defer guard.Catch(w.guard)
	m := logPattern.FindSubmatch(bytes.TrimRight(p, "\n"))
	if m == nil {
		w.log.Info().Msg(string(bytes.TrimSpace(p)))
		return len(p), nil
	}
	text := string(m[2])
	w.log.WithLevel(level(string(m[1]))).Msg(text)
	if s := suspectPattern.FindStringSubmatch(text); s != nil {
		w.suspect(s[1])
	}
	return len(p), nil
}

func level(s string) zerolog.Level {
	switch s {
	case "DEBUG":
		return zerolog.DebugLevel
	case "INFO":
		return zerolog.InfoLevel
	case "WARN":
		return zerolog.WarnLevel
	}
	return zerolog.ErrorLevel
}

func udpAddr(a netip.AddrPort) net.Addr { return net.UDPAddrFromAddrPort(a) }
