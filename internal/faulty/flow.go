package faulty

import (
	"sync"
	"sync/atomic"
	"time"
)

// maxQueue is how long what is sent may wait for a slow link. More packets
// than that are dropped, as a router would.
const maxQueue = time.Second

// flow is what is counted of the traffic one way between two hosts. Only what
// meets a rule counts. Packets share the rate of a rule; each stream has it
// for itself, so that a long transfer does not silence the gossip.
type flow struct {
	draws   Link
	packets atomic.Uint64
	parts   atomic.Uint64 // of streams

	mu   sync.Mutex
	busy time.Time // until when the link sends packets, at its rate
}

// packet is the fate of the next packet, of so many bytes.
func (f *flow) packet(r Rule, size int, now time.Time) Fate {
	fate := f.draws.Fate(r, f.packets.Add(1))
	if fate.Copies == 0 || r.Rate == 0 {
		return fate
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.busy.Sub(now) > maxQueue {
		return Fate{}
	}
	f.busy = sent(f.busy, now, r.Rate, size)
	for i := range fate.Delays {
		fate.Delays[i] += f.busy.Sub(now)
	}
	return fate
}

// sent is when a link that is busy for a while has sent size bytes more.
func sent(busy, now time.Time, rate int64, size int) time.Time {
	if busy.Before(now) {
		busy = now
	}
	return busy.Add(time.Duration(float64(size) * 8 / float64(rate) * float64(time.Second)))
}

// late is how much later the next part of a stream arrives.
func (f *flow) late(r Rule) time.Duration { return f.draws.Late(r, f.parts.Add(1)) }
