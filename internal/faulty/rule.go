package faulty

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ErrRule is matched by the errors of ParseRule, and by those of rules that
// came from elsewhere and make no sense.
var ErrRule = errors.New("not a rule for a link")

// RuleError says which word ParseRule could not take.
type RuleError struct {
	Word   int    // index of the word; the number of words if one is missing at the end
	Reason string // "want a share such as 5%, not \"5\""
}

func (e *RuleError) Error() string { return e.Reason }

// Unwrap returns ErrRule.
func (e *RuleError) Unwrap() error { return ErrRule }

// Bounds of what a rule may ask for.
const (
	maxDelay = 10 * time.Minute // of Latency, and of Jitter
	maxRate  = 1 << 50          // bits per second
)

// RuleWords are the words with which the parts of a rule begin, in the order
// in which String writes them.
func RuleWords() []string { return []string{"latency", "jitter", "loss", "dup", "reorder", "rate"} }

// ParseRule reads a rule in the words of the scenario language:
//
//	latency 200ms jitter 50ms loss 5% dup 1% reorder 2% rate 64kbit
//
// Each part may stand once, in any order, and one must be there. What cuts a
// link has words of its own in the language and is no part of a rule's text.
// The error is a *RuleError.
func ParseRule(words []string) (Rule, error) {
	var r Rule
	seen := map[string]bool{}
	for i := 0; i < len(words); i += 2 {
		word := words[i]
		switch parse := r.part(word); {
		case parse == nil:
			return Rule{}, &RuleError{i, fmt.Sprintf("%q is no property of a link: use %s", word, strings.Join(RuleWords(), ", "))}
		case seen[word]:
			return Rule{}, &RuleError{i, word + " is there twice"}
		case i+1 == len(words):
			return Rule{}, &RuleError{i + 1, word + " needs a value, such as " + example(word)}
		default:
			seen[word] = true
			if !parse(words[i+1]) {
				return Rule{}, &RuleError{i + 1, fmt.Sprintf("%q is no value of %s: write one such as %s", words[i+1], word, example(word))}
			}
		}
	}
	if len(words) == 0 {
		return Rule{}, &RuleError{0, "a property of the link is missing: " + strings.Join(RuleWords(), ", ")}
	}
	return r, nil
}

// part returns what reads the value of a word into r; nil for no such word.
func (r *Rule) part(word string) func(value string) bool {
	switch word {
	case "latency":
		return func(v string) bool { return parseDelay(v, &r.Latency) }
	case "jitter":
		return func(v string) bool { return parseDelay(v, &r.Jitter) }
	case "loss":
		return func(v string) bool { return parseShare(v, &r.Loss) }
	case "dup":
		return func(v string) bool { return parseShare(v, &r.Dup) }
	case "reorder":
		return func(v string) bool { return parseShare(v, &r.Reorder) }
	case "rate":
		return func(v string) bool { return parseRate(v, &r.Rate) }
	}
	return nil
}

func example(word string) string {
	switch word {
	case "latency", "jitter":
		return "200ms"
	case "rate":
		return "64kbit"
	}
	return "5%"
}

func parseDelay(text string, to *time.Duration) bool {
	d, err := time.ParseDuration(text)
	*to = d
	return err == nil && d >= 0 && d <= maxDelay
}

func parseShare(text string, to *float64) bool {
	number, percent := strings.CutSuffix(text, "%")
	if !percent || strings.ContainsAny(number, "eExX_+-") {
		return false
	}
	p, err := strconv.ParseFloat(number+"e-2", 64) // rounded once: 7% is 0.07
	*to = p
	return err == nil && p >= 0 && p <= 1
}

// units of a rate, the greatest first.
func units() []unit {
	return []unit{{"gbit", 1e9}, {"mbit", 1e6}, {"kbit", 1e3}, {"bit", 1}}
}

type unit struct {
	name string
	bits int64 // per second
}

func parseRate(text string, to *int64) bool {
	for _, u := range units() {
		number, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 63)
		*to = int64(n) * u.bits
		return err == nil && n > 0 && n <= maxRate/uint64(u.bits)
	}
	return false
}

// String is the rule in the words that ParseRule reads, "cut" for one that
// lets nothing pass, and nothing for one that lets everything pass at once.
func (r Rule) String() string {
	if r.Cut {
		return "cut"
	}
	var words []string
	add := func(there bool, word, value string) {
		if there {
			words = append(words, word, value)
		}
	}
	add(r.Latency > 0, "latency", r.Latency.String())
	add(r.Jitter > 0, "jitter", r.Jitter.String())
	add(r.Loss > 0, "loss", share(r.Loss))
	add(r.Dup > 0, "dup", share(r.Dup))
	add(r.Reorder > 0, "reorder", share(r.Reorder))
	add(r.Rate > 0, "rate", rate(r.Rate))
	return strings.Join(words, " ")
}

// share writes a probability with as few digits as tell it from others.
func share(p float64) string {
	for digits := range 17 {
		text := strconv.FormatFloat(100*p, 'f', digits, 64)
		if back, err := strconv.ParseFloat(text+"e-2", 64); err == nil && back == p {
			return text + "%"
		}
	}
	return strconv.FormatFloat(100*p, 'f', -1, 64) + "%"
}

func rate(bits int64) string {
	for _, u := range units() {
		if bits%u.bits == 0 {
			return strconv.FormatInt(bits/u.bits, 10) + u.name
		}
	}
	return "" // the last unit is one bit
}

// check looks at a rule that came from elsewhere.
func (r Rule) check() error {
	probability := func(p float64) bool { return p >= 0 && p <= 1 } // not of NaN
	delay := func(d time.Duration) bool { return d >= 0 && d <= maxDelay }
	if delay(r.Latency) && delay(r.Jitter) && r.Rate >= 0 && r.Rate <= maxRate &&
		probability(r.Loss) && probability(r.Dup) && probability(r.Reorder) {
		return nil
	}
	return fmt.Errorf("%w: %+v is out of range", ErrRule, r)
}

// Combine is what holds when both rules do: a cut of either; latencies and
// jitters one after the other; chances that do not know of each other; the
// lower rate. It is the same in both orders, and the zero Rule changes
// nothing.
func Combine(a, b Rule) Rule {
	either := func(p, q float64) float64 { return p + q - p*q }
	r := Rule{
		Cut:     a.Cut || b.Cut,
		Latency: min(a.Latency+b.Latency, maxDelay),
		Jitter:  min(a.Jitter+b.Jitter, maxDelay),
		Loss:    either(a.Loss, b.Loss),
		Dup:     either(a.Dup, b.Dup),
		Reorder: either(a.Reorder, b.Reorder),
		Rate:    min(a.Rate, b.Rate),
	}
	if r.Rate == 0 {
		r.Rate = max(a.Rate, b.Rate)
	}
	return r
}
