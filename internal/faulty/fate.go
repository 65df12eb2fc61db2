package faulty

import "time"

// Link is one direction between two hosts as far as chance is concerned: all
// its draws follow from it and from numbers that are counted.
//
// A draw is a hash, so that no draw depends on another one. With mix for the
// finalizer of splitmix64 (variant 13 of Stafford) and fnv for 64-bit FNV-1a,
//
//	link = mix(mix(seed) ^ fnv(from + "\x00" + to))
//	draw = mix(mix(link + n*0x9e3779b97f4a7c15) ^ (k+1)*0xd1b54a32d192ed03)
//
// where n is the number of the packet and k that of the question about it.
// The upper 53 bits of a draw are a number from 0 to 1. All of it is part of
// what a seed promises, and must not change: testdata/fates.v1 holds it.
type Link uint64

// NewLink is the link from one name to another under a seed.
func NewLink(seed uint64, from, to string) Link {
	const offset, prime = 0xcbf29ce484222325, 0x100000001b3
	h := uint64(offset)
	for _, b := range []byte(from + "\x00" + to) {
		h = (h ^ uint64(b)) * prime
	}
	return Link(mix(mix(seed) ^ h))
}

func mix(h uint64) uint64 {
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// question is what is drawn for.
type question uint64

const (
	qLoss question = iota
	qDup
	qJitter
	qJitterOfCopy
	qReorder
	qHold
	qStream // and those that follow, one for each transmission of a part of a stream
)

// draw is the answer to a question about packet n: 0 <= draw < 1.
func (l Link) draw(n uint64, q question) float64 {
	h := mix(mix(uint64(l)+n*0x9e3779b97f4a7c15) ^ (uint64(q)+1)*0xd1b54a32d192ed03)
	return float64(h>>11) / (1 << 53)
}

// Fate is what becomes of a packet: so many copies of it arrive (0, 1 or 2),
// each so much later. The rate of a link is not part of it: that depends on
// what else is under way.
type Fate struct {
	Copies int
	Delays [2]time.Duration
}

// maxHold is how long a packet is held back at most to be overtaken; it is
// never less than minHold.
const (
	minHold = 10 * time.Millisecond
	maxHold = 250 * time.Millisecond
)

// Fate is what becomes of packet n of the link under a rule. It is a pure
// function.
func (l Link) Fate(r Rule, n uint64) Fate {
	if r.Cut || l.happens(r.Loss, n, qLoss) {
		return Fate{}
	}
	f := Fate{Copies: 1}
	f.Delays[0] = r.Latency + l.jitter(r, n, qJitter)
	if l.happens(r.Reorder, n, qReorder) {
		f.Delays[0] += minHold + time.Duration(l.draw(n, qHold)*float64(maxHold-minHold))
	}
	if l.happens(r.Dup, n, qDup) {
		f.Copies = 2
		f.Delays[1] = r.Latency + l.jitter(r, n, qJitterOfCopy)
	}
	return f
}

// retransmit is how long the first retransmission of a part of a stream
// takes; each one more takes twice as long as the one before, and after
// maxLosses of them it gets through.
const (
	retransmit = 200 * time.Millisecond
	maxLosses  = 6
)

// Late is how much later part n of a stream arrives under a rule: a stream
// loses nothing, and what is lost of it is sent again. It is a pure function,
// with draws of its own.
func (l Link) Late(r Rule, n uint64) time.Duration {
	d := r.Latency + l.jitter(r, n, qStream)
	for i := range maxLosses {
		if !l.happens(r.Loss, n, qStream+1+question(i)) {
			break
		}
		d += retransmit << i
	}
	return d
}

func (l Link) happens(p float64, n uint64, q question) bool {
	return p > 0 && l.draw(n, q) < p
}

func (l Link) jitter(r Rule, n uint64, q question) time.Duration {
	if r.Jitter == 0 {
		return 0
	}
	return time.Duration(l.draw(n, q) * float64(r.Jitter))
}
