package repl

import (
	"slices"
	"strings"
)

// Nearest returns the one of the names that is most like word, or "" if none
// is: what "did you mean" asks.
func Nearest(word string, names []string) string {
	return nearest(word, slices.Sorted(slices.Values(names)))
}

// nearest returns the one of the sorted names that is most like word, or "".
// A name that begins with word comes before one that differs by slips; of
// equally near ones the first wins.
func nearest(word string, names []string) string {
	if word == "" {
		return ""
	}
	best, bestSlips := "", slipsAllowed(word)+1
	for _, n := range names {
		if len(word) > 1 && strings.HasPrefix(n, word) {
			return n
		}
		if d := slips(word, n, bestSlips); d < bestSlips {
			best, bestSlips = n, d
		}
	}
	return best
}

// slipsAllowed grows with the word: in a short one two slips leave nothing.
func slipsAllowed(word string) int {
	switch n := len(word); {
	case n < 3:
		return 0
	case n < 6:
		return 1
	default:
		return 2
	}
}

// slips counts the typing slips between two words: a byte too many, one too
// few, a wrong one, or two neighbours swapped. Counts of limit and more may
// be returned as limit.
func slips(a, b string, limit int) int {
	if diff := len(a) - len(b); diff >= limit || -diff >= limit {
		return limit
	}
	before := make([]int, len(b)+1)
	last := make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
