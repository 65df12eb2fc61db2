package language

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/peerlab/peerlab/internal/faulty"
)

func faultKinds() []string {
	return []string{string(FaultPartition), string(FaultOneway), string(FaultLink), string(FaultReset), string(FaultBootstrap)}
}

// fault reads what stands behind "fault".
func (r *reader) fault() Action {
	f := Fault{Kind: FaultKind(r.oneOf("a fault", faultKinds()))}
	if r.wrong != nil {
		return nil
	}
	switch f.Kind {
	case FaultPartition:
		r.partition(&f)
	case FaultOneway:
		f.A = r.targets("fault oneway alice -> bob")
		r.need("->", "fault oneway alice -> bob")
		f.B = r.targets("fault oneway alice -> bob")
		f.Rule.Cut = true
	case FaultReset:
		f.A = r.targets("fault reset alice <-> bob")
		r.need("<->", "fault reset alice <-> bob")
		f.B = r.targets("fault reset alice <-> bob")
		f.Both = true
	case FaultLink:
		r.link(&f)
	case FaultBootstrap:
		f.Service = r.service()
	}
	r.finish()
	return f
}

func (r *reader) partition(f *Fault) {
	f.Sides = append(f.Sides, r.targets("fault partition alice | bob"))
	for r.accept("|") {
		f.Sides = append(f.Sides, r.targets("fault partition alice | bob"))
	}
	if len(f.Sides) < 2 {
		t := r.next()
		r.fail(t.from, "a partition has two sides or more, with | between them: `fault partition alice | bob`")
	}
	f.Both = true
	f.Rule.Cut = true
}

// link reads "A <-> B latency 200ms ...".
func (r *reader) link(f *Fault) {
	const example = "fault link alice <-> bob latency 200ms"
	f.A = r.targets(example)
	if f.Both = r.accept("<->"); !f.Both {
		if t := r.next(); !r.accept("->") {
			r.fail(t.from, "<-> or -> is missing before %s: write `%s`", r.found(t), example)
		}
	}
	f.B = r.targets(example)
	seen := map[string]bool{}
	for r.wrong == nil && r.property(&f.Rule, seen) {
	}
	if len(seen) == 0 {
		r.fail(len(r.text), "what is wrong with the link? one of latency, jitter, loss, dup, reorder, rate is missing: `%s`", example)
	}
}

// property reads one property of a link; false at the end.
func (r *reader) property(rule *faulty.Rule, seen map[string]bool) bool {
	switch r.clause(seen, "latency", "jitter", "loss", "dup", "reorder", "rate") {
	case "latency":
		rule.Latency = r.duration("latency")
	case "jitter":
		rule.Jitter = r.duration("jitter")
	case "loss":
		rule.Loss = r.percent("loss")
	case "dup":
		rule.Dup = r.percent("dup")
	case "reorder":
		rule.Reorder = r.percent("reorder")
	case "rate":
		rule.Rate = r.rate()
	default:
		return false
	}
	return true
}

// maxRate bounds a rate, in bits per second.
const maxRate = 1e12

// rate takes bits per second.
func (r *reader) rate() int64 {
	var got int64
	r.word("a rate", "64kbit", func(word string) string {
		factor := 1.0
		digits, ok := strings.CutSuffix(word, "bit")
		for i, unit := range []string{"k", "m", "g"} {
			if d, has := strings.CutSuffix(digits, unit); has {
				digits, factor = d, math.Pow(1000, float64(i+1))
				break
			}
		}
		n, err := strconv.ParseFloat(digits, 64)
		if bits := n * factor; ok && err == nil && bits >= 1 && bits <= maxRate {
			got = int64(bits)
			return ""
		}
		return fmt.Sprintf("%.40q is no rate: write 500bit, 64kbit, 1mbit or 1gbit, for a second", word)
	})
	return got
}

// service reads what ails the bootstrap service.
func (r *reader) service() ServiceFault {
	const example = "fault bootstrap slow 2s"
	if t := r.next(); t.kind == 0 {
		r.fail(t.from, "what is wrong with the service? down, slow D, errors P%%, or heal: `%s`", example)
	}
	if r.accept("heal") {
		return ServiceFault{}
	}
	var f ServiceFault
	seen := map[string]bool{}
	for r.wrong == nil {
		switch r.clause(seen, "down", "slow", "errors") {
		case "down":
			f.Down = true
		case "slow":
			f.Slow = r.duration("slow")
		case "errors":
			f.Errors = r.percent("errors")
		default:
			return f
		}
	}
	return f
}

// nemesis reads "partition,kill every 5s for 60s".
func (r *reader) nemesis() Action {
	known := []string{"partition", "oneway", "link", "kill", "pause", "bootstrap"}
	var n Nemesis
	r.word("the kinds of faults", "partition", func(word string) string {
		n.Kinds = strings.Split(word, ",")
		for _, k := range n.Kinds {
			if !slices.Contains(known, k) {
				return fmt.Sprintf("a nemesis does %s, not %.40q%s", strings.Join(known, ", "), k, didYouMean(k, known))
			}
		}
		return ""
	})
	n.Every = r.clauseSpan("every")
	n.For = r.clauseSpan("for")
	r.finish("every", "for")
	if r.wrong == nil && !r.open && n.Every > n.For {
		r.fail(0, "every %s does not happen within %s: make the second one longer", n.Every, n.For)
	}
	return n
}

func (r *reader) clauseSpan(word string) time.Duration {
	r.need(word, "nemesis partition,kill every 5s for 60s")
	return r.duration(word)
}
